<<EOT
${null}
EOT
