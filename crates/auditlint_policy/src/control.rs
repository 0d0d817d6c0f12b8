//! The controls of standards. Nothing here says that anybody complies: what is found is evidence, for or against.

use crate::rule::Intent;
use crate::{Category, Finding, Rule};

/// A standard, as far as it speaks of logs.
#[derive(Clone, Debug)]
pub struct Standard {
    /// The name of the policy that selects its rules: `soc2`.
    pub policy: String,
    /// How its controls begin: `SOC2`.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// The version that was read.
    pub version: String,
    /// Where it is published.
    pub source: String,
    /// Its controls, in its order.
    pub controls: Vec<Control>,
    /// How long logs are kept, and where the number comes from.
    pub retention: Option<KeptFor>,
    /// What took the place of texts that it refers to.
    pub superseded_by: Vec<(String, String)>,
}

/// A control.
#[derive(Clone, Debug)]
pub struct Control {
    /// Its id, without that of the standard.
    pub id: String,
    /// What it asks, in our words.
    pub title: String,
    /// The version of the standard that has it.
    pub version: String,
    /// What it being about logs rests on.
    pub basis: Basis,
    /// The intents whose rules are evidence.
    pub asks: Vec<Intent>,
    /// The categories of which; empty for all.
    pub categories: Vec<Category>,
}

/// A retention, and where it comes from.
#[derive(Clone, Debug)]
pub struct KeptFor {
    /// The duration.
    pub value: String,
    /// How long of it can be searched.
    pub hot: Option<String>,
    /// The control that says so.
    pub control: Option<String>,
    /// What the number rests on.
    pub basis: Basis,
    /// How that is to be understood.
    pub note: String,
}

/// What a claim about a standard rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The text says it.
    Text,
    /// It is how the text is understood.
    Interpretation,
    /// Vendors of tools map it so.
    Vendor,
    /// It is a choice of this project.
    Choice,
}

impl Basis {
    /// The word of the files and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Interpretation => "interpretation",
            Self::Vendor => "vendor",
            Self::Choice => "choice",
        }
    }
}

impl Control {
    /// Whether a finding of `rule` is evidence: the rule says so itself, or what it asks does.
    #[must_use]
    pub fn is_shown_by(&self, standard: &Standard, rule: &Rule, finding: &Finding) -> bool {
        let named = rule.controls.iter().any(|one| {
            one.strip_prefix(&*standard.id).and_then(|rest| rest.strip_prefix(':')) == Some(&self.id)
        });
        let asks = rule.asks.iter().any(|intent| self.asks.contains(intent));
        let about = self.categories.is_empty()
            || finding.categories.iter().any(|category| self.categories.contains(category));
        named || asks && about
    }
}
