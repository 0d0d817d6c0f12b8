//! What a run comes to: one status and one exit code, by the contract of the command line.

use std::collections::BTreeSet;

use auditlint_graph::GapKind;
use auditlint_policy::{Finding, Level, Severity, Verdict};

use crate::{InputMode, Report};

/// What decides the exit code.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Findings below this severity are shown and do not count.
    pub fail_on: Severity,
    /// Whether what a plan leaves undecided is written down, to be looked at after the apply.
    pub defers: bool,
    /// The kinds of gap that are excused.
    pub excused: BTreeSet<GapKind>,
    /// Who takes the responsibility for what is soft-mandatory, and why; none where nobody does.
    pub overridden: Option<String>,
}

/// The status of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything was read, nothing is broken or undecided.
    Clean,
    /// Something that counts is broken.
    Findings,
    /// Nothing that counts is broken, something is undecided and only shown.
    Undecided,
    /// The same, and all of it is written down for a look at the state after the apply.
    Deferred,
    /// Something that the policy covers could not be read, or an unknown blocks.
    Incomplete,
}

/// What a run comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// In a word.
    pub status: Status,
    /// 0, 1 or 2.
    pub exit: u8,
    /// The kinds of gap that were there and were excused: every format says so.
    pub excused: Vec<GapKind>,
    /// Whether what a plan leaves undecided was written down.
    pub defers: bool,
    /// Who takes the responsibility for findings that would have counted, why, and how many these are.
    pub overridden: Option<(String, u32)>,
}

impl Status {
    /// The word of the JSON output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Findings => "findings",
            Self::Undecided => "undecided",
            Self::Deferred => "deferred",
            Self::Incomplete => "incomplete",
        }
    }
}

impl Gate {
    /// The kinds of gap that a bare `--allow-incomplete` excuses; the others must be named.
    pub const EXCUSABLE: [GapKind; 5] = [
        GapKind::MissingModule,
        GapKind::Unsupported,
        GapKind::TooLarge,
        GapKind::Reference,
        GapKind::StalePlan,
    ];
}

/// Decides status and exit code. Findings win over gaps: 1 over 2.
#[must_use]
pub fn outcome(report: &Report, gate: &Gate) -> Outcome {
    let is_overridden = |level: Level| level == Level::SoftMandatory && gate.overridden.is_some();
    let overridden = gate.overridden.as_ref().map(|who| {
        let open = |finding: &Finding| matches!(finding.verdict, Verdict::Fail | Verdict::Unknown);
        let all = report.findings().filter(|(_, one)| one.level == Level::SoftMandatory && open(one));
        (who.clone(), u32::try_from(all.count()).unwrap_or(u32::MAX))
    });
    let counts = |verdict: Verdict| {
        report.findings().filter(move |(_, f)| {
            f.verdict == verdict && f.severity >= gate.fail_on && f.level.gates() && !is_overridden(f.level)
        })
    };
    let failed = counts(Verdict::Fail).next().is_some();
    let blocked = counts(Verdict::Unknown).any(|(root, _)| root.blocks_unknown);
    let mut undecided = report.findings().filter(|(_, f)| f.verdict == Verdict::Unknown).peekable();
    let is_undecided = undecided.peek().is_some();
    let deferred = gate.defers && undecided.all(|(root, _)| root.mode == InputMode::Plan);
    let gaps: BTreeSet<GapKind> =
        report.roots.iter().flat_map(|root| root.gaps.iter().map(|gap| gap.kind)).collect();
    let excused: Vec<GapKind> = gaps.intersection(&gate.excused).copied().collect();
    let open = excused.len() < gaps.len();
    let (status, exit) = match (failed, open || blocked, is_undecided) {
        (true, ..) => (Status::Findings, 1),
        (false, true, _) => (Status::Incomplete, 2),
        (false, false, true) if deferred => (Status::Deferred, 0),
        (false, false, true) => (Status::Undecided, 0),
        (false, false, false) => (Status::Clean, 0),
    };
    Outcome { status, exit, excused, defers: gate.defers, overridden }
}
