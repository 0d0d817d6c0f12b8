<<EOT
a
b
EOT
