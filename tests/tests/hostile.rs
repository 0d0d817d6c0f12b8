//! Whatever a repository contains is untrusted (law 10): nothing in it makes a run hang, crash, read outside the
//! workspace, or write what a terminal or a pipeline would take for a command.

use anyhow::{Context as _, ensure};
use auditlint_tests::binary::{Run, run, run_with};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

/// A workspace of its own; the folder goes when this does.
struct Workspace {
    _guard: tempfile::TempDir,
    top: Utf8PathBuf,
}

impl Workspace {
    fn of(files: &[(&str, &str)]) -> anyhow::Result<Self> {
        let guard = tempfile::tempdir()?;
        let top =
            Utf8Path::from_path(guard.path()).context("a path in UTF-8")?.canonicalize_utf8()?.join("work");
        std::fs::create_dir_all(&top)?;
        let made = Self { _guard: guard, top };
        files.iter().try_for_each(|(path, text)| made.put(path, text.as_bytes()))?;
        Ok(made)
    }

    fn put(&self, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.top.join(path);
        std::fs::create_dir_all(path.parent().context("a folder")?)?;
        #[expect(clippy::disallowed_methods, reason = "the test makes a workspace")]
        std::fs::write(path, bytes)?;
        Ok(())
    }

    /// Checks the workspace under every rule. The run ends in time, by the contract, and does not panic.
    fn check(&self, target: &str) -> anyhow::Result<(i32, Value)> {
        let words = ["check", target, "--policy", "auditlint:everything", "--format", "json"];
        let run = run(&self.top, &words)?;
        ensure!((0..=3).contains(&run.exit) && !run.stderr.contains("panicked"), "{run:?}");
        let text = if run.exit == 3 { &run.stderr } else { &run.stdout };
        Ok((run.exit, serde_json::from_str(text).with_context(|| format!("{run:?}"))?))
    }
}

fn gaps(report: &Value) -> Vec<&str> {
    let gaps = report.get("gaps").and_then(Value::as_array).into_iter().flatten();
    gaps.filter_map(|gap| gap.get("kind").and_then(Value::as_str)).collect()
}

fn fails(report: &Value, address: &str) -> bool {
    let list = report.get("findings").and_then(Value::as_array).into_iter().flatten();
    let says =
        |finding: &Value, key: &str, text: &str| finding.get(key).and_then(Value::as_str) == Some(text);
    list.into_iter().any(|finding| says(finding, "address", address) && says(finding, "verdict", "fail"))
}

const SHORT: &str = "resource \"aws_cloudwatch_log_group\" \"short\" {\n  name              = \"short\"\n  retention_in_days = 7\n}\n";

#[test]
fn deep_nesting_is_a_gap_and_the_rest_is_judged() -> anyhow::Result<()> {
    for (open, close) in [("(", ")"), ("[", "]"), ("{ a = ", "}"), ("\"${", "}\""), ("!", ""), ("-", "")] {
        let deep = format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
        let text = format!("locals {{\n  deep = {deep}\n}}\n\n{SHORT}");
        let (exit, report) = Workspace::of(&[("main.tf", &text)])?.check(".")?;
        ensure!(fails(&report, "aws_cloudwatch_log_group.short"), "`{open}`: exit {exit}");
        // Terraform takes each of them.
        let gaps = report.get("gaps").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let kinds: Vec<_> = gaps.iter().filter_map(|gap| gap.get("kind").and_then(Value::as_str)).collect();
        ensure!(kinds == ["unsupported"], "`{open}`: {gaps:?}");
    }
    let deep = format!("{}x {{}}\n{}", "a {\n".repeat(20_000), "}\n".repeat(20_000));
    let text = format!("resource \"aws_lb\" \"deep\" {{\n{deep}}}\n\n{SHORT}");
    let (exit, report) = Workspace::of(&[("main.tf", &text)])?.check(".")?;
    ensure!(fails(&report, "aws_cloudwatch_log_group.short"), "blocks: exit {exit}");
    Ok(())
}

#[test]
fn deep_documents_end_with_an_error_or_a_gap() -> anyhow::Result<()> {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let plan = format!("{{\"format_version\": \"1.2\", \"resource_changes\": {deep}}}");
    let value = format!(
        "{{\"format_version\": \"1.2\", \"configuration\": {{\"root_module\": {{}}}}, \"resource_changes\": [{{\"address\": \"aws_lb.a\", \"mode\": \"managed\", \"type\": \"aws_lb\", \"name\": \"a\", \"change\": {{\"actions\": [\"create\"], \"after\": {{\"access_logs\": {deep}}}, \"after_unknown\": {{}}}}}}]}}"
    );
    let json = format!("{{\"locals\": {{\"deep\": {deep}}}}}");
    let workspace =
        Workspace::of(&[("plan.json", &plan), ("value.json", &value), ("json/main.tf.json", &json)])?;
    for target in ["plan.json", "value.json", "json"] {
        let (exit, report) = workspace.check(target)?;
        let undecided = report.get("status").and_then(Value::as_str) == Some("undecided");
        ensure!(exit == 2 || exit == 3 || undecided, "{target}: exit {exit}: {report}");
    }
    let yaml = format!("logging_policy: {deep}");
    workspace.put("deep.yaml", yaml.as_bytes())?;
    workspace.put("ok/main.tf", SHORT.as_bytes())?;
    let run = run(&workspace.top, &["check", "ok", "--policy", "deep.yaml"])?;
    ensure!(run.exit == 3 && run.stderr.contains("deep.yaml:1:"), "{run:?}");
    Ok(())
}

#[test]
fn values_that_grow_without_bound_are_unknown_in_time() -> anyhow::Result<()> {
    let mut doubling = String::from("locals {\n  v0 = \"0123456789\"\n");
    let mut lists = String::from("  l0 = [1, 2]\n");
    for n in 1..64 {
        doubling.push_str(&format!("  v{n} = \"${{local.v{0}}}${{local.v{0}}}\"\n", n - 1));
        lists.push_str(&format!("  l{n} = concat(local.l{0}, local.l{0})\n", n - 1));
    }
    let text = format!(
        "{doubling}{lists}}}\n\nresource \"aws_cloudwatch_log_group\" \"long\" {{\n  name              = local.v63\n  retention_in_days = length(local.l63)\n}}\n\n{SHORT}"
    );
    let (_, report) = Workspace::of(&[("main.tf", &text)])?.check(".")?;
    ensure!(fails(&report, "aws_cloudwatch_log_group.short"));
    for huge in [
        "range(1000000000)",
        "[for n in range(0, 1000000000) : n]",
        "setproduct(range(5000), range(5000), range(5000))",
        "[format(\"%1000000000d\", 1)]",
        "[join(\"\", [for a in range(1000) : join(\"\", [for b in range(1000) : join(\"\", [for c in range(1000) : \"x\"])])])]",
    ] {
        let text = format!(
            "resource \"aws_cloudwatch_log_group\" \"many\" {{\n  count             = length({huge})\n  name              = \"many\"\n  retention_in_days = 7\n}}\n\n{SHORT}"
        );
        let (_, report) = Workspace::of(&[("main.tf", &text)])?.check(".")?;
        ensure!(fails(&report, "aws_cloudwatch_log_group.short"), "{huge}");
    }
    Ok(())
}

#[test]
fn a_count_of_millions_is_bounded() -> anyhow::Result<()> {
    let text = format!(
        "resource \"aws_cloudwatch_log_group\" \"many\" {{\n  count             = 50000000\n  name              = \"many\"\n  retention_in_days = 7\n}}\n\n{SHORT}"
    );
    let (exit, report) = Workspace::of(&[("main.tf", &text)])?.check(".")?;
    ensure!(fails(&report, "aws_cloudwatch_log_group.short"));
    ensure!(exit == 1, "exit {exit}");
    ensure!(gaps(&report).contains(&"unsupported"), "what is not judged one by one is no gap");
    Ok(())
}

/// Histories, references, nested lists and undecided choices that double from one line to the next.
#[test]
fn what_doubles_from_line_to_line_is_cut() -> anyhow::Result<()> {
    for (first, next) in [
        ("aws_lb.one.arn", "\"${local.vN}${local.vN}\""),
        ("[1]", "[local.vN, local.vN]"),
        ("{ a = 1 }", "{ a = local.vN, b = local.vN }"),
        ("var.open", "var.open ? local.vN : [local.vN]"),
        ("var.open", "coalesce(local.vN, local.vN, \"x\")"),
        ("var.open", "concat([local.vN], [local.vN])"),
        ("\"ab\"", "replace(local.vN, \"a\", local.vN)"),
        ("\"ab\"", "join(local.vN, [local.vN, local.vN, local.vN])"),
        ("\"ab\"", "jsonencode([local.vN, local.vN])"),
        ("\"%s%s\"", "format(local.vN, local.vN, local.vN)"),
        ("[1]", "flatten([local.vN, local.vN])"),
        ("[1]", "[for a in local.vN : local.vN]"),
    ] {
        let mut text = format!(
            "variable \"open\" {{}}\n\nresource \"aws_lb\" \"one\" {{\n  name = \"one\"\n}}\n\nlocals {{\n  v0 = {first}\n"
        );
        for n in 1..80 {
            text.push_str(&format!("  v{n} = {}\n", next.replace("vN", &format!("v{}", n - 1))));
        }
        text.push_str("}\n\n");
        // Asked for from the first on, so that no depth of the questions stops them.
        for n in 0..80 {
            text.push_str(&format!(
                "resource \"aws_cloudwatch_log_group\" \"g{n}\" {{\n  name              = local.v{n}\n  retention_in_days = length(local.v{n})\n}}\n\n"
            ));
        }
        text.push_str(SHORT);
        let (exit, report) = Workspace::of(&[("main.tf", &text)])?.check(".")?;
        ensure!(fails(&report, "aws_cloudwatch_log_group.short"), "{next}: exit {exit}");
    }
    Ok(())
}

/// An attribute that is made of another resource's attribute, which is made of another's.
#[test]
fn attributes_that_double_from_resource_to_resource_are_cut() -> anyhow::Result<()> {
    let mut text = String::from(SHORT);
    for n in 1..28 {
        let name = format!("aws_cloudwatch_log_group.g{}.name", n - 1);
        let name = if n == 1 { "aws_cloudwatch_log_group.short.name".to_owned() } else { name };
        text.push_str(&format!(
            "\nresource \"aws_cloudwatch_log_group\" \"g{n}\" {{\n  name              = \"${{{name}}}${{{name}}}\"\n  retention_in_days = 7\n}}\n"
        ));
    }
    let (exit, report) = Workspace::of(&[("main.tf", &text)])?.check(".")?;
    ensure!(fails(&report, "aws_cloudwatch_log_group.short"), "exit {exit}");
    Ok(())
}

/// Texts on which a reader that looks ahead for each mistake would look for ever.
#[test]
fn mistakes_in_great_numbers_are_read_in_time() -> anyhow::Result<()> {
    let times =
        |count: u32, line: &str| (0..count).map(|n| line.replace('N', &n.to_string())).collect::<String>();
    let numbered = |line: &str| times(40_000, line);
    let broken = |inside: &str| format!("resource \"aws_lb\" \"broken\" {{\n{inside}}}\n\n");
    for text in [
        broken(&numbered("  xN = <<EOTN\n")),
        broken(&numbered("  xN = [\n")),
        broken(&numbered("x {\n")),
        broken(&numbered("  xN = \"${\n")),
        broken(&numbered("  xN = 1\n")),
        broken(&format!("  x = [\n{}", "\n".repeat(200_000))),
        broken(&"}".repeat(100_000)),
        broken(&format!("{}{}", "{".repeat(100_000), ")".repeat(100_000))),
        "}\n".repeat(100_000),
        "a }".repeat(50_000) + "\n",
        times(10_000, "resource \"aws_lb\" \"lN\" {\n  name = nowhere.at.all\n}\n"),
    ] {
        let start: String = text.chars().take(80).collect();
        let workspace = Workspace::of(&[("main.tf", &format!("{SHORT}\n{text}"))])?;
        let (exit, report) = workspace.check(".")?;
        ensure!(fails(&report, "aws_cloudwatch_log_group.short"), "{start}: exit {exit}");
    }
    Ok(())
}

#[test]
fn a_tree_of_modules_that_doubles_at_each_level_is_bounded() -> anyhow::Result<()> {
    let workspace = Workspace::of(&[(".git/HEAD", "ref: refs/heads/main\n")])?;
    for level in 0..40 {
        let call = |name: &str| format!("module \"{name}\" {{\n  source = \"../m{}\"\n}}\n", level + 1);
        workspace.put(&format!("m{level}/main.tf"), format!("{}{}", call("a"), call("b")).as_bytes())?;
    }
    workspace.put("m40/main.tf", SHORT.as_bytes())?;
    let (exit, report) = workspace.check("m0")?;
    ensure!(exit == 1 || exit == 2, "exit {exit}");
    ensure!(gaps(&report).contains(&"unsupported"), "what was left out is no gap: {report}");
    Ok(())
}

#[cfg(unix)]
#[test]
fn only_regular_files_inside_the_workspace_are_read() -> anyhow::Result<()> {
    use std::os::unix::fs::symlink;
    let workspace = Workspace::of(&[("main.tf", SHORT), (".git/HEAD", "ref: refs/heads/main\n")])?;
    let outside = workspace.top.parent().context("a parent")?.join("secret.tf");
    #[expect(clippy::disallowed_methods, reason = "the test makes a file outside")]
    std::fs::write(&outside, "resource \"aws_lb\" \"outside\" {\n  name = \"from-outside\"\n}\n")?;
    symlink(&outside, workspace.top.join("link.tf"))?;
    symlink(".", workspace.top.join("loop"))?;
    symlink("/dev/zero", workspace.top.join("endless.tf"))?;
    std::fs::create_dir(workspace.top.join("folder.tf"))?;
    let fifo = std::process::Command::new("mkfifo").arg(workspace.top.join("pipe.tf")).status();
    ensure!(fifo.is_ok_and(|status| status.success()), "mkfifo");
    let (exit, report) = workspace.check(".")?;
    ensure!(fails(&report, "aws_cloudwatch_log_group.short"), "exit {exit}: {report}");
    ensure!(!report.to_string().contains("aws_lb.outside"), "a file outside of the workspace was read");
    ensure!(gaps(&report).contains(&"unreadable"), "the link that leads outside is no gap: {report}");
    Ok(())
}

#[test]
fn a_module_source_cannot_climb_out_of_the_workspace() -> anyhow::Result<()> {
    let call = "module \"up\" {\n  source = \"../../outside\"\n}\n";
    let workspace = Workspace::of(&[("root/main.tf", call), ("root/.git/HEAD", "ref: refs/heads/main\n")])?;
    let outside = workspace.top.parent().context("a parent")?.join("outside");
    std::fs::create_dir_all(&outside)?;
    #[expect(clippy::disallowed_methods, reason = "the test makes a file outside")]
    std::fs::write(outside.join("main.tf"), SHORT)?;
    let (exit, report) = workspace.check("root")?;
    ensure!(exit == 2 && !gaps(&report).is_empty(), "exit {exit}: {report}");
    ensure!(!report.to_string().contains("aws_cloudwatch_log_group.short"), "{report}");
    Ok(())
}

/// Names that a terminal or a pipeline would take for a command.
const NAMES: &str = r#"
resource "aws_cloudwatch_log_group" "keys" {
  for_each          = toset(["\u001b[2J\u001b[31mred", "line\n::error::injected", "bell\u0007", "rtl\u202e"])
  name              = each.key
  retention_in_days = 7
}
"#;

fn is_harmless(run: &Run, format: &str) -> anyhow::Result<()> {
    for (at, char) in run.stdout.char_indices() {
        let hostile = (char.is_control() && char != '\n')
            || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        ensure!(!hostile, "{format} writes {char:?} at byte {at}: {}", run.stdout);
    }
    ensure!(!run.stdout.lines().any(|line| line.starts_with("::error::")), "{format}: {}", run.stdout);
    Ok(())
}

#[test]
fn names_are_shown_without_their_control_characters() -> anyhow::Result<()> {
    let workspace = Workspace::of(&[("main.tf", NAMES)])?;
    for format in ["pretty", "concise", "github", "json", "sarif"] {
        let words = ["check", ".", "--policy", "auditlint:everything", "--full", "--format", format];
        let run = run(&workspace.top, &words)?;
        ensure!(run.exit == 1, "{run:?}");
        is_harmless(&run, format)?;
    }
    let run = run_with(&workspace.top, &["check", ".", "--var", "\u{1b}[2J=1"], b"", &[])?;
    ensure!(!run.stderr.contains('\u{1b}') && !run.stdout.contains('\u{1b}'), "{run:?}");
    Ok(())
}

#[test]
fn source_lines_are_shown_without_their_control_characters() -> anyhow::Result<()> {
    let text = "resource \"aws_cloudwatch_log_group\" \"short\" {\n  name              = \"a\"\n  retention_in_days = 7 # \u{1b}[2J\u{1b}[31m\u{7}\u{202e}\n}\n";
    let workspace = Workspace::of(&[("main.tf", text)])?;
    let run = run(&workspace.top, &["check", ".", "--policy", "auditlint:everything", "--full"])?;
    ensure!(run.exit == 1, "{run:?}");
    is_harmless(&run, "pretty")
}

#[test]
fn bytes_that_are_no_text_move_nothing() -> anyhow::Result<()> {
    let workspace = Workspace::of(&[])?;
    let mut bytes = b"\xEF\xBB\xBF# caf\xE9\n".to_vec();
    bytes.extend_from_slice(SHORT.as_bytes());
    workspace.put("main.tf", &bytes)?;
    let (exit, report) = workspace.check(".")?;
    ensure!(exit == 1 && fails(&report, "aws_cloudwatch_log_group.short"), "exit {exit}: {report}");
    let line = report.pointer("/findings/0/span/start/line").and_then(Value::as_u64);
    ensure!(line == Some(4) || line == Some(2), "{line:?}");
    Ok(())
}

#[test]
fn a_plan_in_utf_16_is_read() -> anyhow::Result<()> {
    let plan = r#"{"format_version": "1.2", "configuration": {"root_module": {"resources": [{"address": "aws_cloudwatch_log_group.short", "mode": "managed", "type": "aws_cloudwatch_log_group", "name": "short", "expressions": {"retention_in_days": {"constant_value": 7}}}]}}, "resource_changes": [{"address": "aws_cloudwatch_log_group.short", "mode": "managed", "type": "aws_cloudwatch_log_group", "name": "short", "change": {"actions": ["create"], "after": {"retention_in_days": 7}, "after_unknown": {}}}]}"#;
    let little: Vec<u8> =
        [0xFF, 0xFE].into_iter().chain(plan.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let big: Vec<u8> =
        [0xFE, 0xFF].into_iter().chain(plan.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    let workspace = Workspace::of(&[])?;
    workspace.put("little.json", &little)?;
    workspace.put("big.json", &big)?;
    workspace.put("marked.json", format!("\u{feff}{plan}").as_bytes())?;
    for target in ["little.json", "big.json", "marked.json"] {
        let (exit, report) = workspace.check(target)?;
        ensure!(
            exit == 1 && fails(&report, "aws_cloudwatch_log_group.short"),
            "{target}: exit {exit}: {report}"
        );
    }
    Ok(())
}
