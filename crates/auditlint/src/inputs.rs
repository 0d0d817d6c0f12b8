//! From the words of the command line to a host with its roots.

use std::io::{BufRead as _, Read, Seek as _};
use std::sync::Arc;

use anyhow::Context as _;
use auditlint_analysis::{
    AnalysisHost, Baseline, Discovery, DiskFiles, Environments, LeftOut, ObjectsError, PolicySet, RootSpec,
    Settings, discover, is_terraform, terragrunt,
};
use auditlint_graph::kubernetes::looks_like_objects;
use auditlint_graph::plan::PlanError;
use auditlint_graph::terraform::{Caches, RootInputs};
use auditlint_policy::Reading;
use auditlint_syntax::document::reader::nearest;
use auditlint_syntax::{FileId, Files as _, Name};
use camino::{Utf8Path, Utf8PathBuf};
use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::arguments::Selection;
use crate::catalogue;
use crate::failure::Failure;
use crate::policies::{policies, policies_named};

/// Most bytes of Kubernetes objects that are taken from standard input; a file has the limit of every text.
const OBJECTS: u64 = 16 << 20;

/// What is checked.
pub(crate) struct Inputs {
    pub(crate) host: AnalysisHost,
    pub(crate) files: Arc<DiskFiles>,
    /// Where only findings of some files are asked for.
    pub(crate) only: Vec<FileId>,
    /// Plans that are none: the path and what is wrong with them.
    pub(crate) broken: Vec<(String, String)>,
    /// Folders that were found and are not judged.
    pub(crate) left_out: Vec<LeftOut>,
    /// The baseline, where it was asked to be left out of the verdicts.
    pub(crate) baseline: Option<Baseline>,
}

/// What standard input and the plan options add.
#[derive(Default)]
pub(crate) struct Extra<'a> {
    pub(crate) source: Option<&'a Utf8Path>,
    pub(crate) stdin_filename: Option<&'a Utf8Path>,
    pub(crate) settings: Settings,
    /// Whether what the config's policy says of stores outside counts, whichever policy is named.
    pub(crate) with_stores_of_config: bool,
    /// Whether verdicts are as they are without a baseline.
    pub(crate) without_baseline: bool,
    /// The revision before a change, of which exceptions count.
    pub(crate) base_ref: Option<&'a str>,
}

enum Given {
    Folder(Utf8PathBuf),
    File(Utf8PathBuf),
    Plan {
        shown: Utf8PathBuf,
        absolute: Utf8PathBuf,
    },
    /// Kubernetes objects.
    Objects(Utf8PathBuf),
    Stdin,
}

/// Reads the command line's paths and makes a host of them.
pub(crate) fn read(selection: &Selection, extra: Extra<'_>) -> Result<Inputs, Failure> {
    let given =
        selection.scope.paths.iter().map(|path| classify(path)).collect::<Result<Vec<_>, Failure>>()?;
    let source = extra
        .source
        .map(|path| {
            absolute(path).map_err(|failure| failure.hint("name the folder that the plan was made of"))
        })
        .transpose()?;
    let named = extra.stdin_filename.map(absolute_new).transpose()?;
    let mut tops: Vec<Utf8PathBuf> = given.iter().filter_map(Given::absolute).cloned().collect();
    tops.extend(source.iter().chain(&named).cloned());
    if tops.is_empty() {
        tops.push(absolute(Utf8Path::new("."))?);
    }
    let files = Arc::new(DiskFiles::new(DiskFiles::workspace_of(&tops)));
    let inside =
        |path: &Utf8Path| path.strip_prefix(files.root()).map(Utf8Path::to_owned).unwrap_or_default();
    let first = tops.first().map(|path| inside(path)).unwrap_or_default();
    let mut set = policies(selection, &files, &first, extra.base_ref)?;
    let baseline =
        if extra.without_baseline { set.baseline.take().map(|(_, baseline)| baseline) } else { None };
    if extra.with_stores_of_config
        && let Ok(own) = policies_named(&set.catalogue, &[], &files, &first, None)
    {
        let policy = auditlint_policy::Policy::clone(&set.policy);
        let externals = Arc::clone(&own.policy.externals);
        set.policy = Arc::new(auditlint_policy::Policy { externals, ..policy });
    }
    let exclude = globs(selection, &set)?;
    let vars = variables(selection)?;
    let var_files = selection
        .scope
        .var_files
        .iter()
        .map(|path| {
            let path =
                absolute(path).map_err(|failure| failure.hint("name a .tfvars file after --var-file"))?;
            path.strip_prefix(files.root()).map(Utf8Path::to_owned).map_err(|_| {
                Failure::new(format!(
                    "the variable file {path} lies outside of the workspace {}",
                    files.root()
                ))
                .hint("only what lies in the workspace is read; copy it there")
            })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let inputs = |folder: Utf8PathBuf| RootInputs {
        folder,
        var_files: var_files.clone(),
        environment: environment_variables(),
        vars: vars.clone(),
        workspace: selection.scope.workspace.as_deref().map(Name::new),
        ..RootInputs::default()
    };
    let (env, by_word) = picked(selection, &set)?;
    let environments = Arc::clone(&set.environments);
    let mut settings = extra.settings;
    settings.environment = by_word;
    // Where environments stand side by side, a verdict that passes is shown beside one that fails.
    settings.keep_passes |= environments.names().len() > 1;
    let mut host = AnalysisHost::new(Arc::clone(&files) as Arc<_>, set, settings);
    let mut roots = Vec::new();
    let mut left_out = Vec::new();
    let mut only = Vec::new();
    let mut broken = Vec::new();
    let mut beside = Vec::new();
    for one in &given {
        match one {
            Given::Folder(path) => {
                let folder = inside(path);
                let Discovery { roots: found, left_out: others, .. } =
                    roots_of(&folder, host.files(), host.caches(), &exclude, selection.scope.no_recurse);
                left_out.extend(others);
                // A folder of plans alone is told apart by content, as a file would be.
                if found.is_empty() {
                    beside.extend(documents(path, &folder, host.files()));
                }
                roots.extend(found);
            }
            Given::File(path) => {
                let path = inside(path);
                only.push(files.paths().id(&path));
                roots.push(path.parent().map(Utf8Path::to_owned).unwrap_or_default());
            }
            Given::Plan { .. } | Given::Objects(_) | Given::Stdin => {}
        }
    }
    if let (Some(path), true) = (&named, given.iter().any(|one| matches!(one, Given::Stdin))) {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input")?;
        let path = inside(path);
        only.push(files.paths().id(&path));
        host.apply_change(auditlint_analysis::Change::Overlay(path.clone(), text.into()));
        roots.push(path.parent().map(Utf8Path::to_owned).unwrap_or_default());
    }
    let specs = |folder| environments.specs(&inputs(folder), env);
    let source = source.map(|path| inside(&path));
    is_declared(&environments, env, roots.iter().chain(&source))?;
    left_out.extend(roots.iter().filter_map(|folder| environments.left_out(folder, env)));
    left_out.sort();
    left_out.dedup();
    host.apply_change(auditlint_analysis::Change::Roots(roots.into_iter().flat_map(specs).collect()));
    // A plan was made with the values of one environment, and holds them; only one that is named adds its own.
    let source = source.map(|path| match env {
        Some(_) => match specs(path.clone()).pop() {
            Some(RootSpec::Folder { inputs, .. }) => inputs,
            _ => inputs(path),
        },
        None => inputs(path),
    });
    for one in &given {
        let read = match one {
            Given::Plan { shown, absolute } => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "this is the edge: a plan is streamed from its file"
                )]
                let mut file =
                    std::fs::File::open(absolute).with_context(|| format!("{shown} cannot be read"))?;
                file.rewind().ok();
                (shown.as_path(), host.add_plan(shown, source.clone(), &mut file))
            }
            Given::Stdin if named.is_none() => {
                let shown = Utf8Path::new("-");
                let mut input = std::io::stdin().lock();
                let head = String::from_utf8_lossy(input.fill_buf().context("standard input")?).into_owned();
                if looks_like_objects(&head) {
                    let mut text = String::new();
                    let read = input.take(OBJECTS + 1).read_to_string(&mut text).context("standard input")?;
                    if read as u64 > OBJECTS {
                        broken.push((shown.to_string(), format!("is larger than {OBJECTS} bytes")));
                        continue;
                    }
                    host.apply_change(auditlint_analysis::Change::Overlay(shown.to_owned(), text.into()));
                    if let Err(error) = host.add_objects(shown) {
                        broken.push((shown.to_string(), error.to_string()));
                    }
                    continue;
                }
                (shown, host.add_plan(shown, source.clone(), &mut input))
            }
            Given::Objects(absolute) => {
                let path = inside(absolute);
                if let Err(error) = host.add_objects(&path) {
                    broken.push((path.to_string(), error.to_string()));
                }
                continue;
            }
            _ => continue,
        };
        if let (path, Err(error)) = read {
            broken.push((path.to_string(), error.to_string()));
        }
    }
    for path in beside {
        if is_objects(&path) {
            // A text that is no object is some other document of the folder.
            match host.add_objects(&inside(&path)) {
                Ok(_) | Err(ObjectsError::None(_)) => {}
                Err(error) => broken.push((inside(&path).to_string(), error.to_string())),
            }
            continue;
        }
        #[expect(clippy::disallowed_methods, reason = "this is the edge: a plan is streamed from its file")]
        let mut file = std::fs::File::open(&path).with_context(|| format!("{path} cannot be read"))?;
        let shown = inside(&path);
        // What is no plan is some other document of the folder; one that cannot be read is not.
        match host.add_plan(&shown, source.clone(), &mut file) {
            Ok(_) | Err(PlanError::Malformed { .. } | PlanError::Binary) => {}
            Err(error) => broken.push((shown.to_string(), error.to_string())),
        }
    }
    Ok(Inputs { host, files, only, broken, left_out, baseline })
}

/// The policies of these names, else those of the config file that speaks of this folder.
pub(crate) fn policies_here(names: Vec<String>) -> Result<PolicySet, Failure> {
    let here = absolute(Utf8Path::new("."))?;
    let files = DiskFiles::new(DiskFiles::workspace_of(std::slice::from_ref(&here)));
    let inside = here.strip_prefix(files.root()).map(Utf8Path::to_owned).unwrap_or_default();
    policies_named(&catalogue::load(Reading::WithoutExamples)?, &names, &files, &inside, None)
}

/// An environment that roots declare, or one with the reason for it that all of them are.
type Picked<'s> = (Option<&'s str>, Option<(String, String)>);

/// The environment that is named, where a root of the config declares it, else as the word for all roots, where the
/// policy has it.
fn picked<'s>(selection: &'s Selection, set: &PolicySet) -> Result<Picked<'s>, Failure> {
    let Some(name) = selection.scope.env.as_deref() else { return Ok((None, None)) };
    let declared = set.environments.names();
    if declared.contains(&name) {
        return Ok((Some(name), None));
    }
    let of_policy = || set.policy.environments.iter().map(|environment| environment.name.as_str());
    if of_policy().any(|known| known == name) {
        return Ok((None, Some((name.to_owned(), "--env".to_owned()))));
    }
    let names: Vec<&str> = declared.into_iter().chain(of_policy()).collect();
    Err(undeclared(name, &names))
}

/// Whether any of the folders has the environment that is named, where one is and there are folders.
fn is_declared<'f>(
    environments: &Environments,
    env: Option<&str>,
    folders: impl Iterator<Item = &'f Utf8PathBuf>,
) -> Result<(), Failure> {
    let Some(name) = env else { return Ok(()) };
    let mut folders = folders.peekable();
    if folders.peek().is_none() {
        return Ok(());
    }
    let mut names: Vec<&str> = folders.flat_map(|folder| environments.names_of(folder)).collect();
    names.sort_unstable();
    names.dedup();
    if names.contains(&name) { Ok(()) } else { Err(undeclared(name, &names)) }
}

fn undeclared(name: &str, names: &[&str]) -> Failure {
    let failure = Failure::new(format!("no root declares the environment {name}"));
    match (nearest(name, names.iter().copied()), names) {
        (Some(near), _) => failure.hint(format!("did you mean `{near}`?")),
        (None, []) => failure.hint("declare it under `roots` in .auditlint.yaml"),
        (None, names) => failure.hint(format!("the environments are {}", names.join(", "))),
    }
}

/// The files of a folder that may be plans, states or Kubernetes objects.
fn documents(
    absolute: &Utf8Path,
    folder: &Utf8Path,
    files: &dyn auditlint_syntax::Files,
) -> Vec<Utf8PathBuf> {
    let is_document = |name: &str| {
        [".json", ".json.gz", ".tfstate", ".yaml", ".yml"].iter().any(|ending| name.ends_with(ending))
    };
    let entries = files.list(folder).into_iter();
    entries.filter(|entry| is_document(&entry.name)).map(|entry| absolute.join(entry.name)).collect()
}

impl Given {
    fn absolute(&self) -> Option<&Utf8PathBuf> {
        match self {
            Self::Folder(path) | Self::File(path) | Self::Objects(path) => Some(path),
            // A plan may lie anywhere; it says nothing about the workspace.
            Self::Plan { .. } | Self::Stdin => None,
        }
    }
}

/// Whether a file holds Kubernetes objects: no plan is YAML, and a JSON text tells by how it begins.
fn is_objects(absolute: &Utf8Path) -> bool {
    /// What is read of a JSON text: objects name their version first, or after a few lines of metadata.
    const HEAD: u64 = 4096;
    match absolute.extension() {
        Some("yaml" | "yml") => true,
        Some("json") => {
            let mut head = Vec::new();
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the edge: only the head of the file is read"
            )]
            let read = std::fs::File::open(absolute).map(|file| file.take(HEAD).read_to_end(&mut head));
            matches!(read, Ok(Ok(_))) && looks_like_objects(&String::from_utf8_lossy(&head))
        }
        _ => false,
    }
}

/// What a path is: a folder, a file of a configuration, Kubernetes objects, or else a plan.
fn classify(path: &Utf8Path) -> Result<Given, Failure> {
    if path == "-" {
        return Ok(Given::Stdin);
    }
    let absolute = absolute(path)?;
    if absolute.is_dir() {
        return Ok(Given::Folder(absolute));
    }
    let name = absolute.file_name().unwrap_or_default();
    if is_terraform(name) {
        return Ok(Given::File(absolute));
    }
    if name.ends_with(".tfvars") || name.ends_with(".tfvars.json") {
        return Err(Failure::new(format!("{path} holds values of variables and no configuration"))
            .hint(format!("check its folder, with --var-file {path}")));
    }
    if is_objects(&absolute) {
        return Ok(Given::Objects(absolute));
    }
    Ok(Given::Plan { shown: Utf8PathBuf::from(path.as_str().replace('\\', "/")), absolute })
}

pub(crate) fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    path.canonicalize_utf8()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failure::new(format!("{path}: no such file or folder")),
            kind => Failure::new(format!("{path}: {kind}")),
        })
        .map_err(|failure| {
            failure.hint("name a folder with .tf files, or a plan made by `terraform show -json`")
        })
}

/// The absolute path of a file that need not exist yet, in a folder that does.
fn absolute_new(path: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    let folder =
        path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or_else(|| Utf8Path::new("."));
    let name = path.file_name().ok_or_else(|| Failure::new(format!("{path} names no file")))?;
    Ok(absolute(folder)?.join(name))
}

fn roots_of(
    folder: &Utf8Path,
    files: &dyn auditlint_syntax::Files,
    caches: &Caches,
    exclude: &GlobSet,
    no_recurse: bool,
) -> Discovery {
    if no_recurse {
        let is_module = files.list(folder).iter().any(|entry| is_terraform(&entry.name));
        let roots: Vec<Utf8PathBuf> = is_module.then(|| folder.to_owned()).into_iter().collect();
        let left_out = terragrunt(folder, files, caches).into_iter().collect();
        return Discovery { folders: roots.clone(), roots, left_out };
    }
    discover(folder, files, caches, exclude)
}

fn globs(selection: &Selection, set: &PolicySet) -> Result<GlobSet, Failure> {
    let mut builder = GlobSetBuilder::new();
    let own = set.config.iter().flat_map(|(_, config)| &config.ignore_paths);
    for pattern in selection.scope.exclude.iter().chain(own) {
        let glob = Glob::new(pattern.trim_end_matches('/')).map_err(|error| {
            Failure::new(format!("the glob {pattern}: {}", error.kind()))
                .hint("write it as in .gitignore: `*`, `?`, `[ab]`, `{a,b}`, `**/`")
        })?;
        builder.add(glob);
    }
    builder.build().map_err(Failure::new)
}

/// `TF_VAR_NAME`, as terraform reads them, sorted.
fn environment_variables() -> Vec<(Name, String)> {
    let mut variables: Vec<(Name, String)> = std::env::vars_os()
        .filter_map(|(name, value)| {
            let name = name.to_str()?.strip_prefix("TF_VAR_")?;
            Some((Name::new(name), value.to_str()?.to_owned()))
        })
        .collect();
    variables.sort();
    variables
}

fn variables(selection: &Selection) -> Result<Vec<(Name, String)>, Failure> {
    selection
        .scope
        .vars
        .iter()
        .map(|text| match text.split_once('=') {
            Some((name, value)) => Ok((Name::new(name), value.to_owned())),
            None => Err(Failure::new(format!("--var {text} has no value")).hint("write --var NAME=VALUE")),
        })
        .collect()
}
