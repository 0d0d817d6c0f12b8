//! The table of what a policy can ask of a category: one row for each field, with its direction and the rules that it
//! turns on. Reading, merging, binding, the schema and the pages are made from it.

use crate::Category;
use crate::rule::Intent;

/// What can be asked of a category, or of all of them by `defaults`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// How long logs are kept at least.
    RetentionMin,
    /// How long they are kept at most.
    RetentionMax,
    /// How long they can be searched at least.
    RetentionHot,
    /// Whether a store may keep them without anybody having decided how long.
    NeverExpire,
    /// Whose key encrypts a store.
    AtRest,
    /// Whether a change of what was written shows.
    TamperEvidence,
    /// For how long nobody can delete what was written.
    Immutability,
    /// Whether anybody may read or write a store.
    PublicAccess,
    /// Whether a store can be deleted with its content.
    Deletion,
    /// Whether a source records all regions, accounts, kinds of events.
    Coverage,
    /// Whether what is written is complete and arrives.
    Quality,
    /// How much of a request is recorded.
    Level,
    /// Whether somebody is told.
    Alerting,
    /// Whether attempts that fail are recorded.
    FailedAttempts,
    /// Whether attempts that succeed are recorded.
    SuccessfulAttempts,
    /// Who may read what a store keeps.
    Readers,
    /// In which accounts logs may rest.
    Accounts,
    /// In which regions logs may rest.
    Regions,
    /// Which kinds of sources are asked.
    Sources,
    /// Which events must be recorded, whatever else the category asks.
    Events,
    /// Which connections must be recorded.
    Traffic,
}

/// How the values of a field are written, and which one of two is stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A duration; the longer one is stricter.
    AtLeast,
    /// A duration; the shorter one is stricter.
    AtMost,
    /// One of these words, the weakest first.
    Words(&'static [&'static str]),
    /// `true` is stricter.
    Flag,
    /// Kinds of sources: each more is stricter, and to name none means all.
    Kinds,
    /// Places, `*` for any text: each less is stricter.
    Within,
    /// Events that rules of the category name: each more is stricter, and to name none asks for none.
    Events,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// The field.
    pub field: Field,
    /// Its keys below the category.
    pub path: &'static [&'static str],
    /// How it is written.
    pub kind: FieldKind,
    /// The one category that has it; none where all have it.
    pub only: Option<Category>,
    /// The rules that it turns on; none where it is read by others.
    pub asks: Option<Intent>,
    /// What it asks for, as a sentence of the schema and the pages.
    pub doc: &'static str,
}

/// Every field, in the order of the pages.
pub const FIELDS: [FieldSpec; 21] = [
    FieldSpec {
        field: Field::RetentionMin,
        path: &["retention", "min"],
        kind: FieldKind::AtLeast,
        only: None,
        asks: Some(Intent::Retention),
        doc: "Logs are kept at least so long.",
    },
    FieldSpec {
        field: Field::RetentionMax,
        path: &["retention", "max"],
        kind: FieldKind::AtMost,
        only: None,
        asks: Some(Intent::RetentionMaximum),
        doc: "Logs are kept at most so long.",
    },
    FieldSpec {
        field: Field::RetentionHot,
        path: &["retention", "hot"],
        kind: FieldKind::AtLeast,
        only: None,
        asks: Some(Intent::RetentionHot),
        doc: "Logs can be searched at least so long, in the first store on their way where that is possible.",
    },
    FieldSpec {
        field: Field::NeverExpire,
        path: &["retention", "never_expire"],
        kind: FieldKind::Words(&["allowed", "forbidden"]),
        only: None,
        asks: Some(Intent::RetentionUnset),
        doc: "Whether a store may keep its logs without anybody having decided how long. `forbidden` where a minimum is set and nothing else is said.",
    },
    FieldSpec {
        field: Field::AtRest,
        path: &["encryption", "at_rest"],
        kind: FieldKind::Words(&["provider_managed", "customer_managed"]),
        only: None,
        asks: Some(Intent::Encryption),
        doc: "Whose key encrypts the stores: that of the service, or one of your own.",
    },
    FieldSpec {
        field: Field::TamperEvidence,
        path: &["integrity", "tamper_evidence"],
        kind: FieldKind::Words(&["optional", "required"]),
        only: None,
        asks: Some(Intent::Integrity),
        doc: "Whether it shows when somebody changed what was written.",
    },
    FieldSpec {
        field: Field::Immutability,
        path: &["integrity", "immutability"],
        kind: FieldKind::AtLeast,
        only: None,
        asks: Some(Intent::Immutability),
        doc: "Nobody can delete what was written for at least so long.",
    },
    FieldSpec {
        field: Field::PublicAccess,
        path: &["integrity", "public_access"],
        kind: FieldKind::Words(&["allowed", "forbidden"]),
        only: None,
        asks: Some(Intent::PublicAccess),
        doc: "Whether anybody may read or write what logs rest in or pass through.",
    },
    FieldSpec {
        field: Field::Deletion,
        path: &["integrity", "deletion"],
        kind: FieldKind::Words(&["allowed", "protected"]),
        only: None,
        asks: Some(Intent::Durability),
        doc: "Whether a store, or what is logged about, can be deleted by one command or one mistake.",
    },
    FieldSpec {
        field: Field::Coverage,
        path: &["coverage"],
        kind: FieldKind::Words(&["partial", "full"]),
        only: None,
        asks: Some(Intent::Coverage),
        doc: "Whether a source records all regions, accounts and kinds of events.",
    },
    FieldSpec {
        field: Field::Quality,
        path: &["quality"],
        kind: FieldKind::Words(&["any", "checked"]),
        only: None,
        asks: Some(Intent::Quality),
        doc: "Whether what is written says what an auditor needs, leaves out what nobody may read, and arrives.",
    },
    FieldSpec {
        field: Field::Level,
        path: &["level"],
        kind: FieldKind::Words(&["Request", "RequestResponse"]),
        only: Some(Category::ConfigurationChanges),
        asks: Some(Intent::Level),
        doc: "How much of a change of permissions a cluster records: what was asked for, or the answer as well.",
    },
    FieldSpec {
        field: Field::Alerting,
        path: &["alerting"],
        kind: FieldKind::Words(&["optional", "required"]),
        only: None,
        asks: Some(Intent::Alerting),
        doc: "Whether somebody is told of what matters.",
    },
    FieldSpec {
        field: Field::FailedAttempts,
        path: &["log_failed_attempts"],
        kind: FieldKind::Flag,
        only: Some(Category::Authentication),
        asks: Some(Intent::FailedAttempts),
        doc: "Attempts to sign in that fail are recorded.",
    },
    FieldSpec {
        field: Field::SuccessfulAttempts,
        path: &["log_successful_attempts"],
        kind: FieldKind::Flag,
        only: Some(Category::Authentication),
        asks: Some(Intent::SuccessfulAttempts),
        doc: "Attempts to sign in that succeed are recorded.",
    },
    FieldSpec {
        field: Field::Readers,
        path: &["access", "accounts"],
        kind: FieldKind::Within,
        only: None,
        asks: Some(Intent::Access),
        doc: "The accounts, and the organisations by their ids, from which stores may be read; `*` for any text.",
    },
    FieldSpec {
        field: Field::Accounts,
        path: &["destination", "accounts"],
        kind: FieldKind::Within,
        only: None,
        asks: None,
        doc: "The accounts, projects or subscriptions in which logs may rest; `*` for any text.",
    },
    FieldSpec {
        field: Field::Regions,
        path: &["destination", "regions"],
        kind: FieldKind::Within,
        only: None,
        asks: None,
        doc: "The regions or locations in which logs may rest; `*` for any text.",
    },
    FieldSpec {
        field: Field::Sources,
        path: &["sources"],
        kind: FieldKind::Kinds,
        only: None,
        asks: None,
        doc: "The kinds of sources that are asked; without it all are.",
    },
    FieldSpec {
        field: Field::Events,
        path: &["events"],
        kind: FieldKind::Events,
        only: None,
        asks: None,
        doc: "Events that sources have to record, beside those that the category asks anyway.",
    },
    FieldSpec {
        field: Field::Traffic,
        path: &["traffic"],
        kind: FieldKind::Events,
        only: Some(Category::NetworkFlow),
        asks: None,
        doc: "Which connections a flow log has to record: those that are accepted, those that are rejected, or both.",
    },
];

impl Field {
    /// Its row.
    #[must_use]
    pub fn spec(self) -> &'static FieldSpec {
        // The table is in the order of the enumeration, which a test makes sure of.
        FIELDS.get(self as usize).unwrap_or(&FIELDS[0])
    }

    /// `retention.min`
    #[must_use]
    pub fn name(self) -> String {
        self.spec().path.join(".")
    }

    /// The field that turns on rules of that intent.
    #[must_use]
    pub fn asking(intent: Intent) -> Option<Self> {
        FIELDS.iter().find(|spec| spec.asks == Some(intent)).map(|spec| spec.field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enumeration() {
        for (at, spec) in FIELDS.iter().enumerate() {
            assert_eq!(spec.field as usize, at, "{}", spec.field.name());
        }
    }
}
