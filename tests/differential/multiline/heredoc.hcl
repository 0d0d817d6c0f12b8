<<EOT
a
  b ${1 + 1}
EOT
