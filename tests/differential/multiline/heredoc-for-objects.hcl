<<-EOT
  %{ for k, v in { b = 1, a = [2, 3] } ~}
  ${k} = ${jsonencode(v)}
  %{ endfor ~}
EOT
