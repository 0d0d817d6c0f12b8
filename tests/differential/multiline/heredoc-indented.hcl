<<-EOT
    four
      six
    ${"in"}
  EOT
