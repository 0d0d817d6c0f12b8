resource "aws_cloudwatch_log_group" "api" {
  name              = "/shop/api"
  retention_in_days = 400
}

resource "aws_cloudwatch_log_group" "typing" {
  name              = "/shop/typing"
  retention_in_days =
}

module "vpc" {
  source  = "example/vpc/aws"
  version = "5.0.0"
}
