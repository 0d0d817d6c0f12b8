//! What the policies of an entry say of a root, as findings.

use std::sync::Arc;

use auditlint_graph::{Address, Cause, CauseKind, Gap, GapKind, ResourceGraph};
use auditlint_syntax::Location;
use serde_json::Value;

use super::guard::Entry;
use super::{RegoInput, RegoSet, input, plan};
use crate::answer::{Answer, instance, placed};
use crate::flow::FlowMap;
use crate::{Category, Finding, Level, Place, Policy, PolicyRef, Related, Severity, Verdict};

/// Most findings of a rule for a root; more are one that says so.
const MOST: usize = 10_000;
/// Longest text of a finding that is taken from a policy.
const LONGEST: usize = 2_000;

/// A root, as policies in Rego are told of it.
pub struct RegoWorld<'w> {
    /// Its resources.
    pub graph: &'w ResourceGraph,
    /// Where its logs go.
    pub flow: &'w FlowMap,
    /// What is asked of it.
    pub policy: &'w Policy,
    /// `hcl`, `plan`, `state` or `kubernetes`.
    pub mode: &'static str,
    /// What reports call it.
    pub root: &'w str,
    /// Its environment.
    pub environment: Option<&'w str>,
    /// The plan as it was read, where it was kept.
    pub plan: Option<&'w [u8]>,
    /// The path and line of a place.
    pub line: &'w dyn Fn(Location) -> Option<(String, u32)>,
}

impl RegoSet {
    /// Asks every rule of the entry.
    #[must_use]
    pub fn ask(&self, world: &RegoWorld<'_>) -> Answer {
        let mut answer = Answer::default();
        let given = match self.spec.input {
            RegoInput::Graph => input::of(world),
            RegoInput::Plan => match world.plan.map(plan::of) {
                Some(Ok(plan)) => plan,
                Some(Err(reason)) => {
                    answer
                        .findings
                        .extend(self.entries.iter().map(|entry| self.undecided(entry, world, &reason)));
                    return answer;
                }
                None => {
                    let reason = "the policy asks for a plan, and this is none";
                    answer
                        .findings
                        .extend(self.entries.iter().map(|entry| self.undecided(entry, world, reason)));
                    return answer;
                }
            },
        };
        let mut engine = self.engine();
        engine.set_input(regorus::Value::from(given));
        for entry in &self.entries {
            let rule = format!("data.{}.{}", entry.package, entry.rule);
            match engine
                .eval_rule(rule)
                .map_err(|error| error.to_string())
                .and_then(|value| value.to_json_str().map_err(|error| error.to_string()))
            {
                // A rule that nothing makes true is not defined.
                Ok(text) => {
                    let value = serde_json::from_str(&text).unwrap_or(Value::Null);
                    self.take(entry, value, world, &mut answer);
                }
                Err(error) => answer.gaps.push(self.gap(entry, &error)),
            }
        }
        answer
    }

    fn take(&self, entry: &Entry, value: Value, world: &RegoWorld<'_>, answer: &mut Answer) {
        let items = match value {
            Value::Array(items) => items,
            // A set of texts that is written as an object of them, and a rule with one value.
            Value::Object(map) if !map.contains_key("msg") => map.into_values().collect(),
            Value::Null | Value::Bool(false) => return,
            one => vec![one],
        };
        if items.len() > MOST {
            let reason = format!("it says more than {MOST} things of this root");
            answer.gaps.push(self.gap(entry, &reason));
        }
        answer.findings.extend(items.into_iter().take(MOST).map(|item| self.finding(entry, &item, world)));
    }

    fn finding(&self, entry: &Entry, item: &Value, world: &RegoWorld<'_>) -> Finding {
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        let says = match item {
            Value::String(says) => says.clone(),
            _ => text("msg").map_or_else(|| format!("{} holds", entry.rule), str::to_owned),
        };
        let named = text("address").and_then(|address| Some((address, Address::parse(address).ok()?)));
        let resource = named.as_ref().and_then(|(_, address)| instance(world.graph, address));
        let path = text("path").filter(|path| !path.is_empty());
        let (place, mut related) = match resource {
            Some(resource) => placed(world.graph, resource, path),
            None => (self.place(entry), Vec::new()),
        };
        if resource.is_some() {
            related
                .push(Related { message: format!("{} says so", self.id(entry)), place: self.place(entry) });
        }
        let address = resource.map(|resource| resource.address.clone()).or(named.map(|(_, address)| address));
        let is_open = entry.rule == "unknown";
        Finding {
            verdict: if is_open { Verdict::Unknown } else { Verdict::Fail },
            severity: text("severity")
                .and_then(|word| Severity::parse(&word.to_lowercase()))
                .unwrap_or(Severity::Medium),
            address: address.unwrap_or_else(Address::nobody),
            attribute: path.map(str::to_owned),
            message: shortened(&says),
            place,
            related,
            cause: is_open.then(|| Cause {
                kind: CauseKind::Function,
                subject: shortened(&says),
                hint: "the policy in Rego cannot tell".to_owned(),
            }),
            ..self.empty(entry, world)
        }
    }

    fn undecided(&self, entry: &Entry, world: &RegoWorld<'_>, reason: &str) -> Finding {
        Finding {
            verdict: Verdict::Unknown,
            message: format!("{} is not decided: {reason}", self.id(entry)),
            place: self.place(entry),
            cause: Some(Cause {
                kind: CauseKind::Function,
                subject: "a plan".to_owned(),
                hint: "check what `terraform show -json` prints of a plan".to_owned(),
            }),
            ..self.empty(entry, world)
        }
    }

    fn empty(&self, entry: &Entry, world: &RegoWorld<'_>) -> Finding {
        let is_advice = entry.rule.split('_').next() == Some("warn");
        Finding {
            rule: self.id(entry).into(),
            verdict: Verdict::Fail,
            level: if is_advice { Level::Advisory } else { world.policy.level() },
            severity: Severity::Medium,
            categories: Vec::<Category>::new(),
            address: Address::nobody(),
            attribute: None,
            message: String::new(),
            place: Place::Nowhere,
            related: Vec::new(),
            policy: PolicyRef { id: Arc::clone(&world.policy.id), at: self.spec.at },
            cause: None,
            evidence: Vec::new(),
            flows: Vec::new(),
            remedies: Vec::new(),
            exemption: None,
            root: world.root.into(),
        }
    }

    /// `rego/main/deny`
    fn id(&self, entry: &Entry) -> String {
        format!("rego/{}/{}", entry.package.replace('.', "/"), entry.rule)
    }

    fn place(&self, entry: &Entry) -> Place {
        Place::Source(Location { file: entry.source.file(), span: entry.span })
    }

    fn gap(&self, entry: &Entry, error: &str) -> Gap {
        let limits = ["execution exceeded time limit", "execution exceeded memory limit"];
        let reason = match limits.iter().position(|limit| error.contains(limit)) {
            Some(0) => "it takes longer than two seconds for this root".to_owned(),
            Some(_) => "it takes more memory than a policy may".to_owned(),
            None => super::guard::located(&entry.source, error).message,
        };
        Gap {
            kind: GapKind::Policy,
            path: entry.source.path().to_string(),
            at: Some(Location { file: entry.source.file(), span: entry.span }),
            reason: format!("{} came to no end: {reason}", self.id(entry)),
            hint: "make the rule simpler: look at fewer pairs of resources".to_owned(),
            count: 1,
            module: None,
        }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
