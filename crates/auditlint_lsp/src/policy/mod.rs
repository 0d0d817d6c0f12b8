//! Policy files in the editor: what may be written where, what it means, and where what is named stands.

mod cursor;
mod requests;
mod schema;

use std::sync::Arc;

use auditlint_analysis::bundle::{self, Reference};
use auditlint_analysis::testing::{self, is_test};
use auditlint_analysis::{Analysis, Cancelled, NamedPolicy, load_policies, relative};
use auditlint_graph::{Address, Target};
use auditlint_policy::control::{Control, Standard};
use auditlint_policy::{Catalogue, Category, Extended, LocatedProblem, Verdict};
use auditlint_syntax::document::{self, Node, NodeKind};
use auditlint_syntax::{FileId, Location, Source, Span};
use camino::{Utf8Path, Utf8PathBuf};

use cursor::{Cursor, Step};
pub(crate) use requests::RUN_TESTS;
pub(crate) use schema::PolicySchema;
use schema::Schemas;

/// Most offers of a menu that are rules: an editor narrows them by what is written.
const MOST_RULES: usize = 500;

/// What may be written at a place.
pub(crate) struct Offer {
    pub(crate) label: String,
    /// What is written.
    pub(crate) text: String,
    pub(crate) doc: String,
    pub(crate) is_key: bool,
}

/// The offers at a place, and the bytes of the word that they take the place of.
pub(crate) struct Menu {
    pub(crate) word: Span,
    pub(crate) offers: Vec<Offer>,
}

/// A line above a part of a policy.
pub(crate) struct Lens {
    pub(crate) at: Span,
    pub(crate) title: String,
    /// Whether a click runs the tests.
    pub(crate) runs_tests: bool,
}

/// Whether a text is a policy or a config file, whether it is in force or not.
pub(crate) fn is_policy(path: &Utf8Path, text: &str) -> bool {
    let begins =
        |key: &str| text.lines().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')));
    let is_named = path.file_name() == Some(auditlint_analysis::CONFIG_NAME);
    is_yaml(path) && (is_named || begins("logging_policy") || text.contains("kind: LoggingPolicy"))
}

/// Whether a file may be a policy or its tests: Terraform's files are asked nothing more.
pub(crate) fn is_yaml(path: &Utf8Path) -> bool {
    matches!(path.extension(), Some("yaml" | "yml"))
}

/// What is wrong in a policy that is not in force, or in a file of tests.
pub(crate) fn problems(analysis: &Analysis, source: Source) -> Vec<LocatedProblem> {
    let path = source.path().to_string();
    let all = if is_test(&source) {
        testing::problems(&source)
    } else if is_policy(source.path(), source.text()) && !analysis.is_of_policy(source.file()) {
        let folder = source.path().parent().unwrap_or_else(|| Utf8Path::new("")).to_owned();
        let named = [NamedPolicy::Text(Arc::new(source))];
        let loaded = load_policies(&analysis.policy_set().catalogue, analysis.files(), &folder, &named);
        loaded.err().map(|error| error.problems().to_vec()).unwrap_or_default()
    } else {
        Vec::new()
    };
    all.into_iter().filter(|problem| problem.path == path).collect()
}

/// What may be written at `offset`.
pub(crate) fn menu(analysis: &Analysis, schema: &PolicySchema, text: &str, offset: u32) -> Option<Menu> {
    let catalogue = &analysis.policy_set().catalogue;
    let cursor = Cursor::at(text, offset as usize)?;
    let schemas = Schemas::at(schema.get(catalogue), &cursor.path);
    let mut offers: Vec<Offer> = Vec::new();
    let value = |label: String, doc: String| Offer { text: label.clone(), label, doc, is_key: false };
    if !cursor.is_value {
        for key in
            schemas.keys().into_iter().filter(|key| !cursor.siblings.iter().any(|known| known == key.name))
        {
            let text = format!("{}:{}", key.name, if key.is_mapping { "" } else { " " });
            offers.push(Offer { label: key.name.to_owned(), text, doc: key.doc.to_owned(), is_key: true });
        }
    }
    let is_element = cursor.path.last() == Some(&Step::Item);
    if cursor.is_value || is_element {
        for word in schemas.words().into_iter().take(MOST_RULES) {
            let doc = catalogue.rule(&word).map(|rule| rule.title.clone()).unwrap_or_default();
            offers.push(value(word, doc));
        }
        match last_key(&cursor.path) {
            Some("controls") => {
                let all = catalogue.standards().iter();
                let each = |standard: &'_ Standard| {
                    let id = standard.id.clone();
                    standard
                        .controls
                        .iter()
                        .map(move |control| (format!("{id}:{}", control.id), control.title.clone()))
                        .collect::<Vec<_>>()
                };
                offers.extend(all.flat_map(each).map(|(id, title)| value(id, title)));
            }
            Some("extends" | "ref" | "policy") => {
                let names = catalogue.built_in_names().map(|name| format!("auditlint:{name}"));
                offers.extend(names.map(|name| value(name, String::new())));
            }
            Some("rule") => {
                let ids = catalogue.rules().iter().take(MOST_RULES);
                offers.extend(ids.map(|rule| value(rule.id.to_string(), rule.title.clone())));
            }
            _ => {}
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    offers.retain(|offer| seen.insert(offer.label.clone()));
    let position = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Some(Menu { word: Span::new(position(cursor.word.start), position(cursor.word.end)), offers })
}

fn last_key(path: &[Step]) -> Option<&str> {
    path.iter().rev().find_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Item => None,
    })
}

/// What stands at a place of a document that can be parsed: the steps to it, its bytes, and whether it is a key.
struct Found {
    path: Vec<Step>,
    span: Span,
    is_key: bool,
}

fn find(node: &Node, offset: u32, path: &mut Vec<Step>) -> Option<Found> {
    let holds = |span: Span| span.start <= offset && offset <= span.end;
    match &node.kind {
        NodeKind::Map(entries) => entries.iter().find_map(|entry| {
            path.push(Step::Key(entry.key.clone()));
            let found = if holds(entry.key_span) {
                Some(Found { path: path.clone(), span: entry.key_span, is_key: true })
            } else {
                find(&entry.value, offset, path)
            };
            path.pop();
            found
        }),
        NodeKind::List(items) => items.iter().find_map(|item| {
            path.push(Step::Item);
            let found = find(item, offset, path);
            path.pop();
            found
        }),
        _ => holds(node.span).then(|| Found { path: path.clone(), span: node.span, is_key: false }),
    }
}

/// What the place at `offset` means, as Markdown, with its bytes.
pub(crate) fn hover(
    analysis: &Analysis,
    schema: &PolicySchema,
    source: &Source,
    offset: u32,
) -> Result<Option<(Span, String)>, Cancelled> {
    let document = document::parse(source.text());
    let Some(found) = find(&document.root, offset, &mut Vec::new()) else { return Ok(None) };
    let catalogue = &analysis.policy_set().catalogue;
    let word = source.text().get(found.span.start as usize..found.span.end as usize).unwrap_or_default();
    let word = word.trim_matches(['"', '\'']);
    let mut parts: Vec<String> = Vec::new();
    if let Some((standard, control)) = control(catalogue, word).filter(|_| !found.is_key) {
        parts.push(format!("**{}:{}** · {}", standard.id, control.id, control.title));
        let basis = control.basis.as_str();
        parts
            .push(format!("{} {} · basis: {basis} · <{}>", standard.title, control.version, standard.source));
    }
    if let Some(rule) = catalogue.rule(word) {
        parts.push(format!("**{}** · {} · `{}`", rule.title, rule.severity.as_str(), rule.id));
        parts.push(rule.why.clone());
        parts.push(format!("<{}>", auditlint_policy::rule::docs(&rule.id)));
    }
    let is_category = found.is_key
        && found.path.first() == Some(&Step::Key("logging_policy".to_owned()))
        && found.path.len() == 2;
    if let Some(category) = Category::parse(word).filter(|_| is_category) {
        parts.push(format!("**{}**", category.as_str()));
        parts.push(bound(analysis, source.file(), category)?);
    }
    if parts.is_empty() {
        let doc = Schemas::at(schema.get(catalogue), &found.path).doc();
        if !doc.is_empty() {
            parts.push(doc.to_owned());
        }
    }
    Ok((!parts.is_empty()).then(|| (found.span, parts.join("\n\n"))))
}

fn control<'c>(catalogue: &'c Catalogue, word: &str) -> Option<(&'c Standard, &'c Control)> {
    let (standard, id) = word.split_once(':')?;
    let standard = catalogue.standards().iter().find(|known| known.id == standard)?;
    Some((standard, standard.controls.iter().find(|known| known.id == id)?))
}

/// What of the workspace a category of the policy in force speaks of.
fn bound(analysis: &Analysis, file: FileId, category: Category) -> Result<String, Cancelled> {
    if !analysis.is_of_policy(file) {
        return Ok("the policy is not in force in this workspace".to_owned());
    }
    let resources = analysis.bound(category)?;
    let report = analysis.check(&analysis.roots())?;
    let findings = report.findings().filter(|(_, finding)| finding.categories.contains(&category));
    let failing = findings.filter(|(_, finding)| finding.verdict == Verdict::Fail).count();
    Ok(format!("{} bound · {}", counted(resources, "resource"), counted(failing, "finding")))
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Where what is named at `offset` stands: a policy that is extended, a resource that is exempt.
pub(crate) fn definition(analysis: &Analysis, source: &Source, offset: u32) -> Option<Definition> {
    let document = document::parse(source.text());
    let found = find(&document.root, offset, &mut Vec::new())?;
    let word =
        source.text().get(found.span.start as usize..found.span.end as usize)?.trim_matches(['"', '\'']);
    // The id of a rule means the same wherever it stands, as a key of `enforcement` too.
    if analysis.policy_set().catalogue.rule(word).is_some() {
        return Some(
            analysis.rule_file(word).map_or_else(|| Definition::BuiltIn(word.to_owned()), Definition::File),
        );
    }
    if found.is_key {
        return None;
    }
    if word.starts_with("auditlint:") {
        return Some(Definition::BuiltIn(word.to_owned()));
    }
    let base = source.path().parent().unwrap_or_else(|| Utf8Path::new(""));
    match last_key(&found.path)? {
        "extends" | "ref" | "policy" | "path" | "from" => {
            let path = if Reference::is_meant(word) {
                let name = Extended { name: word.to_owned(), digest: None, span: found.span };
                bundle::read(&name, base, analysis.files()).ok()?.path().to_owned()
            } else {
                relative(base, word)?
            };
            let path = bundle::policy_at(path, analysis.files());
            analysis.files().read(&path).ok().map(|_| Definition::File(path))
        }
        "targets" => {
            let address = Address::parse(word).ok()?;
            analysis.resource(&Target::at(&address)).map(Definition::Place)
        }
        _ => None,
    }
}

/// Where a definition leads.
pub(crate) enum Definition {
    /// To a file of the workspace.
    File(Utf8PathBuf),
    /// Into one.
    Place(Location),
    /// To the built-in rule or policy of that name.
    BuiltIn(String),
}

/// The lines above the parts of a policy or of its tests.
pub(crate) fn lenses(analysis: &Analysis, source: &Source) -> Result<Vec<Lens>, Cancelled> {
    let document = document::parse(source.text());
    let entry = |name: &str| document.root.entries().iter().find(|entry| entry.key == name);
    if is_test(source) {
        let at = entry("kind").map(|entry| entry.key_span).unwrap_or_default();
        return Ok(vec![Lens { at, title: "run tests".to_owned(), runs_tests: true }]);
    }
    let mut out = Vec::new();
    let Some(policy) = entry("logging_policy").or_else(|| entry("rules")).or_else(|| entry("extends")) else {
        return Ok(out);
    };
    if analysis.is_of_policy(source.file()) {
        let report = analysis.check(&analysis.roots())?;
        let of = |verdict| report.findings().filter(move |(_, finding)| finding.verdict == verdict);
        let title = format!(
            "{} · {} undecided · {} exempt",
            counted(of(Verdict::Fail).count(), "finding"),
            of(Verdict::Unknown).count(),
            of(Verdict::Exempt).count()
        );
        out.push(Lens { at: policy.key_span, title, runs_tests: false });
    }
    if !tests_of(analysis, source).is_empty() {
        out.push(Lens { at: policy.key_span, title: "run tests".to_owned(), runs_tests: true });
    }
    Ok(out)
}

/// The files of tests beside a policy, or in a folder `tests` there, that name it; a file of tests itself.
pub(crate) fn tests_of(analysis: &Analysis, source: &Source) -> Vec<Arc<Source>> {
    let files = analysis.files();
    if is_test(source) {
        return files.read(source.path()).into_iter().collect();
    }
    let folder = source.path().parent().unwrap_or_else(|| Utf8Path::new(""));
    let name = source.path().file_name().unwrap_or_default();
    let mut out = Vec::new();
    for folder in [folder.to_owned(), folder.join("tests")] {
        for entry in files.list(&folder).iter().filter(|entry| entry.name.ends_with(".yaml")) {
            if let Ok(test) = files.read(&folder.join(&entry.name))
                && is_test(&test)
                && test.text().contains(name)
            {
                out.push(test);
            }
        }
    }
    out
}
