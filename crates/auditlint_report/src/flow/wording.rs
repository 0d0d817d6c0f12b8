//! What the formats call stations and ways.

use std::collections::BTreeSet;

use auditlint_analysis::Flows;
use auditlint_graph::Cause;
use auditlint_policy::{Category, Days, Effective, Encryption, Immutability, Keeps, Role, Station};
use auditlint_syntax::Name;

use crate::words::{counted, folder};

/// Logs have a destination, and no rule that asks for them is content.
pub(super) const DOUBTED: &str = "may be off or incomplete";

/// The numbers of an estate.
pub(super) struct Counts {
    /// Resources that emit something, or of which it is not known whether they do.
    pub(super) sources: u32,
    /// Resources that could emit something and emit nothing.
    pub(super) silent: u32,
    /// Resources that pass logs on.
    pub(super) forwarders: u32,
    /// Where logs rest, the stores of services and those that nobody manages among them.
    pub(super) stores: u32,
    /// Places where logs go that nobody knows.
    pub(super) unknown: u32,
    /// What could not be read.
    pub(super) gaps: u32,
}

impl Counts {
    pub(super) fn of(flows: &Flows) -> Self {
        let count =
            |is_it: &dyn Fn(&Station) -> bool| number(flows.map.stations.iter().filter(|one| is_it(one)));
        Self {
            sources: count(&|station| emits(station) || is_undecided(station)),
            silent: count(&is_silent),
            forwarders: count(&|station| station.role == Role::Forwarder),
            stores: count(&|station| {
                matches!(station.role, Role::Store | Role::ServiceStore | Role::External)
            }),
            unknown: count(&|station| station.role == Role::Unknown),
            gaps: number(flows.roots.iter().flat_map(|root| &root.gaps)),
        }
    }

    /// The headline.
    pub(super) fn headline(&self, roots: usize) -> String {
        let mut parts =
            vec![counted(u32::try_from(roots).unwrap_or(u32::MAX), "root"), counted(self.sources, "source")];
        parts.extend((self.forwarders > 0).then(|| counted(self.forwarders, "forwarder")));
        parts.push(counted(self.stores, "store"));
        let verb = if self.silent == 1 { "does" } else { "do" };
        parts.extend((self.silent > 0).then(|| format!("{} {verb} not log", self.silent)));
        parts.extend((self.unknown > 0).then(|| counted(self.unknown, "unknown destination")));
        parts.extend((self.gaps > 0).then(|| counted(self.gaps, "gap")));
        parts.join(" · ")
    }
}

fn number<T>(all: impl Iterator<Item = T>) -> u32 {
    u32::try_from(all.count()).unwrap_or(u32::MAX)
}

/// Whether it emits something for certain.
pub(super) fn emits(station: &Station) -> bool {
    let open = station.silent.iter().filter(|silence| silence.cause.is_some());
    let open: BTreeSet<Category> = open.flat_map(|silence| silence.categories.iter().copied()).collect();
    station.emits.iter().any(|category| !open.contains(category))
}

/// Whether it could emit something, and it is certain that it emits nothing.
pub(super) fn is_silent(station: &Station) -> bool {
    !station.silent.is_empty() && station.emits.is_empty() && !is_undecided(station)
}

/// Whether it is not known that it emits what it could.
pub(super) fn is_undecided(station: &Station) -> bool {
    station.silent.iter().any(|silence| silence.cause.is_some())
}

/// `access_logs, data_access`
pub(super) fn list<'c>(categories: impl IntoIterator<Item = &'c Category>) -> String {
    categories.into_iter().map(|category| category.as_str()).collect::<Vec<_>>().join(", ")
}

/// `90 days`, `never expires`, `retention not known: var.days`
pub(super) fn retention(keeps: &Keeps) -> String {
    match keeps {
        Keeps::For(Days::Never) => "never expires".to_owned(),
        Keeps::For(days) => days.to_string(),
        Keeps::Unknown(cause) => format!("retention not known: {}", cause.subject),
    }
}

/// By whose key it is encrypted.
pub(super) fn encryption(encryption: &Encryption) -> String {
    match encryption {
        Encryption::OwnKey => "own key".to_owned(),
        Encryption::ServiceKey => "key of the service".to_owned(),
        Encryption::Unknown(cause) => format!("key not known: {}", cause.subject),
    }
}

/// What becomes of logs that go on from where they can be searched: `400 days, 30 days of them searchable`.
pub(super) fn in_all(effective: &Effective) -> Option<String> {
    match (&effective.retention, &effective.hot) {
        (Some(kept), Some(hot)) if kept != hot => {
            Some(format!("in all {}, searchable {}", retention(kept), retention(hot)))
        }
        _ => None,
    }
}

/// A root, with the account in which it is applied.
pub(super) fn titled(root: &str, account: Option<&Name>) -> String {
    let folder = folder(root);
    account.map_or_else(|| folder.to_owned(), |account| format!("{folder} · account {account}"))
}

/// What is to be said of a station beside its name.
pub(super) fn remarks(station: &Station) -> Vec<String> {
    let mut out = Vec::new();
    out.extend(station.keeps.as_ref().map(retention));
    out.extend(station.encryption.as_ref().map(encryption));
    match &station.immutable {
        Some(Immutability::Locked) => out.push("locked".to_owned()),
        Some(Immutability::Unknown(cause)) => out.push(format!("lock not known: {}", cause.subject)),
        Some(Immutability::Open) | None => {}
    }
    match station.role {
        Role::ServiceStore => out.push("made by the service".to_owned()),
        Role::External if station.keeps.is_some() => out.push("not managed here".to_owned()),
        Role::External => out.push("not managed here, retention not known".to_owned()),
        Role::Source | Role::Forwarder | Role::Store | Role::Unknown => {}
    }
    out
}

/// What a station is called.
pub(super) fn name(station: &Station) -> String {
    match (station.role, &station.cause) {
        (Role::Unknown, Some(cause)) => format!("not known: {}", because(cause)),
        (Role::Unknown, None) => format!("not known: {}", station.id.name),
        _ => station.id.name.clone(),
    }
}

/// What a cause is about, with the step that removes it.
pub(super) fn because(cause: &Cause) -> String {
    if cause.hint.is_empty() { cause.subject.clone() } else { format!("{} ({})", cause.subject, cause.hint) }
}
