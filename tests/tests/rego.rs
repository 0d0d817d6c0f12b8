//! Policies in Rego: those that were written for conftest run as they are, and an independent engine says the same; what a
//! policy must not do is refused before it runs.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context as _, ensure};
use auditlint_tests::repository;
use auditlint_tests::workspace::Workspace;
use camino::Utf8Path;
use serde_json::{Value, json};

const MAIN: &str = "resource \"aws_cloudwatch_log_group\" \"app\" {
  name              = \"app\"
  retention_in_days = 7
}

resource \"aws_cloudwatch_log_group\" \"jobs\" {
  name              = \"jobs\"
  retention_in_days = var.days
}

variable \"days\" {}
";

/// What the policies of a fixture say of its plan: the answers of each rule, sorted.
fn answers(set: &str) -> anyhow::Result<Value> {
    let policy = format!("fixtures/rego/{set}.yaml");
    let words = ["check", "fixtures/rego/plan.json", "--policy", &policy, "--format", "json"];
    let run = auditlint_tests::binary::run(Utf8Path::new(&repository()), &words)?;
    let report: Value = serde_json::from_str(&run.stdout).with_context(|| format!("{run:?}"))?;
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in report.get("findings").and_then(Value::as_array).context("findings")? {
        let rule = finding["rule"].as_str().and_then(|rule| rule.strip_prefix("rego/")).context("a rule")?;
        out.entry(rule.to_owned()).or_default().push(finding["message"].as_str().unwrap_or("").to_owned());
    }
    out.values_mut().for_each(|answers| answers.sort());
    Ok(json!(out))
}

/// The same by an engine that shares no code with this one; none where it is not installed.
fn independent(set: &str) -> anyhow::Result<Option<Value>> {
    if !Command::new("python3").args(["-c", "import regopy"]).output()?.status.success() {
        return Ok(None);
    }
    let folder = Utf8Path::new(&repository()).join("fixtures/rego");
    let mut files: Vec<String> = Vec::new();
    for entry in folder.join(set).read_dir_utf8()? {
        let path = entry?.path().to_string();
        files.extend((!path.ends_with("_test.rego")).then_some(path));
    }
    files.sort();
    let run = Command::new("python3")
        .arg(Utf8Path::new(&repository()).join("tests/rego/engine.py"))
        .arg(folder.join("plan.json"))
        .args(files)
        .output()?;
    ensure!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let found: BTreeMap<String, Vec<Value>> = serde_json::from_slice(&run.stdout)?;
    let text = |value: &Value| value["msg"].as_str().or(value.as_str()).unwrap_or("").to_owned();
    let told = found.into_iter().filter(|(_, answers)| !answers.is_empty()).map(|(rule, answers)| {
        let mut texts: Vec<String> = answers.iter().map(text).collect();
        texts.sort();
        (rule, texts)
    });
    Ok(Some(json!(told.collect::<BTreeMap<_, _>>())))
}

#[test]
fn policies_for_conftest_run_as_they_are() -> anyhow::Result<()> {
    let recorded = Utf8Path::new(&repository()).join("fixtures/rego/answers.json");
    #[expect(clippy::disallowed_methods, reason = "the test reads what is recorded")]
    let recorded: Value = serde_json::from_slice(&std::fs::read(recorded)?)?;
    for set in ["retention", "trails", "gatekeeper"] {
        let found = answers(set)?;
        ensure!(found == recorded[set], "{set}: {found:#}");
        match independent(set)? {
            Some(other) => ensure!(other == found, "{set}: {other:#}\nagainst {found:#}"),
            None => eprintln!("regopy is not installed: {set} was compared with what is recorded alone"),
        }
    }
    Ok(())
}

#[test]
fn a_sensitive_value_reaches_no_policy() -> anyhow::Result<()> {
    let found = answers("secrets")?;
    let says = found["main/deny_secrets"][0].as_str().context("an answer")?;
    ensure!(says == "the password of aws_db_instance.shop is (sensitive value)", "{says}");
    let secret = "resource \"aws_db_instance\" \"a\" {\n  password = \"canary-7f3a\"\n}\n";
    let all = "package main\n\nimport rego.v1\n\ndeny contains json.marshal(input) if true\n";
    let workspace = Workspace::with(&[
        ("main.tf", secret),
        (".auditlint.yaml", "rego: policy\n"),
        ("policy/all.rego", all),
    ])?;
    let run = workspace.run(&["check", ".", "--format", "json"])?;
    ensure!(run.exit == 1 && run.stdout.contains("aws_db_instance.a"), "{run:?}");
    ensure!(!run.stdout.contains("canary"), "{}", run.stdout);
    Ok(())
}

/// A repository with one policy in Rego 1.
fn with(rego: &str) -> anyhow::Result<Workspace> {
    let text = format!("package main\n\nimport rego.v1\n\n{rego}");
    Workspace::with(&[
        ("main.tf", MAIN),
        (".auditlint.yaml", "rego: [policy]\n"),
        ("policy/main.rego", &text),
    ])
}

#[test]
fn a_finding_stands_on_the_line_of_the_resource() -> anyhow::Result<()> {
    let workspace = with(
        "deny contains answer if {
  some group in input.resources
  group.values.retention_in_days < 30
  answer := {\"msg\": \"too short\", \"address\": group.address, \"path\": \"retention_in_days\", \"severity\": \"HIGH\"}
}

unknown contains {\"msg\": \"nobody knows\", \"address\": group.address} if {
  some group in input.resources
  \"retention_in_days\" in group.unknown
}

warn contains \"log groups are made here\" if count(input.resources) > 1
",
    )?;
    let run = workspace.run(&["check", ".", "--format", "concise"])?;
    for line in [
        "main.tf:3:23: high[rego/main/deny] too short (aws_cloudwatch_log_group.app)",
        "main.tf:6:1: unknown[rego/main/unknown] nobody knows (aws_cloudwatch_log_group.jobs)",
        "policy/main.rego:16:1: medium[rego/main/warn] log groups are made here\n",
    ] {
        ensure!(run.exit == 1 && run.stdout.contains(line), "{}\n{}", run.stdout, run.stderr);
    }
    let shown = workspace.run(&["policy", "show"])?;
    ensure!(shown.stdout.contains("rego.policy") && shown.stdout.contains("of the graph"), "{shown:?}");
    // A warning alone lets the run pass.
    let workspace = with("warn contains \"log groups are made here\" if true\n")?;
    let run = workspace.run(&["check", "."])?;
    ensure!(run.exit == 0 && run.stdout.contains("log groups are made here"), "{run:?}");
    // It is excused as any other finding is.
    let comment = "# auditlint:ignore rego/main/deny -- it goes in spring\nresource \"aws_lb\" \"a\" {\n}\n";
    let workspace = with("deny contains {\"msg\": \"no\", \"address\": \"aws_lb.a\"} if true\n")?;
    ensure!(workspace.run(&["check", "."])?.exit == 1, "it fails");
    workspace.write("more.tf", comment)?;
    let run = workspace.run(&["check", "."])?;
    ensure!(run.exit == 0, "{run:?}");
    Ok(())
}

#[test]
fn what_a_policy_must_not_do_is_refused_before_it_runs() -> anyhow::Result<()> {
    for (rego, reason) in [
        ("deny contains x if { input.none; x := http.send({}).body }\n", "5:39: `http.send` is no function"),
        ("deny contains x if { input.none; x := io.jwt.decode(\"a\") }\n", "`io.jwt.decode` is no function"),
        ("deny contains x if x := opa.runtime().env.HOME\n", "`opa.runtime` is no function"),
        ("deny contains x if x := rand.intn(\"a\", 3)\n", "`rand.intn` gives another answer each time"),
        ("deny contains x if x := numbers.range(1, input.n)[0]\n", "the bounds of `numbers.range`"),
        ("deny contains x if x := numbers.range(1, 1000000000)[0]\n", "the bounds of `numbers.range`"),
        ("deny contains x if x := sprintf(\"%999999999d\", [1])\n", "a field of the format is wider"),
        ("deny contains x if x := sprintf(input.format, [1])\n", "must be written out"),
        ("f(x) := g(x)\n\ng(x) := f(x)\n\ndeny contains x if x := f(1)\n", "the function f calls itself"),
        ("a if b\n\nb if a\n\ndeny contains \"x\" if a\n", "the rule a depends on itself"),
        (
            "a[x] if { data.main.a[y]; x := y + 1 }\n\ndeny contains \"x\" if a[1]\n",
            "the rule a depends on itself",
        ),
        ("deny contains x if x :=\n", "policy/main.rego:6:1: expecting expression"),
        ("allow if true\n", "asks nothing"),
    ] {
        let run = with(rego)?.run(&["check", "."])?;
        ensure!(run.exit == 3 && run.stderr.contains(reason), "{rego}: {run:?}");
    }
    let deep = format!("deny contains x if x := {}1{}\n", "[".repeat(5_000), "]".repeat(5_000));
    let run = with(&deep)?.run(&["check", "."])?;
    ensure!(run.exit == 3 && run.stderr.contains("deep in one another"), "{run:?}");
    let workspace = Workspace::with(&[("main.tf", MAIN), (".auditlint.yaml", "rego: [none]\n")])?;
    let run = workspace.run(&["check", "."])?;
    ensure!(
        run.exit == 3 && run.stderr.contains(".auditlint.yaml:1:8: `none` holds no .rego file"),
        "{run:?}"
    );
    let workspace = Workspace::with(&[("main.tf", MAIN), (".auditlint.yaml", "rego: [../policy]\n")])?;
    let run = workspace.run(&["check", "."])?;
    ensure!(run.exit == 3 && run.stderr.contains("outside of the workspace"), "{run:?}");
    Ok(())
}

#[test]
fn a_variable_with_the_name_of_a_rule_is_no_cycle() -> anyhow::Result<()> {
    let shadows = "size if count([message | some message in deny]) > 9

deny contains message if {
  size := 3
  message := sprintf(\"%d\", [size])
}
";
    let run = with(shadows)?.run(&["check", "."])?;
    ensure!(run.exit == 1 && !run.stderr.contains("depends on itself"), "{run:?}");
    Ok(())
}

/// What comes to no end makes the run incomplete, and what a policy cannot be given is undecided: neither is clean.
#[test]
fn what_comes_to_no_end_is_no_pass() -> anyhow::Result<()> {
    let pairs = "deny contains x if {
  some a in numbers.range(1, 100000)
  some b in numbers.range(1, 100000)
  a * b == 7919 * 7907
  x := \"found\"
}
";
    let run = with(pairs)?.run(&["check", "."])?;
    ensure!(run.exit == 2 && run.stdout.contains("takes longer than two seconds"), "{run:?}");
    let doubled: String =
        (1..40).map(|n| format!("s{n} := concat(\"\", [s{}, s{}])\n", n - 1, n - 1)).collect();
    let doubling = format!("s0 := \"aaaaaaaaaaaaaaaa\"\n{doubled}deny contains \"x\" if count(s39) > 3\n");
    let run = with(&doubling)?.run(&["check", "."])?;
    let reasons = ["more memory than a policy may", "takes longer than two seconds"];
    ensure!(run.exit == 2 && reasons.iter().any(|reason| run.stdout.contains(reason)), "{run:?}");
    let workspace = with("deny contains \"x\" if true\n")?;
    workspace.write(".auditlint.yaml", "rego: [{path: policy, input: plan}]\n")?;
    let run = workspace.run(&["check", "."])?;
    ensure!(run.stdout.contains("rego/main/deny is not decided: the policy asks for a plan"), "{run:?}");
    Ok(())
}

/// A change of the repository that alters or removes a policy in Rego is judged by what was there, and told.
#[test]
fn a_change_does_not_loosen_the_policy_that_judges_it() -> anyhow::Result<()> {
    let workspace =
        with("deny contains {\"msg\": \"no\", \"address\": \"aws_cloudwatch_log_group.app\"} if true\n")?;
    workspace.git(&["init", "--quiet", "--initial-branch=main"])?;
    workspace.commit()?;
    workspace.git(&["checkout", "--quiet", "-b", "change"])?;
    let run = workspace.run(&["check", ".", "--base-ref", "main", "--format", "concise"])?;
    ensure!(run.exit == 1 && !run.stdout.contains("self-exemption"), "{run:?}");
    workspace
        .write("policy/main.rego", "package main\n\nimport rego.v1\n\ndeny contains \"no\" if false\n")?;
    ensure!(workspace.run(&["check", "."])?.exit == 0, "without the revision before, the change counts");
    let run = workspace.run(&["check", ".", "--base-ref", "main", "--format", "concise"])?;
    ensure!(run.exit == 1 && run.stdout.contains("rego/main/deny"), "{run:?}");
    ensure!(run.stdout.contains("alters a policy in Rego, main.rego of `policy`"), "{run:?}");
    workspace.write(".auditlint.yaml", "logging_policy:\n  access_logs: {}\n")?;
    let run = workspace.run(&["check", ".", "--base-ref", "main", "--format", "concise"])?;
    ensure!(run.exit == 1 && run.stdout.contains("removes policies in Rego"), "{run:?}");
    Ok(())
}

#[test]
fn tests_in_rego_run_with_the_policies_of_their_folder() -> anyhow::Result<()> {
    let deny = "deny contains \"no\" if input.wrong\n";
    let head = "package main\n\nimport rego.v1\n\n";
    let test = |body: &str| format!("{head}{body}");
    let holds = test("test_denied if count(deny) == 1 with input as {\"wrong\": true}\n");
    let fails = test("test_denied if count(deny) == 1 with input as {\"wrong\": false}\n");
    let refused = test("test_denied if http.send({}).status_code == 200\n");
    let cases = [
        ("policy/main_test.rego", &holds, 0, "1 passed, 0 failed"),
        ("policy/tests/main_test.rego", &holds, 0, "1 passed, 0 failed"),
        ("policy/main_test.rego", &fails, 1, "main_test.rego:5: main.test_denied"),
        ("policy/main_test.rego", &refused, 3, "http.send"),
    ];
    for (path, text, exit, told) in cases {
        let workspace = with(deny)?;
        workspace.write(path, text)?;
        let run = workspace.run(&["test", "policy"])?;
        ensure!(run.exit == exit && run.stdout.contains(told), "{path} {text}: {run:?}");
        // A policy is as it was.
        ensure!(workspace.run(&["check", "."])?.exit == 0, "{path}");
    }
    let run = auditlint_tests::binary::run(&repository(), &["test", "fixtures/rego"])?;
    ensure!(run.exit == 0 && run.stdout == "1 passed, 0 failed\n", "{run:?}");
    Ok(())
}
