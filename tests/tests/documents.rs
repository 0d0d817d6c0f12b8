//! What the pages say is so: links lead somewhere, commands give what is shown, policies load, tables are what the
//! catalogue comes to. `AUDITLINT_OVERWRITE=1 cargo test -p auditlint_tests --test documents` writes the generated
//! parts anew; read the difference like code.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use auditlint_analysis::{NamedPolicy, load_policies};
use auditlint_graph::{CauseKind, GapKind};
use auditlint_policy::rule::{Intent, RuleKind};
use auditlint_policy::{Catalogue, Category, Config, Policy, Rule, Verdict};
use auditlint_syntax::document::{self, Node};
use auditlint_syntax::{Files as _, MemoryFiles, Source};
use auditlint_tests::binary::{Run, run_with};
use auditlint_tests::count::{counts, provider, table};
use auditlint_tests::markdown::{Page, generated, pages};
use auditlint_tests::{catalogue, catalogue_of, diff, host, policy_texts, repository};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

/// The pages of this file: those at the top and those in `docs`.
fn front() -> anyhow::Result<Vec<Page>> {
    let folder = |page: &Page| page.path.parent().map(Utf8Path::as_str).unwrap_or_default().to_owned();
    Ok(pages()?.into_iter().filter(|page| matches!(folder(page).as_str(), "" | "docs")).collect())
}

#[test]
fn links_lead_somewhere() -> anyhow::Result<()> {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for page in pages()? {
        for (line, target) in page.links() {
            if target.contains("://") {
                continue;
            }
            seen += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = page.path.parent().unwrap_or_else(|| Utf8Path::new(""));
            let inside = if path.is_empty() { page.path.clone() } else { folder.join(path) };
            let full = repository().join(&inside);
            let leads = match (full.exists(), anchor) {
                (false, _) => false,
                (true, "") => true,
                (true, anchor) => Page::read(&inside)?.anchors().iter().any(|known| known == anchor),
            };
            if !leads {
                wrong.push(format!("{}:{line}: {target}", page.path));
            }
        }
    }
    ensure!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
    ensure!(seen > 50, "only {seen} links");
    Ok(())
}

/// A code span that begins with a folder of the repository is the path of something that is there.
#[test]
fn files_that_the_pages_for_contributors_name_exist() -> anyhow::Result<()> {
    const FOLDERS: [&str; 7] = ["crates/", "docs/", "editors/", "fixtures/", "policies/", "tests/", "xtask/"];
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for page in ["ARCHITECTURE.md", "STYLE.md", "CONTRIBUTING.md"] {
        let page = Page::read(page.into())?;
        for (line, span) in page.code_spans() {
            let is_pattern = span.contains(['<', '*', '…', ' ']);
            if is_pattern || !FOLDERS.iter().any(|folder| span.starts_with(folder)) {
                continue;
            }
            seen += 1;
            if !repository().join(span).exists() {
                wrong.push(format!("{}:{line}: {span}", page.path));
            }
        }
    }
    ensure!(wrong.is_empty(), "paths of nothing:\n{}", wrong.join("\n"));
    ensure!(seen > 30, "only {seen} paths");
    Ok(())
}

#[test]
fn prose_has_one_sentence_on_a_line() -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    for page in front()? {
        for (line, text) in page.prose().filter(|(_, text)| !text.starts_with('|')) {
            let ends = |mark: &str| {
                let mut parts = text.split(mark).skip(1);
                parts.any(|part| part.starts_with(|first: char| first.is_uppercase()))
            };
            // An item of a list may begin with a number and a full stop.
            if ends(". ") && !text.trim_start().starts_with(|first: char| first.is_ascii_digit())
                || ends("? ")
                || ends("! ")
            {
                wrong.push(format!("{}:{line}: {text}", page.path));
            }
        }
    }
    ensure!(wrong.is_empty(), "two sentences on a line:\n{}", wrong.join("\n"));
    Ok(())
}

/// One command of a `console` block with what it is said to print.
struct Shown {
    line: usize,
    command: String,
    output: String,
}

/// The commands of a page's `console` blocks.
fn shown(page: &Page) -> anyhow::Result<Vec<Shown>> {
    let mut all: Vec<Shown> = Vec::new();
    for block in page.blocks()?.into_iter().filter(|block| block.info == "console") {
        let first = all.len();
        for (at, line) in block.text.lines().enumerate() {
            if let Some(command) = line.strip_prefix("$ ") {
                let command = command.to_owned();
                all.push(Shown { line: block.line + at + 1, command, output: String::new() });
            } else if all.len() > first
                && let Some(last) = all.last_mut()
            {
                last.output.push_str(line);
                last.output.push('\n');
            } else {
                bail!("{}:{}: output without a command", page.path, block.line + at + 1);
            }
        }
    }
    Ok(all)
}

/// Runs a command as it is written, at the top of the repository: `auditlint WORDS`, `cargo run --release -- WORDS`,
/// either with `< FILE` at its end.
fn perform(command: &str) -> anyhow::Result<Run> {
    let (command, input) = match command.split_once(" < ") {
        Some((command, path)) => {
            #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
            let input = std::fs::read(repository().join(path)).with_context(|| path.to_owned())?;
            (command, input)
        }
        None => (command, Vec::new()),
    };
    let words = command
        .strip_prefix("auditlint ")
        .or_else(|| command.strip_prefix("cargo run --release -- "))
        .with_context(|| format!("`{command}` is not run here"))?;
    ensure!(!words.contains(['\'', '"', '|']), "`{command}` needs a shell");
    let words: Vec<&str> = words.split_whitespace().collect();
    let writes = words.iter().any(|word| matches!(*word, "init" | "--apply" | "--output"));
    ensure!(!writes, "`{command}` writes into the repository");
    run_with(&repository(), &words, &input, &[])
}

/// Whether `output` is `shown`, where a line `...` stands for any number of lines.
fn is_shown(output: &str, shown: &str) -> bool {
    let mut parts = shown.split("...\n");
    let Some(mut rest) = parts.next().and_then(|first| output.strip_prefix(first)) else { return false };
    let mut elided = false;
    for part in parts {
        elided = true;
        // A part begins a line of the output.
        let Some(at) = (rest.match_indices(part).map(|(at, _)| at))
            .find(|at| *at == 0 || rest.get(..*at).is_some_and(|before| before.ends_with('\n')))
        else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.is_empty() || elided && shown.ends_with("...\n")
}

#[test]
fn commands_print_what_the_pages_show() -> anyhow::Result<()> {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for page in front()? {
        let mut before: Option<i32> = None;
        for Shown { line, command, output } in shown(&page)? {
            let place = format!("{}:{line}: {command}", page.path);
            let found = if command == "echo $?" {
                format!("{}\n", before.with_context(|| format!("{place}: of what?"))?)
            } else {
                let run = perform(&command).with_context(|| place.clone())?;
                before = Some(run.exit);
                run.stdout + &run.stderr
            };
            seen += 1;
            if !is_shown(&found, &output) {
                wrong.push(format!("{place}\n{}", diff(&output, &found)));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    ensure!(seen > 10, "only {seen} commands");
    Ok(())
}

#[test]
fn an_elision_stands_for_whole_lines() {
    assert!(is_shown("a\nb\nc\n", "a\nb\nc\n"));
    assert!(is_shown("a\nb\nc\n", "a\n...\nc\n"));
    assert!(is_shown("a\nb\nc\n", "...\nc\n"));
    assert!(is_shown("a\nb\nc\n", "a\n...\n"));
    assert!(!is_shown("a\nb\nc\n", "a\nb\n"));
    assert!(!is_shown("a\nb\nc\n", "a\n...\nb\n"));
    assert!(!is_shown("a\nxb\n", "a\n...\nb\n"));
}

/// The two commands of the front page, word for word, and the run that the tests of the command line hold as well.
#[test]
fn the_front_page_begins_with_the_two_commands() -> anyhow::Result<()> {
    let page = Page::read("README.md".into())?;
    let check = "cargo run --release -- check fixtures/aws-web";
    let all = shown(&page)?;
    let first = all.iter().find(|one| one.command == check).with_context(|| format!("no `$ {check}`"))?;
    #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
    let held = std::fs::read_to_string(repository().join("tests/cmd/readme.stdout"))?;
    ensure!(is_shown(&held, &first.output), "{}", diff(&first.output, &held));
    let scripts: Vec<String> = page.blocks()?.into_iter().map(|block| block.text).collect();
    let tests = "cargo xtask test";
    ensure!(scripts.iter().any(|text| text.lines().any(|line| line == tests)), "no `{tests}`");
    Ok(())
}

fn source(files: &MemoryFiles, path: &str, text: &str) -> Arc<Source> {
    let path = Utf8PathBuf::from(path);
    Arc::new(Source::new(files.paths().id(&path), path, Arc::from(text.as_bytes())))
}

/// The policy of a text, with the built-in ones at hand.
fn policy(catalogue: &Arc<Catalogue>, text: &str) -> anyhow::Result<Policy> {
    let files = MemoryFiles::new();
    let named = match text.starts_with("auditlint:") {
        true => NamedPolicy::BuiltIn(text.to_owned()),
        false => NamedPolicy::Text(source(&files, "policy.yaml", text)),
    };
    let set = load_policies(catalogue, &files, Utf8Path::new(""), &[named])?;
    Ok(Policy::clone(&set.policy))
}

fn ids(policy: &Policy) -> BTreeSet<String> {
    policy.bindings.iter().map(|binding| binding.rule.id.to_string()).collect()
}

/// Policies, config files and workflows: every `yaml` block is one of them and is understood.
#[test]
fn yaml_on_the_pages_is_understood() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    let (mut policies, mut configs, mut workflows) = (0, 0, 0);
    for page in front()? {
        for block in page.blocks()?.into_iter().filter(|block| block.info.starts_with("yaml")) {
            let place = format!("{}:{}", page.path, block.line);
            let document = document::parse_yaml(&block.text);
            ensure!(document.problems.is_empty(), "{place}: {:?}", document.problems);
            let has = |key: &str| document.root.get(key).is_some();
            if has("jobs") {
                workflows += 1;
                let pipelines = pipelines(&document.root);
                ensure!(!pipelines.is_empty(), "{place}: a workflow that does not check");
                for words in pipelines {
                    pipeline(&words).with_context(|| place.clone())?;
                }
            } else if has("logging_policy") || has("rules") {
                policies += 1;
                let policy = policy(&catalogue, &block.text).with_context(|| place.clone())?;
                ensure!(
                    !policy.bindings.is_empty() || !policy.changes.is_empty(),
                    "{place}: the policy turns nothing on"
                );
            } else if has("kind") && document.root.get("kind").and_then(Node::as_str) == Some("PolicyTest") {
                auditlint_analysis::testing::Scenarios::read(&source(
                    &MemoryFiles::new(),
                    "policy_test.yaml",
                    &block.text,
                ))
                .map_err(|problems| anyhow::anyhow!("{place}: {problems:?}"))?;
            } else if ["mutate"].into_iter().any(has) {
                let text = format!("kind: PolicyTest\npolicy: auditlint:soc2\n{}", block.text);
                auditlint_analysis::testing::Scenarios::read(&source(
                    &MemoryFiles::new(),
                    "policy_test.yaml",
                    &text,
                ))
                .map_err(|problems| anyhow::anyhow!("{place}: {problems:?}"))?;
            } else if ["extends", "environments", "enforcement", "scope", "exemptions", "repository"]
                .into_iter()
                .any(has)
            {
                // A part of a policy, which asks for something elsewhere.
                policies += 1;
                let asked = if has("extends") {
                    ""
                } else {
                    "logging_policy: {access_logs: {retention: {min: 90}}}\n"
                };
                policy(&catalogue, &format!("{asked}{}", block.text)).with_context(|| place.clone())?;
            } else {
                configs += 1;
                let files = MemoryFiles::new();
                let text = source(&files, ".auditlint.yaml", &block.text);
                let config =
                    Config::read(&text).map_err(|problems| anyhow::anyhow!("{place}: {problems:?}"))?;
                ensure!(config != Config::default(), "{place}: the config says nothing");
            }
        }
    }
    ensure!(policies >= 3 && configs >= 1 && workflows >= 1, "{policies}, {configs}, {workflows}");
    Ok(())
}

/// The words after `| auditlint` in the scripts of a workflow.
fn pipelines(node: &Node) -> Vec<String> {
    let mut found: Vec<String> = node.entries().iter().flat_map(|entry| pipelines(&entry.value)).collect();
    found.extend(node.items().iter().flat_map(pipelines));
    let script = node.as_str().unwrap_or_default().replace("\\\n", " ");
    found.extend(script.lines().filter_map(|line| Some(line.split_once("| auditlint ")?.1.to_owned())));
    found
}

/// Runs one pipeline's end over a recorded plan, in a copy of the folder that it was made of.
fn pipeline(words: &str) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("a path in UTF-8")?;
    let from = repository().join("fixtures/aws-web");
    for entry in from.read_dir_utf8()? {
        let path = entry?.into_path();
        std::fs::copy(&path, folder.join(path.file_name().unwrap_or_default()))?;
    }
    #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
    let plan = std::fs::read(from.join("plan.json"))?;
    let words: Vec<&str> = words.split_whitespace().collect();
    let run = run_with(folder, &words, &plan, &[])?;
    ensure!(run.exit == 1 && run.stderr.is_empty(), "`auditlint {}`: {run:?}", words.join(" "));
    let written = words.iter().filter_map(|word| Some(word.split_once('=')?.1));
    for file in written {
        ensure!(folder.join(file).is_file(), "`auditlint {}` wrote no {file}", words.join(" "));
    }
    Ok(())
}

/// Configurations on the pages parse, and a suppression in one excuses what it names.
#[test]
fn hcl_on_the_pages_is_judged() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    let mut seen = 0;
    for page in front()? {
        for block in page.blocks()?.into_iter().filter(|block| block.info == "hcl") {
            seen += 1;
            let place = format!("{}:{}", page.path, block.line);
            let files = MemoryFiles::of([("main.tf", block.text.as_str())]);
            let host = host(files, &catalogue, "auditlint:everything")?;
            let analysis = host.analysis();
            let report = analysis.check(&analysis.roots()).map_err(|_| anyhow::anyhow!("cancelled"))?;
            let gaps: Vec<&str> =
                report.roots.iter().flat_map(|root| &root.gaps).map(|gap| &*gap.reason).collect();
            ensure!(gaps.is_empty(), "{place}: {}", gaps.join("; "));
            for line in block.text.lines().filter_map(|line| Some(line.split_once("auditlint:ignore ")?.1)) {
                let rule = line.split_whitespace().next().unwrap_or_default();
                let mut found = report.findings().filter(|(_, finding)| *finding.rule == *rule);
                ensure!(
                    found.any(|(_, finding)| finding.verdict == Verdict::Exempt),
                    "{place}: nothing of {rule} is excused"
                );
            }
        }
    }
    ensure!(seen > 0, "no configuration");
    Ok(())
}

/// The seven lines, as their page states them.
fn seven_lines() -> anyhow::Result<String> {
    let page = Page::read("docs/seven-lines.md".into())?;
    let block = page.blocks()?.into_iter().find(|block| block.info == "yaml");
    Ok(block.context("no policy")?.text)
}

#[test]
fn the_seven_lines_are_the_same_everywhere() -> anyhow::Result<()> {
    let seven = seven_lines()?;
    ensure!(seven.lines().count() == 7, "{seven}");
    #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
    let read = |path: &str| std::fs::read_to_string(repository().join(path)).with_context(|| path.to_owned());
    ensure!(read("tests/cmd/init.out/.auditlint.yaml")? == seven, "`auditlint init` writes others");
    let (comment, without) = seven.split_once('\n').context("lines")?;
    ensure!(comment.starts_with("# ") && read("fixtures/aws-web/logging.yaml")? == without);
    let readme = Page::read("README.md".into())?.blocks()?;
    ensure!(readme.iter().any(|block| block.text == seven), "the front page has others");
    Ok(())
}

/// The lines of the policy: each as a policy of its own, and what of a rule it answers.
const LINES: [(&str, &str, &[Intent]); 5] = [
    ("access_logs", "logging_policy: {access_logs: {}}", &[Intent::Emit]),
    (
        "retention_period",
        "logging_policy: {access_logs: {retention_period: 90_days}}",
        &[Intent::Retention, Intent::RetentionUnset],
    ),
    ("authentication", "logging_policy: {authentication: {}}", &[Intent::Emit]),
    (
        "log_failed_attempts",
        "logging_policy: {authentication: {log_failed_attempts: true}}",
        &[Intent::FailedAttempts],
    ),
    (
        "log_successful_attempts",
        "logging_policy: {authentication: {log_successful_attempts: true}}",
        &[Intent::SuccessfulAttempts],
    ),
];

fn link(rule: &Rule) -> String {
    format!("[`{0}`](rules/{0}.md)", rule.id)
}

fn code<T: std::fmt::Display>(words: impl IntoIterator<Item = T>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_table_of_the_seven_lines_is_what_they_turn_on() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    let whole = policy(&catalogue, &seven_lines()?)?;
    let mut by_rule: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (line, text, intents) in LINES {
        for binding in policy(&catalogue, text)?.bindings {
            if binding.rule.asks.iter().any(|intent| intents.contains(intent)) {
                by_rule.entry(binding.rule.id.to_string()).or_default().push(line);
            }
        }
    }
    ensure!(by_rule.keys().cloned().collect::<BTreeSet<_>>() == ids(&whole), "the whole is not its lines");
    let mut table =
        String::from("| rule | what it asks | turned on by | resource types |\n|---|---|---|---|\n");
    for binding in &whole.bindings {
        let rule = &binding.rule;
        let lines = by_rule.get(&*rule.id).map(Vec::as_slice).unwrap_or_default();
        table.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            link(rule),
            rule.title,
            code(lines),
            code(&rule.selects)
        ));
    }
    generated("docs/seven-lines.md", "rules", &table)
}

/// What the two lines on attempts must reach at least.
#[test]
fn attempts_bind_the_places_where_people_sign_in() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    let least = [
        ("aws/cloudtrail/management-events", "aws_cloudtrail"),
        ("aws/rds/instance-log-connections", "aws_db_instance"),
        ("aws/rds/cluster-log-connections", "aws_rds_cluster"),
        ("aws/eks/authenticator-log", "aws_eks_cluster"),
        ("aws/clientvpn/connection-logs", "aws_ec2_client_vpn_endpoint"),
        ("aws/cognito/user-activity-logs", "aws_cognito_user_pool"),
    ];
    for line in ["log_failed_attempts", "log_successful_attempts"] {
        let policy = policy(&catalogue, &format!("logging_policy: {{authentication: {{{line}: true}}}}"))?;
        for (rule, kind) in least {
            let binding = policy.bindings.iter().find(|binding| *binding.rule.id == *rule);
            let binding = binding.with_context(|| format!("`{line}` does not turn {rule} on"))?;
            ensure!(binding.rule.selects.iter().any(|one| one == kind), "{rule} does not judge {kind}");
            ensure!(binding.categories == [Category::Authentication], "{rule}: {:?}", binding.categories);
            ensure!(binding.level.gates(), "{rule} does not count");
        }
    }
    Ok(())
}

#[test]
fn the_tables_of_the_catalogue_are_up_to_date() -> anyhow::Result<()> {
    let texts = policy_texts()?;
    let catalogue = Arc::new(catalogue_of(&texts)?);
    let counts = counts(&catalogue, &texts);
    let (recommended, everything) = (
        ids(&policy(&catalogue, "auditlint:recommended")?),
        ids(&policy(&catalogue, "auditlint:everything")?),
    );
    let seven = ids(&policy(&catalogue, &seven_lines()?)?);
    let mut rules = String::from(
        "| rule | what it asks | kind | severity | seven lines | recommended | everything |\n|---|---|---|---|---|---|---|\n",
    );
    for rule in catalogue.rules() {
        let kind = match rule.kind {
            RuleKind::Source => "source",
            RuleKind::Store => "store",
            RuleKind::Guard => "guard",
        };
        let tick = |on: &BTreeSet<String>| if on.contains(&*rule.id) { "yes" } else { "" };
        rules.push_str(&format!(
            "| {} | {} | {kind} | {} | {} | {} | {} |\n",
            link(rule),
            rule.title,
            rule.severity.as_str(),
            tick(&seven),
            tick(&recommended),
            tick(&everything)
        ));
    }
    generated("docs/rules.md", "providers", &table(&counts))?;
    generated("docs/rules.md", "rules", &rules)?;
    let names: Vec<&str> = counts.keys().map(|folder| provider(folder)).collect();
    let kinds: BTreeSet<&String> = counts.values().flat_map(|count| &count.judged).collect();
    let sentence = format!(
        "The catalogue holds {} rules over {} resource types of {}: [docs/rules.md](docs/rules.md) lists them, each \
         with its page, and [docs/coverage.md](docs/coverage.md) shows them beside the checks of other tools.\n",
        catalogue.rules().len(),
        kinds.len(),
        names.join(", ")
    );
    generated("README.md", "catalogue", &sentence)
}

/// Every key and every word that the JSON output may hold stands on its page.
#[test]
fn the_page_of_the_json_output_names_every_key_and_word() -> anyhow::Result<()> {
    let page = Page::read("docs/json.md".into())?;
    let named: BTreeSet<&str> = page.code_spans().into_iter().map(|(_, span)| span).collect();
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for target in
        ["fixtures/aws-web", "fixtures/aws-web/plan.json", "fixtures/half-typed", "fixtures/count-variable"]
    {
        let run = perform(&format!("auditlint check {target} --policy auditlint:everything --format json"))?;
        keys(&serde_json::from_str(&run.stdout)?, &mut wanted);
    }
    let run = perform("auditlint check policies --format json")?;
    keys(&serde_json::from_str(&run.stderr)?, &mut wanted);
    wanted.extend(GapKind::ALL.iter().map(|kind| kind.as_str().to_owned()));
    use CauseKind::{Computed, Data, Elsewhere, Function, Module, Sensitive, Variable};
    let causes = [Variable, Data, Module, Computed, Function, Sensitive, Elsewhere];
    wanted.extend(causes.iter().map(|kind| kind.as_str().to_owned()));
    let verdicts = [Verdict::Pass, Verdict::Fail, Verdict::Unknown, Verdict::Exempt];
    wanted.extend(verdicts.iter().map(|verdict| verdict.as_str().to_owned()));
    let missing: Vec<&String> = wanted.iter().filter(|key| !named.contains(key.as_str())).collect();
    ensure!(missing.is_empty(), "not on the page: {missing:?}");
    Ok(())
}

fn keys(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                // Its keys are the categories of the policy.
                if key != "sources_by_category" {
                    keys(value, out);
                }
                out.insert(key.clone());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, out)),
        _ => {}
    }
}

/// The table of the crates says which may use which; the manifests say which do.
#[test]
fn crates_use_what_the_architecture_says() -> anyhow::Result<()> {
    let page = Page::read("ARCHITECTURE.md".into())?;
    let mut said: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, line) in page.prose().filter(|(_, line)| line.starts_with("| `auditlint")) {
        let mut cells = line.split('|').skip(1).map(|cell| cell.trim());
        let (name, uses) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
        let uses = uses.split('`').skip(1).step_by(2).map(|short| match short {
            "auditlint" => short.to_owned(),
            short => format!("auditlint_{short}"),
        });
        said.insert(name.trim_matches('`').to_owned(), uses.collect());
    }
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in repository().join("crates").read_dir_utf8()? {
        let folder = entry?.into_path();
        #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml"))?;
        let ours = manifest.lines().filter(|line| line.starts_with("auditlint"));
        let ours = ours.filter_map(|line| Some(line.split_once('.')?.0.to_owned()));
        used.insert(folder.file_name().unwrap_or_default().to_owned(), ours.collect());
    }
    ensure!(said == used, "{}", diff(&format!("{used:#?}"), &format!("{said:#?}")));
    Ok(())
}
