//! Plans and states to resources: read from a window, element by element, never as a whole.

mod compressed;
mod configuration;
mod document;
mod element;
mod instance;
mod layout;
mod left_out;
mod merge;
mod provider;
mod reference;
mod scan;
mod state;
mod text;
mod tokens;
mod variables;
mod walk;
mod window;

use std::io::Read;
use std::sync::Arc;

use auditlint_syntax::Name;
use thiserror::Error;

use crate::{Action, Cause, CauseKind, GapKind, Partial, ResourceGraph, Tables};
use compressed::{MAGIC, Unpacked};
use document::{Document, Reading};
use element::Elements;
pub use layout::Layout;
use text::Utf8;
pub use variables::PlannedValue;
use window::Stop;

/// A plan, as far as anybody asked for it. What it lacks is a gap in the graph.
#[derive(Debug, Default)]
pub struct Plan {
    /// The resources after the apply, and what could not be read.
    pub graph: Arc<ResourceGraph>,
    /// The resources before the apply, where the plan changes any and somebody asks for that.
    pub before: Option<Arc<ResourceGraph>>,
    /// `format_version` as written, where there is one.
    pub format_version: Option<String>,
    /// What the document was.
    pub content: Content,
    /// The values of the root's variables that it was made with.
    pub variables: Vec<(Name, PlannedValue)>,
    /// The document as it was written, where somebody asks for that.
    pub text: Option<Arc<[u8]>>,
}

/// What a document with resources is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// A plan.
    #[default]
    Plan,
    /// A state: `terraform show -json` without a plan, or a state file.
    State,
    /// Kubernetes objects.
    Kubernetes,
}

/// Why a text is no plan at all.
#[derive(Debug, Error)]
pub enum PlanError {
    /// The bytes are a plan as `terraform plan -out` writes it.
    #[error(
        "this is a plan file in Terraform's own format; run `terraform show -json FILE` and check its output"
    )]
    Binary,
    /// The format's major version is not ours.
    #[error("plan format version {0} is not supported; auditlint reads every version below 2")]
    Version(String),
    /// A state file of a version that is not read.
    #[error(
        "this is a state file of version {0}, and auditlint reads version 4; run `terraform show -json` beside it and check its output"
    )]
    StateVersion(String),
    /// A state or plan that is encrypted.
    #[error("this file is encrypted; run `tofu show -json` and check its output")]
    Encrypted,
    /// It is not JSON, or not a plan.
    #[error("{reason}, at byte {at}")]
    Malformed {
        /// What is wrong.
        reason: String,
        /// Offset in the (decoded) text.
        at: u64,
    },
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Which resources of a plan are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All: the configuration beside the plan asks which there are.
    All,
    /// Those of types of which something is wanted; the others are counted.
    Wanted,
}

/// Reads a plan or a state: the output of `terraform show -json`, a state file, or either of them compressed with
/// gzip. `name` is the path that gaps show.
///
/// # Errors
/// When the text is no plan; a plan that merely ends too early gives what was read and a gap.
pub fn read_plan(input: &mut dyn Read, name: &str, tables: &Tables, keep: Keep) -> Result<Plan, PlanError> {
    let (mut text, first) = Utf8::new(input)?;
    if !first.starts_with(&MAGIC) {
        return read_text(text, first, name, (tables, keep));
    }
    let mut unpacked = Unpacked::new(&mut text);
    let (text, first) = match Utf8::new(&mut unpacked) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            return Err(malformed("the file is compressed, and ends before it says what it is"));
        }
        read => read?,
    };
    if first.starts_with(&MAGIC) {
        return Err(malformed("the file is compressed twice; unpack it first (`gunzip -c FILE`)"));
    }
    read_text(text, first, name, (tables, keep))
}

fn read_text(
    text: Utf8<'_>,
    first: [u8; 4],
    name: &str,
    (tables, keep): (&Tables, Keep),
) -> Result<Plan, PlanError> {
    match first {
        // The magic of the archive that `terraform plan -out` writes.
        [b'P', b'K', ..] => return Err(PlanError::Binary),
        [0, 0, 0, 0] => return Err(malformed("the file is empty")),
        _ => {}
    }
    let mut reading = Reading::new(text, name, (tables, keep));
    match reading.document() {
        Ok(()) => {}
        Err(Stop::Io(error)) => return Err(PlanError::Io(error)),
        Err(Stop::Malformed { reason, at }) => return Err(PlanError::Malformed { reason, at }),
        Err(Stop::Truncated) if reading.document.is_recognised() => {
            reading.gap(GapKind::Truncated, "the document ends too early: the rest of it was not read");
            reading.document.partial.get_or_insert(MAKE_ANEW);
            reading.document.configured = None;
        }
        Err(Stop::Truncated) => return Err(malformed("the document ends before it says what it is")),
    }
    finish(reading.document, name, tables)
}

/// What removes a truncation.
const MAKE_ANEW: &str = "make the JSON anew with `terraform show -json`";

/// What removes a restriction to a part of the configuration.
const WITHOUT_TARGET: &str = "plan all of the configuration, without `-target`";

fn malformed(reason: &str) -> PlanError {
    PlanError::Malformed { reason: reason.to_owned(), at: 0 }
}

/// From what was read to a plan.
fn finish(mut document: Document, name: &str, tables: &Tables) -> Result<Plan, PlanError> {
    document.check()?;
    let is_state = document.is_state && !document.has_changes;
    if document.version.is_none() && !is_state {
        document.gap(name, GapKind::Unsupported, "the plan has no `format_version`");
    }
    let has_any = document.has_changes || document.has_prior || !document.deferred.is_empty();
    if !is_state && !has_any && document.has_planned {
        document.gap(
            name,
            GapKind::Unsupported,
            "the plan has neither `resource_changes` nor a `prior_state`: its resources cannot be told",
        );
    }
    let truncated = document.gaps.iter().any(|gap| gap.kind == GapKind::Truncated);
    if !is_state && !truncated && document.configured.is_none() && document.holds_any() {
        document.gap(
            name,
            GapKind::Truncated,
            "the plan has no `configuration`: what it does not set cannot be told",
        );
    }
    if document.gaps.iter().any(|gap| gap.kind == GapKind::Unreadable) {
        document.partial.get_or_insert("");
    }
    let mut graph = ResourceGraph::default();
    let mut elements = std::mem::take(&mut document.elements);
    // What becomes of a resource says more than what it was.
    if !document.deferred.is_empty() {
        elements.sort_by_key(|element| element.is_deferred());
    }
    let prior: Elements = elements.iter_mut().filter_map(|element| element.prior.take()).collect();
    let mut variables = document.variables;
    if let Some(configured) = &mut document.configured {
        for (name, value) in &mut variables {
            value.sensitive = configured.sensitive.contains(name);
        }
        configured.providers.settle(&variables);
    }
    let configured = document.configured.as_ref();
    for resource in merge::resources(elements, configured, &document.deferred, tables) {
        graph.put(resource, &tables.facts);
    }
    let before = (!prior.is_empty()).then(|| Arc::new(before(prior, &graph, tables)));
    graph.passed = document.passed;
    graph.gaps = document.gaps;
    graph.gaps.sort();
    graph.gaps.dedup();
    graph.layout = Some(Arc::new(document.layout));
    let because = |hint: &str| Cause {
        kind: CauseKind::Elsewhere,
        subject: format!("what the {} does not hold", if is_state { "state" } else { "plan" }),
        hint: hint.to_owned(),
    };
    graph.partial = match document.partial {
        Some(hint) => Some(Partial { cause: because(hint), kinds: None }),
        // A plan without changes holds the whole state, whatever it says of itself.
        None if document.has_changes && document.complete != Some(true) => {
            let kinds = configured.map(|configured| left_out::kinds(configured, &graph, document.complete));
            let is_partial =
                document.complete == Some(false) || kinds.as_ref().is_some_and(|kinds| !kinds.is_empty());
            is_partial.then(|| Partial { cause: because(WITHOUT_TARGET), kinds })
        }
        None => None,
    };
    graph.complete = document.complete == Some(true) && document.has_changes && graph.partial.is_none();
    let content = if is_state { Content::State } else { Content::Plan };
    let graph = Arc::new(graph);
    Ok(Plan { graph, before, format_version: document.version, content, variables, text: None })
}

/// The resources before the apply: those that change as they were, the others as they stay in `after`.
fn before(prior: Elements, after: &ResourceGraph, tables: &Tables) -> ResourceGraph {
    let mut graph = ResourceGraph::default();
    for (_, resource) in after.iter() {
        if matches!(resource.action, Some(Action::NoOp) | None) {
            graph.put(Arc::clone(resource), &tables.facts);
        }
    }
    // A state has all values, so that nothing of it is asked of the configuration.
    for resource in merge::resources(prior, None, &[], tables) {
        graph.put(resource, &tables.facts);
    }
    graph
}

#[cfg(test)]
mod tests;
