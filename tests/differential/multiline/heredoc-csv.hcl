csvdecode(<<-EOT
  name,size
  a,1
  b,2
EOT
)
