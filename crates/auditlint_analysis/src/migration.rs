//! The policy that comes nearest to what another tool checks, and what is different about it.

use std::fmt::Write as _;
use std::sync::Arc;

use auditlint_policy::{Catalogue, LocatedProblem};
use auditlint_syntax::Source;
use auditlint_syntax::document::{self, Node, NodeKind};
use globset::{Glob, GlobMatcher};

use crate::suppression::rules_of;

/// A tool whose checks have rules of the same fact here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherTool {
    /// checkov
    Checkov,
    /// tfsec
    Tfsec,
    /// trivy
    Trivy,
}

/// A policy, and what it does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The text of the config file.
    pub policy: String,
    /// What is different from the other tool, each with the reason.
    pub differences: Vec<String>,
}

/// What the config of the other tool asks.
#[derive(Default)]
struct Asked {
    /// Only these checks; all of them where none is named.
    only: Vec<String>,
    /// None of these.
    skipped: Vec<String>,
    /// Whether nothing fails a run.
    is_soft: bool,
    /// These do not fail a run.
    soft: Vec<String>,
    differences: Vec<String>,
}

impl OtherTool {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checkov => "checkov",
            Self::Tfsec => "tfsec",
            Self::Trivy => "trivy",
        }
    }

    /// Where it is configured, from the folder that it checks; of the first group the first that is there counts.
    #[must_use]
    pub const fn files(self) -> &'static [&'static str] {
        match self {
            Self::Checkov => &[".checkov.yaml", ".checkov.yml"],
            Self::Tfsec => &[".tfsec/config.yml", ".tfsec/config.yaml", ".tfsec/config.json"],
            Self::Trivy => &["trivy.yaml", ".trivyignore", ".trivyignore.yaml"],
        }
    }

    /// Whether an alias of a rule is one of its checks.
    fn has(self, alias: &str) -> bool {
        match self {
            Self::Checkov => alias.starts_with("CKV"),
            // The one went into the other, and both know the short ids.
            Self::Tfsec | Self::Trivy => {
                ["AWS-", "GCP-", "AZU-", "KCV-", "tfsec-"].iter().any(|start| alias.starts_with(start))
            }
        }
    }
}

/// The policy that asks for what `tool` checks by the configs in `sources`.
///
/// # Errors
/// With the lines of a config that cannot be read.
pub fn migrate(
    tool: OtherTool,
    sources: &[Arc<Source>],
    catalogue: &Catalogue,
) -> Result<Migration, Vec<LocatedProblem>> {
    let mut asked = Asked::default();
    for source in sources {
        if source.path().file_name() == Some(".trivyignore") {
            let ids =
                source.text().lines().filter_map(|line| line.split('#').next()?.split_whitespace().next());
            asked.skipped.extend(ids.map(str::to_owned));
            continue;
        }
        let document = document::parse(source.text());
        if !document.problems.is_empty() {
            let problem = |found: &auditlint_syntax::Problem| {
                LocatedProblem::new(source, found.span, found.message.clone())
            };
            return Err(document.problems.iter().map(problem).collect());
        }
        match tool {
            OtherTool::Checkov => asked.checkov(&document.root),
            OtherTool::Tfsec => asked.tfsec(&document.root),
            OtherTool::Trivy => asked.trivy(&document.root),
        }
    }
    Ok(asked.migration(tool, sources, catalogue))
}

impl Asked {
    fn checkov(&mut self, root: &Node) {
        for entry in root.entries() {
            let words = || words(&entry.value);
            match entry.key.as_str() {
                "check" => self.only.extend(words()),
                "skip-check" => self.skipped.extend(words()),
                "soft-fail" => self.is_soft = entry.value.kind == NodeKind::Bool(true),
                "soft-fail-on" => self.soft.extend(words()),
                "hard-fail-on" => {
                    self.differ(&entry.key, "every rule fails a run unless `enforcement` says otherwise");
                }
                "external-checks-dir" | "external-checks-git" => {
                    self.differ(
                        &entry.key,
                        "checks of your own are written as policies in Rego here (docs/rego.md)",
                    );
                }
                "baseline" => {
                    self.differ(&entry.key, "`auditlint baseline create` writes one; it only shrinks");
                }
                "skip-path" => self.differ(
                    &entry.key,
                    "`ignore_paths` takes globs, not regular expressions: write them anew",
                ),
                "var-file" => {
                    self.differ(&entry.key, "say `var_files` under `roots` of this file");
                }
                _ => {}
            }
        }
    }

    fn tfsec(&mut self, root: &Node) {
        for entry in root.entries() {
            match entry.key.as_str() {
                "include" => self.only.extend(words(&entry.value)),
                "exclude" => self.skipped.extend(words(&entry.value)),
                "minimum_severity" => {
                    self.differ(
                        &entry.key,
                        "what a finding counts for is said by `enforcement`, not by its severity",
                    );
                }
                "severity_overrides" => {
                    self.differ(
                        &entry.key,
                        "`rules: [{rule: ID, severity: WORD}]` says it here, and only upwards",
                    );
                }
                _ => {}
            }
        }
    }

    fn trivy(&mut self, root: &Node) {
        for entry in root.entries() {
            match entry.key.as_str() {
                "severity" => {
                    self.differ(
                        &entry.key,
                        "what a finding counts for is said by `enforcement`, not by its severity",
                    );
                }
                "misconfigurations" => {
                    for item in entry.value.items() {
                        let Some(id) = item.get("id").and_then(Node::as_str) else { continue };
                        if item.get("paths").is_some() {
                            let reason = "an exception for some paths is an exemption here: it names resources, an owner and a day";
                            self.differ(id, reason);
                        } else {
                            self.skipped.push(id.to_owned());
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn differ(&mut self, what: &str, reason: &str) {
        self.differences.push(format!("{what}: {reason}"));
    }

    fn migration(mut self, tool: OtherTool, sources: &[Arc<Source>], catalogue: &Catalogue) -> Migration {
        let name = tool.as_str();
        let (only, skipped, soft) = (patterns(&self.only), patterns(&self.skipped), patterns(&self.soft));
        let mut rules = String::new();
        let mut levels = String::new();
        let mut without = 0_usize;
        for rule in catalogue.rules() {
            let ids: Vec<&str> =
                rule.aliases.iter().map(String::as_str).filter(|alias| tool.has(alias)).collect();
            if ids.is_empty() {
                without += 1;
                continue;
            }
            // Several ids of checkov are several checks; those of the others are one check under several names.
            let is = |patterns: &[GlobMatcher]| match tool {
                OtherTool::Checkov => ids.iter().all(|id| is_named(id, patterns)),
                OtherTool::Tfsec | OtherTool::Trivy => ids.iter().any(|id| is_named(id, patterns)),
            };
            let is_asked = only.is_empty() || ids.iter().any(|id| is_named(id, &only));
            if !is_asked || is(&skipped) {
                continue;
            }
            let _ = writeln!(rules, "  - {} # {}", rule.id, ids.join(", "));
            if !soft.is_empty() && is(&soft) {
                let _ = writeln!(levels, "    {}: advisory", rule.id);
            }
        }
        let unknown: Vec<&String> = self
            .only
            .iter()
            .chain(&self.skipped)
            .filter(|id| {
                !id.contains('*') && rules_of(id, catalogue).iter().all(|rule| catalogue.rule(rule).is_none())
            })
            .collect();
        let unknown: Vec<String> = unknown.into_iter().cloned().collect();
        for id in unknown {
            self.differ(
                &id,
                &format!("no rule judges the same fact; what is not about audit logs is left to {name}"),
            );
        }
        if sources.is_empty() {
            self.differ(
                "no config",
                &format!("there is none of {name} here: these are the checks that it runs without one"),
            );
        }
        self.differ(
            &format!("{without} more rules"),
            &format!("{name} has no check for them; `extends: auditlint:recommended` asks those that everybody should"),
        );
        self.differ(
            "values that are not known",
            &format!(
                "where {name} passes or fails, the finding is undecided, and told with what would decide it"
            ),
        );
        let from = match sources {
            [] => String::new(),
            some => format!(
                " from {}",
                some.iter().map(|source| source.path().as_str()).collect::<Vec<_>>().join(", ")
            ),
        };
        let mut policy = format!(
            "# What {name} checks about audit logs, made by `auditlint init --from {name}`{from}.\n\
             # What is different about it is listed by the same command.\n\
             # Better is a policy that says what must be logged: https://github.com/auditlint/auditlint/blob/main/docs/policy.md\n"
        );
        if rules.is_empty() {
            self.differ("rules", "none of these checks has one here; the policy asks what everybody should");
            policy.push_str("extends: auditlint:recommended\n");
        } else {
            let _ = write!(policy, "rules:\n{rules}");
        }
        policy.push_str("foreign_suppressions: honour\n");
        if self.is_soft || !levels.is_empty() {
            policy.push_str("enforcement:\n");
        }
        if self.is_soft {
            policy.push_str("  level: advisory\n");
        } else if !levels.is_empty() {
            let _ = write!(policy, "  rules:\n{levels}");
        }
        Migration { policy, differences: self.differences }
    }
}

/// Whether a check is named by one of the patterns, under any name that it has.
fn is_named(id: &str, patterns: &[GlobMatcher]) -> bool {
    let (other, long) = (format!("AVD-{id}"), id.strip_prefix("tfsec-").unwrap_or(id));
    let names = [id, other.as_str(), long];
    patterns.iter().any(|pattern| names.iter().any(|name| pattern.is_match(name)))
}

fn patterns(words: &[String]) -> Vec<GlobMatcher> {
    words.iter().filter_map(|word| Some(Glob::new(word).ok()?.compile_matcher())).collect()
}

/// A list, or a text with commas.
fn words(node: &Node) -> Vec<String> {
    let split = |text: &str| -> Vec<String> {
        text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    match &node.kind {
        NodeKind::List(items) => items.iter().filter_map(Node::as_str).flat_map(split).collect(),
        _ => node.as_str().map(split).unwrap_or_default(),
    }
}
