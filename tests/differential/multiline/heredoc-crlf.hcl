<<EOT
a
b
EOT
