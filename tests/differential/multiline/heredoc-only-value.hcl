<<EOT
${[1]}
EOT
