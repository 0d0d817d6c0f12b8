//! Policy files as a client sees them.

use crate::client::{Client, codes};
use serde_json::{Value, json};

/// What is missing altogether is told on the line of the policy that asks for it, and the menu there writes it.
#[tokio::test(flavor = "multi_thread")]
async fn the_menu_on_the_line_of_a_policy_writes_what_is_missing() {
    let mut client = Client::start_with(json!({}), Vec::new()).await;
    client.open("main.tf", "provider \"aws\" {\n  region = \"eu-west-1\"\n}\n").await;
    let policy = "logging_policy:\n  configuration_changes:\n    required_in: [{root: .}]\n";
    client.open(".auditlint.yaml", policy).await;
    let missing = |message: &Value| {
        message["method"] == "textDocument/publishDiagnostics"
            && message["params"]["diagnostics"]
                .as_array()
                .is_some_and(|all| codes(all).contains(&"policy/required-source"))
    };
    let message = client.until(missing).await;
    let range = message["params"]["diagnostics"][0]["range"].clone();
    let document = json!({"uri": client.uri(".auditlint.yaml")});
    client
        .request(
            7,
            "textDocument/codeAction",
            json!({"textDocument": document, "range": range, "context": {"diagnostics": []}}),
        )
        .await;
    let answer = client.answer(7).await;
    let action = &answer["result"][0];
    assert_eq!(
        action["title"], "add a trail over all regions, with a bucket that keeps what it records",
        "{answer:#}"
    );
    let main = client.uri("main.tf");
    let text = action["edit"]["changes"][main.as_str()][0]["newText"].as_str().unwrap();
    assert!(text.contains("resource \"aws_cloudtrail\" \"audit\""), "{text}");
}

/// A policy that does not load shows what is wrong with it, and nothing of the policy before at places of another text.
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_with_a_problem_shows_the_problem_alone() {
    let mut client = Client::start_with(json!({}), Vec::new()).await;
    let policy = "logging_policy:\n  configuration_changes:\n    required_in: [{root: .}]\n  ünknown: yes\n";
    client.open(".auditlint.yaml", policy).await;
    let shown =
        |message: &Value| message["params"]["diagnostics"].as_array().is_some_and(|all| !all.is_empty());
    let message = client.until(shown).await;
    let diagnostics = message["params"]["diagnostics"].as_array().unwrap();
    assert_eq!(codes(diagnostics), ["policy"], "{diagnostics:#?}");
    let end = policy.lines().nth(3).unwrap().chars().count();
    assert_eq!(
        diagnostics[0]["range"],
        json!({"start": {"line": 3, "character": 2}, "end": {"line": 3, "character": end}})
    );
}

const POLICY: &str = "extends: base.yaml
logging_policy:
  access_logs:
    retention: {min: 90_days}
    controls: [SOC2:CC7.2]
exemptions:
  - id: EX-1
    rule: aws/elb/load-balancer-access-logs
    targets: [aws_lb.web]
    owner: web@example.com
    reason: it is replaced in spring
    created: 2026-01-01
    expires: 2099-01-01
";
const BASE: &str = "logging_policy:\n  access_logs:\n    retention: {min: 30_days}\nrepository:\n  may_exempt: [aws/elb/*]\n";
const BALANCER: &str = "resource \"aws_lb\" \"web\" {\n  name = \"web\"\n}\n\nresource \"aws_lb\" \"other\" {\n  name = \"other\"\n}\n";

/// A workspace with a policy, what it extends, and what it judges.
async fn workspace() -> Client {
    let mut client = Client::start_with(json!({}), Vec::new()).await;
    client.open("base.yaml", BASE).await;
    client.open("main.tf", BALANCER).await;
    client.open(".auditlint.yaml", POLICY).await;
    // The roots of the workspace are found, and judged by the policy.
    client
        .until(|message| {
            let all = message["params"]["diagnostics"].as_array();
            message["params"]["uri"].as_str().is_some_and(|uri| uri.ends_with("main.tf"))
                && all.is_some_and(|all| codes(all) == ["aws/elb/load-balancer-access-logs"])
        })
        .await;
    client
}

impl Client {
    /// The answer to a request about a place of a document: that of `word` in `text`, so many characters into it.
    async fn ask(&mut self, method: &str, name: &str, (text, word, into): (&str, &str, usize)) -> Value {
        let offset = text.find(word).unwrap() + into;
        let before = &text[..offset];
        let line = before.matches('\n').count();
        let character = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        let document = json!({"uri": self.uri(name)});
        let params = json!({"textDocument": document, "position": {"line": line, "character": character}});
        self.request(40, method, params).await;
        self.answer(40).await["result"].clone()
    }

    async fn offers(&mut self, text: &str) -> Vec<String> {
        let offset = text.find('|').unwrap();
        let text = text.replacen('|', "", 1);
        let uri = self.uri("team.yaml");
        self.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}})).await;
        self.open("team.yaml", &text).await;
        let before = &text[..offset];
        let line = before.matches('\n').count();
        let character = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        let params =
            json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": character}});
        self.request(41, "textDocument/completion", params).await;
        let answer = self.answer(41).await;
        let items = answer["result"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_written_is_offered_where_it_may() {
    let mut client = workspace().await;
    for (text, there, not_there) in [
        (
            "logging_policy:\n  acc|\n",
            vec!["access_logs", "authentication", "defaults"],
            vec!["retention", "rules"],
        ),
        (
            "logging_policy:\n  access_logs:\n    retention:\n      min: 9|\n",
            vec!["90_days", "1_year"],
            vec!["access_logs"],
        ),
        ("logging_policy:\n  access_logs: {retention: {min: 1_year, |}}\n", vec!["max", "hot"], vec!["min"]),
        ("logging_policy:\n  access_logs:\n    controls: [SO|]\n", vec!["SOC2:CC7.2"], vec![]),
        (
            "logging_policy: {access_logs: }\nrules:\n  - aws/elb/|\n",
            vec!["aws/elb/load-balancer-access-logs"],
            vec![],
        ),
        (
            "logging_policy: {access_logs: }\nenforcement:\n  level: |\n",
            vec!["advisory", "mandatory"],
            vec!["true"],
        ),
        ("logging_policy: {access_logs: }\nextends: |\n", vec!["auditlint:soc2"], vec![]),
        (
            "logging_policy: {access_logs: }\nexemptions:\n  - id: X\n    |\n",
            vec!["owner", "expires"],
            vec!["id"],
        ),
        ("logging_policy: {access_logs: }\n# |\n", vec![], vec!["rules"]),
    ] {
        let offers = client.offers(text).await;
        for word in &there {
            assert!(offers.iter().any(|offer| offer == word), "{text}: {word} among {offers:?}");
        }
        for word in &not_there {
            assert!(!offers.iter().any(|offer| offer == word), "{text}: {word} among {offers:?}");
        }
        assert!(!there.is_empty() || offers.is_empty(), "{text}: {offers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_tells_what_its_words_mean_and_where_they_lead() {
    let mut client = workspace().await;
    let shown = async |client: &mut Client, word: &str| -> String {
        let answer = client.ask("textDocument/hover", ".auditlint.yaml", (POLICY, word, 2)).await;
        answer["contents"]["value"].as_str().unwrap_or("nothing").to_owned()
    };
    let control = shown(&mut client, "SOC2:CC7.2").await;
    assert!(control.contains("basis: ") && control.contains("https://"), "{control}");
    let rule = shown(&mut client, "aws/elb/load").await;
    assert!(rule.contains("docs/rules/aws/elb/load-balancer-access-logs.md"), "{rule}");
    let category = shown(&mut client, "access_logs").await;
    assert!(category.contains("2 resources bound · 1 finding"), "{category}");
    let field = shown(&mut client, "min: 90").await;
    assert!(field.to_lowercase().contains("kept at least"), "{field}");
    let leads = async |client: &mut Client, word: &str| -> String {
        let answer = client.ask("textDocument/definition", ".auditlint.yaml", (POLICY, word, 2)).await;
        format!("{}:{}", answer["uri"].as_str().unwrap_or(""), answer["range"]["start"]["line"])
    };
    assert_eq!(leads(&mut client, "base.yaml").await, format!("{}:0", client.uri("base.yaml")));
    assert_eq!(leads(&mut client, "aws_lb.web").await, format!("{}:0", client.uri("main.tf")));
}

/// What is built in stands in no file of the workspace: it is written into one that an editor can open.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_leads_to_its_file() {
    let mut client = workspace().await;
    let leads = async |client: &mut Client, (text, word): (&str, &str)| -> String {
        let answer = client.ask("textDocument/definition", ".auditlint.yaml", (text, word, 2)).await;
        answer["uri"].as_str().unwrap_or("nowhere").to_owned()
    };
    let library = format!("{}/{}", client.uri(".git/library"), env!("CARGO_PKG_VERSION"));
    let rule = leads(&mut client, (POLICY, "aws/elb/load")).await;
    assert_eq!(rule, format!("{library}/rules/aws/elb/load-balancer-access-logs.yaml"));
    let path = rule.strip_prefix("file://").unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.starts_with("title: ") && text.contains("examples:"), "{text}");
    assert!(std::fs::metadata(path).unwrap().permissions().readonly());
    // Somebody changed it all the same.
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, "title: mine").unwrap();
    assert_eq!(leads(&mut client, (POLICY, "aws/elb/load")).await, rule);
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);

    let other = "extends: auditlint:soc2\nenforcement:\n  rules: {own/naming: advisory}\nrules: [own/naming]\ncustom: rulebook\n";
    let own = "title: Log groups are named by their service\nwhy: Whoever looks for a log looks by its name.\nseverity: low\nkind: guard\nasks: [quality]\ncategories: [system]\nselects: [aws_cloudwatch_log_group]\nrequires: {path: name, present: true}\nmessage: has no name\n";
    let folder = client.folder.path().join("rulebook/rules/own");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("naming.yaml"), own).unwrap();
    let whole = json!([{"text": other}]);
    let document = json!({"uri": client.uri(".auditlint.yaml"), "version": 2});
    let change = json!({"textDocument": document, "contentChanges": whole});
    client.notify("textDocument/didChange", change).await;
    assert_eq!(leads(&mut client, (other, "auditlint:soc2")).await, format!("{library}/standards/soc2.yaml"));
    let key = leads(&mut client, (other, "own/naming: adv")).await;
    assert_eq!(key, client.uri("rulebook/rules/own/naming.yaml"));
    assert_eq!(leads(&mut client, (other, "own/naming]")).await, key);
}

#[tokio::test(flavor = "multi_thread")]
async fn lenses_count_findings_and_run_the_tests() {
    let mut client = workspace().await;
    let tests = "apiVersion: auditlint/v1
kind: PolicyTest
policy: .auditlint.yaml
cases:
  - name: a load balancer without logs
    given:
      hcl: |
        resource \"aws_lb\" \"web\" {}
    expect:
      findings:
        - {rule: aws/elb/load-balancer-access-logs, address: aws_lb.web, verdict: exempt}
";
    client.open("policy_test.yaml", tests).await;
    let document = json!({"textDocument": {"uri": client.uri(".auditlint.yaml")}});
    client.request(50, "textDocument/codeLens", document).await;
    let lenses = client.answer(50).await["result"].clone();
    let titles: Vec<&str> =
        lenses.as_array().unwrap().iter().filter_map(|lens| lens["command"]["title"].as_str()).collect();
    assert_eq!(titles, ["1 finding · 0 undecided · 1 exempt", "run tests"], "{lenses:#}");
    let command = &lenses[1]["command"];
    client
        .request(
            51,
            "workspace/executeCommand",
            json!({"command": command["command"], "arguments": command["arguments"]}),
        )
        .await;
    let message = client.until(|message| message["method"] == "window/showMessage").await;
    assert_eq!(message["params"]["type"], 3, "{message:#}");
    client.answer(51).await;
}

/// A policy that is not in force, and a file of tests, show what is wrong in them.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_shows_in_files_that_are_not_in_force() {
    let mut client = workspace().await;
    client
        .open("other.yaml", "logging_policy:\n  acess_logs:\n  authentication:\n    retention: {min: soon}\n")
        .await;
    let wrong = |message: &Value| {
        let uri = message["params"]["uri"].as_str().unwrap_or("").to_owned();
        let all = message["params"]["diagnostics"].as_array().cloned().unwrap_or_default();
        (uri.ends_with("other.yaml") || uri.ends_with("bad_test.yaml")) && !all.is_empty()
    };
    let message = client.until(wrong).await;
    let lines: Vec<&Value> = message["params"]["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["range"]["start"]["line"])
        .collect();
    assert_eq!(lines, [1, 3], "{message:#}");
    client.open("bad_test.yaml", "kind: PolicyTest\npolicy: .auditlint.yaml\ncases:\n  - given: {}\n").await;
    client
        .until(|message| wrong(message) && message["params"]["uri"].as_str().unwrap().contains("bad_test"))
        .await;
}

/// What excuses nothing is taken away by the menu: an exemption in the policy, a comment beside a resource.
#[tokio::test(flavor = "multi_thread")]
async fn what_excuses_nothing_is_taken_away() {
    let mut client = Client::start_with(json!({}), Vec::new()).await;
    let policy = POLICY.replace("extends: base.yaml\n", "").replace("2099-01-01", "2026-02-01");
    let second = policy.replace("EX-1", "EX-2").split_once("exemptions:\n").unwrap().1.to_owned();
    let policy = format!("{policy}{second}unmatched: strictest\n");
    let main = "# auditlint:ignore aws/elb/load-balancer-access-logs -- there is none\nresource \"aws_s3_bucket\" \"a\" {\n}\n";
    client.open("main.tf", main).await;
    client.open(".auditlint.yaml", &policy).await;
    let told = |name: &'static str, rule: &'static str| {
        move |message: &Value| {
            message["params"]["uri"].as_str().is_some_and(|uri| uri.ends_with(name))
                && message["params"]["diagnostics"].as_array().is_some_and(|all| codes(all).contains(&rule))
        }
    };
    for (name, rule, title, text) in [
        (".auditlint.yaml", "policy/exemption-expired", "remove the exemption", policy.as_str()),
        ("main.tf", "policy/suppression", "remove the comment", main),
    ] {
        let message = client.until(told(name, rule)).await;
        let all = message["params"]["diagnostics"].as_array().unwrap();
        let range = all.iter().find(|one| one["code"] == rule).unwrap()["range"].clone();
        let document = json!({"uri": client.uri(name)});
        let params = json!({"textDocument": document, "range": range, "context": {"diagnostics": []}});
        client.request(60, "textDocument/codeAction", params).await;
        let answer = client.answer(60).await;
        let actions = answer["result"].as_array().unwrap();
        let action = actions.iter().find(|action| action["title"] == title).expect(title);
        let uri = client.uri(name);
        let edits = action["edit"]["changes"][uri.as_str()].as_array().unwrap();
        assert_eq!(edits.len(), 1, "{action:#}");
        let line = |at: &Value| usize::try_from(at["line"].as_u64().unwrap()).unwrap();
        let (from, to) = (line(&edits[0]["range"]["start"]), line(&edits[0]["range"]["end"]));
        let gone: Vec<&str> = text.lines().skip(from).take(to - from).collect();
        assert_eq!(edits[0]["newText"], "");
        if name == "main.tf" {
            assert_eq!(gone, [main.lines().next().unwrap()]);
        } else {
            assert!(gone.len() == 7 && gone[0] == "  - id: EX-1", "{gone:#?}");
        }
    }
}
