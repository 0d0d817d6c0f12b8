<<-EOT
    ${"a"}
      ${"b"}
    c
  EOT
