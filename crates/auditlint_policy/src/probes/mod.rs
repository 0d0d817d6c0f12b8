//! What YAML cannot say: named functions of the judged resource, called by `probe:`.

mod alarm;
mod azure;
mod bucket;
mod database;
mod delivery;
mod google;
mod inside;
pub(crate) mod kubernetes;
mod network;
mod object_lock;
mod pattern;
mod presence;
mod principal;
mod retention;
mod trail;

use auditlint_syntax::Name;

pub(crate) use alarm::{SURVEYED, Survey, Surveys};
pub(crate) use retention::{asked as asked_retention, effective as effective_retention};

use crate::condition::Operand;
use crate::evaluate::{Context, Judged};

/// The names of the probes, for the catalogue's reader.
pub const NAMES: &[&str] = &[
    "retention-at-least",
    "retention-decided",
    "retention-at-most",
    "retention-allowed",
    "is-log-store",
    "is-access-log-target",
    "is-s3-access-log-target",
    "is-fed-by-trail",
    "public-principal",
    "foreign-reader",
    "wildcard-action",
    "unbound-service",
    "lets-write",
    "flow-logs",
    "db-log-exports",
    "group-parameter",
    "logs-to-itself",
    "object-lock-at-least",
    "here",
    "service-log-group",
    "inside",
    "cloudtrail-management-events",
    "trail-data-events",
    "vended-logs",
    "watched-events",
    "is-audit-policy",
    "audit-level-at-least",
    "audit-level-at-most",
    "audit-catch-all",
    "audit-nothing-dropped",
    "audit-rules-reachable",
    "audit-stages-kept",
    "audit-policy-valid",
    "is-api-server",
    "api-server-flag",
];

/// What probes look at beyond the judged resource: `(type, attribute)`.
pub const INTEREST: &[(&str, &str)] = &[
    ("aws_s3_bucket", "bucket"),
    ("aws_s3_bucket", "acl"),
    ("aws_s3_bucket", "policy"),
    ("aws_s3_bucket", "lifecycle_rule"),
    ("aws_s3_bucket_acl", "bucket"),
    ("aws_s3_bucket_acl", "acl"),
    ("aws_s3_bucket_policy", "bucket"),
    ("aws_s3_bucket_policy", "policy"),
    ("aws_s3_bucket_lifecycle_configuration", "bucket"),
    ("aws_s3_bucket_lifecycle_configuration", "rule"),
    ("aws_s3_bucket_object_lock_configuration", "bucket"),
    ("aws_s3_bucket_object_lock_configuration", "rule"),
    ("aws_iam_policy_document", "statement"),
    ("google_storage_bucket", "lifecycle_rule"),
    ("google_storage_bucket", "retention_policy"),
    ("azurerm_storage_management_policy", "storage_account_id"),
    ("azurerm_storage_management_policy", "rule"),
    ("aws_flow_log", "vpc_id"),
    ("aws_flow_log", "subnet_id"),
    ("aws_flow_log", "eni_id"),
    ("aws_flow_log", "transit_gateway_id"),
    ("aws_flow_log", "transit_gateway_attachment_id"),
    ("aws_ec2_transit_gateway_vpc_attachment", "transit_gateway_id"),
    ("aws_flow_log", "traffic_type"),
    ("aws_subnet", "vpc_id"),
    ("aws_cloudtrail", "event_selector"),
    ("aws_cloudtrail", "advanced_event_selector"),
    ("aws_cloudtrail", "enable_logging"),
    ("aws_db_parameter_group", "name"),
    ("aws_db_parameter_group", "parameter"),
    ("aws_db_parameter_group", "family"),
    ("aws_rds_cluster_parameter_group", "name"),
    ("aws_rds_cluster_parameter_group", "parameter"),
    ("aws_rds_cluster_parameter_group", "family"),
    ("aws_cloudwatch_log_metric_filter", "pattern"),
    ("aws_cloudwatch_log_metric_filter", "metric_transformation"),
    ("aws_cloudwatch_metric_alarm", "metric_name"),
    ("aws_cloudwatch_metric_alarm", "namespace"),
    ("aws_cloudwatch_metric_alarm", "metric_query"),
    ("aws_cloudwatch_log_delivery_source", "resource_arn"),
    ("aws_cloudwatch_log_delivery_source", "name"),
    ("aws_cloudwatch_log_delivery_source", "log_type"),
    ("aws_cloudwatch_log_delivery", "delivery_source_name"),
    ("aws_cloudwatch_log_delivery", "delivery_destination_arn"),
];

/// What a probe looks at in the judged resource.
#[must_use]
pub fn own_attributes(name: &str) -> &'static [&'static str] {
    match name {
        "db-log-exports" => &["engine", "enabled_cloudwatch_logs_exports"],
        "group-parameter" => {
            &["engine", "parameter_group_name", "db_cluster_parameter_group_name", "parameter", "family"]
        }
        "cloudtrail-management-events" | "trail-data-events" => {
            &["event_selector", "advanced_event_selector"]
        }
        "public-principal" | "foreign-reader" | "wildcard-action" | "unbound-service" | "lets-write" => {
            &["policy", "access_policy", "policy_document"]
        }
        "logs-to-itself" => &["bucket", "logging", "target_bucket"],
        "object-lock-at-least" => &["object_lock_configuration"],
        "is-audit-policy" | "is-api-server" => &["manifest", "data"],
        _ => &[],
    }
}

/// Runs the probe called `name`. The reader refuses other names.
pub(crate) fn run(name: &str, context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    match name {
        "retention-at-least" => retention::at_least(context),
        "retention-decided" => retention::decided(context),
        "retention-at-most" => retention::at_most(context),
        "retention-allowed" => retention::allowed(context),
        "is-log-store" => bucket::is_log_store(context),
        "is-access-log-target" => bucket::is_reached_by(context, crate::Category::AccessLogs),
        "is-s3-access-log-target" => bucket::is_fed_by(context, "aws_s3_bucket"),
        "is-fed-by-trail" => bucket::is_fed_by(context, "aws_cloudtrail"),
        "public-principal" => principal::public(context, with),
        "foreign-reader" => principal::foreign_reader(context, with),
        "wildcard-action" => principal::wildcard_action(context, with),
        "unbound-service" => principal::unbound_service(context, with),
        "lets-write" => principal::lets_write(context, with),
        "flow-logs" => network::flow_logs(context),
        "db-log-exports" => database::log_exports(context, with),
        "group-parameter" => database::group_parameter(context, with),
        "logs-to-itself" => bucket::logs_to_itself(context),
        "object-lock-at-least" => object_lock::at_least(context, with),
        "here" => presence::here(context, with),
        "service-log-group" => presence::service_log_group(context),
        "inside" => inside::holds(context, with),
        "cloudtrail-management-events" => trail::management_events(context),
        "trail-data-events" => trail::data_events(context, with),
        "watched-events" => alarm::watched_events(context, with),
        "is-audit-policy" => kubernetes::is_policy(context),
        "audit-level-at-least" => kubernetes::at_least(context, with),
        "audit-level-at-most" => kubernetes::at_most(context, with),
        "audit-catch-all" => kubernetes::catch_all(context),
        "audit-nothing-dropped" => kubernetes::nothing_dropped(context),
        "audit-rules-reachable" => kubernetes::reachable(context),
        "audit-stages-kept" => kubernetes::keeps_stages(context),
        "audit-policy-valid" => kubernetes::valid(context),
        "is-api-server" => kubernetes::is_server(context),
        "api-server-flag" => kubernetes::flag(context, with),
        _ => delivery::vended_logs(context, with),
    }
}

/// The text of an argument.
fn text<'a>(context: &'a Context<'_>, with: &'a [(Name, Operand)], name: &str) -> Option<&'a str> {
    match with.iter().find(|(known, _)| known == name).map(|(_, value)| context.operand(value)) {
        Some(Operand::Text(text)) => Some(text),
        _ => None,
    }
}

/// The texts of an argument, a list or a single one.
fn texts<'a>(context: &'a Context<'_>, with: &'a [(Name, Operand)], name: &str) -> Vec<String> {
    match with.iter().find(|(known, _)| known == name).map(|(_, value)| context.operand(value)) {
        Some(Operand::List(items)) => items.iter().map(ToString::to_string).collect(),
        Some(other) => vec![other.to_string()],
        None => Vec::new(),
    }
}
