//! What one file of a module declares.

use std::sync::Arc;

use auditlint_syntax::hcl::{self, Block, ExprKind, HclFile, Item, ItemKind};
use auditlint_syntax::{Location, Name, Source, Span};

use super::backend::Backend;
use super::files::syntax_gap;
use crate::{Gap, Mode, Reference};

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
                body: hcl::BlockBody::default(),
            }),
        }
    }

    /// Whether it is the same text at the same place.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.item.base == other.item.base
            && self.item.file == other.item.file
            && Arc::ptr_eq(&self.item.piece, &other.item.piece)
    }

    /// An absolute place.
    #[must_use]
    pub fn place(&self, span: Span) -> Location {
        self.item.place(span)
    }
}

/// One file of a folder.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) source: Arc<Source>,
    /// What it declares, in source order.
    pub(super) declarations: Vec<(Declared, BlockRef)>,
    pub(super) gaps: Vec<Gap>,
    /// Whether its blocks are merged into those of the other files.
    pub(super) overrides: bool,
    pub(super) is_root_like: bool,
    pub(super) is_unreadable: bool,
    /// Where the root keeps its state.
    pub(super) backend: Option<Backend>,
}

/// What a module declares by name, and what of it can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Declared {
    /// A `resource` or `data` block: mode, type and name.
    Resource(Mode, Name, Name),
    /// A `variable` block.
    Variable(Name),
    /// An attribute of a `locals` block.
    Local(Name),
    /// An `output` block.
    Output(Name),
    /// A `module` block.
    Call(Name),
    /// A `provider` block: its local name and its alias, empty for the default one.
    Provider(Name, Name),
    /// An attribute of one instance of a resource.
    Attribute(Box<Reference>),
}

impl Declared {
    /// Stands for every output of a module, of which some may come or go.
    pub(super) fn any_output() -> Self {
        Self::Output(Name::default())
    }
}

/// A `resource` or `data` block.
#[derive(Clone, Copy, Debug)]
pub struct Declaration<'a> {
    /// Managed resource or data source.
    pub mode: Mode,
    /// The type.
    pub kind: &'a Name,
    /// The name.
    pub name: &'a Name,
    /// The block.
    pub block: &'a BlockRef,
}

impl Part {
    /// What `parsed` declares; `overrides` says whether the name under which it is read is that of an override file.
    pub(super) fn of(parsed: &HclFile, source: &Arc<Source>, overrides: bool) -> Self {
        let mut part = Self {
            source: Arc::clone(source),
            declarations: Vec::with_capacity(parsed.items.len()),
            gaps: Vec::new(),
            overrides,
            is_root_like: false,
            is_unreadable: parsed.items.is_empty() && !parsed.problems.is_empty(),
            backend: None,
        };
        let problems = parsed.problems.iter();
        part.gaps.extend(problems.map(|problem| syntax_gap(source.path(), source.file(), problem)));
        for item in &parsed.items {
            if let ItemKind::Block(block) = &item.piece.kind {
                part.block(block, &BlockRef::of(item));
            }
        }
        part
    }

    /// Whether it is that text, read under a name of that kind.
    pub(super) fn is_of(&self, source: &Arc<Source>, overrides: bool) -> bool {
        Arc::ptr_eq(&self.source, source) && self.overrides == overrides
    }

    fn block(&mut self, block: &Block, reference: &BlockRef) {
        let label = |n: usize| block.labels.get(n).map(|label| label.name.clone());
        let declared = match (block.ident.as_str(), label(0), label(1)) {
            ("resource", Some(kind), Some(name)) => Declared::Resource(Mode::Managed, kind, name),
            ("data", Some(kind), Some(name)) => Declared::Resource(Mode::Data, kind, name),
            ("variable", Some(name), _) => Declared::Variable(name),
            ("output", Some(name), _) => Declared::Output(name),
            ("module", Some(name), _) => Declared::Call(name),
            ("provider", Some(local), _) => {
                self.is_root_like = true;
                let alias = block.body.attribute("alias").map(|alias| &alias.value.kind);
                match alias {
                    Some(ExprKind::String(alias)) => Declared::Provider(local, alias.clone()),
                    Some(_) => return,
                    None => Declared::Provider(local, Name::default()),
                }
            }
            ("terraform", ..) => {
                if let Some(backend) = Backend::of(&block.body) {
                    self.is_root_like = true;
                    self.backend = Some(backend);
                }
                return;
            }
            ("locals", ..) => {
                let locals = block.body.attributes.iter();
                let named = locals.map(|local| (Declared::Local(local.name.clone()), reference.clone()));
                return self.declarations.extend(named);
            }
            _ => return,
        };
        self.declarations.push((declared, reference.clone()));
    }

    pub(super) fn declares_the_same_as(&self, other: &Self) -> bool {
        self.overrides == other.overrides
            && self
                .declarations
                .iter()
                .map(|(name, _)| name)
                .eq(other.declarations.iter().map(|(name, _)| name))
    }
}

/// Whether a file says where a root keeps its state.
pub(super) fn backend_in(file: &HclFile) -> bool {
    file.items.iter().any(|item| match &item.piece.kind {
        ItemKind::Block(block) => block.ident == "terraform" && Backend::of(&block.body).is_some(),
        _ => false,
    })
}

impl Part {
    /// Adds the names of this file or of `old` whose block is another one, or moved.
    pub(super) fn changes(&self, old: &Self, out: &mut Vec<Declared>) {
        let is_same =
            |(a, at): &(Declared, BlockRef), (b, bt): &(Declared, BlockRef)| a == b && at.is_same(bt);
        let (mut new, mut old) = (self.declarations.as_slice(), old.declarations.as_slice());
        while let ([a, rest @ ..], [b, others @ ..]) = (new, old)
            && is_same(a, b)
        {
            (new, old) = (rest, others);
        }
        while let ([rest @ .., a], [others @ .., b]) = (new, old)
            && is_same(a, b)
        {
            (new, old) = (rest, others);
        }
        out.extend(new.iter().chain(old).map(|(declared, _)| declared.clone()));
    }
}
