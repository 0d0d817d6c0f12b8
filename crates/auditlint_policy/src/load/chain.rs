//! Documents and those that they extend, as one statement for each environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use auditlint_syntax::document::{self, Node};
use auditlint_syntax::{FileId, LineIndex, Location, Problem, ProblemKind, Source, Span};

use super::document::{Document, Reader};
use super::environment::{Declared, overlay_parameters};
use super::extended::{Extended, extended};
use super::external::ReadFrom;
use super::not_text;
use super::parameters::{self, Parameters, Values};
use crate::Catalogue;
use crate::catalogue::{LocatedProblem, locate};
use crate::intent::{Bounds, Field, Permission, Setting, Statement, Weakening};

/// Most documents that extend one another in a line.
const DEEPEST: usize = 16;
/// Most documents of a chain.
const MOST: usize = 64;

/// The documents, ancestors before those that extend them.
pub(super) struct Chain<'a> {
    catalogue: &'a Catalogue,
    pub(super) texts: Vec<Text>,
    /// Those that stand side by side.
    tops: Vec<usize>,
    problems: Vec<(FileId, Problem)>,
}

/// A document as it is written.
pub(super) struct Text {
    pub(super) source: Arc<Source>,
    pub(super) root: Node,
    pub(super) parents: Vec<usize>,
    /// Whether it can be read at all.
    pub(super) is_whole: bool,
    parameters: Parameters,
    overlays: BTreeMap<String, Parameters>,
}

/// What all documents say in one environment.
pub(super) struct Variant {
    pub(super) statement: Statement,
    /// One for each text.
    pub(super) documents: Vec<Document>,
}

impl<'a> Chain<'a> {
    /// The documents of `sources`, side by side, with all that they extend.
    pub(super) fn read(catalogue: &'a Catalogue, sources: &[Arc<Source>], from: ReadFrom<'_>) -> Self {
        let mut chain = Self { catalogue, texts: Vec::new(), tops: Vec::new(), problems: Vec::new() };
        for source in sources {
            let top = chain.add(source, from, &mut Vec::new());
            chain.tops.extend(top);
        }
        chain
    }

    /// Adds a document after those that it extends; `line` are the documents that lead to it.
    fn add(&mut self, source: &Arc<Source>, from: ReadFrom<'_>, line: &mut Vec<FileId>) -> Option<usize> {
        if let Some(known) = self.texts.iter().position(|text| text.source.file() == source.file()) {
            return Some(known);
        }
        let document = document::parse(source.text());
        let mut own: Vec<Problem> = not_text(source).into_iter().chain(document.problems).collect();
        // Where the text itself is broken, what seems to be missing from it is noise.
        let is_whole = own.is_empty();
        let mut parents = Vec::new();
        line.push(source.file());
        for parent in if is_whole { extended(&document.root, &mut own) } else { Vec::new() } {
            let Extended { name, span, .. } = &parent;
            let mut problem =
                |message: String| own.push(Problem { kind: ProblemKind::Syntax, span: *span, message });
            match from(source, &parent) {
                Err(reason) => problem(format!("`{name}` cannot be extended: {reason}")),
                Ok(parent) if line.contains(&parent.file()) => {
                    problem(format!("`{name}` extends this policy, and cannot be extended by it"));
                }
                Ok(_) if line.len() >= DEEPEST || self.texts.len() >= MOST => {
                    problem(format!(
                        "policies extend one another {DEEPEST} times at most, and {MOST} in all"
                    ));
                }
                Ok(parent) => parents.extend(self.add(&parent, from, line)),
            }
        }
        line.pop();
        let (parameters, overlays) = self.parameters(source, &document.root, is_whole, &mut own);
        self.problems.extend(own.into_iter().map(|problem| (source.file(), problem)));
        self.texts.push(Text {
            source: Arc::clone(source),
            root: document.root,
            parents,
            is_whole,
            parameters,
            overlays,
        });
        Some(self.texts.len() - 1)
    }

    fn parameters(
        &self,
        source: &Source,
        root: &Node,
        is_whole: bool,
        problems: &mut Vec<Problem>,
    ) -> (Parameters, BTreeMap<String, Parameters>) {
        if !is_whole {
            return Default::default();
        }
        let own = root.get("parameters").map(|node| parameters::read(node, source.file(), problems));
        let overlays = overlay_parameters(root)
            .into_iter()
            .map(|(name, node)| (name, parameters::read(node, source.file(), problems)))
            .collect();
        (own.unwrap_or_default(), overlays)
    }

    /// What the documents say in an environment, or where none is known.
    pub(super) fn variant(&mut self, environment: Option<&str>) -> Variant {
        let parameters = self.texts.iter().map(|text| &text.parameters);
        let overlays =
            self.texts.iter().filter_map(|text| environment.and_then(|name| text.overlays.get(name)));
        let mut found = Vec::new();
        let values = Values::of(parameters, overlays, &mut found);
        let (mut documents, mut statements): (Vec<Document>, Vec<Statement>) = (Vec::new(), Vec::new());
        for text in &self.texts {
            let mut own = Vec::new();
            let document = if text.is_whole {
                let root = if text.source.text().contains("${") {
                    values.filled(&text.root, text.source.file(), &mut own)
                } else {
                    text.root.clone()
                };
                let reader = Reader { catalogue: self.catalogue, source: &text.source };
                reader.document(&root, &mut own)
            } else {
                Document::default()
            };
            let file = text.source.file();
            found.extend(own.into_iter().map(|problem| (file, problem)));
            let parents = text.parents.iter().filter_map(|at| statements.get(*at));
            let base = parents.fold(Statement::default(), |all, parent| all.beside(parent));
            let (mut statement, mut weaker) =
                base.tightened(&document.statement, self.catalogue, Permission::Tighten);
            let declared = |declared: &&Declared| Some(declared.name.as_str()) == environment;
            if let Some(declared) = document.environments.iter().find(declared) {
                let permission = if declared.weakens { Permission::Owner(file) } else { Permission::Tighten };
                let (there, more) = statement.tightened(&declared.overlay, self.catalogue, permission);
                statement = there;
                weaker.extend(more);
            }
            found.extend(weaker.into_iter().map(|weakening| self.weakened(&weakening)));
            statements.push(statement);
            documents.push(document);
        }
        let tops = self.tops.iter().filter_map(|at| statements.get(*at));
        let statement = tops.fold(Statement::default(), |all, top| all.beside(top));
        found.extend(self.conflicts(&statement));
        for problem in found {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
        Variant { statement, documents }
    }

    /// Takes note of what is wrong in a file.
    pub(super) fn problem(&mut self, at: Location, message: String) {
        let problem = (at.file, Problem { kind: ProblemKind::Syntax, span: at.span, message });
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// All problems with their lines, in the order of the documents.
    pub(super) fn problems(&mut self) -> Vec<LocatedProblem> {
        let mut out = Vec::new();
        for text in &self.texts {
            let of = |(file, _): &&(FileId, Problem)| *file == text.source.file();
            let mut own: Vec<Problem> =
                self.problems.iter().filter(of).map(|(_, problem)| problem.clone()).collect();
            own.sort_by_key(|problem| problem.span.start);
            out.extend(locate(text.source.path().as_str(), text.source.text(), own));
        }
        out
    }

    /// `policies/base.yaml:12`, or `line 12` of the same file.
    pub(super) fn line(&self, at: Location, from: FileId) -> String {
        let Some(text) = self.texts.iter().find(|text| text.source.file() == at.file) else {
            return String::new();
        };
        let line = LineIndex::new(text.source.text()).line_column(text.source.text(), at.span.start).line;
        if at.file == from { format!("line {line}") } else { format!("{}:{line}", text.source.path()) }
    }

    /// What others may make of the parameters that the documents declare.
    pub(super) fn bounds(&self) -> BTreeMap<String, Bounds> {
        let declared = self.texts.iter().flat_map(|text| &text.parameters.declared);
        declared.map(|(name, declared)| (name.clone(), declared.bounds())).collect()
    }

    fn weakened(&self, weakening: &Weakening) -> (FileId, Problem) {
        let Weakening { what, value: (value, at), over: (over, line) } = weakening;
        let message = format!(
            "`{what}` may only become stricter: {value} is less than {over} ({})",
            self.line(*line, at.file)
        );
        (at.file, Problem { kind: ProblemKind::Syntax, span: at.span, message })
    }

    /// What nothing can meet: a least that is more than the most.
    fn conflicts(&self, statement: &Statement) -> Vec<(FileId, Problem)> {
        let mut out = Vec::new();
        let days = |category, field| match statement.effective(category, field) {
            Some(stated) => match stated.setting {
                Setting::Days(days) => Some((days, stated.at)),
                _ => None,
            },
            None => None,
        };
        for field in [Field::Readers, Field::Accounts, Field::Regions] {
            let stated = statement.categories.keys().filter_map(|one| statement.effective(*one, field));
            let empty =
                stated.filter(|one| matches!(&one.setting, Setting::Within(places) if places.is_empty()));
            for at in empty.map(|stated| stated.at) {
                let message = format!(
                    "`{}` permits nothing that the policies that are extended permit as well: nothing can meet both",
                    field.name()
                );
                let problem = (at.file, Problem { kind: ProblemKind::Syntax, span: at.span, message });
                if !out.contains(&problem) {
                    out.push(problem);
                }
            }
        }
        for category in statement.categories.keys() {
            let Some((most, at)) = days(*category, Field::RetentionMax) else { continue };
            for field in [Field::RetentionMin, Field::RetentionHot, Field::Immutability] {
                let Some((least, line)) = days(*category, field).filter(|(least, _)| *least > most) else {
                    continue;
                };
                let (least, most) = (crate::Days::Count(least), crate::Days::Count(most));
                let name = field.name();
                let name = name.rsplit('.').next().unwrap_or_default();
                let message = if line.file == at.file && close(line.span, at.span) {
                    format!(
                        "at most {most} is less than the {least} that `{name}` asks for: nothing can meet both"
                    )
                } else {
                    format!(
                        "at most {most} is less than the {least} that {} asks for {}: nothing can meet both; \
                         keep what each of the two is about in stores of its own, and say by `scope` which is meant",
                        self.line(line, at.file),
                        category.as_str(),
                    )
                };
                let problem = (at.file, Problem { kind: ProblemKind::Syntax, span: at.span, message });
                if !out.contains(&problem) {
                    out.push(problem);
                }
            }
        }
        out
    }
}

/// Whether two values stand in the same mapping, as far as a reader is concerned.
fn close(one: Span, other: Span) -> bool {
    one.start.abs_diff(other.start) < 200
}
