//! Requests about a policy file, in the protocol's types.

use std::sync::Arc;

use auditlint_analysis::testing::{TestBed, TestReport, is_test, run_tests};
use auditlint_analysis::{Cancelled, today};
use auditlint_syntax::Source;
use camino::Utf8Path;
use tower_lsp::ls_types as proto;

use crate::scene::Scene;
use crate::session::Document;
use crate::{convert, library, policy};

/// The command behind the lens above a policy and its tests.
pub(crate) const RUN_TESTS: &str = "auditlint.runTests";

impl Scene {
    /// The text that the client holds, where it is a policy or its tests: a policy in force may be an older one.
    pub(crate) fn policy(&self) -> Option<Source> {
        let Document { path, text, file, .. } = &self.document;
        if !policy::is_yaml(path) {
            return None;
        }
        let source = Source::new(*file, path.clone(), Arc::from(text.as_bytes()));
        (policy::is_policy(path, text) || is_test(&source)).then_some(source)
    }

    pub(crate) fn completion(&self, position: proto::Position) -> Option<proto::CompletionResponse> {
        let source = self.policy()?;
        let menu = policy::menu(&self.analysis, &self.schema, source.text(), self.offset(&source, position))?;
        let range = convert::range(&source, menu.word, self.encoding);
        let item = |(n, offer): (usize, policy::Offer)| proto::CompletionItem {
            label: offer.label,
            kind: Some(if offer.is_key {
                proto::CompletionItemKind::PROPERTY
            } else {
                proto::CompletionItemKind::VALUE
            }),
            documentation: (!offer.doc.is_empty()).then_some(proto::Documentation::String(offer.doc)),
            // In the order of the menu: durations from the shortest on, levels from the weakest.
            sort_text: Some(format!("{n:04}")),
            text_edit: Some(proto::CompletionTextEdit::Edit(proto::TextEdit { range, new_text: offer.text })),
            ..proto::CompletionItem::default()
        };
        Some(proto::CompletionResponse::Array(menu.offers.into_iter().enumerate().map(item).collect()))
    }

    pub(crate) fn definition(&self, position: proto::Position) -> Option<proto::GotoDefinitionResponse> {
        let source = self.policy()?;
        let here = |path: &Utf8Path| self.root.join(path).into_std_path_buf();
        let (path, range) = match policy::definition(&self.analysis, &source, self.offset(&source, position))?
        {
            policy::Definition::File(path) => (here(&path), proto::Range::default()),
            policy::Definition::Place(at) => {
                let source = self.analysis.source(at.file)?;
                (here(source.path()), convert::range(&source, at.span, self.encoding))
            }
            policy::Definition::BuiltIn(name) => {
                (library::file(&name, self.library.as_deref()?)?, proto::Range::default())
            }
        };
        let uri = proto::Uri::from_file_path(path)?;
        Some(proto::GotoDefinitionResponse::Scalar(proto::Location { uri, range }))
    }

    pub(crate) fn lenses(&self) -> Result<Option<Vec<proto::CodeLens>>, Cancelled> {
        let Some(source) = self.policy() else { return Ok(None) };
        let lens = |lens: policy::Lens| proto::CodeLens {
            range: convert::range(&source, lens.at, self.encoding),
            command: Some(proto::Command {
                title: lens.title,
                command: if lens.runs_tests { RUN_TESTS.to_owned() } else { String::new() },
                arguments: lens.runs_tests.then(|| vec![self.document.uri.as_str().into()]),
            }),
            data: None,
        };
        Ok(Some(policy::lenses(&self.analysis, &source)?.into_iter().map(lens).collect()))
    }

    /// What the tests of a policy say, in a line or two.
    pub(crate) fn tests(&self) -> Option<(bool, String)> {
        let source = self.policy()?;
        let bed = TestBed {
            catalogue: &self.analysis.policy_set().catalogue,
            files: self.analysis.files(),
            today: today(),
            mutants: 0,
            seed: 0,
        };
        let reports: Vec<TestReport> =
            policy::tests_of(&self.analysis, &source).iter().map(|test| run_tests(test, &bed)).collect();
        let problems = reports.iter().flat_map(|report| &report.problems).map(ToString::to_string);
        let scenarios = || reports.iter().flat_map(|report| &report.scenarios);
        let failing: Vec<_> = scenarios().filter(|scenario| !scenario.failures.is_empty()).collect();
        let failures = failing.iter().map(|scenario| {
            format!("{}: {}", scenario.name, scenario.failures.first().map_or("", String::as_str))
        });
        let first = problems.chain(failures).next();
        let passed = scenarios().count() - failing.len();
        let counted = format!("{passed} passed, {} failed", failing.len());
        Some((first.is_none(), first.map_or_else(|| counted.clone(), |first| format!("{counted}: {first}"))))
    }
}
