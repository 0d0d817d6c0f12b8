//! Plan files of any size, as `terraform show -json` writes them for an estate that exists: 70 % of the resources
//! stay as they are, 18 % are created, 10 % changed and 2 % deleted.
//!
//! Resource `n` is a function of the seed and `n`, so that each section is written straight to the file: the file
//! is never in memory, neither here nor in what measures afterwards.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use super::random::Random;

/// What a provider says of one resource of each kind; `@word` is put in for each resource.
const VALUES: &str = include_str!("plan_values.json");

/// Resource type, provider, and how many of a hundred resources are of it.
const KINDS: [((&str, &str), u64); 10] = [
    (("aws_s3_bucket", "aws"), 12),
    (("aws_s3_bucket_logging", "aws"), 9),
    (("aws_cloudwatch_log_group", "aws"), 17),
    (("aws_db_instance", "aws"), 5),
    (("aws_lb", "aws"), 5),
    (("aws_cloudtrail", "aws"), 2),
    (("aws_iam_policy", "aws"), 24),
    (("aws_security_group", "aws"), 18),
    (("azurerm_storage_account", "azurerm"), 4),
    (("google_storage_bucket", "google"), 4),
];

/// Attributes that a provider decides and that a plan does not know before the resource exists.
const COMPUTED: [&str; 22] = [
    "address",
    "arn",
    "arn_suffix",
    "bucket_domain_name",
    "bucket_regional_domain_name",
    "dns_name",
    "endpoint",
    "home_region",
    "hosted_zone_id",
    "id",
    "latest_restorable_time",
    "owner_id",
    "policy_id",
    "primary_access_key",
    "primary_blob_endpoint",
    "primary_connection_string",
    "resource_id",
    "self_link",
    "tags_all",
    "url",
    "vpc_id",
    "zone_id",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Keep,
    Create,
    Update,
    Delete,
}

struct Resource {
    kind: &'static str,
    provider: &'static str,
    name: String,
    /// The instance of `module.svc` that holds it; none for one of the root module.
    module: Option<String>,
    action: Action,
    values: Map<String, Value>,
}

struct Estate {
    templates: Map<String, Value>,
    resources: usize,
    /// One for the root module, the others for instances of `module.svc`.
    modules: usize,
    seed: u64,
}

/// Writes a plan of `resources` resources.
pub(crate) fn write(path: &Path, resources: usize, seed: u64) -> anyhow::Result<()> {
    let templates = serde_json::from_str(VALUES).context("plan_values.json")?;
    let estate = Estate { templates, resources, modules: 1 + (resources / 200).max(1), seed };
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    out.write_all(
        br#"{"format_version":"1.2","terraform_version":"1.11.4","variables":{"environment":{"value":"prod"},"name_prefix":{"value":"acme"}},"planned_values":{"outputs":{"o":{"sensitive":false,"type":"string","value":"x"}},"root_module":"#,
    )?;
    estate.tree(&mut out, |resource| {
        (resource.action != Action::Delete).then(|| (resource.planned(), resource.planned_sensitive()))
    })?;
    out.write_all(br#"},"resource_drift":[],"resource_changes":["#)?;
    for number in 0..estate.resources {
        comma(&mut out, number > 0)?;
        estate.resource(number)?.change(&mut out)?;
    }
    out.write_all(
        br#"],"output_changes":{"o":{"actions":["create"],"before":null,"after":"x","after_unknown":false,"before_sensitive":false,"after_sensitive":false}},"prior_state":{"format_version":"1.0","terraform_version":"1.11.4","values":{"root_module":"#,
    )?;
    estate.tree(&mut out, |resource| {
        (resource.action != Action::Create).then(|| (resource.values.clone(), sensitive(&resource.values)))
    })?;
    out.write_all(
        br#"}},"configuration":{"provider_config":{"aws":{"name":"aws","full_name":"registry.terraform.io/hashicorp/aws","version_constraint":"~\u003e 5.0","expressions":{"region":{"constant_value":"eu-west-1"}}}},"root_module":{"resources":["#,
    )?;
    for (n, number) in (0..estate.resources).step_by(estate.modules).enumerate() {
        comma(&mut out, n > 0)?;
        let Resource { kind, provider, name, .. } = estate.resource(number)?;
        configured(&mut out, kind, &name, provider, false)?;
    }
    out.write_all(
        br#"],"module_calls":{"svc":{"source":"./modules/svc","for_each_expression":{"references":["var.services"]},"expressions":{"name_prefix":{"references":["var.name_prefix"]}},"module":{"resources":["#,
    )?;
    for (n, ((kind, provider), _)) in KINDS.iter().enumerate() {
        comma(&mut out, n > 0)?;
        configured(&mut out, kind, "this", provider, true)?;
    }
    out.write_all(
        br#"]}}}}},"relevant_attributes":[{"resource":"module.svc.aws_s3_bucket.this","attribute":["id"]}],"checks":[],"timestamp":"2025-03-01T12:00:00Z","applyable":true,"complete":true,"errored":false}"#,
    )?;
    Ok(out.flush()?)
}

fn comma(out: &mut impl Write, wanted: bool) -> std::io::Result<()> {
    if wanted { out.write_all(b",") } else { Ok(()) }
}

/// As Go writes JSON: compact, with `<`, `>` and `&` escaped.
fn text(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

impl Estate {
    fn resource(&self, number: usize) -> anyhow::Result<Resource> {
        let mut random = Random::of(self.seed, number);
        let (kind, provider) = random.weighted(&KINDS, ("aws_iam_policy", "aws"));
        let name = format!("r_{number:06}");
        let template = self.templates.get(kind).with_context(|| format!("no values for {kind}"))?;
        let words = [
            ("@name", name.clone()),
            ("@dash", name.replace('_', "-")),
            ("@hex", format!("{:016x}", random.next())),
            ("@number", random.between(1000, 10_000).to_string()),
            ("@team", format!("{:02}", random.between(0, 40))),
            ("@octet", random.between(0, 256).to_string()),
        ];
        let Value::Object(mut values) = filled(template, &words) else {
            anyhow::bail!("the values of {kind} are an object");
        };
        vary(kind, &mut values, &name, &mut random);
        let actions = [(Action::Keep, 70), (Action::Update, 10), (Action::Create, 18), (Action::Delete, 2)];
        let action = random.weighted(&actions, Action::Keep);
        let module = match number % self.modules {
            0 => None,
            module => Some(format!("module.svc[\"s{:04}\"]", module - 1)),
        };
        Ok(Resource { kind, provider, name, module, action, values })
    }

    /// A module and its children, with what `shown` gives of each resource.
    fn tree(
        &self,
        out: &mut impl Write,
        shown: impl Fn(&Resource) -> Option<(Map<String, Value>, Value)>,
    ) -> anyhow::Result<()> {
        out.write_all(b"{")?;
        for module in 0..self.modules {
            match module {
                0 => {}
                1 => out.write_all(b",\"child_modules\":[{")?,
                _ => out.write_all(b",{")?,
            }
            out.write_all(b"\"resources\":[")?;
            let mut some = false;
            for number in (module..self.resources).step_by(self.modules) {
                let resource = self.resource(number)?;
                if let Some((values, sensitive)) = shown(&resource) {
                    comma(out, some)?;
                    some = true;
                    let (head, values) = (resource.head(false), text(&Value::Object(values)));
                    write!(
                        out,
                        "{{{head},\"schema_version\":0,\"values\":{values},\"sensitive_values\":{sensitive}}}"
                    )?;
                }
            }
            out.write_all(b"]")?;
            if module > 0 {
                write!(out, ",\"address\":{}}}", json!(format!("module.svc[\"s{:04}\"]", module - 1)))?;
            }
        }
        if self.modules > 1 {
            out.write_all(b"]")?;
        }
        Ok(out.write_all(b"}")?)
    }
}

/// What differs between resources of a kind, and makes some of them wrong.
fn vary(kind: &str, values: &mut Map<String, Value>, name: &str, random: &mut Random) {
    let mut set = |pointer: &str, value: Value| {
        let mut at = pointer.split('/');
        let first = at.next().and_then(|name| values.get_mut(name));
        let rest: String = at.map(|part| format!("/{part}")).collect();
        if let Some(place) = first.and_then(|first| first.pointer_mut(&rest)) {
            *place = value;
        }
    };
    match kind {
        "aws_cloudwatch_log_group" => {
            set("retention_in_days", json!(random.choose(&[0, 7, 30, 365, 365, 731], 0)));
            if random.percent(50) {
                set("kms_key_id", json!(""));
            }
        }
        "aws_db_instance" => {
            let exports: &[&str] =
                random.choose(&[&[], &["audit", "error"], &["audit", "error", "slowquery"]], &[]);
            set("enabled_cloudwatch_logs_exports", json!(exports));
        }
        "aws_lb" => {
            let bucket = random.choose(&["", "central-access-logs", "central-access-logs"], "");
            set("access_logs/0/bucket", json!(bucket));
            set("access_logs/0/enabled", json!(random.percent(80)));
        }
        "aws_cloudtrail" => {
            set("enable_log_file_validation", json!(random.percent(80)));
            set("is_multi_region_trail", json!(random.percent(80)));
        }
        "azurerm_storage_account" => {
            set("queue_properties/0/logging/0/delete", json!(random.percent(70)));
        }
        "google_storage_bucket" if random.percent(50) => {
            set("logging", json!([{"log_bucket": "central", "log_object_prefix": name}]));
        }
        "google_storage_bucket" => set("logging", json!([])),
        _ => {}
    }
}

impl Resource {
    fn address(&self) -> String {
        match &self.module {
            None => format!("{}.{}", self.kind, self.name),
            Some(module) => format!("{module}.{}.this[\"{}\"]", self.kind, self.name),
        }
    }

    fn head(&self, with_module: bool) -> String {
        let mut head = format!("\"address\":{}", json!(self.address()));
        if let (true, Some(module)) = (with_module, &self.module) {
            head.push_str(&format!(",\"module_address\":{}", json!(module)));
        }
        let name = if self.module.is_some() { "this" } else { &self.name };
        head.push_str(&format!(",\"mode\":\"managed\",\"type\":\"{}\",\"name\":\"{name}\"", self.kind));
        if self.module.is_some() {
            head.push_str(&format!(",\"index\":\"{}\"", self.name));
        }
        head.push_str(&format!(",\"provider_name\":\"registry.terraform.io/hashicorp/{}\"", self.provider));
        head
    }

    /// The values after the apply, as far as they are known.
    fn planned(&self) -> Map<String, Value> {
        let mut values = self.values.clone();
        match self.action {
            Action::Create => values.retain(|name, _| !COMPUTED.contains(&name.as_str())),
            Action::Update => {
                if let Some(Value::Object(tags)) = values.get_mut("tags") {
                    tags.insert("Name".to_owned(), json!(format!("{}-new", self.name)));
                }
            }
            Action::Keep | Action::Delete => {}
        }
        values
    }

    fn planned_sensitive(&self) -> Value {
        sensitive(&self.planned())
    }

    fn change(&self, out: &mut impl Write) -> std::io::Result<()> {
        let planned = self.planned();
        let (mut before, mut after) = (text(&Value::Object(self.values.clone())), "null".to_owned());
        let (mut before_sensitive, mut after_sensitive) = (sensitive(&self.values), json!(false));
        let mut unknown = json!({});
        if self.action == Action::Create {
            before = "null".to_owned();
            before_sensitive = json!(false);
            let mut marks = match sensitive(&planned) {
                Value::Object(marks) => marks,
                _ => Map::new(),
            };
            let computed = self.values.keys().filter(|name| COMPUTED.contains(&name.as_str()));
            marks.extend(computed.map(|name| (name.clone(), json!(true))));
            unknown = Value::Object(marks);
        }
        if self.action != Action::Delete {
            after_sensitive = sensitive(&planned);
            after = text(&Value::Object(planned));
        }
        let action = match self.action {
            Action::Keep => "no-op",
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete => "delete",
        };
        let head = self.head(true);
        write!(
            out,
            "{{{head},\"change\":{{\"actions\":[\"{action}\"],\"before\":{before},\"after\":{after},\
             \"after_unknown\":{unknown},\"before_sensitive\":{before_sensitive},\
             \"after_sensitive\":{after_sensitive}}}}}"
        )
    }
}

/// A value with the words of a resource put into its strings.
fn filled(value: &Value, words: &[(&str, String)]) -> Value {
    match value {
        Value::String(text) if text.contains('@') => {
            Value::String(words.iter().fold(text.clone(), |text, (word, put)| text.replace(word, put)))
        }
        Value::Array(items) => items.iter().map(|item| filled(item, words)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), filled(member, words))).collect()
        }
        other => other.clone(),
    }
}

/// Terraform's skeleton of marks: an empty object for each map and block, `false` for each element of a list.
fn sensitive(values: &Map<String, Value>) -> Value {
    let marks = values.iter().filter_map(|(name, value)| match value {
        Value::Object(_) => Some((name.clone(), json!({}))),
        Value::Array(items) if items.first().is_some_and(Value::is_object) => {
            Some((name.clone(), items.iter().map(|_| json!({})).collect()))
        }
        Value::Array(items) => Some((name.clone(), items.iter().map(|_| json!(false)).collect())),
        _ => None,
    });
    Value::Object(marks.collect())
}

/// A resource of the section `configuration`.
fn configured(
    out: &mut impl Write,
    kind: &str,
    name: &str,
    provider: &str,
    for_each: bool,
) -> std::io::Result<()> {
    let expressions = if kind == "aws_s3_bucket_logging" {
        let bucket = format!("aws_s3_bucket.{name}");
        format!(
            r#"{{"bucket":{{"references":["{bucket}.id","{bucket}"]}},"target_bucket":{{"references":["var.access_log_bucket"]}},"target_prefix":{{"references":["each.key"]}}}}"#
        )
    } else {
        r#"{"bucket":{"references":["each.key","var.name_prefix"]},"force_destroy":{"constant_value":false},"name":{"references":["each.key"]},"tags":{"references":["local.common_tags","var.environment"]}}"#.to_owned()
    };
    write!(
        out,
        r#"{{"address":"{kind}.{name}","mode":"managed","type":"{kind}","name":"{name}","provider_config_key":"{provider}","expressions":{expressions},"schema_version":0"#
    )?;
    if for_each {
        write!(out, r#","for_each_expression":{{"references":["var.{kind}s"]}}"#)?;
    }
    out.write_all(b"}")
}
