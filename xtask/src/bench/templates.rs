//! The words of the generated configurations; `@word` is put in by the generator.

pub(super) const TAGS: &str = r#"  tags = merge(local.common_tags, {
    Name       = "@name"
    Team       = "@team"
    CostCenter = "cc-@center"
  })
"#;

pub(super) const BUCKET: &str = r#"resource "aws_s3_bucket" "@name" {
  bucket        = "${var.name_prefix}-@dash-${var.environment}"
  force_destroy = var.environment != "prod" ? true : false

@tags}

resource "aws_s3_bucket_versioning" "@name" {
  bucket = aws_s3_bucket.@name.id
  versioning_configuration {
    status = "Enabled"
  }
}

"#;

pub(super) const BUCKET_LOGGING: &str = r#"resource "aws_s3_bucket_logging" "@name" {
  bucket        = aws_s3_bucket.@name.id
  target_bucket = var.access_log_bucket
  target_prefix = "s3/@name/"
}

"#;

pub(super) const LOG_GROUP: &str = r#"resource "aws_cloudwatch_log_group" "@name" {
  name              = "/aws/app/${var.name_prefix}/@name"
@kept@key
@tags}

"#;

pub(super) const DATABASE: &str = r#"resource "aws_db_instance" "@name" {
  identifier                      = "${var.name_prefix}-@dash"
  engine                          = "mysql"
  engine_version                  = "8.0.@minor"
  instance_class                  = "db.@class"
  allocated_storage               = @size
  username                        = "admin"
  manage_master_user_password     = true
  storage_encrypted               = true
  kms_key_id                      = var.kms_key_arn
  db_subnet_group_name            = var.db_subnet_group
  vpc_security_group_ids          = [for s in var.security_groups : s.id if s.enabled]
  backup_retention_period         = 14
  skip_final_snapshot             = false
@exports  # audited by central security
  lifecycle {
    ignore_changes = [engine_version]
  }

@tags}

"#;

pub(super) const ACCESS_LOGS: &str = r#"
  access_logs {
    bucket  = var.access_log_bucket
    prefix  = "alb/@name"
    enabled = true
  }
"#;

pub(super) const LOAD_BALANCER: &str = r#"resource "aws_lb" "@name" {
  name                       = substr("${var.name_prefix}-@dash", 0, 32)
  internal                   = @internal
  load_balancer_type         = "application"
  subnets                    = var.subnet_ids
  drop_invalid_header_fields = true
  enable_deletion_protection = var.environment == "prod"

  dynamic "subnet_mapping" {
    for_each = var.subnet_mappings
    content {
      subnet_id     = subnet_mapping.value.subnet_id
      allocation_id = lookup(subnet_mapping.value, "allocation_id", null)
    }
  }
@logs
@tags}

"#;

pub(super) const TRAIL: &str = r#"resource "aws_cloudtrail" "@name" {
  name                          = "${var.name_prefix}-@name"
  s3_bucket_name                = var.access_log_bucket
  include_global_service_events = true
  is_multi_region_trail         = @whole
  enable_log_file_validation    = @whole
  kms_key_id                    = var.kms_key_arn

  event_selector {
    read_write_type           = "All"
    include_management_events = true
    data_resource {
      type   = "AWS::S3::Object"
      values = ["arn:aws:s3"]
    }
  }

@tags}

"#;

pub(super) const IAM_POLICY: &str = r#"resource "aws_iam_policy" "@name" {
  name        = "${var.name_prefix}-@name"
  description = "Access for @name"
  policy      = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "arn:aws:logs:*:${var.account_id}:log-group:/aws/app/*"
      },
    ]
  })
}

"#;

pub(super) const SECURITY_GROUP: &str = r#"resource "aws_security_group" "@name" {
  name_prefix = "@name-"
  vpc_id      = var.vpc_id
  description = <<-EOT
    Security group for @name
    owned by @team
  EOT

  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.@octet.0.0/16"]
  }

@tags}

"#;

pub(super) const STORAGE_ACCOUNT: &str = r#"resource "azurerm_storage_account" "@name" {
  name                     = substr(lower(replace("${var.name_prefix}@name", "_", "")), 0, 24)
  resource_group_name      = var.resource_group
  location                 = var.location
  account_tier             = "Standard"
  account_replication_type = "GRS"
  min_tls_version          = "TLS1_2"

@tags}

"#;

pub(super) const DIAGNOSTIC_SETTING: &str = r#"resource "azurerm_monitor_diagnostic_setting" "@name" {
  name                       = "@name-diag"
  target_resource_id         = "${azurerm_storage_account.@name.id}/blobServices/default"
  log_analytics_workspace_id = var.log_analytics_workspace_id

  enabled_log {
    category = "StorageRead"
  }
  enabled_log {
    category = "StorageWrite"
  }
}

"#;

pub(super) const CLOUD_STORAGE: &str = r#"resource "google_storage_bucket" "@name" {
  name                        = "${var.name_prefix}-@dash"
  location                    = "EU"
  uniform_bucket_level_access = true
  versioning {
    enabled = true
  }
@logging
  labels = {
    team = "@team"
  }
}

"#;

pub(super) const CLOUD_SQL: &str = r#"resource "google_sql_database_instance" "@name" {
  name             = "@dash"
  database_version = "POSTGRES_15"
  region           = var.region
  settings {
    tier = "db-custom-2-7680"
@flags    backup_configuration {
      enabled = true
    }
  }
}

"#;

pub(super) const VERSIONS: &str = r#"terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

provider "aws" {
  region = var.region
}
"#;

pub(super) const VARIABLES: &str = r#"variable "name_prefix" {
  type        = string
  description = "The name prefix"
}

variable "environment" {
  type        = string
  description = "The environment"
  default     = "prod"
}

variable "region" {
  type        = string
  description = "The region"
  default     = "eu-west-1"
}

variable "account_id" {
  type        = string
  description = "The account id"
}

variable "access_log_bucket" {
  type        = string
  description = "The access log bucket"
  default     = "central-access-logs"
}

variable "kms_key_arn" {
  type        = string
  description = "The kms key arn"
}

variable "log_retention_days" {
  type        = number
  description = "The log retention days"
  default     = 400
}

variable "db_subnet_group" {
  type        = string
  description = "The db subnet group"
}

variable "security_groups" {
  type        = list(object({ id = string, enabled = bool }))
  description = "The security groups"
  default     = []
}

variable "subnet_ids" {
  type        = list(string)
  description = "The subnet ids"
}

variable "subnet_mappings" {
  type        = list(map(string))
  description = "The subnet mappings"
  default     = []
}

variable "vpc_id" {
  type        = string
  description = "The vpc id"
}

variable "resource_group" {
  type        = string
  description = "The resource group"
}

variable "location" {
  type        = string
  description = "The location"
  default     = "westeurope"
}

variable "log_analytics_workspace_id" {
  type        = string
  description = "The log analytics workspace id"
}

variable "gcs_log_bucket" {
  type        = string
  description = "The gcs log bucket"
}
"#;

pub(super) const LOCALS: &str = r#"locals {
  common_tags = {
    Environment = var.environment
    ManagedBy   = "terraform"
  }
  retention = {
    dev     = 365
    staging = 365
    prod    = 731
  }
}
"#;

pub(super) const CALLS: &str = r#"module "bucket" {
  source     = "../../../../modules/logged-bucket"
  for_each   = toset(["raw", "curated", "public"])
  name       = "${var.name_prefix}-${each.key}"
  log_bucket = @logged
  tags       = local.common_tags
}

module "logs" {
  source    = "../../../../modules/service-logs"
  name      = "@service"
  retention = local.retention[var.environment]
}

output "buckets" {
  value = { for k, m in module.bucket : k => m.id }
}
"#;

pub(super) const MODULES: [(&str, &str); 5] = [
    (
        "modules/logged-bucket/main.tf",
        r#"resource "aws_s3_bucket" "this" {
  bucket = var.name
  tags   = var.tags
}

resource "aws_s3_bucket_logging" "this" {
  count         = var.log_bucket == null ? 0 : 1
  bucket        = aws_s3_bucket.this.id
  target_bucket = var.log_bucket
  target_prefix = "${var.name}/"
}
"#,
    ),
    (
        "modules/logged-bucket/variables.tf",
        r#"variable "name" {
  type = string
}
variable "log_bucket" {
  type    = string
  default = null
}
variable "tags" {
  type    = map(string)
  default = {}
}
"#,
    ),
    (
        "modules/logged-bucket/outputs.tf",
        r#"output "id" {
  value = aws_s3_bucket.this.id
}
"#,
    ),
    (
        "modules/service-logs/main.tf",
        r#"resource "aws_cloudwatch_log_group" "svc" {
  name              = "/svc/${var.name}"
  retention_in_days = var.retention
}
resource "aws_cloudwatch_log_group" "audit" {
  name              = "/svc/${var.name}/audit"
  retention_in_days = var.retention
}
"#,
    ),
    (
        "modules/service-logs/variables.tf",
        r#"variable "name" {
  type = string
}
variable "retention" {
  type    = number
  default = 30
}
"#,
    ),
];
