variable "days" {
  type = number
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/shop/api"
  retention_in_days = var.days
}

resource "aws_cloudwatch_log_group" "jobs" {
  name              = "/shop/jobs"
  retention_in_days = var.days
}
