{
  a = <<-EOT
    one
    two
  EOT
  b = 2
}
