<<-EOT
    EOTX
    x EOT
  EOT y
  ${<<IN
IN
} ${<<IN
b
IN
}
EOT
