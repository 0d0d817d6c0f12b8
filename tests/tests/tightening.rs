//! A chain of policies only tightens, whatever order it is read in.

use anyhow::{Context as _, ensure};
use auditlint_policy::destination::Part;
use auditlint_policy::intent::{FIELDS, Field, FieldKind};
use auditlint_policy::{Catalogue, Category, Change, Extended, Policy};
use auditlint_syntax::{Files as _, MemoryFiles, Source};
use auditlint_tests::catalogue;
use camino::Utf8Path;

/// Numbers that are always the same.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % below.max(1)
    }
}

const CATEGORIES: [Category; 4] =
    [Category::AccessLogs, Category::Authentication, Category::NetworkFlow, Category::DataAccess];
/// One of a single category, one of several, and two checks.
const RULES: [&str; 4] =
    ["aws/vpc/flow-logs", "aws/cloudwatch/log-group-retention", "change/deleted", "change/disabled"];
const LEVELS: [&str; 4] = ["off", "advisory", "soft-mandatory", "mandatory"];

/// Some fields with values that are rather strict where `rank` is high.
fn fields(random: &mut Random, category: Option<Category>, rank: usize) -> String {
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for spec in FIELDS.iter().filter(|spec| spec.only.is_none_or(|only| category == Some(only))) {
        if random.next(4) > 0 {
            continue;
        }
        let jitter = random.next(3);
        let value = match spec.kind {
            FieldKind::AtLeast => (30 * (rank + jitter + 1)).to_string(),
            FieldKind::AtMost => (4000 - 100 * (rank + jitter)).to_string(),
            FieldKind::Words(words) => {
                let word = if random.next(4) == 0 { words.first() } else { words.last() };
                (*word.unwrap_or(&"")).to_owned()
            }
            FieldKind::Flag => (random.next(4) > 0).to_string(),
            FieldKind::Within => match rank + jitter {
                0..=2 => "[\"eu-*\", \"us-*\"]".to_owned(),
                3..=4 => "[\"eu-*\"]".to_owned(),
                _ => "[eu-west-1, eu-central-1]".to_owned(),
            },
            // Which events there are depends on the category; those of connections have one.
            FieldKind::Events if spec.path == ["traffic"] => match random.next(2) {
                0 => "[reject]".to_owned(),
                _ => "[accept, reject]".to_owned(),
            },
            FieldKind::Events => continue,
            FieldKind::Kinds => match random.next(3) {
                0 => "[load_balancer]".to_owned(),
                1 => "[load_balancer, cdn]".to_owned(),
                _ => "[load_balancer, cdn, waf]".to_owned(),
            },
        };
        let (head, line) = match spec.path {
            [key] => (*key, value),
            [key, below] => (*key, format!("{below}: {value}")),
            _ => continue,
        };
        match groups.iter_mut().find(|(known, _)| *known == head) {
            Some((_, lines)) => lines.push(line),
            None => groups.push((head, vec![line])),
        }
    }
    let group = |(head, lines): (&str, Vec<String>)| {
        let is_nested = FIELDS.iter().any(|spec| spec.path.first() == Some(&head) && spec.path.len() == 2);
        if is_nested {
            format!("{head}: {{{}}}", lines.join(", "))
        } else {
            format!("{head}: {}", lines.join(""))
        }
    };
    format!("{{{}}}", groups.into_iter().map(group).collect::<Vec<_>>().join(", "))
}

/// A document that extends those of these names.
fn document(random: &mut Random, extends: &[String], rank: usize) -> String {
    let mut out = String::new();
    if !extends.is_empty() {
        out.push_str(&format!("extends: [{}]\n", extends.join(", ")));
    }
    out.push_str("logging_policy:\n");
    if random.next(2) == 0 {
        out.push_str(&format!("  defaults: {}\n", fields(random, None, rank)));
    }
    let mut some = false;
    for category in CATEGORIES {
        if random.next(2) == 0 {
            some = true;
            out.push_str(&format!("  {}: {}\n", category.as_str(), fields(random, Some(category), rank)));
        }
    }
    if !some {
        out.push_str("  access_logs: {}\n");
    }
    if random.next(3) == 0 {
        let words: Vec<&str> =
            Change::ALL.iter().filter(|_| random.next(2) == 0).map(|change| change.as_str()).collect();
        if !words.is_empty() {
            out.push_str(&format!("  changes: {{forbid: [{}]}}\n", words.join(", ")));
        }
    }
    if random.next(3) == 0 {
        out.push_str(&format!("enforcement: {}\n", enforcement(random, rank)));
    }
    out
}

/// What findings count for: all, those of some categories, rules and changes.
fn enforcement(random: &mut Random, rank: usize) -> String {
    let level = |random: &mut Random| *LEVELS.get(rank / 2 + random.next(2)).unwrap_or(&"mandatory");
    let mut parts = Vec::new();
    if random.next(2) == 0 {
        parts.push(format!("level: {}", level(random)));
    }
    let categories = CATEGORIES.map(Category::as_str);
    for (key, names) in [("categories", categories.as_slice()), ("rules", RULES.as_slice())] {
        let mut said = Vec::new();
        for name in names {
            if random.next(3) == 0 {
                said.push(format!("{name}: {}", level(random)));
            }
        }
        if !said.is_empty() {
            parts.push(format!("{key}: {{{}}}", said.join(", ")));
        }
    }
    format!("{{{}}}", parts.join(", "))
}

fn load(catalogue: &Catalogue, files: &MemoryFiles, name: &str) -> Result<Policy, String> {
    let read = |_: &Source, parent: &Extended| {
        files.read(Utf8Path::new(&parent.name)).map_err(|error| error.to_string())
    };
    let source = files.read(Utf8Path::new(name)).map_err(|error| error.to_string())?;
    Policy::load(catalogue, &[source], &read).map_err(|error| error.to_string())
}

/// What of `above` the policy `below` asks less.
fn weaker(above: &Policy, below: &Policy) -> Vec<String> {
    let mut out = Vec::new();
    for category in above.statement.categories.keys() {
        if !below.statement.categories.contains_key(category) {
            out.push(format!("{} is gone", category.as_str()));
        }
        for spec in &FIELDS {
            let Some(asked) = above.statement.effective(*category, spec.field) else { continue };
            let now = below.statement.effective(*category, spec.field);
            // To name no kinds means all of them.
            if spec.field == Field::Sources && now.is_none() {
                continue;
            }
            if now.is_none_or(|now| now.setting.is_weaker_than(&asked.setting, spec.kind)) {
                out.push(format!("{}.{}", category.as_str(), spec.field.name()));
            }
        }
    }
    for binding in &above.bindings {
        let now = below.bindings.iter().find(|now| now.rule.id == binding.rule.id);
        if now.is_none_or(|now| now.level < binding.level) {
            out.push(format!("the level of {}", binding.rule.id));
        }
    }
    for part in Part::ALL.into_iter().filter(|part| above.statement.says(part.field())) {
        for category in Category::ALL {
            let level = |of: &Policy| of.statement.enforcement.of_check(part.check(), [category]);
            if level(below) < level(above) {
                out.push(format!("the level of {} of {}", part.check().id, category.as_str()));
            }
        }
    }
    for change in above.statement.changes.keys() {
        if !below.statement.changes.contains_key(change) {
            out.push(format!("`{}` is no longer forbidden", change.as_str()));
        }
        for category in Category::ALL {
            let level = |of: &Policy| of.statement.enforcement.of_check(change.check(), [category]);
            if level(below) < level(above) {
                out.push(format!("the level of {} of {}", change.check().id, category.as_str()));
            }
        }
    }
    out
}

/// Central, organisation, team, repository; the organisation builds on one or two others.
#[test]
fn no_chain_asks_for_less_than_any_of_its_ancestors() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    let mut random = Random(7);
    let (mut legal, mut refused) = (0, 0);
    for number in 0..10_000 {
        let depth = 2 + random.next(3);
        let mut texts: Vec<(String, String)> = Vec::new();
        for level in 0..depth {
            let parents: Vec<String> = match (level, random.next(3)) {
                (0, _) => Vec::new(),
                (1, _) | (_, 0) => vec![format!("p{}.yaml", level - 1)],
                _ => vec![format!("p{}.yaml", level - 2), format!("p{}.yaml", level - 1)],
            };
            texts.push((format!("p{level}.yaml"), document(&mut random, &parents, 2 * level)));
        }
        let files = MemoryFiles::of(texts.iter().map(|(path, text)| (path.as_str(), text.as_str())));
        let shown = || texts.iter().map(|(path, text)| format!("# {path}\n{text}")).collect::<String>();
        let last = format!("p{}.yaml", depth - 1);
        match load(&catalogue, &files, &last) {
            Ok(policy) => {
                legal += 1;
                for level in 0..depth - 1 {
                    let above = load(&catalogue, &files, &format!("p{level}.yaml"));
                    let above = above.map_err(anyhow::Error::msg).with_context(shown)?;
                    let less = weaker(&above, &policy);
                    ensure!(
                        less.is_empty(),
                        "chain {number}: less than p{level}.yaml: {less:?}\n{}",
                        shown()
                    );
                }
            }
            Err(error) => {
                refused += 1;
                let says_why =
                    error.contains("may only become stricter") || error.contains("nothing can meet both");
                ensure!(says_why, "{error}\n{}", shown());
            }
        }
    }
    ensure!(legal > 1000 && refused > 1000, "{legal} legal, {refused} refused");
    Ok(())
}

#[test]
fn the_order_of_what_is_extended_does_not_matter() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    let mut random = Random(11);
    for _ in 0..500 {
        let texts: Vec<String> = (0..3).map(|rank| document(&mut random, &[], rank)).collect();
        let named = |order: [usize; 3]| {
            let names: Vec<String> = order.iter().map(|at| format!("p{at}.yaml")).collect();
            format!("extends: [{}]\nlogging_policy:\n  system: {{}}\n", names.join(", "))
        };
        let (one, other) = (named([0, 1, 2]), named([2, 0, 1]));
        let names = ["p0.yaml", "p1.yaml", "p2.yaml"];
        let all = names.into_iter().zip(texts.iter().map(String::as_str));
        let files = MemoryFiles::of(all.chain([("one.yaml", one.as_str()), ("other.yaml", other.as_str())]));
        let (one, other) = (load(&catalogue, &files, "one.yaml"), load(&catalogue, &files, "other.yaml"));
        let (Ok(one), Ok(other)) = (&one, &other) else {
            // A conflict is one in any order.
            ensure!(one.is_err() && other.is_err(), "{one:?}\n{other:?}");
            continue;
        };
        ensure!(weaker(one, other).is_empty() && weaker(other, one).is_empty(), "{texts:?}");
    }
    Ok(())
}

/// What findings count for is part of what a policy asks: a parent, what a child may not say below it, and what it says.
#[test]
fn a_child_does_not_lower_what_findings_count_for() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    let several = "aws/cloudwatch/log-group-retention";
    let cases = [
        (
            "a change of a category that counts for more than all",
            "logging_policy: {data_access: {}, changes: {forbid: [delete]}}\nenforcement: {level: advisory, categories: {data_access: mandatory}}",
            "change/deleted: advisory".to_owned(),
        ),
        (
            "a change, where nothing else is asked",
            "logging_policy: {changes: {forbid: [delete]}}",
            "change/deleted: off".to_owned(),
        ),
        (
            "a rule of several categories, of which one counts for more",
            "logging_policy: {access_logs: {retention: {min: 1_year}}, system: {retention: {min: 1_year}}}\nenforcement: {categories: {access_logs: advisory, system: mandatory}}",
            format!("{several}: advisory"),
        ),
        (
            "a rule that is named with its level",
            "rules: [{rule: aws/cloudwatch/log-group-retention, level: mandatory}]\nenforcement: {level: advisory}",
            format!("{several}: advisory"),
        ),
    ];
    for (what, parent, rules) in cases {
        let child = format!("extends: [parent.yaml]\nenforcement: {{rules: {{{rules}}}}}\n");
        let files = MemoryFiles::of([("parent.yaml", parent), ("child.yaml", child.as_str())]);
        load(&catalogue, &files, "parent.yaml").map_err(anyhow::Error::msg).context(what)?;
        let Err(error) = load(&catalogue, &files, "child.yaml") else {
            anyhow::bail!("{what}: a child may say less");
        };
        ensure!(error.contains("may only become stricter"), "{what}: {error}");
    }
    Ok(())
}
