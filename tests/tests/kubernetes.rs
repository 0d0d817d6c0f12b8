//! Objects of Kubernetes that are written as a text inside of a resource: nothing is changed in them.

use anyhow::ensure;
use auditlint_tests::workspace::Workspace;

const POLICY: &str = "apiVersion: audit.k8s.io/v1
      kind: Policy
      omitStages: [ResponseComplete]
      rules:
        - level: None
          verbs: [delete]
        - level: Request
          verbs: [create]
";
const SERVER: &str = "apiVersion: v1
      kind: Pod
      metadata: {name: kube-apiserver}
      spec:
        containers:
          - name: kube-apiserver
            command: [kube-apiserver, --audit-log-maxage=1]
";

/// A part of a text has no place of its own: a change of it would take the place of the whole text.
#[test]
fn a_text_in_a_config_map_is_left_alone() -> anyhow::Result<()> {
    for object in [POLICY, SERVER] {
        let map = format!(
            "resource \"kubernetes_config_map_v1\" \"a\" {{\n  data = {{\n    \"a.yaml\" = <<-EOT\n      {object}    EOT\n  }}\n}}\n"
        );
        let workspace = Workspace::of(&map)?;
        let checked = workspace.run(&["check", ".", "--policy", "auditlint:everything"])?;
        ensure!(checked.exit == 1 && checked.stdout.contains("kubernetes/"), "{checked:?}");
        ensure!(!checked.stdout.contains("fix:"), "{}", checked.stdout);
        let fixed = workspace.run(&["fix", ".", "--policy", "auditlint:everything"])?;
        ensure!(fixed.stdout.starts_with("would apply 0 fixes"), "{}", fixed.stdout);
    }
    Ok(())
}
