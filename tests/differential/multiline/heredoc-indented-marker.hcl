<<EOT
a
    EOT
