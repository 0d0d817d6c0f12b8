//! What becomes of the events of a source, over all ways that they take.

use anyhow::{Context as _, ensure};
use auditlint_tests::workspace::Workspace;
use serde_json::Value;

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// The station of that address.
fn station<'v>(map: &'v Value, name: &str) -> anyhow::Result<&'v Value> {
    let found = list(map, "stations").iter().find(|one| one["address"] == name);
    found.with_context(|| format!("no station {name} in {map:#}"))
}

/// A log group of thirty days with a locked archive behind it: the archive keeps, the log group is searched.
#[test]
fn each_source_says_what_becomes_of_its_events() -> anyhow::Result<()> {
    let workspace = Workspace::of(
        r#"
provider "aws" {
  region              = "eu-west-1"
  allowed_account_ids = ["111122223333"]
}

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_flow_log" "main" {
  vpc_id          = aws_vpc.main.id
  traffic_type    = "ALL"
  log_destination = aws_cloudwatch_log_group.flow.arn
  iam_role_arn    = "arn:aws:iam::111122223333:role/flow"
}

resource "aws_cloudwatch_log_group" "flow" {
  name              = "flow"
  retention_in_days = 30
}

resource "aws_cloudwatch_log_subscription_filter" "archive" {
  name            = "archive"
  log_group_name  = aws_cloudwatch_log_group.flow.name
  filter_pattern  = ""
  destination_arn = aws_kinesis_firehose_delivery_stream.archive.arn
}

resource "aws_kinesis_firehose_delivery_stream" "archive" {
  name        = "archive"
  destination = "extended_s3"

  extended_s3_configuration {
    role_arn   = "arn:aws:iam::111122223333:role/archive"
    bucket_arn = aws_s3_bucket.archive.arn
  }
}

resource "aws_s3_bucket" "archive" {
  bucket = "archive"
  region = "eu-north-1"
}

resource "aws_s3_bucket_object_lock_configuration" "archive" {
  bucket = aws_s3_bucket.archive.id

  rule {
    default_retention {
      mode = "COMPLIANCE"
      days = 400
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "archive" {
  bucket = aws_s3_bucket.archive.id

  rule {
    id     = "expire"
    status = "Enabled"

    expiration {
      days = 400
    }
  }
}
"#,
    )?;
    let map: Value = serde_json::from_str(&workspace.run(&["flow", ".", "--format", "json"])?.stdout)?;
    ensure!(map["roots"][0]["account"] == "111122223333", "{map:#}");
    let effective = &station(&map, "aws_vpc.main")?["effective"][0];
    ensure!(effective["category"] == "network_flow", "{effective:#}");
    ensure!(effective["retention"]["days"] == 400, "{effective:#}");
    ensure!(effective["hot"]["days"] == 30, "{effective:#}");
    ensure!(effective["encryption"]["key"] == "service", "{effective:#}");
    ensure!(effective["immutable"]["locked"] == true, "{effective:#}");
    let places: Vec<&str> =
        list(effective, "places").iter().filter_map(|place| place["region"].as_str()).collect();
    ensure!(places == ["eu-north-1", "eu-west-1"], "{effective:#}");
    let tree = workspace.run(&["flow", "."])?.stdout;
    ensure!(tree.contains("· account 111122223333"), "{tree}");
    ensure!(tree.contains("aws_vpc.main · in all 400 days, searchable 30 days"), "{tree}");
    Ok(())
}
