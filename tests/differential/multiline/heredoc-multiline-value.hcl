<<-EOT
    a:
      ${indent(6, "x\ny")}
  EOT
