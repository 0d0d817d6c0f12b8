//! Rules and facts of a repository's own.

use anyhow::ensure;
use auditlint_tests::workspace::Workspace;

const RULE: &str = "title: A queue has the name of its team
why: Whoever reads its events must know whom to ask.
severity: medium
kind: source
asks: [emit]
categories: [access_logs]
selects: [acme_queue]
requires: {path: team, present: true}
message: \"the queue has no team\"
controls: [\"SOC2:CC7.2\"]
references: [\"https://example.com/queues\"]
remedy:
  title: name the team
  safety: needs_input
  set: {team: name of the team}
examples:
  - name: a queue without a team
    hcl: |
      resource \"acme_queue\" \"a\" { #! fail
        name = \"a\"
      }
    fixed: |
      resource \"acme_queue\" \"a\" {
        name = \"a\"
        team = \"name of the team\"
      }
  - name: a queue with one, and one of which it is not known
    hcl: |
      variable \"team\" {}

      resource \"acme_queue\" \"a\" { #! pass
        team = \"shop\"
      }

      resource \"acme_queue\" \"b\" { #! unknown
        team = var.team
      }
";
const MAIN: &str =
    "resource \"acme_queue\" \"a\" {\n}\n\nresource \"acme_queue\" \"b\" {\n  team = \"shop\"\n}\n";
const CONFIG: &str = "custom: audit\nlogging_policy:\n  access_logs:\n";

#[test]
fn a_rule_of_ones_own_is_asked_as_those_that_are_built_in() -> anyhow::Result<()> {
    let workspace = Workspace::with(&[
        ("main.tf", MAIN),
        (".auditlint.yaml", CONFIG),
        ("audit/rules/acme/queue/team.yaml", RULE),
    ])?;
    let run = workspace.run(&["check", ".", "--format", "concise"])?;
    let line = "main.tf:1:1: medium[acme/queue/team] the queue has no team (acme_queue.a)";
    ensure!(run.exit == 1 && run.stdout.contains(line) && !run.stdout.contains("acme_queue.b"), "{run:?}");
    let run = workspace.run(&["explain", "acme/queue/team"])?;
    ensure!(run.exit == 0 && run.stdout.contains("whom to ask"), "{run:?}");
    // A policy from elsewhere knows what is built in alone.
    let run = workspace.run(&["check", ".", "--policy", "auditlint:everything"])?;
    ensure!(!run.stdout.contains("acme/queue"), "{run:?}");
    Ok(())
}

#[test]
fn what_is_built_in_is_not_replaced_and_problems_have_lines() -> anyhow::Result<()> {
    for (path, text, reason) in [
        ("audit/rules/aws/elb/load-balancer-access-logs.yaml", RULE, "is the id of a rule that is built in"),
        ("audit/resources/aws/aws_lb.yaml", "type: aws_lb\n", "there are facts on aws_lb already"),
        (
            "audit/rules/acme/queue/team.yaml",
            "title: x\nseverty: low\n",
            "audit/rules/acme/queue/team.yaml:2:1",
        ),
        ("audit/other/team.yaml", RULE, "`audit` holds no rules"),
    ] {
        let workspace = Workspace::with(&[("main.tf", MAIN), (".auditlint.yaml", CONFIG), (path, text)])?;
        let run = workspace.run(&["check", "."])?;
        ensure!(run.exit == 3 && run.stderr.contains(reason), "{path}: {run:?}");
    }
    Ok(())
}

#[test]
fn the_examples_of_a_rule_are_its_tests() -> anyhow::Result<()> {
    let path = "audit/rules/acme/queue/team.yaml";
    let workspace = Workspace::with(&[("main.tf", MAIN), (".auditlint.yaml", CONFIG), (path, RULE)])?;
    let run = workspace.run(&["test", "audit"])?;
    ensure!(run.exit == 0 && run.stdout.contains("2 passed"), "{run:?}");
    workspace.write(
        path,
        &RULE.replace("team = \"shop\"", "name = \"shop\"").replace("name of the team\"\n", "another\"\n"),
    )?;
    let run = workspace.run(&["test", "audit"])?;
    for part in ["acme_queue.a is fail, and marked pass", "the fixed text is another one"] {
        ensure!(run.exit == 1 && run.stdout.contains(part), "{run:?}");
    }
    Ok(())
}
