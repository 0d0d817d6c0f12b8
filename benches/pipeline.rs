//! The stages by themselves, in one process: parsing, reading a plan, a fresh check, and a keystroke.
//!
//! The inputs are those of `cargo xtask bench`, which makes them and runs this; whole processes and the goals are
//! measured there.

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a benchmark reads its input, and one that cannot go on panics"
)]

use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;

use auditlint_analysis::{
    AnalysisHost, Change, DiskFiles, NamedPolicy, RootSpec, Settings, discover, load_policies,
};
use auditlint_graph::terraform::RootInputs;
use auditlint_policy::{Catalogue, Reading};
use auditlint_syntax::hcl::{BlockCache, parse};
use auditlint_syntax::{FileId, Files, Source};
use camino::{Utf8Path, Utf8PathBuf};
use criterion::{BatchSize, Criterion, Throughput};

fn main() {
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    parsing(&mut criterion);
    checking(&mut criterion);
    typing(&mut criterion);
    criterion.final_summary();
}

/// An input of `cargo xtask bench`.
fn input(name: &str) -> Utf8PathBuf {
    let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench").join(name);
    path.canonicalize_utf8()
        .unwrap_or_else(|error| panic!("{path}: {error}; run `cargo xtask bench criterion`"))
}

/// The texts of the flat layout.
fn sources() -> Vec<Arc<Source>> {
    let mut paths: Vec<Utf8PathBuf> = input("flat-10000")
        .read_dir_utf8()
        .expect("the folder can be listed")
        .map(|entry| entry.expect("an entry").into_path())
        .filter(|path| path.extension() == Some("tf"))
        .collect();
    paths.sort();
    let files = DiskFiles::new(input("flat-10000"));
    paths
        .iter()
        .map(|path| {
            let name: Utf8PathBuf = path.file_name().unwrap_or_default().into();
            files.read(&name).expect("the file can be read")
        })
        .collect()
}

fn parsing(criterion: &mut Criterion) {
    let sources = sources();
    let bytes: usize = sources.iter().map(|source| source.text().len()).sum();
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("every file, nothing cached", |bencher| {
        bencher.iter_batched(
            BlockCache::default,
            |cache| sources.iter().map(|source| parse(source, &cache).items.len()).sum::<usize>(),
            BatchSize::PerIteration,
        );
    });
    let cache = BlockCache::default();
    group.bench_function("every file, every block cached", |bencher| {
        bencher.iter(|| sources.iter().map(|source| parse(source, &cache).items.len()).sum::<usize>());
    });
    group.finish();
}

/// A host whose folders were looked through, as the command makes it.
fn host(folder: &str, policy: &str) -> (AnalysisHost, Arc<DiskFiles>) {
    let files = Arc::new(DiskFiles::new(input(folder)));
    let catalogue = Arc::new(Catalogue::embedded(Reading::WithoutExamples));
    let named = [NamedPolicy::BuiltIn(policy.to_owned())];
    let set = load_policies(&catalogue, &*files, Utf8Path::new(""), &named).expect("a built-in policy");
    let mut host = AnalysisHost::new(Arc::clone(&files) as Arc<_>, set, Settings::default());
    let none = globset::GlobSet::empty();
    let found = discover(Utf8Path::new(""), host.files(), host.caches(), &none);
    let roots = found.roots.into_iter().map(|folder| RootSpec::Folder {
        inputs: RootInputs { folder, ..RootInputs::default() },
        environment: None,
    });
    host.apply_change(Change::Roots(roots.collect()));
    (host, files)
}

fn failures(host: &AnalysisHost) -> usize {
    let analysis = host.analysis();
    let report = analysis.check(&analysis.roots()).expect("nothing changes meanwhile");
    report.findings().count()
}

fn checking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("check");
    for (folder, policy) in [
        ("stacks-10000", "auditlint:recommended"),
        ("flat-10000", "auditlint:recommended"),
        ("flat-10000", "auditlint:everything"),
    ] {
        group.bench_function(format!("{folder}, parsed, {policy}"), |bencher| {
            bencher.iter_batched(|| host(folder, policy).0, |host| failures(&host), BatchSize::PerIteration);
        });
    }
    group.bench_function("plan, read", |bencher| {
        let path = input("plan-10000.json");
        bencher.iter_batched(
            || {
                let (host, _) = host("stacks-10000", "auditlint:recommended");
                (host, BufReader::new(File::open(&path).expect("the plan can be read")))
            },
            |(mut host, mut plan)| {
                host.add_plan(Utf8Path::new("plan.json"), None, &mut plan).expect("a plan");
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// One more and one less character in a file of the middle, until the findings of that file are known.
fn typing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("keystroke");
    let places = [("flat-10000", "r00050_1.tf"), ("stacks-10000", "stacks/team-10/staging/svc-0010/main.tf")];
    for (folder, path) in places {
        let (mut host, files) = host(folder, "auditlint:recommended");
        failures(&host);
        let path = Utf8Path::new(path);
        let file: FileId = files.paths().id(path);
        let before = files.read(path).expect("the file can be read").text().to_owned();
        let at = before.match_indices("  name ").nth(3).map_or(0, |(at, _)| at);
        let after = format!("{} # x\n{}", &before[..at], &before[at..]);
        let texts: [Arc<str>; 2] = [after.into(), before];
        let mut turn = 0;
        group.bench_function(folder, |bencher| {
            bencher.iter(|| {
                turn += 1;
                host.apply_change(Change::Overlay(path.to_owned(), Arc::clone(&texts[turn % 2])));
                host.analysis().findings(file).map_or(0, |findings| findings.len())
            });
        });
    }
    group.finish();
}
