yamldecode(<<-EOT
    a: 1
    b:
      - x
      - y: z
    c: |
      text
      more
  EOT
)
