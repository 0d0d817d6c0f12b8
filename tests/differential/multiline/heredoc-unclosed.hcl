<<EOT
a
