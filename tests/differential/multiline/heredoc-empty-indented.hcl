<<-EOT
  EOT
