//! Requests: each takes a snapshot under the lock and computes its answer on the pool for blocking work. None
//! waits for the client.

use std::sync::Arc;

use auditlint_analysis::{Analysis, Cancelled, Fix};
use auditlint_policy::{Finding, Place, Safety};
use auditlint_syntax::{Encoding, Position, Source};
use camino::Utf8PathBuf;
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp::ls_types as proto;
use tower_lsp::{Client, LanguageServer};

use crate::convert;
use crate::publish;
use crate::session::{Document, Shared};

const FIX_ALL: &str = "source.fixAll.auditlint";

pub(crate) struct Handlers {
    client: Client,
    shared: Arc<Shared>,
}

/// A document with the snapshot that belongs to it.
struct Scene {
    analysis: Analysis,
    document: Document,
    root: Utf8PathBuf,
    encoding: Encoding,
    document_changes: bool,
    /// The open documents of the workspace, for the versions of edits.
    open: Vec<Document>,
}

impl Handlers {
    pub(crate) fn new(client: Client, shared: Arc<Shared>) -> Self {
        Self { client, shared }
    }

    fn scene(&self, uri: &proto::Uri) -> Option<Scene> {
        let session = self.shared.lock();
        let document = session.documents.get(uri.as_str())?.clone();
        let workspace = session.workspaces.get(document.workspace)?;
        let same = |other: &&Document| other.workspace == document.workspace;
        Some(Scene {
            analysis: workspace.host.analysis(),
            root: workspace.disk.root().to_owned(),
            encoding: session.encoding,
            document_changes: session.document_changes,
            open: session.documents.values().filter(same).cloned().collect(),
            document,
        })
    }

    /// Computes on the pool for blocking work; a panic there is an error of this request alone. A snapshot that
    /// gave up for something else than an edit of this document is replaced by the next one: clients take
    /// "content modified" for "nothing to offer".
    async fn compute<T: Send + 'static>(
        &self,
        uri: &proto::Uri,
        work: impl Fn(&Scene) -> std::result::Result<Option<T>, Cancelled> + Send + Sync + 'static,
    ) -> Result<Option<T>> {
        let work = Arc::new(work);
        let mut asked = None;
        loop {
            let Some(scene) = self.scene(uri) else { return Ok(None) };
            let version = scene.document.version;
            if asked.is_some_and(|asked| asked != version) {
                return Err(Error::content_modified());
            }
            asked = Some(version);
            let work = Arc::clone(&work);
            match tokio::task::spawn_blocking(move || work(&scene)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Cancelled)) => tokio::task::yield_now().await,
                Err(_) => return Err(Error::new(ErrorCode::InternalError)),
            }
        }
    }
}

impl Scene {
    fn source(&self) -> Option<Arc<Source>> {
        self.analysis.source(self.document.file)
    }

    fn offset(&self, source: &Source, position: proto::Position) -> u32 {
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

    fn actions(
        &self,
        params: &proto::CodeActionParams,
    ) -> std::result::Result<Option<proto::CodeActionResponse>, Cancelled> {
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

    fn hover(&self, position: proto::Position) -> std::result::Result<Option<proto::Hover>, Cancelled> {
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

impl LanguageServer for Handlers {
    async fn initialize(&self, params: proto::InitializeParams) -> Result<proto::InitializeResult> {
        let general = params.capabilities.general.as_ref();
        let offered = general.and_then(|general| general.position_encodings.as_deref()).unwrap_or_default();
        // Bytes are what the analysis counts in; UTF-16 is what every client understands.
        let (encoding, kind) = [
            (Encoding::Utf8, proto::PositionEncodingKind::UTF8),
            (Encoding::Utf32, proto::PositionEncodingKind::UTF32),
        ]
        .into_iter()
        .find(|(_, kind)| offered.contains(kind))
        .unwrap_or((Encoding::Utf16, proto::PositionEncodingKind::UTF16));
        {
            let mut session = self.shared.lock();
            session.encoding = encoding;
            let edits = params.capabilities.workspace.as_ref().and_then(|all| all.workspace_edit.as_ref());
            session.document_changes = edits.and_then(|edits| edits.document_changes) == Some(true);
            let workspace = params.capabilities.workspace.as_ref();
            let watched = workspace.and_then(|all| all.did_change_watched_files.as_ref());
            session.watches_files = watched.and_then(|watched| watched.dynamic_registration) == Some(true);
            let folders = params.workspace_folders.unwrap_or_default();
            folders.iter().for_each(|folder| session.add_folder(&folder.uri));
            #[expect(deprecated, reason = "older clients name their folder this way only")]
            if let (true, Some(uri)) = (folders.is_empty(), &params.root_uri) {
                session.add_folder(uri);
            }
        }
        let _ =
            publish::start(Arc::clone(&self.shared), self.client.clone(), tokio::runtime::Handle::current());
        let sync = proto::TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(proto::TextDocumentSyncKind::INCREMENTAL),
            save: Some(proto::TextDocumentSyncSaveOptions::Supported(true)),
            ..proto::TextDocumentSyncOptions::default()
        };
        let actions = proto::CodeActionOptions {
            code_action_kinds: Some(vec![
                proto::CodeActionKind::QUICKFIX,
                proto::CodeActionKind::from(FIX_ALL),
            ]),
            ..proto::CodeActionOptions::default()
        };
        Ok(proto::InitializeResult {
            capabilities: proto::ServerCapabilities {
                position_encoding: Some(kind),
                text_document_sync: Some(proto::TextDocumentSyncCapability::Options(sync)),
                code_action_provider: Some(proto::CodeActionProviderCapability::Options(actions)),
                hover_provider: Some(proto::HoverProviderCapability::Simple(true)),
                workspace: Some(proto::WorkspaceServerCapabilities {
                    workspace_folders: Some(proto::WorkspaceFoldersServerCapabilities {
                        supported: Some(true),
                        change_notifications: Some(proto::OneOf::Left(true)),
                    }),
                    ..proto::WorkspaceServerCapabilities::default()
                }),
                ..proto::ServerCapabilities::default()
            },
            server_info: Some(proto::ServerInfo {
                name: "auditlint".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            ..proto::InitializeResult::default()
        })
    }

    async fn initialized(&self, _: proto::InitializedParams) {
        self.shared.wake();
        if !self.shared.lock().watches_files {
            return;
        }
        // Not awaited: the client may take its time, or never answer.
        let client = self.client.clone();
        tokio::spawn(async move {
            let globs = ["**/*.{tf,tofu,tfvars}", "**/*.{tf,tofu,tfvars}.json", "**/*.{yaml,yml}"];
            let watchers: Vec<proto::FileSystemWatcher> = globs
                .iter()
                .map(|glob| proto::FileSystemWatcher {
                    glob_pattern: proto::GlobPattern::String((*glob).to_owned()),
                    kind: None,
                })
                .collect();
            let options = proto::DidChangeWatchedFilesRegistrationOptions { watchers };
            let registration = proto::Registration {
                id: "auditlint-files".to_owned(),
                method: "workspace/didChangeWatchedFiles".to_owned(),
                register_options: serde_json::to_value(options).ok(),
            };
            // A client that cannot watch says so, and its saves still arrive.
            let _ = client.register_capability(vec![registration]).await;
        });
    }

    async fn code_action(
        &self,
        params: proto::CodeActionParams,
    ) -> Result<Option<proto::CodeActionResponse>> {
        let uri = params.text_document.uri.clone();
        self.compute(&uri, move |scene| scene.actions(&params)).await
    }

    async fn hover(&self, params: proto::HoverParams) -> Result<Option<proto::Hover>> {
        let place = params.text_document_position_params;
        self.compute(&place.text_document.uri, move |scene| scene.hover(place.position)).await
    }

    async fn shutdown(&self) -> Result<()> {
        self.shared.lock().shut_down = true;
        Ok(())
    }
}
