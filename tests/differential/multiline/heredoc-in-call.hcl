upper(<<EOT
abc
EOT
)
