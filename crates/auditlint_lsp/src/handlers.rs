//! Requests: each takes a snapshot under the lock and computes its answer on the pool for blocking work. None
//! waits for the client.

use std::sync::Arc;

use auditlint_analysis::Cancelled;
use auditlint_syntax::Encoding;
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp::ls_types as proto;
use tower_lsp::{Client, LanguageServer};

use crate::policy::RUN_TESTS;
use crate::publish;
use crate::scene::{FIX_ALL, Scene};
use crate::session::{Document, Shared};

pub(crate) struct Handlers {
    client: Client,
    shared: Arc<Shared>,
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
            schema: Arc::clone(&session.schema),
            library: session.library.clone(),
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
            let lenses = workspace.and_then(|all| all.code_lens.as_ref());
            session.refreshes_lenses = lenses.and_then(|lenses| lenses.refresh_support) == Some(true);
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
                completion_provider: Some(proto::CompletionOptions {
                    trigger_characters: Some([" ", ":", "/", "-"].map(str::to_owned).into()),
                    ..proto::CompletionOptions::default()
                }),
                definition_provider: Some(proto::OneOf::Left(true)),
                code_lens_provider: Some(proto::CodeLensOptions { resolve_provider: Some(false) }),
                execute_command_provider: Some(proto::ExecuteCommandOptions {
                    commands: vec![RUN_TESTS.to_owned()],
                    ..proto::ExecuteCommandOptions::default()
                }),
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

    async fn completion(&self, params: proto::CompletionParams) -> Result<Option<proto::CompletionResponse>> {
        let place = params.text_document_position;
        self.compute(&place.text_document.uri, move |scene| Ok(scene.completion(place.position))).await
    }

    async fn goto_definition(
        &self,
        params: proto::GotoDefinitionParams,
    ) -> Result<Option<proto::GotoDefinitionResponse>> {
        let place = params.text_document_position_params;
        self.compute(&place.text_document.uri, move |scene| Ok(scene.definition(place.position))).await
    }

    async fn code_lens(&self, params: proto::CodeLensParams) -> Result<Option<Vec<proto::CodeLens>>> {
        self.compute(&params.text_document.uri, Scene::lenses).await
    }

    async fn execute_command(&self, params: proto::ExecuteCommandParams) -> Result<Option<proto::LSPAny>> {
        if params.command != RUN_TESTS {
            return Err(Error::invalid_params("there is no such command"));
        }
        let uri = params.arguments.first().and_then(|uri| uri.as_str()?.parse::<proto::Uri>().ok());
        let Some(uri) = uri else {
            return Err(Error::invalid_params("the file of a policy or of tests is missing"));
        };
        if let Some((is_ok, text)) = self.compute(&uri, |scene| Ok(scene.tests())).await? {
            let kind = if is_ok { proto::MessageType::INFO } else { proto::MessageType::ERROR };
            self.client.show_message(kind, text).await;
        }
        Ok(None)
    }

    async fn shutdown(&self) -> Result<()> {
        self.shared.lock().shut_down = true;
        Ok(())
    }
}
