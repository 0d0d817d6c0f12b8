//! Where a policy asks for more or less: its environments, and which roots they mean.

use std::sync::Arc;

use auditlint_graph::terraform::RootIdentity;
use auditlint_syntax::Location;

use crate::external::Pattern;
use crate::{Policy, Verdict};

/// An environment of a policy, with everything that it asks there.
#[derive(Clone, Debug)]
pub struct PolicyEnvironment {
    /// Its name.
    pub name: String,
    /// Which roots it means; none where it means only those that carry its name.
    pub matches: Option<EnvironmentPattern>,
    /// What is asked of them.
    pub policy: Arc<Policy>,
    /// The line that declares it.
    pub at: Location,
    /// The environment that it must be at least as strict as.
    pub at_least: Option<String>,
}

/// How a root looks: of each key that is given one pattern must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvironmentPattern {
    /// The account, project or subscription that it is applied in.
    pub accounts: Vec<Pattern>,
    /// Its folder.
    pub paths: Vec<Pattern>,
    /// The value of `terraform.workspace`.
    pub workspaces: Vec<Pattern>,
    /// The tags that its providers give to everything, by name.
    pub tags: Vec<(String, Vec<Pattern>)>,
    /// Variables of the root module, by name.
    pub variables: Vec<(String, Vec<Pattern>)>,
}

/// What is known of a root for the choice of its environment.
pub struct RootLook<'a> {
    /// Its folder, `.` at the top.
    pub folder: &'a str,
    /// The value of `terraform.workspace`, where it is said.
    pub workspace: Option<&'a str>,
    /// Where it is applied, and its tags.
    pub identity: &'a RootIdentity,
    /// The text of a variable of its root module; none where it is not known.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

impl EnvironmentPattern {
    /// Whether a root is meant, with the words that say why.
    #[must_use]
    pub fn matches(&self, root: &RootLook<'_>) -> (Verdict, String) {
        let mut verdicts = Vec::new();
        let mut why = Vec::new();
        let mut add = |key: String, patterns: &[Pattern], values: &[&str], others: bool| {
            if patterns.is_empty() {
                return;
            }
            let found = values.iter().find(|value| patterns.iter().any(|pattern| pattern.matches(value)));
            match found {
                Some(value) => why.push(format!("{key} {value}")),
                None if others => why.push(format!("{key} is not known")),
                None => {}
            }
            verdicts.push(match (found, others) {
                (Some(_), _) => Verdict::Pass,
                (None, true) => Verdict::Unknown,
                (None, false) => Verdict::Fail,
            });
        };
        let identity = root.identity;
        let accounts: Vec<&str> = identity.accounts.iter().map(|account| account.as_str()).collect();
        add("account".to_owned(), &self.accounts, &accounts, identity.other_accounts);
        add("path".to_owned(), &self.paths, &[root.folder], false);
        let workspaces: Vec<&str> = root.workspace.into_iter().collect();
        add("workspace".to_owned(), &self.workspaces, &workspaces, workspaces.is_empty());
        for (name, patterns) in &self.tags {
            let values: Vec<&str> = identity
                .tags
                .iter()
                .filter(|(tag, _)| tag == name)
                .map(|(_, value)| value.as_str())
                .collect();
            add(format!("tag {name}"), patterns, &values, identity.other_tags && values.is_empty());
        }
        for (name, patterns) in &self.variables {
            let value = (root.variable)(name);
            add(
                format!("var.{name}"),
                patterns,
                &value.as_deref().into_iter().collect::<Vec<_>>(),
                value.is_none(),
            );
        }
        let verdict = if verdicts.is_empty() { Verdict::Fail } else { Verdict::all(verdicts) };
        (verdict, why.join(", "))
    }
}
