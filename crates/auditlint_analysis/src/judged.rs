//! What a root comes to: its findings by file, and its report.

use std::sync::Arc;

use auditlint_graph::{Gap, Mode, ResourceGraph};
use auditlint_policy::{Evaluation, Finding, Level, Place, Verdict};
use auditlint_syntax::{FileId, Files};
use camino::Utf8PathBuf;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{RootReport, Summary};

/// What a root comes to.
pub(crate) struct Judged {
    /// The whole report, where the root is judged once; one that follows edits makes it when it is asked for.
    pub(crate) report: Option<RootReport>,
    pub(crate) graph: Arc<ResourceGraph>,
    pub(crate) by_file: ByFile,
    /// What is not known of it, and nobody answers for.
    gaps: Vec<Gap>,
}

/// The findings of each file, sorted by place, rule and address.
pub(crate) type ByFile = FxHashMap<FileId, Arc<[Arc<Finding>]>>;

impl Judged {
    /// The verdicts of a root that is judged once.
    pub(crate) fn once(report: RootReport, graph: Arc<ResourceGraph>, by_file: ByFile) -> Self {
        let gaps = report.gaps.clone();
        Self { report: Some(report), graph, by_file, gaps }
    }

    /// The verdicts of a root that follows edits.
    pub(crate) fn following(graph: Arc<ResourceGraph>, by_file: ByFile, gaps: Vec<Gap>) -> Self {
        Self { report: None, graph, by_file, gaps }
    }

    /// The findings that have a place in a text, in no particular order of files.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &Arc<Finding>> {
        self.by_file.values().flat_map(|findings| findings.iter())
    }

    pub(crate) fn in_file(&self, file: FileId) -> &[Arc<Finding>] {
        self.by_file.get(&file).map_or(&[], |findings| findings)
    }

    pub(crate) fn gaps(&self) -> &[Gap] {
        &self.gaps
    }
}

/// Fills `empty` with what the evaluation of `graph` gave, each finding as `excused` leaves it.
pub(crate) fn filled(
    empty: RootReport,
    graph: &ResourceGraph,
    evaluation: Evaluation,
    excused: impl Fn(Arc<Finding>) -> Arc<Finding>,
    files: &dyn Files,
) -> RootReport {
    // What is switched off is counted and not shown.
    let (off, on): (Vec<_>, Vec<_>) =
        evaluation.findings.into_iter().partition(|finding| finding.level == Level::Off);
    let mut findings: Vec<Arc<Finding>> = on.into_iter().map(excused).collect();
    sort(&mut findings, files);
    let mut summary = Summary {
        resources: count(graph.iter().filter(|(_, r)| r.address.mode == Mode::Managed).count())
            + graph.passed,
        applicable: evaluation.applicable,
        pass: evaluation.passes,
        by_category: evaluation.by_category,
        off: count(off.iter().filter(|finding| finding.verdict != Verdict::Pass).count()),
        ..Summary::default()
    };
    let [all, proven, broken, open] = &mut summary.sources;
    for verdict in evaluation.sources.values() {
        *all += 1;
        match verdict {
            Verdict::Fail => *broken += 1,
            Verdict::Unknown => *open += 1,
            Verdict::Pass | Verdict::Exempt | Verdict::NotApplicable => *proven += 1,
        }
    }
    let mut report = RootReport { findings, summary, ..empty };
    report.recount();
    report
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Sorts by path, place, rule and address.
pub(crate) fn sort(findings: &mut [Arc<Finding>], files: &dyn Files) {
    let files_of = findings.iter().filter_map(|finding| match finding.place {
        Place::Source(at) => Some(at.file),
        Place::Plan(_) | Place::Nowhere => None,
    });
    // Paths are compared step by step, which takes time: each once, and not for every pair of findings.
    let mut paths: Vec<(Utf8PathBuf, FileId)> = files_of
        .collect::<FxHashSet<FileId>>()
        .into_iter()
        .map(|file| (files.paths().path(file), file))
        .collect();
    paths.sort();
    let ranks: FxHashMap<FileId, usize> =
        paths.iter().enumerate().map(|(rank, (_, file))| (*file, rank)).collect();
    let place = |finding: &Finding| match &finding.place {
        Place::Source(at) => (ranks.get(&at.file), at.span.start),
        Place::Plan(_) | Place::Nowhere => (None, 0),
    };
    findings.sort_by(|a, b| {
        place(a).cmp(&place(b)).then_with(|| a.rule.cmp(&b.rule)).then_with(|| a.address.cmp(&b.address))
    });
}
