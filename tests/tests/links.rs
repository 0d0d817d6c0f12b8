//! Symbolic links: what they lead to is read once, under its own path; what lies outside is said; a loop ends.

#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "the tests make folders and links")]

use std::os::unix::fs::symlink;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use auditlint_analysis::{
    AnalysisHost, Change, DiskFiles, NamedPolicy, RootSpec, Settings, discover, load_policies,
};
use auditlint_graph::GapKind;
use auditlint_graph::terraform::RootInputs;
use auditlint_policy::Verdict;
use auditlint_tests::catalogue;
use camino::{Utf8Path, Utf8PathBuf};
use globset::GlobSet;

const SHORT: &str = "resource \"aws_cloudwatch_log_group\" \"app\" {\n  name              = \"app\"\n  retention_in_days = 7\n}\n";
const CALL: &str = "module \"m\" {\n  source = \"./m\"\n}\n";

/// A workspace, with a folder beside it that does not belong to it.
struct Workspace {
    _folder: tempfile::TempDir,
    top: Utf8PathBuf,
}

impl Workspace {
    fn of(files: &[(&str, &str)], links: &[(&str, &str)]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let top = Utf8PathBuf::from_path_buf(folder.path().canonicalize()?.join("work"))
            .map_err(|path| anyhow::anyhow!("{path:?} is no UTF-8"))?;
        for (path, text) in files {
            let path = top.join(path);
            std::fs::create_dir_all(path.parent().context("a parent")?)?;
            std::fs::write(path, text)?;
        }
        for (link, target) in links {
            let link = top.join(link);
            std::fs::create_dir_all(link.parent().context("a parent")?)?;
            symlink(target, link)?;
        }
        Ok(Self { _folder: folder, top })
    }

    /// A host over all roots, and the folders that are left out.
    fn host(&self, settings: Settings) -> anyhow::Result<(AnalysisHost, Vec<String>)> {
        let files = Arc::new(DiskFiles::new(self.top.clone()));
        let named = [NamedPolicy::BuiltIn("auditlint:recommended".to_owned())];
        let set = load_policies(&catalogue()?, &*files, Utf8Path::new(""), &named)?;
        let mut host = AnalysisHost::new(files, set, settings);
        let found = discover(Utf8Path::new(""), host.files(), host.caches(), &GlobSet::empty());
        let spec = |folder| RootSpec::Folder {
            inputs: RootInputs { folder, ..RootInputs::default() },
            environment: None,
        };
        host.apply_change(Change::Roots(found.roots.into_iter().map(spec).collect()));
        let left_out = found.left_out.iter().map(|one| format!("{} {}", one.kind.as_str(), one.folder));
        Ok((host, left_out.collect()))
    }
}

/// Root, address and place of each failure, and the reasons of the gaps.
fn judged(host: &AnalysisHost) -> anyhow::Result<(Vec<String>, Vec<String>)> {
    let analysis = host.analysis();
    let report = analysis.check(&analysis.roots()).map_err(|_| anyhow::anyhow!("cancelled"))?;
    let failing = report.findings().filter(|(_, finding)| finding.verdict == Verdict::Fail);
    let mut fails: Vec<String> = failing
        .map(|(root, finding)| {
            let place = match finding.place {
                auditlint_policy::Place::Source(at) => analysis.files().paths().path(at.file).to_string(),
                _ => "nowhere".to_owned(),
            };
            format!("{} {} {place}", root.path, finding.address)
        })
        .collect();
    fails.sort();
    let gaps = report.roots.iter().flat_map(|root| &root.gaps);
    let gaps = gaps.map(|gap| format!("{} {}: {}", gap.kind.as_str(), gap.path, gap.reason));
    Ok((fails, gaps.collect()))
}

#[test]
fn a_file_that_several_links_lead_to_is_one_text() -> anyhow::Result<()> {
    let files = [("common/x.tf", SHORT)];
    let links = [("a/x.tf", "../common/x.tf"), ("b/y.tf", "../common/x.tf")];
    let workspace = Workspace::of(&files, &links)?;
    let (host, _) = workspace.host(Settings::default())?;
    let (fails, gaps) = judged(&host)?;
    let expected =
        ["a", "b", "common"].map(|root| format!("{root} aws_cloudwatch_log_group.app common/x.tf"));
    ensure!(fails == expected && gaps.is_empty(), "{fails:?} {gaps:?}");
    let analysis = host.analysis();
    let report = analysis.check(&analysis.roots()).map_err(|_| anyhow::anyhow!("cancelled"))?;
    ensure!(report.summary.places == 1, "{} places", report.summary.places);
    Ok(())
}

#[test]
fn an_edit_of_what_a_link_leads_to_reaches_the_roots_of_the_links() -> anyhow::Result<()> {
    let files = [("common/x.tf", SHORT), ("modules/m/main.tf", SHORT), ("c/main.tf", CALL)];
    let links = [("a/x.tf", "../common/x.tf"), ("c/m", "../modules/m")];
    let workspace = Workspace::of(&files, &links)?;
    let (mut host, _) = workspace.host(Settings { follow_edits: true, ..Settings::default() })?;
    let before = [
        "a aws_cloudwatch_log_group.app common/x.tf",
        "c module.m.aws_cloudwatch_log_group.app modules/m/main.tf",
        "common aws_cloudwatch_log_group.app common/x.tf",
    ];
    let (fails, gaps) = judged(&host)?;
    ensure!(fails == before && gaps.is_empty(), "{fails:?} {gaps:?}");
    let long: Arc<str> = SHORT.replace("= 7", "= 400").into();
    host.apply_change(Change::Overlay("common/x.tf".into(), Arc::clone(&long)));
    ensure!(judged(&host)?.0 == before[1..2], "{:?}", judged(&host)?);
    host.apply_change(Change::Overlay("modules/m/main.tf".into(), Arc::clone(&long)));
    ensure!(judged(&host)?.0.is_empty(), "{:?}", judged(&host)?);
    host.apply_change(Change::Close("common/x.tf".into()));
    std::fs::write(workspace.top.join("modules/m/main.tf"), &*long)?;
    host.apply_change(Change::Close("modules/m/main.tf".into()));
    let (fails, _) = judged(&host)?;
    ensure!(fails == [before[0], before[2]], "{fails:?}");
    Ok(())
}

#[test]
fn a_folder_is_one_however_it_is_reached() -> anyhow::Result<()> {
    let files = [("real/app/main.tf", SHORT), (".hidden/main.tf", SHORT)];
    let links = [("live/app", "../real/app"), ("live/again", "app"), ("live/hidden", "../.hidden")];
    let workspace = Workspace::of(&files, &links)?;
    let (host, left_out) = workspace.host(Settings::default())?;
    let (fails, gaps) = judged(&host)?;
    let expected =
        [".hidden", "real/app"].map(|root| format!("{root} aws_cloudwatch_log_group.app {root}/main.tf"));
    ensure!(fails == expected && gaps.is_empty() && left_out.is_empty(), "{fails:?} {gaps:?} {left_out:?}");
    Ok(())
}

#[test]
fn what_leads_outside_is_not_read_and_said() -> anyhow::Result<()> {
    let files = [("../outside/main.tf", SHORT), ("a/main.tf", CALL), ("b/main.tf", "")];
    let links = [
        ("a/m", "../../outside"),
        ("b/x.tf", "../../outside/main.tf"),
        ("b/none.tf", "nowhere.tf"),
        ("infra", "../outside"),
    ];
    let workspace = Workspace::of(&files, &links)?;
    let (host, left_out) = workspace.host(Settings::default())?;
    let (fails, gaps) = judged(&host)?;
    ensure!(fails.is_empty(), "{fails:?}");
    let expected = [
        "missing_module a/main.tf: module \"./m\" is not here",
        "unreadable b/none.tf: is a link that leads nowhere",
        "unreadable b/x.tf: lies outside of the workspace",
    ];
    ensure!(gaps == expected, "{gaps:?}");
    ensure!(left_out == ["link a/m", "link infra"], "{left_out:?}");
    Ok(())
}

#[test]
fn loops_of_links_end() -> anyhow::Result<()> {
    let call = CALL.replace("./m", "./loop");
    let files = [("a/main.tf", &*format!("{SHORT}\n{call}"))];
    let links = [("a/loop", "../a"), ("up", "."), ("one", "two"), ("two", "one"), ("a/x.tf", "x.tf")];
    let workspace = Workspace::of(&files, &links)?;
    let (host, left_out) = workspace.host(Settings::default())?;
    let analysis = host.analysis();
    let report = analysis.check(&analysis.roots()).map_err(|_| anyhow::anyhow!("cancelled"))?;
    ensure!(report.roots.len() == 1 && left_out.is_empty(), "{left_out:?}");
    ensure!(report.summary.places == 1, "{} places", report.summary.places);
    let kinds: Vec<GapKind> = report.roots.iter().flat_map(|root| &root.gaps).map(|gap| gap.kind).collect();
    ensure!(
        kinds.contains(&GapKind::Unreadable) && kinds.len() == 2,
        "the link to itself and the module that calls itself: {kinds:?}"
    );
    Ok(())
}
