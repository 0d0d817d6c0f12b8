<<-EOT
    a

    b
  EOT
