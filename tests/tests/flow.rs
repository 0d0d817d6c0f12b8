//! `auditlint flow`: the picture says what the verdicts rest on, in every format the same, and no name of a repository
//! becomes markup.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail, ensure};
use auditlint_analysis::{AnalysisHost, Change, NamedPolicy, RootSpec, Settings, load_policies};
use auditlint_graph::terraform::RootInputs;
use auditlint_policy::{Certainty, Role};
use auditlint_syntax::MemoryFiles;
use auditlint_tests::binary::{Run, run};
use auditlint_tests::fixtures::{fixtures, semantics};
use auditlint_tests::markdown::Page;
use auditlint_tests::workspace::Workspace;
use auditlint_tests::{catalogue, repository};
use camino::Utf8Path;
use serde_json::Value;

const FORMATS: [&str; 5] = ["tree", "mermaid", "dot", "json", "svg"];

/// What `auditlint flow` says of the folder.
fn flow(workspace: &Workspace, words: &[&str]) -> anyhow::Result<Run> {
    let words: Vec<&str> = ["flow", "."].into_iter().chain(words.iter().copied()).collect();
    let run = workspace.run(&words)?;
    ensure!(run.exit == 0 && run.stderr.is_empty(), "{run:?}");
    Ok(run)
}

fn flow_json(workspace: &Workspace, words: &[&str]) -> anyhow::Result<Value> {
    let words: Vec<&str> = words.iter().copied().chain(["--format", "json"]).collect();
    Ok(serde_json::from_str(&flow(workspace, &words)?.stdout)?)
}

fn texts<'v>(value: &'v Value, key: &str) -> Vec<&'v str> {
    value[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// The station of that address or name.
fn station<'v>(map: &'v Value, name: &str) -> anyhow::Result<&'v Value> {
    let is_it = |one: &&Value| one["address"] == name || one["name"] == name;
    list(map, "stations").iter().find(is_it).with_context(|| format!("no station {name} in {map:#}"))
}

/// The ways as `from -> to: certainty`, by what follows the root.
fn ways(map: &Value) -> Vec<String> {
    let short =
        |id: &Value| id.as_str().and_then(|id| id.split_once('#')).map_or("", |(_, name)| name).to_owned();
    let line = |way: &Value| {
        format!(
            "{} -> {}: {}",
            short(&way["from"]),
            short(&way["to"]),
            way["certainty"].as_str().unwrap_or("")
        )
    };
    list(map, "ways").iter().map(line).collect()
}

const ESTATE: &str = r#"
variable "bucket" {}

variable "days" {}

variable "enabled" {}

resource "aws_kms_key" "logs" {}

resource "aws_s3_bucket" "logs" {
  bucket = "the-logs"
}

resource "aws_lb" "proved" {
  name = "proved"

  access_logs {
    bucket  = aws_s3_bucket.logs.id
    enabled = true
  }
}

resource "aws_lb" "matched" {
  name = "matched"

  access_logs {
    bucket  = "the-logs"
    enabled = true
  }
}

resource "aws_lb" "open" {
  name = "open"

  access_logs {
    bucket  = aws_s3_bucket.logs.id
    enabled = var.enabled
  }
}

resource "aws_lb" "off" {
  name = "off"

  access_logs {
    bucket  = aws_s3_bucket.logs.id
    enabled = false
  }
}

resource "aws_lb" "lost" {
  name = "lost"

  access_logs {
    bucket  = var.bucket
    enabled = true
  }
}

resource "aws_lb" "outside" {
  name = "outside"

  access_logs {
    bucket  = "somewhere-else"
    enabled = true
  }
}

resource "aws_lb" "silent" {
  name = "silent"
}

resource "aws_lambda_function" "own" {
  function_name = "own"
}

resource "aws_lambda_function" "managed" {
  function_name = "managed"
}

resource "aws_cloudwatch_log_group" "managed" {
  name              = "/aws/lambda/managed"
  retention_in_days = var.days
  kms_key_id        = aws_kms_key.logs.arn
}

resource "aws_cloudwatch_log_group" "unused" {
  name              = "unused"
  retention_in_days = 30
}

resource "aws_cloudwatch_log_subscription_filter" "managed" {
  name            = "all"
  log_group_name  = aws_cloudwatch_log_group.managed.name
  filter_pattern  = ""
  destination_arn = aws_kinesis_firehose_delivery_stream.logs.arn
}

resource "aws_kinesis_firehose_delivery_stream" "logs" {
  name        = "logs"
  destination = "extended_s3"

  extended_s3_configuration {
    role_arn   = "arn:aws:iam::123456789012:role/logs"
    bucket_arn = aws_s3_bucket.logs.arn
  }
}
"#;

#[test]
fn each_way_says_how_sure_it_is_and_each_end_what_it_is() -> anyhow::Result<()> {
    let map = flow_json(&Workspace::of(ESTATE)?, &[])?;
    let mut expected = [
        "aws_lb.proved -> aws_s3_bucket.logs: proved",
        "aws_lb.matched -> aws_s3_bucket.logs: matched",
        "aws_lb.open -> aws_s3_bucket.logs: open",
        "aws_lb.lost -> unknown:var.bucket: proved",
        "aws_lb.outside -> external:somewhere-else: proved",
        "aws_lambda_function.own -> service_store:/aws/lambda/own: matched",
        "aws_lambda_function.managed -> aws_cloudwatch_log_group.managed: matched",
        "aws_cloudwatch_log_group.managed -> aws_cloudwatch_log_subscription_filter.managed: proved",
        "aws_cloudwatch_log_subscription_filter.managed -> aws_kinesis_firehose_delivery_stream.logs: proved",
        "aws_kinesis_firehose_delivery_stream.logs -> aws_s3_bucket.logs: proved",
    ];
    expected.sort_unstable();
    let mut found = ways(&map);
    found.sort_unstable();
    ensure!(found == expected, "{found:#?}");
    for (name, role) in [
        ("aws_lb.proved", "source"),
        ("aws_lb.silent", "source"),
        ("aws_kinesis_firehose_delivery_stream.logs", "forwarder"),
        ("aws_s3_bucket.logs", "store"),
        ("aws_cloudwatch_log_group.unused", "store"),
        ("/aws/lambda/own", "service_store"),
        ("somewhere-else", "external"),
        ("var.bucket", "unknown"),
    ] {
        ensure!(station(&map, name)?["role"] == role, "{name}: {:#}", station(&map, name)?);
    }
    // One that names no bucket, and one that is switched off.
    for name in ["aws_lb.silent", "aws_lb.off"] {
        let silent = station(&map, name)?;
        ensure!(texts(silent, "emits").is_empty() && silent["silent"][0]["cause"].is_null(), "{silent:#}");
    }
    ensure!(station(&map, "aws_lb.open")?["silent"][0]["cause"]["ref"] == "var.enabled");
    ensure!(station(&map, "var.bucket")?["cause"]["kind"] == "variable");
    let managed = station(&map, "aws_cloudwatch_log_group.managed")?;
    ensure!(managed["retention"]["cause"]["ref"] == "var.days" && managed["encryption"]["key"] == "own");
    let unused = station(&map, "aws_cloudwatch_log_group.unused")?;
    ensure!(unused["retention"]["days"] == 30 && unused["encryption"]["key"] == "service", "{unused:#}");
    ensure!(station(&map, "/aws/lambda/own")?["retention"]["never_expires"] == true);
    ensure!(texts(station(&map, "aws_s3_bucket.logs")?, "carries") == ["access_logs", "system"]);
    Ok(())
}

#[test]
fn one_resource_has_what_is_up_and_downstream_of_it_and_nothing_else() -> anyhow::Result<()> {
    let workspace = Workspace::of(ESTATE)?;
    let names = |address: &str| -> anyhow::Result<BTreeSet<String>> {
        let map = flow_json(&workspace, &["--for", address])?;
        let name = |one: &Value| one["address"].as_str().or(one["name"].as_str()).map(str::to_owned);
        Ok(list(&map, "stations").iter().filter_map(name).collect())
    };
    let expected = [
        "aws_lambda_function.managed",
        "aws_cloudwatch_log_group.managed",
        "aws_cloudwatch_log_subscription_filter.managed",
        "aws_kinesis_firehose_delivery_stream.logs",
        "aws_s3_bucket.logs",
    ];
    let expected: BTreeSet<String> = expected.into_iter().map(str::to_owned).collect();
    ensure!(names("aws_cloudwatch_log_group.managed")? == expected);
    ensure!(names("aws_kinesis_firehose_delivery_stream.logs")? == expected);
    let bucket = names("aws_s3_bucket.logs")?;
    ensure!(bucket.contains("aws_lb.proved") && bucket.contains("aws_lambda_function.managed"), "{bucket:?}");
    ensure!(!bucket.contains("aws_lb.outside"), "{bucket:?}");
    ensure!(names("aws_lb.silent")?.len() == 1);
    Ok(())
}

#[test]
fn the_picture_says_what_the_findings_say() -> anyhow::Result<()> {
    let mut steps = 0;
    for folder in fixtures()?.into_iter().chain(semantics()?) {
        let target = folder.strip_prefix(repository())?.to_string();
        let flow = run(&repository(), &["flow", &target, "--format", "json"])?;
        if flow.exit == 3 {
            continue;
        }
        let map: Value = serde_json::from_str(&flow.stdout)?;
        let words = [
            "check",
            &target,
            "--policy",
            "auditlint:everything",
            "--show",
            "pass,exempt",
            "--format",
            "json",
        ];
        let report: Value = serde_json::from_str(&run(&repository(), &words)?.stdout)?;
        // What a finding's own root has of each address, and the ways over all roots.
        let stations: BTreeMap<String, Vec<&Value>> = list(&map, "stations")
            .iter()
            .filter_map(|one| Some((one["address"].as_str()?.to_owned(), one)))
            .fold(BTreeMap::new(), |mut all, (address, one)| {
                all.entry(address).or_insert_with(Vec::new).push(one);
                all
            });
        let ways: BTreeSet<String> =
            ways(&map).into_iter().filter_map(|way| Some(way.rsplit_once(": ")?.0.to_owned())).collect();
        for finding in list(&report, "findings") {
            for path in list(finding, "flows") {
                let path = path.as_array().map(Vec::as_slice).unwrap_or_default();
                let address = |step: &Value| step["address"].as_str().unwrap_or_default().to_owned();
                for pair in path.windows(2) {
                    let way = format!("{} -> {}", address(&pair[0]), address(&pair[1]));
                    ensure!(ways.contains(&way), "{target}: {way} is not drawn: {ways:#?}");
                    steps += 1;
                }
                for step in path.iter().filter(|step| step["role"] == "store" && step["root"].is_null()) {
                    let own = stations.get(&address(step)).map(Vec::as_slice).unwrap_or_default();
                    let same = |one: &&&Value| {
                        one["retention"]["days"] == step["retention_days"]
                            && one["retention"]["never_expires"] == step["never_expires"]
                    };
                    ensure!(own.iter().any(|one| same(&one)), "{target}: {step:#} is drawn as {own:#?}");
                }
            }
        }
    }
    ensure!(steps > 100, "only {steps} steps");
    Ok(())
}

#[test]
fn every_format_has_the_same_bytes_in_every_run() -> anyhow::Result<()> {
    for target in ["fixtures/estate", "fixtures/edge", "fixtures/half-typed", "fixtures/aws-web/plan.json"] {
        for format in FORMATS {
            let words = ["flow", target, "--format", format];
            let once = run(&repository(), &words)?;
            ensure!(!once.stdout.is_empty() && once.stderr.is_empty(), "{target}: {once:?}");
            ensure!(once == run(&repository(), &words)?, "{target}: {format}");
        }
    }
    Ok(())
}

/// The flows of an editor's host after edits, of a fresh one, and of one that was judged before.
#[test]
fn edits_and_verdicts_leave_the_flows_as_they_are() -> anyhow::Result<()> {
    let host = |text: &str, follow_edits: bool| -> anyhow::Result<AnalysisHost> {
        let files = Arc::new(MemoryFiles::of([("main.tf", text)]));
        let named = [NamedPolicy::BuiltIn("auditlint:everything".to_owned())];
        let set = load_policies(&catalogue()?, &*files, Utf8Path::new(""), &named)?;
        let mut host = AnalysisHost::new(files, set, Settings { follow_edits, ..Settings::default() });
        let spec = RootSpec::Folder { inputs: RootInputs::default(), environment: None };
        host.apply_change(Change::Roots(vec![spec]));
        Ok(host)
    };
    let drawn = |host: &AnalysisHost| host.analysis().flows().map_err(|_| anyhow!("cancelled"));
    let edited = ESTATE
        .replace("aws_s3_bucket.logs.id\n    enabled = true", "\"elsewhere\"\n    enabled = true")
        .replace("var.days", "90")
        .replace("\"/aws/lambda/managed\"", "\"/aws/lambda/own\"");
    let mut editor = host(ESTATE, true)?;
    let fresh = drawn(&host(ESTATE, false)?)?;
    ensure!(drawn(&editor)? == fresh, "{:#?}", drawn(&editor)?);
    editor.apply_change(Change::Overlay("main.tf".into(), edited.as_str().into()));
    let after = drawn(&host(&edited, false)?)?;
    ensure!(after != fresh);
    ensure!(drawn(&editor)? == after, "{:#?}", drawn(&editor)?);
    let once = host(&edited, false)?;
    let analysis = once.analysis();
    analysis.check(&analysis.roots()).map_err(|_| anyhow!("cancelled"))?;
    ensure!(drawn(&once)? == after);
    Ok(())
}

#[test]
fn the_replicas_of_data_are_no_logs() -> anyhow::Result<()> {
    let text = "resource \"aws_s3_bucket\" \"data\" {\n  bucket = \"data\"\n}\n\n\
                resource \"aws_s3_bucket\" \"copy\" {\n  bucket = \"copy\"\n}\n\n\
                resource \"aws_s3_bucket_replication_configuration\" \"data\" {\n  bucket = aws_s3_bucket.data.id\n  role   = \"r\"\n\n  rule {\n    status = \"Enabled\"\n\n    destination {\n      bucket = aws_s3_bucket.copy.arn\n    }\n  }\n}\n";
    let logs = format!(
        "{text}\nresource \"aws_lb\" \"web\" {{\n  name = \"web\"\n\n  access_logs {{\n    bucket  = aws_s3_bucket.data.id\n    enabled = true\n  }}\n}}\n"
    );
    ensure!(ways(&flow_json(&Workspace::of(text)?, &[])?).is_empty());
    ensure!(ways(&flow_json(&Workspace::of(&logs)?, &[])?).len() == 3);
    Ok(())
}

const STOPPED: &str = r#"
resource "aws_cloudtrail" "stopped" {
  name                  = "stopped"
  s3_bucket_name        = "elsewhere"
  is_multi_region_trail = true
  enable_logging        = false
}
"#;

#[test]
fn what_is_switched_off_is_said_and_a_log_group_proves_no_logs() -> anyhow::Result<()> {
    let text = "resource \"aws_db_instance\" \"db\" {\n  identifier = \"db\"\n  engine     = \"postgres\"\n}\n\n\
                resource \"aws_cloudwatch_log_group\" \"db\" {\n  name = \"/aws/rds/instance/db/postgresql\"\n}\n\n\
                resource \"aws_ssm_document\" \"command\" {\n  name          = \"command\"\n  document_type = \"Command\"\n  content       = \"{}\"\n}\n";
    let text = format!("{text}{STOPPED}");
    let map = flow_json(&Workspace::of(&text)?, &[])?;
    let trail = station(&map, "aws_cloudtrail.stopped")?;
    ensure!(texts(trail, "emits").is_empty() && list(trail, "silent").len() == 1, "{trail:#}");
    ensure!(ways(&map) == ["aws_db_instance.db -> aws_cloudwatch_log_group.db: open"], "{map:#}");
    ensure!(station(&map, "aws_ssm_document.command").is_err(), "{map:#}");
    Ok(())
}

/// Names that would end a label, a string, an element or a line.
const NAMES: [&str; 9] = [
    "\"] --> x[\"",
    "a\\\"b\\\\",
    "</text><script>alert(1)</script>",
    "]]>&amp;&lt;",
    "end\n  n0 --> n1",
    "`**x**`",
    "#quot;%%{init: {}}%%",
    "\u{1b}[31m\u{202e}\u{0}",
    "'{{}}|x|;",
];

fn hostile() -> String {
    let mut out = String::new();
    for (at, name) in NAMES.iter().enumerate() {
        let quoted: String = name
            .chars()
            .map(|c| match c {
                '"' => "\\\"".to_owned(),
                '\\' => "\\\\".to_owned(),
                '\n' => "\\n".to_owned(),
                '%' => "%".to_owned(),
                '\0' => String::new(),
                c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
                c => c.to_string(),
            })
            .collect::<String>()
            .replace("%{", "%%{");
        out.push_str(&format!(
            "resource \"aws_lambda_function\" \"f{at}\" {{\n  for_each      = toset([\"{quoted}\"])\n  function_name = each.key\n}}\n\n\
             resource \"aws_lb\" \"b{at}\" {{\n  name = \"{at}\"\n\n  access_logs {{\n    bucket  = \"{quoted}\"\n    enabled = true\n  }}\n}}\n\n"
        ));
    }
    out
}

#[test]
fn no_name_becomes_markup() -> anyhow::Result<()> {
    let workspace = Workspace::of(&hostile())?;
    let map = flow_json(&workspace, &[])?;
    let external = list(&map, "stations").iter().filter(|one| one["role"] == "external").count();
    ensure!(external == NAMES.len(), "{external} names arrived: {map:#}");
    for format in FORMATS {
        let text = flow(&workspace, &["--format", format])?.stdout;
        let acts = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
        ensure!(!text.contains(acts), "{format}: {text:?}");
    }
    let mermaid = flow(&workspace, &["--format", "mermaid"])?.stdout;
    for line in mermaid.lines().filter(|line| line.contains('"')) {
        let parts: Vec<&str> = line.split('"').collect();
        ensure!(parts.len() == 3, "{line}");
        let label = parts[1].replace("<br/>", "");
        let is_plain = |c: char| c.is_alphanumeric() || " .,:/_·()?…-#;".contains(c);
        ensure!(label.chars().all(is_plain) && !label.contains("--"), "{line}");
    }
    let arrows = mermaid.lines().filter(|line| line.contains("-->") || line.contains("-.->")).count();
    // The functions share a box, and so do the log groups that the service makes for them.
    let expected = NAMES.len() + 1;
    ensure!(arrows == expected, "{arrows} arrows: {mermaid}");
    let dot = flow(&workspace, &["--format", "dot"])?.stdout;
    for line in dot.lines() {
        ensure!(outside_of_strings(line)?.is_ascii(), "{line}");
    }
    let arrows = dot.lines().map(outside_of_strings).collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(arrows.iter().filter(|line| line.contains("->")).count() == expected, "{dot}");
    well_formed(&flow(&workspace, &["--format", "svg"])?.stdout)
}

/// What of a line of Graphviz stands outside of its strings, each of which must end on it.
fn outside_of_strings(line: &str) -> anyhow::Result<String> {
    let (mut out, mut chars, mut inside) = (String::new(), line.chars(), false);
    while let Some(c) = chars.next() {
        match c {
            '"' => inside = !inside,
            '\\' if inside => ensure!(chars.next().is_some(), "{line}"),
            c if !inside => out.push(c),
            _ => {}
        }
    }
    ensure!(!inside, "{line}");
    Ok(out)
}

/// Holds a picture to what XML asks, as far as pictures use it, and to elements that do nothing.
fn well_formed(text: &str) -> anyhow::Result<()> {
    const ELEMENTS: [&str; 11] =
        ["svg", "title", "desc", "style", "defs", "marker", "path", "rect", "text", "g", "?"];
    ensure!(text.starts_with("<svg ") && text.contains("role=\"img\""), "{}", &text[..80]);
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('<') {
        let entities = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
        let known = before.match_indices('&').all(|(at, _)| {
            before.get(at..).is_some_and(|here| entities.iter().any(|entity| here.starts_with(entity)))
        });
        ensure!(known && !before.contains("]]>"), "{before}");
        let (tag, after) = tail.split_once('>').context("a tag without an end")?;
        if let Some(name) = tag.strip_prefix('/') {
            ensure!(open.pop() == Some(name), "</{name}> closes nothing");
        } else {
            let name = tag.split([' ', '\n', '/']).next().unwrap_or_default();
            ensure!(ELEMENTS.contains(&name), "<{tag}>");
            ensure!(tag.matches('"').count() % 2 == 0 && !tag.contains(" on"), "<{tag}>");
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
        rest = after;
    }
    ensure!(open.is_empty() && rest.trim().is_empty(), "left open: {open:?}");
    Ok(())
}

#[test]
fn pictures_of_all_fixtures_are_well_formed() -> anyhow::Result<()> {
    let mut pictures = 0;
    for folder in fixtures()? {
        let target = folder.strip_prefix(repository())?.to_string();
        let drawn = run(&repository(), &["flow", &target, "--format", "svg"])?;
        if drawn.exit == 3 {
            continue;
        }
        well_formed(&drawn.stdout).with_context(|| target.clone())?;
        pictures += 1;
    }
    ensure!(pictures > 5, "only {pictures} pictures");
    Ok(())
}

#[test]
fn many_resources_in_the_same_place_share_a_box() -> anyhow::Result<()> {
    let text = "resource \"aws_s3_bucket\" \"logs\" {\n  bucket = \"logs\"\n}\n\n\
                resource \"aws_lb\" \"web\" {\n  count = 150\n  name  = \"web-${count.index}\"\n\n  access_logs {\n    bucket  = aws_s3_bucket.logs.id\n    enabled = true\n  }\n}\n\n\
                resource \"aws_lambda_function\" \"f\" {\n  count         = 150\n  function_name = \"f-${count.index}\"\n}\n";
    let workspace = Workspace::of(text)?;
    for format in ["svg", "mermaid", "dot"] {
        let drawn = flow(&workspace, &["--format", format])?.stdout;
        for name in ["150 aws_lb", "150 aws_lambda_function", "150 aws_cloudwatch_log_group"] {
            ensure!(drawn.contains(name), "{format} has no {name}: {drawn}");
        }
        ensure!(drawn.lines().count() < 100, "{format} has {} lines", drawn.lines().count());
    }
    ensure!(list(&flow_json(&workspace, &[])?, "stations").len() == 451);
    Ok(())
}

#[test]
fn nothing_sensitive_is_drawn() -> anyhow::Result<()> {
    let text = "variable \"bucket\" {\n  default   = \"hunter2\"\n  sensitive = true\n}\n\n\
                resource \"aws_lb\" \"web\" {\n  name = \"web\"\n\n  access_logs {\n    bucket  = var.bucket\n    enabled = true\n  }\n}\n\n\
                resource \"aws_lambda_function\" \"f\" {\n  function_name = var.bucket\n}\n";
    let workspace = Workspace::of(text)?;
    for format in FORMATS {
        let drawn = flow(&workspace, &["--format", format])?.stdout;
        ensure!(!drawn.contains("hunter2"), "{format}: {drawn}");
        ensure!(drawn.contains("a sensitive value"), "{format}: {drawn}");
    }
    Ok(())
}

#[test]
fn what_could_not_be_read_is_said_and_ends_with_2() -> anyhow::Result<()> {
    let run = run(&repository(), &["flow", "fixtures/half-typed", "--format", "json"])?;
    let map: Value = serde_json::from_str(&run.stdout)?;
    ensure!(run.exit == 2 && map["status"] == "incomplete", "{run:?}");
    ensure!(!list(&map["roots"][0], "gaps").is_empty());
    let Some(count) = map["summary"]["gaps"].as_u64() else { bail!("no count: {map:#}") };
    ensure!(count > 0);
    Ok(())
}

/// Every key and every word that the JSON output may hold stands on its page.
#[test]
fn the_page_names_every_key_and_word() -> anyhow::Result<()> {
    let page = Page::read("docs/flow.md".into())?;
    let named: BTreeSet<&str> = page.code_spans().into_iter().map(|(_, span)| span).collect();
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for target in
        ["fixtures/estate", "fixtures/half-typed", "fixtures/account-baseline", "fixtures/databases"]
    {
        let run = run(&repository(), &["flow", target, "--format", "json"])?;
        keys(&serde_json::from_str(&run.stdout)?, &mut wanted);
    }
    let roles =
        [Role::Source, Role::Forwarder, Role::Store, Role::ServiceStore, Role::External, Role::Unknown];
    wanted.extend(roles.iter().map(|role| role.as_str().to_owned()));
    let certainties = [Certainty::Proved, Certainty::Matched, Certainty::Open];
    wanted.extend(certainties.iter().map(|certainty| certainty.as_str().to_owned()));
    let missing: Vec<&String> = wanted.iter().filter(|key| !named.contains(key.as_str())).collect();
    ensure!(missing.is_empty(), "not on the page: {missing:?}");
    Ok(())
}

fn keys(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            out.insert(key.clone());
            keys(value, out);
        }),
        Value::Array(items) => items.iter().for_each(|item| keys(item, out)),
        _ => {}
    }
}
