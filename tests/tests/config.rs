//! What the config file says of reports.

use anyhow::ensure;
use auditlint_tests::workspace::Workspace;

const MAIN: &str = "# auditlint:ignore aws/cloudwatch/log-group-retention-unset -- nobody reads it
resource \"aws_cloudwatch_log_group\" \"app\" {
  name = \"app\"
}
";

fn config(output: &str) -> String {
    format!("policy: [logging.yaml]\noutput: {output}\n")
}

#[test]
fn the_config_file_says_how_a_check_reports_and_the_command_line_wins() -> anyhow::Result<()> {
    let policy = "rules: [{rule: aws/cloudwatch/log-group-retention-unset}]\n";
    let exempt = "main.tf:2:1: exempt[aws/cloudwatch/log-group-retention-unset]";
    for (output, words, expected) in [
        ("{format: concise, show: [exempt]}", &["check", "."][..], exempt),
        ("{format: concise}", &["check", "."][..], "1 finding is exempt; --show exempt lists them\n"),
        ("{format: sarif}", &["check", ".", "--format", "concise", "--show", "exempt"][..], exempt),
        ("{format: sarif}", &["check", "."][..], "sarif-2.1.0.json"),
    ] {
        let config = config(output);
        let files = [("main.tf", MAIN), ("logging.yaml", policy), (".auditlint.yaml", &*config)];
        let run = Workspace::with(&files)?.run(words)?;
        ensure!(run.exit == 0 && run.stdout.contains(expected), "{output}: {run:?}");
    }
    Ok(())
}

#[test]
fn a_format_that_there_is_not_is_told_with_its_line() -> anyhow::Result<()> {
    let config = config("{format: concis}");
    let workspace = Workspace::with(&[("main.tf", MAIN), (".auditlint.yaml", &config)])?;
    let run = workspace.run(&["check", "."])?;
    let told = ".auditlint.yaml:2:18: unknown format `concis`; did you mean `concise`?";
    ensure!(run.exit == 3 && run.stderr.contains(told), "{run:?}");
    Ok(())
}
