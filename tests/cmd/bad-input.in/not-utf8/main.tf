# café
resource "aws_cloudwatch_log_group" "a" {
  name = "café"
}
