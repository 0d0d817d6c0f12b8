//! Terraform configurations of any size, as teams write them: ten kinds of resources, companions, dynamic blocks,
//! heredocs, locals, variables, tfvars and local modules; a fifth of the resources lacks its logging.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::random::Random;
use super::templates::{
    ACCESS_LOGS, BUCKET, BUCKET_LOGGING, CALLS, CLOUD_SQL, CLOUD_STORAGE, DATABASE, DIAGNOSTIC_SETTING,
    IAM_POLICY, LOAD_BALANCER, LOCALS, LOG_GROUP, MODULES, SECURITY_GROUP, STORAGE_ACCOUNT, TAGS, TRAIL,
    VARIABLES, VERSIONS,
};

/// How the resources lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `stacks/team-NN/ENVIRONMENT/svc-NNNN`, each a root of about a hundred resources and two local modules.
    Stacks,
    /// All in one root, in files of forty resources: the worst case of an editor.
    Flat,
}

/// Resources of one stack.
const STACK: usize = 100;
/// Resources of one file.
const FILE: usize = 40;

type Kind = fn(&mut Random, &Names<'_>, bool) -> Text;

/// The text and the number of resources in it.
type Text = (String, usize);

const KINDS: [(Kind, u64); 10] = [
    (bucket, 14),
    (log_group, 18),
    (database, 6),
    (load_balancer, 6),
    (trail, 2),
    (iam_policy, 22),
    (security_group, 18),
    (storage_account, 5),
    (cloud_storage, 5),
    (cloud_sql, 4),
];

struct Names<'a> {
    name: &'a str,
    team: &'a str,
}

/// Writes a configuration of `resources` resources to `folder`.
pub(crate) fn write(folder: &Path, layout: Layout, resources: usize, seed: u64) -> anyhow::Result<()> {
    if layout == Layout::Flat {
        put(folder, "versions.tf", VERSIONS)?;
        put(folder, "variables.tf", VARIABLES)?;
        put(folder, "locals.tf", LOCALS)?;
    } else {
        for (path, text) in MODULES {
            put(folder, path, text)?;
        }
    }
    let (mut total, mut number, mut stack) = (0, 0, 0);
    while total < resources {
        let mut random = Random::of(seed, stack);
        let team = format!("team-{:02}", stack % 40);
        let environment = ["dev", "staging", "prod"].get(stack % 3).copied().unwrap_or("prod");
        let home = match layout {
            Layout::Flat => folder.to_owned(),
            Layout::Stacks => folder.join(format!("stacks/{team}/{environment}/svc-{stack:04}")),
        };
        let quota = STACK.min(resources - total);
        let (mut got, mut file) = (0, 0);
        while got < quota {
            let (mut text, mut held) = (String::new(), 0);
            while held < FILE && got + held < quota {
                let (kind, defect) = (random.weighted(&KINDS, iam_policy as Kind), random.percent(20));
                let name = format!("app_{number:06}");
                number += 1;
                let (resource, count) = kind(&mut random, &Names { name: &name, team: &team }, defect);
                text.push_str(&resource);
                held += count;
            }
            let path = match (layout, ["main", "data", "network", "logging"].get(file)) {
                (Layout::Stacks, Some(name)) => format!("{name}.tf"),
                (Layout::Stacks, None) => format!("part{file}.tf"),
                (Layout::Flat, _) => format!("r{stack:05}_{file}.tf"),
            };
            put(&home, &path, &text)?;
            file += 1;
            got += held;
        }
        total += got;
        if layout == Layout::Stacks {
            put(&home, "versions.tf", VERSIONS)?;
            put(&home, "variables.tf", VARIABLES)?;
            put(&home, "locals.tf", LOCALS)?;
            let logged = if random.percent(20) { "null" } else { "var.access_log_bucket" };
            let service = format!("svc-{stack:04}");
            put(&home, "modules.tf", &fill(CALLS, &[("@logged", logged), ("@service", &service)]))?;
            let account = random.between(100_000_000_000, 1_000_000_000_000);
            put(
                &home,
                &format!("{environment}.tfvars"),
                &format!(
                    "name_prefix = \"{team}\"\nenvironment = \"{environment}\"\naccount_id  = \"{account}\"\n"
                ),
            )?;
        }
        stack += 1;
    }
    Ok(())
}

fn put(folder: &Path, path: &str, text: &str) -> anyhow::Result<()> {
    let path = folder.join(path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(fs::write(path, text)?)
}

/// The template with its words in place.
fn fill(template: &str, words: &[(&str, &str)]) -> String {
    words.iter().fold(template.to_owned(), |text, (word, value)| text.replace(word, value))
}

fn of(random: &mut Random, names: &Names<'_>, template: &str, words: &[(&str, &str)]) -> String {
    let mut text = fill(template, words);
    if text.contains("@tags") {
        let center = random.between(1000, 10_000).to_string();
        text = text.replace("@tags", &fill(TAGS, &[("@center", &center)]));
    }
    fill(&text, &[("@name", names.name), ("@dash", &names.name.replace('_', "-")), ("@team", names.team)])
}

fn bucket(random: &mut Random, names: &Names<'_>, defect: bool) -> Text {
    let mut text = of(random, names, BUCKET, &[]);
    if defect {
        return (text, 2);
    }
    text.push_str(&of(random, names, BUCKET_LOGGING, &[]));
    (text, 3)
}

fn log_group(random: &mut Random, names: &Names<'_>, defect: bool) -> Text {
    let kept = if defect {
        random.choose(&["", "  retention_in_days = 7\n"], "")
    } else {
        let ways = [
            "  retention_in_days = 365\n",
            "  retention_in_days = var.log_retention_days\n",
            "  retention_in_days = local.retention[var.environment]\n",
        ];
        random.choose(&ways, "")
    };
    let key = if defect { "" } else { "  kms_key_id        = var.kms_key_arn\n" };
    (of(random, names, LOG_GROUP, &[("@kept", kept), ("@key", key)]), 1)
}

fn database(random: &mut Random, names: &Names<'_>, defect: bool) -> Text {
    let exports = "  enabled_cloudwatch_logs_exports = [\"audit\", \"error\", \"slowquery\"]\n";
    let minor = random.between(30, 41).to_string();
    let class = random.choose(&["t3.medium", "m6g.large", "r6g.xlarge"], "t3.medium");
    let size = random.choose(&["20", "100", "500"], "20");
    let words = [
        ("@exports", if defect { "" } else { exports }),
        ("@minor", &minor),
        ("@class", class),
        ("@size", size),
    ];
    (of(random, names, DATABASE, &words), 1)
}

fn load_balancer(random: &mut Random, names: &Names<'_>, defect: bool) -> Text {
    let logs = if defect { "" } else { ACCESS_LOGS };
    let internal = random.choose(&["true", "false"], "true");
    (of(random, names, LOAD_BALANCER, &[("@logs", logs), ("@internal", internal)]), 1)
}

fn trail(random: &mut Random, names: &Names<'_>, defect: bool) -> Text {
    (of(random, names, TRAIL, &[("@whole", if defect { "false" } else { "true" })]), 1)
}

fn iam_policy(random: &mut Random, names: &Names<'_>, _: bool) -> Text {
    (of(random, names, IAM_POLICY, &[]), 1)
}

fn security_group(random: &mut Random, names: &Names<'_>, _: bool) -> Text {
    let octet = random.between(0, 256).to_string();
    (of(random, names, SECURITY_GROUP, &[("@octet", &octet)]), 1)
}

fn storage_account(random: &mut Random, names: &Names<'_>, defect: bool) -> Text {
    let mut text = of(random, names, STORAGE_ACCOUNT, &[]);
    if defect {
        return (text, 1);
    }
    text.push_str(&of(random, names, DIAGNOSTIC_SETTING, &[]));
    (text, 2)
}

fn cloud_storage(random: &mut Random, names: &Names<'_>, defect: bool) -> Text {
    let logging = "
  logging {
    log_bucket        = var.gcs_log_bucket
    log_object_prefix = \"@name\"
  }
";
    (of(random, names, CLOUD_STORAGE, &[("@logging", if defect { "" } else { logging })]), 1)
}

fn cloud_sql(random: &mut Random, names: &Names<'_>, defect: bool) -> Text {
    let mut flags = String::new();
    for flag in ["log_connections", "cloudsql.enable_pgaudit"] {
        let _ =
            write!(flags, "    database_flags {{\n      name  = \"{flag}\"\n      value = \"on\"\n    }}\n");
    }
    (of(random, names, CLOUD_SQL, &[("@flags", if defect { "" } else { &flags })]), 1)
}
