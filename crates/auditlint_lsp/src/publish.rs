//! The publisher: a thread that computes diagnostics for the open documents and sends them with their version.
//!
//! It works on snapshots. A change that comes meanwhile makes the snapshot give up, and the publisher begins
//! again with the new one: nothing is delayed, and nothing older than the newest text is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use auditlint_analysis::{Analysis, Cancelled, Change, RootId, is_terraform};
use auditlint_syntax::{Encoding, LineIndex, Position, Source};
use camino::Utf8PathBuf;
use tower_lsp::Client;
use tower_lsp::ls_types as proto;

use crate::convert;
use crate::hold::Shown;
use crate::policy;
use crate::session::{Document, Shared, specs};

/// One workspace as the publisher sees it.
struct View {
    analysis: Analysis,
    root: Utf8PathBuf,
    folder: Utf8PathBuf,
    layout: u64,
    discovered: bool,
    problems: Vec<auditlint_policy::LocatedProblem>,
}

struct Publisher {
    shared: Arc<Shared>,
    client: Client,
    runtime: tokio::runtime::Handle,
    /// By document: the version that was sent, and what.
    sent: BTreeMap<String, (i32, Shown)>,
    /// Whether this round sent anything.
    has_sent: bool,
}

/// Starts the thread.
pub(crate) fn start(
    shared: Arc<Shared>,
    client: Client,
    runtime: tokio::runtime::Handle,
) -> std::io::Result<()> {
    let mut publisher = Publisher { shared, client, runtime, sent: BTreeMap::new(), has_sent: false };
    std::thread::Builder::new()
        .name("publisher".to_owned())
        .stack_size(8 * 1024 * 1024)
        .spawn(move || publisher.run())?;
    Ok(())
}

impl Publisher {
    fn run(&mut self) {
        let mut seen = 0;
        while let Some((generation, encoding, documents, views)) = self.next(seen) {
            seen = generation;
            self.forget_closed(&documents);
            if self.discover(&views) {
                continue;
            }
            self.has_sent = false;
            // A snapshot that gave up leaves the rest to the next round.
            let _ = self.round(&documents, &views, encoding);
            let is_policy = |document: &Document| policy::is_policy(&document.path, &document.text);
            if self.has_sent && self.shared.lock().refreshes_lenses && documents.iter().any(is_policy) {
                // Not awaited: the client may take its time.
                let client = self.client.clone();
                self.runtime.spawn(async move { client.code_lens_refresh().await });
            }
        }
    }

    fn next(&self, seen: u64) -> Option<(u64, Encoding, Vec<Document>, Vec<View>)> {
        let session = self.shared.changed(seen)?;
        let views = session.workspaces.iter().map(|workspace| View {
            analysis: workspace.host.analysis(),
            root: workspace.disk.root().to_owned(),
            folder: workspace.folder.clone(),
            layout: workspace.layout,
            discovered: workspace.discovered == Some(workspace.layout),
            problems: workspace.problem.iter().flat_map(|problem| problem.problems().to_vec()).collect(),
        });
        let mut documents: Vec<Document> = session.documents.values().cloned().collect();
        documents.sort_by_key(|document| std::cmp::Reverse(document.touched));
        Some((session.generation, session.encoding, documents, views.collect()))
    }

    /// Looks for the roots where that was not done; true when there is a new state to begin with.
    fn discover(&self, views: &[View]) -> bool {
        let mut found = false;
        for (at, view) in views.iter().enumerate().filter(|(_, view)| !view.discovered) {
            let roots = view.analysis.discover(&view.folder, &globset::GlobSet::empty()).roots;
            let mut session = self.shared.lock();
            if let Some(workspace) = session.workspaces.get_mut(at) {
                workspace.host.apply_change(Change::Roots(specs(roots, view.analysis.policy_set())));
                // What came while the folders were looked through is looked for in the next round.
                workspace.discovered = Some(view.layout);
                session.generation += 1;
                found = true;
            }
        }
        found
    }

    fn round(&mut self, documents: &[Document], views: &[View], encoding: Encoding) -> Result<(), Cancelled> {
        // What is being edited comes first, by the roots that are known to read it; what is said of a file of the policy
        // takes all of them.
        let edited = documents.iter().filter(|document| {
            let is_of_policy =
                views.get(document.workspace).is_some_and(|view| view.analysis.is_of_policy(document.file));
            let is_new =
                self.sent.get(document.uri.as_str()).is_none_or(|(version, _)| *version != document.version);
            is_new && !is_of_policy
        });
        for document in edited.cloned().collect::<Vec<_>>() {
            let Some(view) = views.get(document.workspace) else { continue };
            let near = view.analysis.roots_near(document.file);
            self.document(&document, view, &view.analysis.hurried(), &near, encoding)?;
        }
        for document in documents {
            let Some(view) = views.get(document.workspace) else { continue };
            let all = view.analysis.roots_of(document.file);
            self.document(document, view, &view.analysis, &all, encoding)?;
        }
        Ok(())
    }

    fn document(
        &mut self,
        document: &Document,
        view: &View,
        analysis: &Analysis,
        roots: &[RootId],
        encoding: Encoding,
    ) -> Result<(), Cancelled> {
        let Some(source) = analysis.source(document.file) else { return Ok(()) };
        let own: Vec<proto::Diagnostic> = view
            .problems
            .iter()
            .filter(|problem| problem.path == document.path.as_str())
            .map(|found| problem(found, &document.text, encoding))
            .collect();
        // A policy that does not load leaves the one before in force: its places are those of another text.
        let fresh = if own.is_empty() { fresh(document, view, analysis, roots, encoding)? } else { own };
        // Only of Terraform's language is it known what is half typed.
        let is_terraform = document.path.file_name().is_some_and(is_terraform);
        let parsed = is_terraform.then(|| analysis.parsed(document.file)).flatten().unwrap_or_default();
        let before = self.sent.get(document.uri.as_str());
        let empty = Shown::default();
        let next = before.map_or(&empty, |(_, shown)| shown).next(fresh, &source, &parsed, encoding);
        let is_same = before.is_some_and(|(version, shown)| {
            *version == document.version && shown.diagnostics() == next.diagnostics()
        });
        if !is_same {
            if !analysis.is_current() {
                return Err(Cancelled);
            }
            let sending = self.client.publish_diagnostics(
                document.uri.clone(),
                next.diagnostics().to_vec(),
                Some(document.version),
            );
            self.runtime.block_on(sending);
            self.has_sent = true;
        }
        self.sent.insert(document.uri.as_str().to_owned(), (document.version, next));
        Ok(())
    }

    /// A document that was closed shows nothing any more.
    fn forget_closed(&mut self, documents: &[Document]) {
        let closed: Vec<String> = self
            .sent
            .keys()
            .filter(|uri| !documents.iter().any(|document| document.uri.as_str() == *uri))
            .cloned()
            .collect();
        for uri in closed {
            self.sent.remove(&uri);
            if let Ok(uri) = uri.parse() {
                self.runtime.block_on(self.client.publish_diagnostics(uri, Vec::new(), None));
            }
        }
    }
}

/// What there is to show of a document, as far as `roots` know.
fn fresh(
    document: &Document,
    view: &View,
    analysis: &Analysis,
    roots: &[RootId],
    encoding: Encoding,
) -> Result<Vec<proto::Diagnostic>, Cancelled> {
    let Some(source) = analysis.source(document.file) else { return Ok(Vec::new()) };
    let mut findings = analysis.findings_in(document.file, roots)?;
    findings.extend(analysis.policy_findings(document.file)?);
    let shown = |finding: &Arc<_>| convert::diagnostic(analysis, &view.root, &source, finding, encoding);
    let mut fresh: Vec<proto::Diagnostic> = findings.iter().filter_map(shown).collect();
    let gaps = analysis.gaps(document.file, roots)?;
    fresh.extend(gaps.iter().filter_map(|gap| convert::gap(&source, gap, encoding)));
    if policy::is_yaml(&document.path) {
        let written = Source::new(document.file, document.path.clone(), Arc::from(document.text.as_bytes()));
        let problems = policy::problems(analysis, written);
        fresh.extend(problems.iter().map(|found| problem(found, &document.text, encoding)));
    }
    Ok(fresh)
}

/// A problem of a policy, from where it begins to the end of its line.
fn problem(problem: &auditlint_policy::LocatedProblem, text: &str, encoding: Encoding) -> proto::Diagnostic {
    let lines = LineIndex::new(text);
    let line = problem.at.line.saturating_sub(1);
    let written = text.lines().nth(line as usize).unwrap_or_default();
    let start = written.chars().take(problem.at.column.saturating_sub(1) as usize).map(char::len_utf8).sum();
    let before = lines.offset(text, Position { line, column: 0 }, Encoding::Utf8) as usize;
    let position = |bytes: usize| {
        let offset = u32::try_from(before + bytes).unwrap_or(u32::MAX);
        let at = lines.position(text, offset, encoding);
        proto::Position { line: at.line, character: at.column }
    };
    proto::Diagnostic {
        range: proto::Range { start: position(start), end: position(written.trim_end().len().max(start)) },
        severity: Some(proto::DiagnosticSeverity::ERROR),
        code: Some(proto::NumberOrString::String("policy".to_owned())),
        source: Some(convert::SOURCE.to_owned()),
        message: problem.message.clone(),
        ..proto::Diagnostic::default()
    }
}
