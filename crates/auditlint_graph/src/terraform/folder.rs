//! The files of a module folder, parsed, with what each block declares.

use std::sync::Arc;

use auditlint_syntax::hcl::{self, Attribute, Block, BlockCache, HclFile, Item, ItemKind};
use auditlint_syntax::{EntryKind, FileId, Files, Location, Name, ProblemKind, ReadError, Source, Span};
use camino::{Utf8Path, Utf8PathBuf};
use dashmap::DashMap;
use rustc_hash::FxHashMap;

use crate::{Gap, GapKind, Mode};

/// Parsed files by path; a file is parsed again when its source is another one.
#[derive(Debug, Default)]
pub struct ParsedFiles {
    files: DashMap<Utf8PathBuf, (Arc<Source>, Arc<HclFile>)>,
    folders: DashMap<Utf8PathBuf, (Vec<Arc<Source>>, Arc<Folder>)>,
}

/// A block and the item that holds it: what gives its spans a place.
#[derive(Clone, Debug)]
pub struct BlockRef {
    item: Item,
}

impl BlockRef {
    /// The place-giver of an item, whatever it holds.
    pub(super) fn of(item: &Item) -> Self {
        Self { item: item.clone() }
    }

    /// The block.
    #[must_use]
    pub fn block(&self) -> &Block {
        static NONE: std::sync::OnceLock<Block> = std::sync::OnceLock::new();
        match &self.item.piece.kind {
            ItemKind::Block(block) => block,
            _ => NONE.get_or_init(|| Block {
                ident: Name::default(),
                ident_span: Span::default(),
                labels: Box::default(),
                header: Span::default(),
                span: Span::default(),
                body: hcl::Body::default(),
            }),
        }
    }

    /// An absolute place.
    #[must_use]
    pub fn place(&self, span: Span) -> Location {
        self.item.place(span)
    }
}

/// What a module folder declares.
#[derive(Debug, Default)]
pub struct Folder {
    /// Resources and data sources in source order.
    pub resources: Vec<Declaration>,
    /// What override files say about them, in the order of the files: it wins, argument by argument.
    pub overrides: FxHashMap<(Mode, Name, Name), Vec<BlockRef>>,
    /// Their index by mode, type and name.
    pub by_name: FxHashMap<(Mode, Name, Name), usize>,
    /// `variable` blocks.
    pub variables: FxHashMap<Name, BlockRef>,
    /// `output` blocks.
    pub outputs: FxHashMap<Name, BlockRef>,
    /// `module` blocks in source order.
    pub calls: Vec<(Name, BlockRef)>,
    /// The attributes of `locals` blocks: the block and the attribute's position in it.
    pub locals: FxHashMap<Name, (BlockRef, usize)>,
    /// Whether there is a `backend`, `cloud` or `provider` block: a folder that is meant to be a root.
    pub is_root_like: bool,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Number of Terraform files.
    pub files: usize,
    /// Number of Terraform files of which nothing could be read.
    pub unreadable: usize,
}

/// A `resource` or `data` block.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// Which of both.
    pub mode: Mode,
    /// The type.
    pub kind: Name,
    /// The name.
    pub name: Name,
    /// The block.
    pub block: BlockRef,
}

impl ParsedFiles {
    /// Parses `source`, or gives what was parsed of it before.
    pub fn file(&self, source: &Arc<Source>, blocks: &BlockCache) -> Arc<HclFile> {
        if let Some(known) = self.files.get(source.path())
            && Arc::ptr_eq(&known.0, source)
        {
            return Arc::clone(&known.1);
        }
        let name = source.path().as_str();
        let parsed = if source.is_binary() {
            HclFile { items: Vec::new(), problems: hcl::encoding_problem(source).into_iter().collect() }
        } else if name.ends_with(".tfvars.json") {
            hcl::parse_variables_json(source)
        } else if name.ends_with(".json") {
            hcl::parse_json(source, blocks)
        } else {
            hcl::parse(source, blocks)
        };
        let parsed = Arc::new(parsed);
        self.files.insert(source.path().to_owned(), (Arc::clone(source), Arc::clone(&parsed)));
        parsed
    }

    /// The module in `path`; an empty one when no Terraform file is there.
    pub fn folder(&self, path: &Utf8Path, files: &dyn Files, blocks: &BlockCache) -> Arc<Folder> {
        let mut gaps = Vec::new();
        let mut sources = Vec::new();
        for name in terraform_files(&files.list(path)) {
            let path = path.join(&name);
            match files.read(&path) {
                Ok(source) => sources.push(source),
                Err(ReadError::Missing) => {}
                Err(error) => gaps.push(unreadable(&path, &error)),
            }
        }
        if gaps.is_empty()
            && let Some(known) = self.folders.get(path)
            && known.0.len() == sources.len()
            && known.0.iter().zip(&sources).all(|(old, new)| Arc::ptr_eq(old, new))
        {
            return Arc::clone(&known.1);
        }
        let unread = gaps.len();
        let mut folder =
            Folder { gaps, files: sources.len() + unread, unreadable: unread, ..Folder::default() };
        for source in &sources {
            let parsed = self.file(source, blocks);
            folder.unreadable += usize::from(parsed.items.is_empty() && !parsed.problems.is_empty());
            folder.add(&parsed, source);
        }
        let folder = Arc::new(folder);
        self.folders.insert(path.to_owned(), (sources, Arc::clone(&folder)));
        folder
    }
}

/// The names of a folder that Terraform reads, overrides last; `.tofu` hides `.tf` of the same stem.
#[must_use]
pub(super) fn terraform_files(entries: &[auditlint_syntax::Entry]) -> Vec<String> {
    let is_file = |name: &str| {
        [".tf", ".tf.json", ".tofu", ".tofu.json"].iter().any(|end| name.ends_with(end))
            && !name.starts_with('.')
    };
    let mut names: Vec<String> = entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::File && is_file(&entry.name))
        .filter(|entry| {
            let hidden_by = entry.name.replace(".tf", ".tofu");
            entry.name.contains(".tofu") || !entries.iter().any(|other| other.name == hidden_by)
        })
        .map(|entry| entry.name.clone())
        .collect();
    names.sort_by_key(|name| (is_override(name), name.clone()));
    names
}

fn is_override(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    stem == "override" || stem.ends_with("_override")
}

pub(crate) fn unreadable(path: &Utf8Path, error: &ReadError) -> Gap {
    let kind =
        if matches!(error, ReadError::TooLarge { .. }) { GapKind::TooLarge } else { GapKind::Unreadable };
    Gap { kind, path: path.to_string(), at: None, reason: error.to_string(), hint: String::new(), count: 1 }
}

/// The gap of a problem in a text.
#[must_use]
pub(super) fn syntax_gap(path: &Utf8Path, file: FileId, problem: &auditlint_syntax::Problem) -> Gap {
    let kind = match problem.kind {
        ProblemKind::Syntax | ProblemKind::Duplicate => GapKind::Syntax,
        ProblemKind::Unsupported => GapKind::Unsupported,
        ProblemKind::Encoding => GapKind::Unreadable,
        ProblemKind::TooLarge => GapKind::TooLarge,
    };
    Gap {
        kind,
        path: path.to_string(),
        at: Some(Location { file, span: problem.span }),
        reason: problem.message.clone(),
        hint: String::new(),
        count: 1,
    }
}

impl Folder {
    fn add(&mut self, parsed: &HclFile, source: &Source) {
        let problems =
            parsed.problems.iter().map(|problem| syntax_gap(source.path(), source.file(), problem));
        self.gaps.extend(problems);
        let merges = source.path().file_name().is_some_and(is_override);
        for item in &parsed.items {
            if let ItemKind::Block(block) = &item.piece.kind {
                self.block(block, &BlockRef { item: item.clone() }, source.path(), merges);
            }
        }
    }

    fn block(&mut self, block: &Block, reference: &BlockRef, path: &Utf8Path, merges: bool) {
        let label = |n: usize| block.labels.get(n).map(|label| label.name.clone());
        match (block.ident.as_str(), label(0), label(1)) {
            (word @ ("resource" | "data"), Some(kind), Some(name)) => {
                let mode = if word == "data" { Mode::Data } else { Mode::Managed };
                let key = (mode, kind.clone(), name.clone());
                if self.by_name.contains_key(&key) {
                    if merges {
                        self.overrides.entry(key).or_default().push(reference.clone());
                    } else {
                        let reason = format!(
                            "Duplicate {word} {kind:?} configuration: {kind}.{name} was already declared"
                        );
                        self.gap(GapKind::Reference, path, reference.place(block.header), reason);
                    }
                    return;
                }
                self.by_name.insert(key, self.resources.len());
                self.resources.push(Declaration { mode, kind, name, block: reference.clone() });
            }
            ("variable", Some(name), _) => drop(self.variables.insert(name, reference.clone())),
            ("output", Some(name), _) => drop(self.outputs.insert(name, reference.clone())),
            ("module", Some(name), _) => self.calls.push((name, reference.clone())),
            ("provider", ..) => self.is_root_like = true,
            ("terraform", ..) => {
                self.is_root_like |=
                    block.body.blocks.iter().any(|inner| inner.ident == "backend" || inner.ident == "cloud");
            }
            ("locals", ..) => {
                for (at, attribute) in block.body.attributes.iter().enumerate() {
                    self.locals.insert(attribute.name.clone(), (reference.clone(), at));
                }
            }
            _ => {}
        }
    }

    fn gap(&mut self, kind: GapKind, path: &Utf8Path, at: Location, reason: String) {
        self.gaps.push(Gap {
            kind,
            path: path.to_string(),
            at: Some(at),
            reason,
            hint: String::new(),
            count: 1,
        });
    }

    /// The literal `source` of a module call, where it is one.
    #[must_use]
    pub fn source_of(call: &BlockRef) -> Option<&str> {
        match call.block().body.attribute("source").map(|attribute: &Attribute| &attribute.value.kind) {
            Some(hcl::ExprKind::String(text)) => Some(text),
            _ => None,
        }
    }
}
