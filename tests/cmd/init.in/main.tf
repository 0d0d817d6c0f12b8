variable "days" {
  type    = number
  default = 30
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/shop/api"
  retention_in_days = var.days
}

resource "aws_cloudwatch_log_group" "jobs" {
  name = "/shop/jobs"
}

resource "aws_cloudwatch_log_group" "audit" {
  name              = "/shop/audit"
  retention_in_days = 400
}
