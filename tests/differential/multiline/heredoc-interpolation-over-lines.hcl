<<EOT
${join(",", [
  "a",
  "b",
])}
EOT
