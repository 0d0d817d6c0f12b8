<<-EOT
  a
  %{ if true }
  yes
  %{ else }
  no
  %{ endif }
  b
EOT
