//! A document with the snapshot that belongs to it, and what is shown and offered in it.

use std::path::Path;
use std::sync::Arc;

use auditlint_analysis::{Analysis, Cancelled, Fix};
use auditlint_policy::{Finding, Place, Safety};
use auditlint_syntax::{Encoding, Position, Source};
use camino::Utf8PathBuf;
use tower_lsp::ls_types as proto;

use crate::convert;
use crate::policy::{self, PolicySchema};
use crate::session::Document;

/// Applies all fixes of a file that need no decision.
pub(crate) const FIX_ALL: &str = "source.fixAll.auditlint";

/// A document with the snapshot that belongs to it.
pub(crate) struct Scene {
    pub(crate) analysis: Analysis,
    pub(crate) document: Document,
    pub(crate) root: Utf8PathBuf,
    pub(crate) encoding: Encoding,
    pub(crate) document_changes: bool,
    pub(crate) schema: Arc<PolicySchema>,
    pub(crate) library: Option<Arc<Path>>,
    /// The open documents of the workspace, for the versions of edits.
    pub(crate) open: Vec<Document>,
}

impl Scene {
    pub(crate) fn source(&self) -> Option<Arc<Source>> {
        self.analysis.source(self.document.file)
    }

    pub(crate) fn offset(&self, source: &Source, position: proto::Position) -> u32 {
        let position = Position { line: position.line, column: position.character };
        source.lines().offset(source.text(), position, self.encoding)
    }

    /// The bytes of a selection; a caret stands for its whole line, at whose end it usually is.
    fn touched(&self, source: &Source, range: proto::Range) -> std::ops::Range<u32> {
        if range.start != range.end {
            return self.offset(source, range.start)..self.offset(source, range.end);
        }
        let line = |line: u32| self.offset(source, proto::Position { line, character: 0 });
        let (start, next) = (line(range.start.line), line(range.start.line + 1));
        // What begins on the next line is not on this one; the last line has no next.
        if next > start { start..next - 1 } else { start..u32::MAX }
    }

    fn edit(&self, fixes: &[Fix]) -> Option<proto::WorkspaceEdit> {
        let version = |file| self.open.iter().find(|open| open.file == file).map(|open| open.version);
        convert::workspace_edit(
            &self.analysis,
            &self.root,
            fixes,
            self.encoding,
            version,
            self.document_changes,
        )
    }

    pub(crate) fn actions(
        &self,
        params: &proto::CodeActionParams,
    ) -> Result<Option<proto::CodeActionResponse>, Cancelled> {
        let Some(source) = self.source() else { return Ok(None) };
        let only = params.context.only.as_deref();
        let asks = |kind: &str| {
            only.is_none_or(|only| {
                only.iter()
                    .any(|asked| kind == asked.as_str() || kind.starts_with(&format!("{}.", asked.as_str())))
            })
        };
        let mut out: Vec<proto::CodeActionOrCommand> = Vec::new();
        if asks("quickfix") {
            let range = self.touched(&source, params.range);
            let mut fixes = self.analysis.fixes(self.document.file, range.clone())?;
            fixes.extend(self.analysis.policy_fixes(self.document.file, range.clone())?);
            for (n, fix) in fixes.iter().enumerate() {
                let first = !fixes.iter().take(n).any(|other| other.finding.rule == fix.finding.rule);
                out.extend(self.quick_fix(&source, fix, first));
            }
            for finding in self.analysis.findings(self.document.file)? {
                if let Place::Source(at) = finding.place
                    && at.span.start <= range.end
                    && range.start <= at.span.end
                {
                    out.extend(self.suppress(&source, &finding, at.span.start));
                }
            }
        }
        // Only when it is asked for by name: a light bulb is about one place.
        if only.is_some() && asks(FIX_ALL) {
            let roots = self.analysis.roots_of(self.document.file);
            let mut fixes = self.analysis.safe_fixes(&roots)?;
            fixes.retain(|fix| fix.edits.iter().all(|edits| edits.file == self.document.file));
            if !fixes.is_empty() {
                out.push(proto::CodeActionOrCommand::CodeAction(proto::CodeAction {
                    title: "apply the fixes that need no decision".to_owned(),
                    kind: Some(proto::CodeActionKind::from(FIX_ALL)),
                    edit: self.edit(&fixes),
                    ..proto::CodeAction::default()
                }));
            }
        }
        Ok(Some(out))
    }

    fn quick_fix(&self, source: &Source, fix: &Fix, is_first: bool) -> Option<proto::CodeActionOrCommand> {
        let diagnostic = convert::diagnostic(&self.analysis, &self.root, source, &fix.finding, self.encoding);
        Some(proto::CodeActionOrCommand::CodeAction(proto::CodeAction {
            title: fix.title.clone(),
            kind: Some(proto::CodeActionKind::QUICKFIX),
            diagnostics: diagnostic.map(|diagnostic| vec![diagnostic]),
            edit: Some(self.edit(std::slice::from_ref(fix))?),
            is_preferred: (is_first && fix.safety == Safety::Safe).then_some(true),
            ..proto::CodeAction::default()
        }))
    }

    /// A comment above the place; the reason is left to be written.
    fn suppress(&self, source: &Source, finding: &Finding, at: u32) -> Option<proto::CodeActionOrCommand> {
        let text = source.text();
        let start = text.get(..at as usize)?.rfind('\n').map_or(0, |end| end + 1);
        let line = text.get(start..)?;
        let indentation = line.get(..line.len() - line.trim_start_matches([' ', '\t']).len())?;
        let ends = if line.lines().next().is_some() && line.split('\n').next()?.ends_with('\r') {
            "\r\n"
        } else {
            "\n"
        };
        let comment = format!("{indentation}# auditlint:ignore {} -- REASON{ends}", finding.rule);
        let line = source.lines().position(text, at, self.encoding).line;
        let top = proto::Position { line, character: 0 };
        let edit = proto::TextEdit { range: proto::Range { start: top, end: top }, new_text: comment };
        let diagnostic = convert::diagnostic(&self.analysis, &self.root, source, finding, self.encoding);
        Some(proto::CodeActionOrCommand::CodeAction(proto::CodeAction {
            title: format!("suppress {} here, with a reason", finding.rule),
            kind: Some(proto::CodeActionKind::QUICKFIX),
            diagnostics: diagnostic.map(|diagnostic| vec![diagnostic]),
            edit: Some(proto::WorkspaceEdit {
                changes: Some([(self.document.uri.clone(), vec![edit])].into()),
                ..proto::WorkspaceEdit::default()
            }),
            ..proto::CodeAction::default()
        }))
    }

    pub(crate) fn hover(&self, position: proto::Position) -> Result<Option<proto::Hover>, Cancelled> {
        if let Some(source) = self.policy() {
            let hover = policy::hover(&self.analysis, &self.schema, &source, self.offset(&source, position))?;
            if let Some((span, markdown)) = hover {
                return Ok(Some(proto::Hover {
                    contents: proto::HoverContents::Markup(proto::MarkupContent {
                        kind: proto::MarkupKind::Markdown,
                        value: markdown,
                    }),
                    range: Some(convert::range(&source, span, self.encoding)),
                }));
            }
        }
        let Some(source) = self.source() else { return Ok(None) };
        let offset = self.offset(&source, position);
        let hover = self.analysis.hover(self.document.file, offset)?;
        Ok(hover.map(|hover| proto::Hover {
            contents: proto::HoverContents::Markup(proto::MarkupContent {
                kind: proto::MarkupKind::Markdown,
                value: hover.markdown,
            }),
            range: Some(convert::range(&source, hover.at.span, self.encoding)),
        }))
    }
}
