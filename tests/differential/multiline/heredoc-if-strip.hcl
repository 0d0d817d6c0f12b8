<<-EOT
  a
  %{ if false ~}
  yes
  %{ else ~}
  no
  %{ endif ~}
  b
EOT
