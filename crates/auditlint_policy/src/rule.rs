//! A rule of the catalogue: one YAML file, compiled.

use std::sync::Arc;

use auditlint_syntax::Name;

use crate::check::{ATTESTED_MODULE, CHECKS};
use crate::condition::{AttributePath, Condition, Operand};
use crate::{Catalogue, Category, LiteralValue, Safety, Severity};

/// One file of `policies/rules`.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its path without the ending: `aws/cloudwatch/log-group-retention`. Never reused.
    pub id: Arc<str>,
    /// A sentence without full stop.
    pub title: String,
    /// Why it matters, for an engineer who has never met an auditor.
    pub why: String,
    /// How much it matters.
    pub severity: Severity,
    /// What it speaks of.
    pub kind: RuleKind,
    /// What of a policy turns it on.
    pub asks: Vec<Intent>,
    /// The events that it is about, by which a policy can ask for it.
    pub events: Vec<String>,
    /// Its categories; a store takes those of the flows that reach it.
    pub categories: Vec<Category>,
    /// The resource types that it judges.
    pub selects: Vec<Name>,
    /// Which of them it judges.
    pub when: Option<Condition>,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// What must hold.
    pub requires: Condition,
    /// Alternatives: pass if any holds.
    pub satisfied_by: Vec<Condition>,
    /// The message of a failure, with `{value}` and `{parameter}`.
    pub message: String,
    /// What makes it pass, the best first.
    pub remedies: Vec<RemedyTemplate>,
    /// Identifiers of standards that it is evidence for, `SOC2:CC7.2`.
    pub controls: Vec<String>,
    /// What it can judge.
    pub inputs: Vec<Input>,
    /// Ids of other tools' checks for the same fact.
    pub aliases: Vec<String>,
    /// Links for the reader.
    pub references: Vec<String>,
    /// Whether `auditlint:everything` turns it on.
    pub in_everything: bool,
    /// Its tests.
    pub examples: Vec<Example>,
}

impl Rule {
    /// Whether it is about somebody being told.
    #[must_use]
    pub fn alerts(&self) -> bool {
        self.asks.contains(&Intent::Alerting)
    }

    /// The provider and the service that it belongs to: `aws/elb`.
    #[must_use]
    pub fn service(&self) -> &str {
        self.id.rsplit_once('/').map_or("", |(service, _)| service)
    }
}

/// Where the page of a rule is, for people; of what is no built-in rule, the page that tells what it is.
#[must_use]
pub fn docs(id: &str) -> String {
    let page = match id.split('/').next() {
        Some("change") => "plans.md#changes".to_owned(),
        Some("destination") => "organisation.md#where-logs-may-rest".to_owned(),
        Some("rego") => "rego.md".to_owned(),
        _ if id == ATTESTED_MODULE.id => "outside.md#modules".to_owned(),
        _ if CHECKS.iter().any(|check| check.id == id) => "policy.md".to_owned(),
        _ if Catalogue::has_built_in(id) => format!("rules/{id}.md"),
        // One of a repository's own has no page here.
        _ => "policy.md#rules-of-your-own".to_owned(),
    };
    format!("{}/blob/main/docs/{page}", env!("CARGO_PKG_REPOSITORY"))
}

/// What a rule speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RuleKind {
    /// Something that can emit events.
    Source,
    /// Something that keeps them.
    Store,
    /// Anything else.
    Guard,
}

/// What of a policy turns a rule on; see `policies/README.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is the word of the rule file; the README explains them")]
pub enum Intent {
    Emit,
    FailedAttempts,
    SuccessfulAttempts,
    Retention,
    RetentionUnset,
    RetentionMaximum,
    RetentionHot,
    Encryption,
    Integrity,
    Immutability,
    PublicAccess,
    Access,
    Durability,
    Coverage,
    Level,
    Quality,
    Alerting,
}

impl Intent {
    /// Whether it is about how long a store keeps.
    #[must_use]
    pub const fn is_about_days(self) -> bool {
        matches!(self, Self::Retention | Self::RetentionUnset | Self::RetentionMaximum | Self::RetentionHot)
    }
}

/// What a rule can judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Input {
    /// Configuration.
    Hcl,
    /// A plan.
    Plan,
    /// A state.
    State,
}

/// A parameter of a rule.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub kind: ParameterKind,
    /// Its value where a policy gives none.
    pub default: Option<Operand>,
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Whole days; the operand is a number.
    Duration,
    /// A whole number.
    Integer,
    /// A text.
    Text,
    /// A list of texts.
    List,
}

/// A remedy before it is bound to a resource.
#[derive(Clone, Debug)]
pub struct RemedyTemplate {
    /// Its title, with `{parameter}`.
    pub title: String,
    /// Its safety, before choices make it `needs_input`.
    pub safety: Safety,
    /// Its changes.
    pub changes: Vec<ChangeTemplate>,
}

/// One change of a remedy.
#[derive(Clone, Debug)]
pub enum ChangeTemplate {
    /// `set`
    Set(AttributePath, ValueTemplate),
    /// `append`
    Append(AttributePath, Vec<Operand>),
    /// `remove`
    Remove(AttributePath),
    /// `flag`: of an API server.
    Flag(Name, Operand),
    /// `audit_level`: of the rule of an audit policy that is wrong.
    AuditLevel(Operand),
    /// `audit_rule`: of an audit policy. A text `$name` in it is a parameter.
    AuditRule(LiteralValue),
    /// `drop: true`: the element that is wrong goes.
    Drop,
    /// `add_block`
    AddBlock(BlockTemplate),
    /// `add_resource`
    AddResource {
        /// Its type.
        kind: Name,
        /// Its attributes.
        body: Vec<(Name, ValueTemplate)>,
        /// Its blocks.
        blocks: Vec<BlockTemplate>,
    },
}

impl ChangeTemplate {
    /// Whether it writes or takes away an element of something that is written.
    #[must_use]
    pub const fn is_element(&self) -> bool {
        matches!(self, Self::Flag(..) | Self::AuditLevel(_) | Self::AuditRule(_) | Self::Drop)
    }

    /// The attribute of the judged resource that it changes, where it is one.
    #[must_use]
    pub fn path(&self) -> Option<&AttributePath> {
        match self {
            Self::Set(path, _) | Self::Append(path, _) | Self::Remove(path) => Some(path),
            Self::Flag(..)
            | Self::AuditLevel(_)
            | Self::AuditRule(_)
            | Self::Drop
            | Self::AddBlock(_)
            | Self::AddResource { .. } => None,
        }
    }
}

/// A block of a remedy.
#[derive(Clone, Debug)]
pub struct BlockTemplate {
    /// Its name.
    pub name: Name,
    /// Its attributes.
    pub body: Vec<(Name, ValueTemplate)>,
    /// Its blocks.
    pub blocks: Vec<BlockTemplate>,
}

/// A value of a remedy.
#[derive(Clone, Debug)]
pub enum ValueTemplate {
    /// A literal or a parameter.
    Operand(Operand),
    /// `@id`
    SubjectAttribute(Name),
    /// `{choose: [TYPE…], attribute: arn, placeholder: "…"}`
    Choose {
        /// The types to choose from.
        types: Vec<Name>,
        /// The attribute that is referred to.
        attribute: Name,
        /// What is written where there is none.
        placeholder: String,
    },
}

/// One test of a rule.
#[derive(Clone, Debug)]
pub struct Example {
    /// Its name, unique in the rule.
    pub name: String,
    /// The configuration, with `#! verdict` marks on resource headers.
    pub hcl: String,
    /// The configuration after every remedy.
    pub fixed: Option<String>,
    /// The policy, where it is not the rule alone with its defaults.
    pub policy: Option<String>,
    /// The line (from 1) of the rule's file on which `hcl` begins, for messages.
    pub line: u32,
}
