//! From folders to roots: each with the environments that the config gives it.

use auditlint_graph::terraform::{RootInputs, join_source};
use auditlint_policy::{Config, Environment};
use auditlint_syntax::{Name, Span};
use camino::Utf8Path;
use globset::{GlobBuilder, GlobMatcher};

use crate::{LeftOut, LeftOutKind, RootSpec};

/// Why a root has the environment that it has.
const WHY: &str = "roots of the config";

/// The environments that a config declares, ready to be asked for a folder.
#[derive(Clone, Debug, Default)]
pub struct Environments {
    roots: Vec<(GlobMatcher, Vec<Environment>)>,
}

impl Environments {
    /// Those of `config`, which lies at `path`.
    ///
    /// # Errors
    /// Where a glob is none, and why.
    pub fn new(path: &Utf8Path, config: &Config) -> Result<Self, (Span, String)> {
        let base = globset::escape(path.parent().map(Utf8Path::as_str).unwrap_or_default());
        let mut roots = Vec::new();
        for root in &config.roots {
            let pattern = root.path.trim_start_matches("./").trim_end_matches('/');
            let pattern = match pattern {
                "." | "" => base.clone(),
                _ if base.is_empty() => pattern.to_owned(),
                _ => format!("{base}/{pattern}"),
            };
            let glob = GlobBuilder::new(&pattern)
                .literal_separator(true)
                .build()
                .map_err(|error| (root.span, format!("the glob {}: {}", root.path, error.kind())))?;
            roots.push((glob.compile_matcher(), root.environments.clone()));
        }
        Ok(Self { roots })
    }

    /// The names of all environments, each once.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for environment in self.roots.iter().flat_map(|(_, environments)| environments) {
            if !names.contains(&&*environment.name) {
                names.push(&environment.name);
            }
        }
        names
    }

    fn of(&self, folder: &Utf8Path) -> &[Environment] {
        let found = self.roots.iter().find(|(glob, _)| glob.is_match(folder));
        found.map(|(_, environments)| environments.as_slice()).unwrap_or_default()
    }

    /// The names of the environments of a folder.
    pub fn names_of<'a>(&'a self, folder: &Utf8Path) -> impl Iterator<Item = &'a str> {
        self.of(folder).iter().map(|environment| &*environment.name)
    }

    /// That a folder is left out, as it declares environments and not the one that is `picked`.
    #[must_use]
    pub fn left_out(&self, folder: &Utf8Path, picked: Option<&str>) -> Option<LeftOut> {
        let picked = picked?;
        let names: Vec<&str> = self.names_of(folder).collect();
        let is_left_out = !names.is_empty() && !names.contains(&picked);
        is_left_out.then(|| LeftOut {
            folder: folder.to_owned(),
            kind: LeftOutKind::Environment,
            reason: format!("it has the environments {}, and not {picked}", names.join(", ")),
            hint: format!("check it without `--env {picked}`"),
        })
    }

    /// The roots of the folder of `inputs`: one for each of its environments, or for the one that is `picked`;
    /// one with the values of `inputs` alone where it has none. What `inputs` holds wins over the environment.
    #[must_use]
    pub fn specs(&self, inputs: &RootInputs, picked: Option<&str>) -> Vec<RootSpec> {
        let environments = self.of(&inputs.folder);
        if environments.is_empty() {
            return vec![RootSpec::Folder { inputs: inputs.clone(), environment: None }];
        }
        environments
            .iter()
            .filter(|environment| picked.is_none_or(|name| name == environment.name))
            .map(|environment| RootSpec::Folder {
                inputs: with(environment, inputs),
                environment: Some((environment.name.clone(), WHY.to_owned())),
            })
            .collect()
    }
}

fn with(environment: &Environment, inputs: &RootInputs) -> RootInputs {
    // One that leads outside of the workspace cannot be read, and is said to be so.
    let file = |path: &String| join_source(&inputs.folder, path).unwrap_or_else(|| inputs.folder.join(path));
    let files = environment.var_files.iter().map(file);
    let vars = environment.vars.iter().map(|(name, value)| (Name::new(name), value.clone()));
    RootInputs {
        folder: inputs.folder.clone(),
        var_files: files.chain(inputs.var_files.iter().cloned()).collect(),
        environment: inputs.environment.clone(),
        planned: inputs.planned.clone(),
        vars: vars.chain(inputs.vars.iter().cloned()).collect(),
        workspace: inputs.workspace.clone().or_else(|| environment.workspace.as_deref().map(Name::new)),
        account: inputs.account.clone().or_else(|| environment.account.as_deref().map(Name::new)),
    }
}

#[cfg(test)]
mod tests {
    use auditlint_policy::ConfiguredRoot;
    use camino::Utf8PathBuf;

    use super::*;

    fn config() -> (Utf8PathBuf, Config) {
        let environment = |name: &str, file: &str| Environment {
            name: name.to_owned(),
            var_files: vec![file.to_owned()],
            workspace: Some(name.to_owned()),
            ..Environment::default()
        };
        let roots = vec![ConfiguredRoot {
            path: "stacks/*".to_owned(),
            span: Span::new(0, 0),
            environments: vec![
                environment("test", "test.tfvars"),
                environment("production", "../../p.tfvars"),
            ],
        }];
        ("infra/.auditlint.yaml".into(), Config { roots, ..Config::default() })
    }

    fn specs(folder: &str, picked: Option<&str>) -> Vec<(Option<String>, Vec<Utf8PathBuf>)> {
        let (path, config) = config();
        let environments = Environments::new(&path, &config).unwrap();
        let inputs = RootInputs { folder: folder.into(), ..RootInputs::default() };
        let specs = environments.specs(&inputs, picked).into_iter();
        specs
            .filter_map(|spec| match spec {
                RootSpec::Folder { inputs, environment } => {
                    Some((environment.map(|(name, _)| name), inputs.var_files))
                }
                RootSpec::Plan { .. } => None,
            })
            .collect()
    }

    #[test]
    fn a_folder_has_the_environments_of_the_first_glob_that_fits() {
        let test = (Some("test".to_owned()), vec!["infra/stacks/a/test.tfvars".into()]);
        let production = (Some("production".to_owned()), vec!["infra/p.tfvars".into()]);
        assert_eq!(specs("infra/stacks/a", None), [test, production.clone()]);
        assert_eq!(specs("infra/stacks/a", Some("production")), [production]);
        assert_eq!(specs("infra/stacks/a/b", None), [(None, vec![])]);
        assert_eq!(specs("stacks/a", Some("production")), [(None, vec![])]);
    }

    #[test]
    fn what_the_command_line_says_wins() {
        let (path, config) = config();
        let environments = Environments::new(&path, &config).unwrap();
        let inputs = RootInputs {
            folder: "infra/stacks/a".into(),
            var_files: vec!["last.tfvars".into()],
            workspace: Some("mine".into()),
            ..RootInputs::default()
        };
        let spec = environments.specs(&inputs, Some("test")).remove(0);
        let RootSpec::Folder { inputs, .. } = spec else { panic!() };
        assert_eq!(inputs.var_files.last().map(|path| path.as_str()), Some("last.tfvars"));
        assert_eq!(inputs.workspace.as_deref(), Some("mine"));
    }
}
