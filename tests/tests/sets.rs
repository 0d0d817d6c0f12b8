//! The minimal sets of the catalogue: each records the categories that it is for, and no rule refuses it.

use std::sync::Arc;

use auditlint_analysis::{AnalysisHost, Change, NamedPolicy, RootSpec, Settings, load_policies};
use auditlint_graph::terraform::RootInputs;
use auditlint_policy::{Catalogue, Reading, Verdict};
use auditlint_syntax::{Files as _, MemoryFiles, Source};
use camino::{Utf8Path, Utf8PathBuf};

#[test]
fn what_is_written_where_all_is_missing_is_in_order() -> anyhow::Result<()> {
    let catalogue = Arc::new(Catalogue::embedded(Reading::WithoutExamples));
    assert!(!catalogue.sets().is_empty());
    for set in catalogue.sets() {
        let text = set.written("audit", 400);
        let files = Arc::new(MemoryFiles::of([("main.tf", text.as_str())]));
        let mut policy = String::from("logging_policy:\n");
        for category in &set.categories {
            policy += &format!(
                "  {}: {{required_in: [{{root: .}}], retention_period: 400_days}}\n",
                category.as_str()
            );
        }
        let path = Utf8PathBuf::from("policy.yaml");
        let own = Source::new(files.paths().id(&path), path, Arc::from(policy.as_bytes()));
        let named = [NamedPolicy::BuiltIn("auditlint:recommended".into()), NamedPolicy::Text(Arc::new(own))];
        let policies = load_policies(&catalogue, &*files, Utf8Path::new(""), &named)?;
        let mut host = AnalysisHost::new(Arc::clone(&files) as Arc<_>, policies, Settings::default());
        let root = RootSpec::Folder { inputs: RootInputs::default(), environment: None };
        host.apply_change(Change::Roots(vec![root]));
        let analysis = host.analysis();
        let report = analysis.check(&analysis.roots()).map_err(|_| anyhow::anyhow!("cancelled"))?;
        let wrong: Vec<String> = report
            .findings()
            .filter(|(_, finding)| finding.verdict != Verdict::Pass)
            .map(|(_, finding)| format!("{} {}: {}", finding.rule, finding.address, finding.message))
            .collect();
        assert!(wrong.is_empty(), "{}: {wrong:#?}", set.title);
    }
    Ok(())
}
