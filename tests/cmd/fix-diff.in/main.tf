# The days are decided in one place.
variable "days" {
  type    = number
  default = 30 # a month
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/shop/api"
  retention_in_days = var.days
}

resource "aws_cloudwatch_log_group" "jobs" {
  name = "/shop/jobs"

  tags = {
    team = "jobs"
  }
}

resource "aws_cloudwatch_log_group" "cache" {
  name              = "/shop/cache" /* short */
  retention_in_days = 7
}
