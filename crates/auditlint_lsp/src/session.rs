//! What the server knows: the open documents and the workspaces with their hosts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use auditlint_analysis::{
    AnalysisHost, CONFIG_NAME, Change, DiskFiles, NamedPolicy, PolicySet, RootSpec, Settings, SetupError,
    is_terraform, load_policies, today,
};
use auditlint_graph::terraform::RootInputs;
use auditlint_syntax::{Encoding, FileId, Files as _, LineIndex, Position, Source};
use camino::{Utf8Path, Utf8PathBuf};
use tower_lsp::ls_types as proto;

use crate::Options;
use crate::policy::PolicySchema;

/// The session, and the bell that wakes the publisher.
pub(crate) struct Shared {
    session: Mutex<Session>,
    bell: Condvar,
}

/// The state of one client's session.
pub(crate) struct Session {
    options: Options,
    pub(crate) encoding: Encoding,
    pub(crate) document_changes: bool,
    /// That of policies.
    pub(crate) schema: Arc<PolicySchema>,
    /// Where built-in rules and policies are written.
    pub(crate) library: Option<Arc<Path>>,
    /// Whether the client lets the server say which files it watches.
    pub(crate) watches_files: bool,
    /// Whether the client asks for lenses anew when it is told to.
    pub(crate) refreshes_lenses: bool,
    pub(crate) shut_down: bool,
    pub(crate) stopped: bool,
    /// Counts every change; the publisher works until it has seen the last one.
    pub(crate) generation: u64,
    pub(crate) documents: BTreeMap<String, Document>,
    pub(crate) workspaces: Vec<Workspace>,
}

/// An open document.
#[derive(Clone)]
pub(crate) struct Document {
    pub(crate) uri: proto::Uri,
    pub(crate) version: i32,
    pub(crate) text: Arc<str>,
    pub(crate) workspace: usize,
    /// Relative to the workspace.
    pub(crate) path: Utf8PathBuf,
    pub(crate) file: FileId,
    /// When it changed last, by generation.
    pub(crate) touched: u64,
}

/// A workspace: the folder of version control that holds a folder of the client.
pub(crate) struct Workspace {
    pub(crate) disk: Arc<DiskFiles>,
    /// The client's folder, relative to the disk's root.
    pub(crate) folder: Utf8PathBuf,
    pub(crate) host: AnalysisHost,
    /// Counts what may have changed which folders are roots.
    pub(crate) layout: u64,
    /// The layout for which the roots were looked for.
    pub(crate) discovered: Option<u64>,
    /// Why the policy could not be loaded; the one before, or the default, stays in force.
    pub(crate) problem: Option<SetupError>,
}

impl Shared {
    pub(crate) fn new(options: Options) -> Self {
        let session = Session {
            schema: Arc::new(PolicySchema::new(options.schema)),
            library: options.library.as_deref().map(Arc::from),
            options,
            encoding: Encoding::Utf16,
            document_changes: false,
            watches_files: false,
            refreshes_lenses: false,
            shut_down: false,
            stopped: false,
            generation: 0,
            documents: BTreeMap::new(),
            workspaces: Vec::new(),
        };
        Self { session: Mutex::new(session), bell: Condvar::new() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the publisher that something changed.
    pub(crate) fn wake(&self) {
        self.lock().generation += 1;
        self.bell.notify_all();
    }

    /// Ends the publisher.
    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.bell.notify_all();
    }

    /// Waits until something changed since `seen`. None at the end.
    pub(crate) fn changed(&self, seen: u64) -> Option<MutexGuard<'_, Session>> {
        let waits = |session: &mut Session| session.generation == seen && !session.stopped;
        let session = self.bell.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner);
        (!session.stopped).then_some(session)
    }
}

impl Session {
    /// Adds a folder of the client; one inside of a known workspace changes nothing.
    pub(crate) fn add_folder(&mut self, uri: &proto::Uri) {
        let path = uri.to_file_path().and_then(|path| Utf8PathBuf::from_path_buf(path.into_owned()).ok());
        if let Some(path) = path.and_then(|path| path.canonicalize_utf8().ok()) {
            self.add_workspace(&path);
        }
    }

    fn add_workspace(&mut self, folder: &Utf8Path) -> Option<usize> {
        let root = DiskFiles::workspace_of(&[folder.to_owned()]);
        let relative = folder.strip_prefix(&root).ok()?.to_owned();
        let known =
            self.workspaces.iter_mut().enumerate().find(|(_, workspace)| workspace.disk.root() == root);
        if let Some((at, workspace)) = known {
            // Two folders of one workspace are looked at from where they meet.
            while !relative.starts_with(&workspace.folder) {
                workspace.folder.pop();
            }
            workspace.layout += 1;
            return Some(at);
        }
        let disk = Arc::new(DiskFiles::new(root));
        let (set, problem) = match self.policies(&*disk, &relative) {
            Ok(set) => (set, None),
            Err(problem) => (self.fallback(&*disk)?, Some(problem)),
        };
        let settings = Settings { follow_edits: true, today: Some(today()), ..Settings::default() };
        let host = AnalysisHost::new(Arc::clone(&disk) as Arc<_>, set, settings);
        self.workspaces.push(Workspace {
            disk,
            folder: relative,
            host,
            layout: 0,
            discovered: None,
            problem,
        });
        Some(self.workspaces.len() - 1)
    }

    fn policies(
        &self,
        files: &dyn auditlint_syntax::Files,
        folder: &Utf8Path,
    ) -> Result<PolicySet, SetupError> {
        let mut named = Vec::new();
        for name in &self.options.policies {
            if name.starts_with("auditlint:") {
                named.push(NamedPolicy::BuiltIn(name.clone()));
                continue;
            }
            let path = Utf8PathBuf::from(name);
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the edge: a named policy may lie anywhere"
            )]
            let bytes = std::fs::read(&path).map_err(|error| SetupError::Unreadable {
                name: name.clone(),
                reason: auditlint_syntax::ReadError::Unreadable(error.kind().to_string()),
            })?;
            let file = files.paths().id(&path);
            let beside = path.canonicalize_utf8().ok().and_then(|path| path.parent().map(Utf8Path::to_owned));
            let source = Arc::new(Source::new(file, path, Arc::from(bytes)));
            named.push(match beside {
                Some(folder) => {
                    let name = source.path().file_name().unwrap_or_default().into();
                    NamedPolicy::Elsewhere(source, Arc::new(DiskFiles::new(folder)), name)
                }
                None => NamedPolicy::Text(source),
            });
        }
        load_policies(&self.options.catalogue, files, folder, &named)
    }

    /// The built-in default, when what the repository asks for cannot be read.
    fn fallback(&self, files: &dyn auditlint_syntax::Files) -> Option<PolicySet> {
        let named = [NamedPolicy::BuiltIn("auditlint:recommended".to_owned())];
        load_policies(&self.options.catalogue, files, Utf8Path::new("\0"), &named).ok()
    }

    /// Loads the policies of every workspace anew.
    pub(crate) fn reload(&mut self) {
        for at in 0..self.workspaces.len() {
            let Some(workspace) = self.workspaces.get(at) else { continue };
            let loaded = self.policies(workspace.host.files(), &workspace.folder);
            let Some(workspace) = self.workspaces.get_mut(at) else { continue };
            match loaded {
                Ok(set) => {
                    workspace.problem = None;
                    workspace.host.apply_change(Change::Policy(Box::new(set)));
                }
                Err(problem) => workspace.problem = Some(problem),
            }
            workspace.layout += 1;
        }
    }

    pub(crate) fn open(&mut self, item: proto::TextDocumentItem) {
        let Some((workspace, path)) = self.place(&item.uri) else { return };
        let Some(found) = self.workspaces.get_mut(workspace) else { return };
        let file = found.disk.paths().id(&path);
        let text: Arc<str> = item.text.into();
        // A file that came without anybody saying so is known to no root, nor perhaps its folders to any listing.
        let is_new = found.host.analysis().roots_near(file).is_empty();
        if is_new {
            let above = path.ancestors().map(Utf8Path::to_owned);
            found.host.apply_change(Change::Disk(above.collect()));
        }
        found.host.apply_change(Change::Overlay(path.clone(), Arc::clone(&text)));
        found.layout += u64::from(is_new);
        let touched = self.generation + 1;
        let document =
            Document { uri: item.uri.clone(), version: item.version, text, workspace, path, file, touched };
        self.touch_policy(&document);
        self.documents.insert(item.uri.as_str().to_owned(), document);
    }

    pub(crate) fn change(&mut self, params: proto::DidChangeTextDocumentParams) {
        let (encoding, touched) = (self.encoding, self.generation + 1);
        let Some(document) = self.documents.get_mut(params.text_document.uri.as_str()) else { return };
        let mut text = document.text.to_string();
        for change in params.content_changes {
            match change.range {
                None => text = change.text,
                Some(range) => {
                    let lines = LineIndex::new(&text);
                    let at = |position: proto::Position| {
                        let position = Position { line: position.line, column: position.character };
                        lines.offset(&text, position, encoding) as usize
                    };
                    let (start, end) = (at(range.start), at(range.end));
                    text.replace_range(start..end.max(start), &change.text);
                }
            }
        }
        document.version = params.text_document.version;
        document.text = text.into();
        document.touched = touched;
        let document = document.clone();
        if let Some(workspace) = self.workspaces.get_mut(document.workspace) {
            workspace.host.apply_change(Change::Overlay(document.path.clone(), Arc::clone(&document.text)));
        }
        self.touch_policy(&document);
    }

    pub(crate) fn saved(&mut self, uri: &proto::Uri) {
        // Module calls may have come or gone.
        if let Some(document) = self.documents.get(uri.as_str())
            && document.path.file_name().is_some_and(is_terraform)
            && let Some(workspace) = self.workspaces.get_mut(document.workspace)
        {
            workspace.layout += 1;
        }
    }

    pub(crate) fn close(&mut self, uri: &proto::Uri) {
        if let Some(document) = self.documents.remove(uri.as_str())
            && let Some(workspace) = self.workspaces.get_mut(document.workspace)
        {
            workspace.host.apply_change(Change::Close(document.path.clone()));
            self.touch_policy(&document);
        }
    }

    pub(crate) fn disk(&mut self, changes: &[proto::FileEvent]) {
        let mut policy = false;
        for event in changes {
            let Some((at, path)) = self.place(&event.uri) else { continue };
            let Some(workspace) = self.workspaces.get_mut(at) else { continue };
            policy |= is_policy(workspace, &path);
            workspace.layout += u64::from(event.typ != proto::FileChangeType::CHANGED);
            workspace.host.apply_change(Change::Disk(vec![path]));
        }
        if policy {
            self.reload();
        }
    }

    fn touch_policy(&mut self, document: &Document) {
        if self
            .workspaces
            .get(document.workspace)
            .is_some_and(|workspace| is_policy(workspace, &document.path))
        {
            self.reload();
        }
    }

    /// The workspace and the path in it; a workspace is made for a file outside of all of them.
    fn place(&mut self, uri: &proto::Uri) -> Option<(usize, Utf8PathBuf)> {
        let path = Utf8PathBuf::from_path_buf(uri.to_file_path()?.into_owned()).ok()?;
        let folder = path.parent()?;
        let folder = folder.canonicalize_utf8().unwrap_or_else(|_| folder.to_owned());
        let path = folder.join(path.file_name()?);
        let holds = |workspace: &Workspace| path.starts_with(workspace.disk.root());
        let at = match self.workspaces.iter().position(holds) {
            Some(at) => at,
            None => self.add_workspace(&folder)?,
        };
        let workspace = self.workspaces.get(at)?;
        let relative = path.strip_prefix(workspace.disk.root()).ok()?.to_owned();
        Some((at, relative))
    }
}

fn is_policy(workspace: &Workspace, path: &Utf8Path) -> bool {
    let analysis = workspace.host.analysis();
    path.file_name() == Some(CONFIG_NAME)
        || analysis.policy_set().sources.iter().any(|source| source.path() == path)
        || workspace
            .problem
            .as_ref()
            .is_some_and(|problem| problem.problems().iter().any(|problem| problem.path == path.as_str()))
}

/// The roots as the host takes them: each folder under all its environments.
pub(crate) fn specs(folders: Vec<Utf8PathBuf>, set: &PolicySet) -> Vec<RootSpec> {
    let inputs = |folder| RootInputs { folder, ..RootInputs::default() };
    folders.into_iter().flat_map(|folder| set.environments.specs(&inputs(folder), None)).collect()
}
