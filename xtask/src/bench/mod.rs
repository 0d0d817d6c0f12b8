//! `cargo xtask bench`: what auditlint costs, as ratios to the bare parse of the same input, against the goals.

mod configuration;
mod editor;
mod measure;
mod plan;
mod random;
mod table;
mod templates;

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail, ensure};

use self::configuration::Layout;
use self::editor::Editor;
use self::measure::{Program, median, paired, percentile};
use self::table::{Row, Table};
use crate::step;

/// Resources of every input but the large ones.
const RESOURCES: usize = 10_000;
/// Resources of the large inputs.
const LARGE: usize = 100_000;
const SEED: u64 = 1;
const RECOMMENDED: &str = "auditlint:recommended";
const EVERYTHING: &str = "auditlint:everything";

pub(crate) const USAGE: &str = "\
cargo xtask bench [hcl|rules|plan|keystroke|start|large|criterion] [--quick]

Measures the release build (or the binary in AUDITLINT_BIN), with 10,000 resources where nothing else is said:
  hcl        check of configurations, in CPU seconds against hcl-edit's bare parse
  rules      check with every rule, in CPU seconds against the rules that the catalogue began with; its loading
  plan       check of a plan, in CPU seconds against serde_json's IgnoredAny; peak memory
  keystroke  a change sent to its diagnostics received, over standard input and output
  start      check of one small file
  large      hcl and plan with 100,000 resources (100 MB and 460 MB of inputs are written), and peak memory
  criterion  the stages by themselves (no goals)
--quick takes 2 pairs where it takes 7 otherwise. The exit code is 1 when a goal is missed.";

struct Bench {
    binary: PathBuf,
    yardstick: PathBuf,
    /// Loads the compiled catalogue.
    catalogue: PathBuf,
    /// A policy of the rules that the catalogue began with.
    first_rules: PathBuf,
    /// Where the inputs lie.
    folder: PathBuf,
    pairs: usize,
    keystrokes: usize,
    table: Table,
}

/// Runs the measures of that name, or all.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    let quick = arguments.contains(&"--quick");
    let names: Vec<&str> = arguments.iter().copied().filter(|argument| *argument != "--quick").collect();
    let known = ["hcl", "rules", "plan", "keystroke", "start", "large", "criterion"];
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        bail!("there is no measure `{unknown}`\n\n{USAGE}");
    }
    let wanted = |name: &str| names.is_empty() || names.contains(&name);
    let repository = step::repository();
    step::cargo("yardstick", &["build", "--release", "-p", "auditlint_bench", "--bins"])?;
    let target = step::target();
    let binary = match std::env::var("AUDITLINT_BIN") {
        Ok(path) => fs::canonicalize(&path).with_context(|| path)?,
        Err(_) => {
            step::cargo("auditlint", &["build", "--release", "-p", "auditlint"])?;
            target.join("release/auditlint")
        }
    };
    let mut bench = Bench {
        binary,
        yardstick: target.join("release/yardstick"),
        catalogue: target.join("release/catalogue"),
        first_rules: repository.join("benches/first-rules.yaml"),
        folder: target.join("bench"),
        pairs: if quick { 2 } else { 7 },
        keystrokes: if quick { 200 } else { 600 },
        table: Table::default(),
    };
    if wanted("hcl") {
        bench.hcl()?;
    }
    if wanted("rules") {
        bench.rules()?;
    }
    if wanted("plan") {
        bench.plan()?;
    }
    if wanted("keystroke") {
        bench.keystroke()?;
    }
    if wanted("start") {
        bench.start(&repository)?;
    }
    if wanted("large") {
        bench.large()?;
    }
    if wanted("criterion") {
        bench.folder_of(Layout::Stacks, RESOURCES)?;
        bench.folder_of(Layout::Flat, RESOURCES)?;
        bench.plan_file(RESOURCES)?;
        let mut arguments = vec!["bench", "-p", "auditlint_bench", "--bench", "pipeline"];
        arguments.extend(if quick { ["--", "--quick"].as_slice() } else { &[] });
        step::cargo("criterion", &arguments)?;
    }
    bench.table.show();
    let missed = bench.table.missed();
    ensure!(missed.is_empty(), "{} of the goals missed: {}", missed.len(), missed.join("; "));
    Ok(())
}

impl Bench {
    fn hcl(&mut self) -> anyhow::Result<()> {
        for layout in [Layout::Stacks, Layout::Flat] {
            let (name, folder) = self.folder_of(layout, RESOURCES)?;
            for (policy, goal) in [(RECOMMENDED, Some(3.0)), (EVERYTHING, None)] {
                let ours = ["check", ".", "--policy", policy];
                self.reads_everything(&folder, &ours, RESOURCES)?;
                let done = paired(
                    &program(&self.binary, &ours, &folder, 1),
                    &program(&self.yardstick, &["hcl", "."], &folder, 0),
                    self.pairs,
                )?;
                let measure = format!("check, {name}, {policy}");
                self.table.push(Row::ratio(&measure, &done, "hcl-edit", goal));
            }
        }
        Ok(())
    }

    /// What many rules cost beside few.
    fn rules(&mut self) -> anyhow::Result<()> {
        let first_rules = self.first_rules.to_str().context("a path")?.to_owned();
        for layout in [Layout::Stacks, Layout::Flat] {
            let (name, folder) = self.folder_of(layout, RESOURCES)?;
            let every = ["check", ".", "--policy", EVERYTHING];
            let first = ["check", ".", "--policy", &first_rules];
            self.reads_everything(&folder, &every, RESOURCES)?;
            self.reads_everything(&folder, &first, RESOURCES)?;
            let done = paired(
                &program(&self.binary, &every, &folder, 1),
                &program(&self.binary, &first, &folder, 1),
                self.pairs * 3,
            )?;
            let measure = format!("check, {name}, {EVERYTHING}");
            self.table.push(Row::ratio(&measure, &done, "the first rules", Some(1.5)));
        }
        let (mut catalogues, mut chains) = (Vec::new(), Vec::new());
        for _ in 0..self.pairs * 5 {
            let output = std::process::Command::new(&self.catalogue).output()?;
            anyhow::ensure!(output.status.success(), "the chain of policies cannot be loaded");
            let text = String::from_utf8_lossy(&output.stdout);
            let mut lines = text.lines();
            for loads in [&mut catalogues, &mut chains] {
                loads.push(lines.next().context("a number")?.trim().parse()?);
            }
        }
        self.table.push(Row::milliseconds("the catalogue loaded", median(catalogues), Some(5.0)));
        self.table.push(Row::milliseconds("a chain of policies loaded", median(chains), Some(10.0)));
        Ok(())
    }

    fn plan(&mut self) -> anyhow::Result<()> {
        let path = self.plan_file(RESOURCES)?;
        let file = path.file_name().and_then(|name| name.to_str()).context("a name")?.to_owned();
        for (policy, goal) in [(RECOMMENDED, Some(2.5)), (EVERYTHING, None)] {
            let ours = ["check", &file, "--policy", policy];
            self.reads_everything(&self.folder, &ours, RESOURCES)?;
            let done = paired(
                &program(&self.binary, &ours, &self.folder, 1),
                &program(&self.yardstick, &["plan", &file], &self.folder, 0),
                self.pairs,
            )?;
            let measure = format!("check, plan, {policy}");
            self.table.push(Row::ratio(&measure, &done, "IgnoredAny", goal));
            self.table.push(Row::peak(&format!("{measure}: peak"), done.peak, goal.map(|_| 100.0)));
        }
        Ok(())
    }

    fn keystroke(&mut self) -> anyhow::Result<()> {
        let layouts = [
            (Layout::Flat, "r00050_1.tf", 60.0),
            (Layout::Stacks, "stacks/team-10/staging/svc-0010/main.tf", 20.0),
        ];
        for (layout, file, goal) in layouts {
            let (name, folder) = self.folder_of(layout, RESOURCES)?;
            let mut editor = Editor::open(&self.binary, &folder, file, RECOMMENDED)?;
            let times = editor.type_keys(self.keystrokes)?;
            let longest = times.iter().copied().fold(0.0, f64::max);
            let (half, nearly_all) = (median(times.clone()), percentile(times.clone(), 99));
            let measure = format!("keystroke, {name}: p99 of {}", times.len());
            self.table.push(Row::milliseconds(&measure, nearly_all, Some(goal)));
            self.table.push(Row::milliseconds(&format!("keystroke, {name}: p50"), half, None));
            self.table.push(Row::milliseconds(&format!("keystroke, {name}: longest"), longest, None));
        }
        Ok(())
    }

    fn start(&mut self, repository: &Path) -> anyhow::Result<()> {
        let folder = repository.join("fixtures/aws-web");
        let program = program(&self.binary, &["check", "site.tf"], &folder, 1);
        program.run()?;
        let runs: Vec<f64> =
            (0..self.pairs * 5).map(|_| Ok(program.run()?.cpu)).collect::<anyhow::Result<_>>()?;
        self.table.push(Row::milliseconds("check, one small file: CPU", median(runs) * 1e3, Some(20.0)));
        Ok(())
    }

    /// Ten times as much must take at most twelve times as long.
    fn large(&mut self) -> anyhow::Result<()> {
        let ours = ["check", ".", "--policy", RECOMMENDED];
        let pairs = self.pairs.min(3);
        for layout in [Layout::Stacks, Layout::Flat] {
            let (_, small) = self.folder_of(layout, RESOURCES)?;
            let (name, folder) = self.folder_of(layout, LARGE)?;
            self.reads_everything(&folder, &ours, LARGE)?;
            let large = program(&self.binary, &ours, &folder, 1);
            let done = paired(&large, &program(&self.yardstick, &["hcl", "."], &folder, 0), pairs)?;
            let measure = format!("check, {name}, {LARGE}");
            self.table.push(Row::ratio(&measure, &done, "hcl-edit", Some(2.5)));
            self.table.push(Row::peak(&format!("{measure}: peak"), done.peak, Some(400.0)));
            let grown = paired(&large, &program(&self.binary, &ours, &small, 1), pairs)?;
            self.table.push(Row::ratio(&measure, &grown, "a tenth of it", Some(12.0)));
        }
        let path = self.plan_file(LARGE)?;
        let file = path.file_name().and_then(|name| name.to_str()).context("a name")?.to_owned();
        let ours = ["check", &file, "--policy", RECOMMENDED];
        self.reads_everything(&self.folder, &ours, LARGE)?;
        let yardstick = program(&self.yardstick, &["plan", &file], &self.folder, 0);
        let done = paired(&program(&self.binary, &ours, &self.folder, 1), &yardstick, pairs)?;
        let measure = format!("check, plan, {LARGE}");
        self.table.push(Row::ratio(&measure, &done, "IgnoredAny", Some(2.0)));
        self.table.push(Row::peak(&format!("{measure}: peak"), done.peak, Some(160.0)));
        Ok(())
    }

    /// A run that skipped its input would look fast: the report must count all resources, and failures among them.
    fn reads_everything(&self, folder: &Path, arguments: &[&str], resources: usize) -> anyhow::Result<()> {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--format", "json"]);
        let mut run =
            program(&self.binary, &arguments, folder, 1).command().stdout(Stdio::piped()).spawn()?;
        let mut output = run.stdout.take().context("no standard output")?;
        // The summary stands before the findings, and the whole report would swell this process.
        let mut head = Vec::new();
        output.by_ref().take(4096).read_to_end(&mut head)?;
        io::copy(&mut output, &mut io::sink())?;
        run.wait()?;
        let head = String::from_utf8_lossy(&head);
        let count = |of: &str| {
            let digits = head.split_once(&format!("\"{of}\":"))?.1.trim_start();
            digits.split(|letter: char| !letter.is_ascii_digit()).next()?.parse::<usize>().ok()
        };
        ensure!(
            count("resources").is_some_and(|count| count >= resources)
                && count("fail").is_some_and(|count| count > 0),
            "`auditlint {}` has not read everything: {head}",
            arguments.join(" "),
        );
        Ok(())
    }

    /// The name and the folder of a layout, made where it is missing.
    fn folder_of(&self, layout: Layout, resources: usize) -> anyhow::Result<(&'static str, PathBuf)> {
        let name = match layout {
            Layout::Stacks => "stacks",
            Layout::Flat => "flat",
        };
        let folder = self.folder.join(format!("{name}-{resources}"));
        if !folder.join(".git").is_dir() {
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            step::say(&format!("writing {}", folder.display()));
            configuration::write(&folder, layout, resources, SEED)?;
            // Made last, it says that the folder is complete; for auditlint it is the top of a workspace.
            fs::create_dir_all(folder.join(".git"))?;
        }
        Ok((name, folder))
    }

    fn plan_file(&self, resources: usize) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(format!("plan-{resources}.json"));
        if !path.is_file() {
            fs::create_dir_all(&self.folder)?;
            step::say(&format!("writing {}", path.display()));
            let unfinished = path.with_extension("unfinished");
            plan::write(&unfinished, resources, SEED)?;
            fs::rename(unfinished, &path)?;
        }
        Ok(path)
    }
}

fn program<'a>(path: &'a Path, arguments: &[&'a str], folder: &'a Path, ends_with: i32) -> Program<'a> {
    Program { path, arguments: arguments.to_vec(), folder, ends_with }
}
