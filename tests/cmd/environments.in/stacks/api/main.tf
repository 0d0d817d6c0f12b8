variable "days" {
  type = number
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "api-${terraform.workspace}"
  retention_in_days = var.days
}

resource "aws_cloudwatch_log_group" "audit" {
  count = terraform.workspace == "production" ? 1 : 0
  name  = "audit"
}
