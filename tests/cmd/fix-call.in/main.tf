module "api" {
  source  = "example/logs/aws"
  version = "1.0.0"

  name = "api"
}

module "jobs" {
  source  = "example/logs/aws"
  version = "1.0.0"

  name = "jobs"
  days = 14 # two weeks
}
