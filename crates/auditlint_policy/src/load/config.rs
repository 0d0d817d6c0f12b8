//! `.auditlint.yaml`: which policies and roots a folder is checked with.

use auditlint_syntax::document::reader::MapReader;
use auditlint_syntax::document::{self, Node};
use auditlint_syntax::{Source, Span};

use crate::catalogue::{LocatedProblem, locate};

/// A config file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Paths of policies (relative to the config file) and `auditlint:NAME`, with their place.
    pub policy: Vec<(String, Span)>,
    /// Globs of folders that are left out.
    pub ignore_paths: Vec<String>,
    /// Whether the file is a policy itself.
    pub is_policy: bool,
}

impl Config {
    /// Reads a config file.
    ///
    /// # Errors
    /// With all its problems. A `logging_policy` in it is read by the policy loader.
    pub fn read(source: &Source) -> Result<Self, Vec<LocatedProblem>> {
        let document = document::parse(source.text());
        let mut problems = document.problems;
        let mut config = Self::default();
        let mut map = MapReader::new(&document.root, &mut problems);
        if let Some(node) = map.take("policy") {
            let items: Vec<&Node> =
                if node.as_str().is_some() { vec![node] } else { node.items().iter().collect() };
            let own = items.iter().filter_map(|item| Some((item.as_str()?.to_owned(), item.span)));
            config.policy = own.collect();
        }
        config.ignore_paths = map.strings("ignore_paths").into_iter().map(str::to_owned).collect();
        for key in ["roots", "stores", "output"] {
            if let Some(node) = map.take(key) {
                let message = format!("`{key}` is not supported yet");
                let problem = auditlint_syntax::Problem {
                    kind: auditlint_syntax::ProblemKind::Unsupported,
                    span: node.span,
                    message,
                };
                map.problems().push(problem);
            }
        }
        config.is_policy = map.take("logging_policy").is_some() | map.take("rules").is_some();
        for key in ["apiVersion", "kind", "metadata"] {
            map.take(key);
        }
        map.finish();
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(locate(source.path().as_str(), source.text(), problems).collect())
        }
    }
}
