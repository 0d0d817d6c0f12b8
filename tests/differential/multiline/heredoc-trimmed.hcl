trimspace(<<-EOT
    abc
    EOT
)
