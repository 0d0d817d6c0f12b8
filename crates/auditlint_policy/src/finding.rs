//! A finding: rule × resource × verdict, with both places, the reason, and remedies as structure.

use std::sync::Arc;

use auditlint_graph::{Address, Cause};
use auditlint_syntax::{Location, Name};

use crate::{Category, Level, MinimalSet, Verdict, digest};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Good practice.
    Low,
    /// Evidence would be weaker than the policy asks.
    #[default]
    Medium,
    /// Evidence is missing.
    High,
    /// Evidence can be destroyed, or a whole trail is off.
    Critical,
}

impl Severity {
    /// The word of rules, policies and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High, Self::Critical]
            .into_iter()
            .find(|severity| severity.as_str() == word)
    }
}

/// Rule × resource × verdict.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule's id, `aws/cloudwatch/log-group-retention`.
    pub rule: Arc<str>,
    /// What it says.
    pub verdict: Verdict,
    /// How much that matters, after the policy's overrides.
    pub severity: Severity,
    /// What it counts for.
    pub level: Level,
    /// The categories on whose behalf the policy asks.
    pub categories: Vec<Category>,
    /// The resource instance, or its block where instances are not known.
    pub address: Address,
    /// The attribute path that decides, `access_logs.enabled`.
    pub attribute: Option<String>,
    /// One phrase: what is wrong, lower case, no full stop. Holds no sensitive value.
    pub message: String,
    /// Where it sits: the attribute where it is written in the resource, else the block's header.
    pub place: Place,
    /// Further places that explain it: the literal that decides, the companion, the store at the end.
    pub related: Vec<Related>,
    /// The policy line that asked for it.
    pub policy: PolicyRef,
    /// Why it is unknown.
    pub cause: Option<Cause>,
    /// The values that it rests on.
    pub evidence: Vec<Evidence>,
    /// The paths that the resource's logs take, for sources and stores.
    pub flows: Vec<Vec<FlowStep>>,
    /// What makes it pass, the best first.
    pub remedies: Vec<Remedy>,
    /// Why it is exempt: the reason given, and by whom.
    pub exemption: Option<String>,
    /// The folder of its root, or the path of its plan; empty where it concerns the estate as a whole.
    pub root: Arc<str>,
}

impl Finding {
    /// What stays the same as long as the finding does: a digest of rule, root, address without keys, attribute and
    /// category, and so free of lines. What concerns no resource and no category is told apart by its message.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let concerns_resource = !self.address.kind.is_empty();
        let address = if concerns_resource { self.address.without_keys().to_string() } else { String::new() };
        let category = self.categories.first().map_or("", |category| category.as_str());
        let subject = match &self.attribute {
            Some(attribute) => attribute,
            None if !concerns_resource && category.is_empty() => self.message.as_str(),
            None => "",
        };
        digest::fingerprint(&[&*self.rule, &*self.root, &address, subject, category])
    }
}

/// A place in a file, or in a plan where no source is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In a text.
    Source(Location),
    /// In a plan: a JSON pointer.
    Plan(String),
    /// Nowhere that can be shown (a value given on the command line).
    Nowhere,
}

/// A further place that explains a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// What is to be seen there.
    pub message: String,
    /// Where.
    pub place: Place,
}

/// The policy that asked, and the line where it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRef {
    /// The policy's id: `auditlint:recommended`, or the path of its file.
    pub id: Arc<str>,
    /// The key or value that asked. Built-in policies are texts too, so there always is one.
    pub at: Location,
}

/// A value that a verdict rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What it is: an attribute path, or a short phrase for something a probe measured.
    pub subject: String,
    /// The value as text, masked when sensitive.
    pub value: String,
    /// `written`, `assumed_default`, `provider_default`, `given`, `plan`, `derived`, `absent`.
    pub origin: &'static str,
    /// Where.
    pub place: Place,
}

/// One step of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowStep {
    /// The resource's address, or the literal that names a store outside.
    pub address: String,
    /// `source`, `forwarder` or `store`.
    pub role: &'static str,
    /// Effective retention in days, where it is known; `None` with `never_expires` unset means unknown.
    pub retention_days: Option<u32>,
    /// Whether it keeps what it gets for ever.
    pub never_expires: bool,
    /// Whether it lies outside of what was read.
    pub external: bool,
    /// The other root of the run that holds it.
    pub root: Option<Arc<str>>,
}

/// Whether a remedy may be applied without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Safety {
    /// It only adds what the policy asks for.
    Safe,
    /// It changes what the infrastructure does beyond logging, or costs money.
    ChangesBehaviour,
    /// Something must be filled in or chosen.
    NeedsInput,
}

impl Safety {
    /// The word of the JSON output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::ChangesBehaviour => "changes_behaviour",
            Self::NeedsInput => "needs_input",
        }
    }
}

/// A structural change that makes a finding pass: no text and no spans.
#[derive(Clone, Debug, PartialEq)]
pub struct Remedy {
    /// What it does, as a menu would say it: `set retention_in_days to 90`.
    pub title: String,
    /// Whether it may be applied without asking.
    pub safety: Safety,
    /// The resource that is changed, or beside which something is added.
    pub subject: Address,
    /// The changes, all of them.
    pub changes: Vec<RemedyKind>,
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub enum RemedyKind {
    /// Give the attribute at `path` this value; nested blocks on the way are made where they are missing
    /// (`access_logs.enabled`). An attribute that is written is changed where its literal stands.
    Set {
        /// The attribute, with dots through nested blocks (the first block of each name).
        path: String,
        /// The value.
        value: NewValue,
    },
    /// Add what is missing to the list at `path`; the rest of the list stays as it is.
    Append {
        /// The attribute.
        path: String,
        /// The elements.
        values: Vec<LiteralValue>,
    },
    /// Remove the attribute or all blocks at `path`.
    Remove {
        /// The attribute or block.
        path: String,
    },
    /// Add resources that stand alone to the root.
    AddSet {
        /// Which.
        set: Arc<MinimalSet>,
        /// How many days they keep what they record.
        days: u32,
    },
    /// Write an element of a list or an entry of an object, in the language of the file.
    Element(Element),
    /// Add a nested block.
    AddBlock(NewBlock),
    /// Add a resource after the subject.
    AddResource {
        /// Its type.
        kind: Name,
        /// Its body; the name is the subject's, made distinct where it is taken. `count` and `for_each` of the
        /// subject are repeated, and references to it carry the matching key.
        body: Vec<(Name, NewValue)>,
        /// Its nested blocks.
        blocks: Vec<NewBlock>,
    },
}

/// An element of a list, or an entry of an object, to write beside a value that is written as a literal.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// That value.
    pub at: Location,
    /// Where the new one comes.
    pub place: Where,
    /// The new one.
    pub value: LiteralValue,
}

/// Where an element comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// In the place of the one that is there.
    Instead,
    /// Before it, in the same list.
    Before,
    /// After it, in the same list.
    After,
    /// As an entry of that name after the one whose value it is.
    Entry(Name),
    /// Nowhere: the one that is there goes.
    Gone,
}

/// A nested block to write.
#[derive(Clone, Debug, PartialEq)]
pub struct NewBlock {
    /// Its name.
    pub name: Name,
    /// Its attributes, in the order in which they are written.
    pub body: Vec<(Name, NewValue)>,
    /// Its own nested blocks.
    pub blocks: Vec<NewBlock>,
}

/// A value to write.
#[derive(Clone, Debug, PartialEq)]
pub enum NewValue {
    /// A literal.
    Literal(LiteralValue),
    /// A reference to an attribute of the subject (`id`), with its instance key where it has one.
    SubjectAttribute(Name),
    /// A choice among resources of the same module, each written as a reference ([`Evaluator::choices`] finds them).
    /// With none there is nothing to choose and the placeholder is written; both make the remedy `needs_input`.
    ///
    /// [`Evaluator::choices`]: crate::Evaluator::choices
    Choice {
        /// The types of what may be chosen.
        types: Vec<Name>,
        /// The attribute of the chosen one that is written.
        attribute: Name,
        /// What is written where there is none: a string that names what is missing.
        placeholder: String,
    },
}

/// A literal to write.
#[derive(Clone, Debug, PartialEq)]
pub enum LiteralValue {
    /// `true`, `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A string; it is escaped where it is written.
    String(String),
    /// A list.
    List(Vec<LiteralValue>),
    /// An object, its entries in the order in which they are written.
    Map(Vec<(Name, LiteralValue)>),
}
