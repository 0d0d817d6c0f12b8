//! Findings and edits in the protocol's types.

use auditlint_analysis::{Analysis, Fix};
use auditlint_graph::Gap;
use auditlint_policy::rule::docs;
use auditlint_policy::{Finding, Place, Severity, Verdict};
use auditlint_syntax::{Encoding, FileId, Location, Source, Span};
use camino::Utf8Path;
use tower_lsp::ls_types as proto;

/// The name under which diagnostics are shown.
pub(crate) const SOURCE: &str = "auditlint";

pub(crate) fn range(source: &Source, span: Span, encoding: Encoding) -> proto::Range {
    let position = |offset| {
        let at = source.lines().position(source.text(), offset, encoding);
        proto::Position { line: at.line, character: at.column }
    };
    proto::Range { start: position(span.start), end: position(span.end) }
}

/// The place in the protocol's words; none for a text that is no file (a built-in policy).
fn location(
    analysis: &Analysis,
    root: &Utf8Path,
    at: Location,
    encoding: Encoding,
) -> Option<proto::Location> {
    let source = analysis.source(at.file)?;
    if source.path().as_str().starts_with("auditlint:") {
        return None;
    }
    let uri = proto::Uri::from_file_path(root.join(source.path()).as_std_path())?;
    Some(proto::Location { uri, range: range(&source, at.span, encoding) })
}

pub(crate) fn diagnostic(
    analysis: &Analysis,
    root: &Utf8Path,
    source: &Source,
    finding: &Finding,
    encoding: Encoding,
) -> Option<proto::Diagnostic> {
    let Place::Source(at) = finding.place else { return None };
    let severity = match (finding.verdict, finding.severity) {
        (Verdict::Fail, Severity::Critical | Severity::High) => proto::DiagnosticSeverity::ERROR,
        (Verdict::Fail, Severity::Medium) => proto::DiagnosticSeverity::WARNING,
        _ => proto::DiagnosticSeverity::INFORMATION,
    };
    let mut related: Vec<proto::DiagnosticRelatedInformation> = Vec::new();
    let mut relate = |at: Location, message: String| {
        if let Some(location) = location(analysis, root, at, encoding) {
            related.push(proto::DiagnosticRelatedInformation { location, message });
        }
    };
    for other in &finding.related {
        if let Place::Source(at) = other.place {
            relate(at, other.message.clone());
        }
    }
    relate(finding.policy.at, "asked for here".to_owned());
    let href = docs(&finding.rule).parse().ok();
    Some(proto::Diagnostic {
        range: range(source, at.span, encoding),
        severity: Some(severity),
        code: Some(proto::NumberOrString::String(finding.rule.to_string())),
        code_description: href.map(|href| proto::CodeDescription { href }),
        source: Some(SOURCE.to_owned()),
        message: finding.message.clone(),
        related_information: (!related.is_empty()).then_some(related),
        tags: None,
        data: None,
    })
}

pub(crate) fn gap(source: &Source, gap: &Gap, encoding: Encoding) -> Option<proto::Diagnostic> {
    let at = gap.at?;
    Some(proto::Diagnostic {
        range: range(source, at.span, encoding),
        severity: Some(proto::DiagnosticSeverity::INFORMATION),
        code: Some(proto::NumberOrString::String(format!("gap/{}", gap.kind.as_str()))),
        source: Some(SOURCE.to_owned()),
        message: format!("not analysed: {}", gap.reason),
        ..proto::Diagnostic::default()
    })
}

/// The edits of a fix. `versions` are the open documents that it was computed for.
pub(crate) fn workspace_edit(
    analysis: &Analysis,
    root: &Utf8Path,
    fixes: &[Fix],
    encoding: Encoding,
    version: impl Fn(FileId) -> Option<i32>,
    document_changes: bool,
) -> Option<proto::WorkspaceEdit> {
    let mut files: Vec<(FileId, proto::Uri, Vec<proto::TextEdit>)> = Vec::new();
    for edits in fixes.iter().flat_map(|fix| &fix.edits) {
        let source = analysis.source(edits.file)?;
        let new = edits.edits.iter().map(|edit| proto::TextEdit {
            range: range(&source, edit.span, encoding),
            new_text: edit.text.clone(),
        });
        match files.iter_mut().find(|(file, ..)| *file == edits.file) {
            Some((_, _, known)) => known.extend(new),
            None => {
                let uri = proto::Uri::from_file_path(root.join(source.path()).as_std_path())?;
                files.push((edits.file, uri, new.collect()));
            }
        }
    }
    if document_changes {
        let edits = files.into_iter().map(|(file, uri, edits)| proto::TextDocumentEdit {
            text_document: proto::OptionalVersionedTextDocumentIdentifier { uri, version: version(file) },
            edits: edits.into_iter().map(proto::OneOf::Left).collect(),
        });
        let changes = proto::DocumentChanges::Edits(edits.collect());
        return Some(proto::WorkspaceEdit {
            document_changes: Some(changes),
            ..proto::WorkspaceEdit::default()
        });
    }
    let changes = files.into_iter().map(|(_, uri, edits)| (uri, edits)).collect();
    Some(proto::WorkspaceEdit { changes: Some(changes), ..proto::WorkspaceEdit::default() })
}
