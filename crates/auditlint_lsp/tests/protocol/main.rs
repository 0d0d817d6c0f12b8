//! The server as a client sees it: order, cancellation, leaving, and diagnostics that belong to their version.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test writes files, and one that cannot go on panics"
)]

mod client;
mod policies;

use client::{Client, PATIENCE, codes};
use serde_json::json;
use tokio::time::timeout;

const TEXT: &str = "resource \"aws_cloudwatch_log_group\" \"app\" {\n  name = \"app\"\n}\n";

const UNSET: &str = "aws/cloudwatch/log-group-retention-unset";

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_changes_are_applied_in_their_order() {
    let mut client = Client::start(json!({})).await;
    client.open("main.tf", "# \n").await;
    // Each change appends the next number; any other order would leave another text.
    let mut column = 2;
    let mut expected = "# ".to_owned();
    for n in 0..1000_u32 {
        let word = format!("{n} ");
        client.change("main.tf", n + 2, [0, column], [0, column], &word).await;
        column += u32::try_from(word.len()).unwrap();
        expected.push_str(&word);
    }
    // The comment becomes the name of a log group, whose diagnostic shows the text that the server holds.
    client
        .change("main.tf", 1002, [0, 0], [0, 2], "resource \"aws_cloudwatch_log_group\" \"g\" {\n  name = \"")
        .await;
    let digits = expected.trim_start_matches("# ").to_owned();
    let end = u32::try_from("  name = \"".len() + digits.len()).unwrap();
    client.change("main.tf", 1003, [1, end], [1, end], "\"\n}\n").await;
    let diagnostics = client.diagnostics(1003).await;
    assert!(codes(&diagnostics).contains(&UNSET), "{diagnostics:?}");
    client
        .request(
            7,
            "textDocument/hover",
            json!({"textDocument": {"uri": client.uri("main.tf")}, "position": {"line": 0, "character": 0}}),
        )
        .await;
    assert!(client.answer(7).await["result"].is_object());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fix_comes_with_its_diagnostic_and_the_diagnostic_goes_with_the_fix() {
    let capabilities = json!({"workspace": {"workspaceEdit": {"documentChanges": true}}, "general": {"positionEncodings": ["utf-8"]}});
    let mut client = Client::start(capabilities).await;
    client.open("main.tf", TEXT).await;
    assert!(codes(&client.diagnostics(1).await).contains(&UNSET));
    let place = json!({"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}});
    let uri = client.uri("main.tf");
    client
        .request(
            1,
            "textDocument/codeAction",
            json!({"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": []}}),
        )
        .await;
    let actions = client.answer(1).await["result"].as_array().unwrap().clone();
    let fix = actions.iter().find(|action| action["title"] == "set retention_in_days to 365").unwrap();
    let edits = &fix["edit"]["documentChanges"][0];
    assert_eq!(edits["textDocument"]["version"], 1);
    let texts: Vec<&str> =
        edits["edits"].as_array().unwrap().iter().filter_map(|edit| edit["newText"].as_str()).collect();
    assert_eq!(texts, ["              ", "  retention_in_days = 365\n"]);
    assert!(actions.iter().any(|action| action["title"] == format!("suppress {UNSET} here, with a reason")));
    let only = json!({"diagnostics": [], "only": ["source.fixAll"]});
    client
        .request(
            2,
            "textDocument/codeAction",
            json!({"textDocument": {"uri": client.uri("main.tf")}, "range": place, "context": only}),
        )
        .await;
    assert_eq!(client.answer(2).await["result"][0]["kind"], "source.fixAll.auditlint");
    client.change("main.tf", 2, [1, 14], [1, 14], "\n  retention_in_days = 365").await;
    assert!(!codes(&client.diagnostics(2).await).contains(&UNSET));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_is_being_typed_keeps_what_was_shown() {
    let mut client = Client::start(json!({})).await;
    client.open("main.tf", TEXT).await;
    let before = codes(&client.diagnostics(1).await).len();
    client.change("main.tf", 2, [1, 14], [1, 14], "\n  retention_in_days = ").await;
    let diagnostics = client.diagnostics(2).await;
    let found = codes(&diagnostics);
    assert_eq!(found.iter().filter(|code| !code.starts_with("gap/")).count(), before, "{found:?}");
    assert!(found.contains(&"gap/syntax"));
    client.change("main.tf", 3, [2, 22], [2, 22], "400").await;
    let diagnostics = client.diagnostics(3).await;
    assert!(!codes(&diagnostics).contains(&UNSET) && !codes(&diagnostics).contains(&"gap/syntax"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_request_is_answered_as_such_or_with_its_result() {
    let mut client = Client::start(json!({})).await;
    client.open("main.tf", TEXT).await;
    let hover =
        json!({"textDocument": {"uri": client.uri("main.tf")}, "position": {"line": 0, "character": 0}});
    for id in 10..20 {
        client.request(id, "textDocument/hover", hover.clone()).await;
    }
    client.notify("$/cancelRequest", json!({"id": 10})).await;
    for id in 10..20 {
        let answer = client.answer(id).await;
        assert!(
            answer.get("result").is_some()
                || answer["error"]["code"] == -32800
                || answer["error"]["code"] == -32801,
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_answers_does_not_stop_the_server() {
    let watches = json!({"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": true}}});
    let mut client = Client::start(watches).await;
    client.until(|message| message["method"] == "client/registerCapability").await;
    client.open("main.tf", TEXT).await;
    // The server's request to watch files stays unanswered; four handlers of a client-bound request more are
    // what wedges the protocol library where handlers wait for the client.
    for _ in 0..3 {
        client.notify("initialized", json!({})).await;
    }
    for n in 0..400_u32 {
        client.change("main.tf", n + 2, [0, 0], [0, 0], "#\n").await;
    }
    client.diagnostics(401).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_ends_the_server_while_the_input_stays_open() {
    let mut client = Client::start(json!({})).await;
    client.send(json!({"jsonrpc": "2.0", "id": 5, "method": "shutdown", "params": null})).await;
    assert!(client.answer(5).await.get("error").is_none());
    client.send(json!({"jsonrpc": "2.0", "method": "exit", "params": null})).await;
    let Client { server, input, .. } = client;
    assert_eq!(timeout(PATIENCE, server).await.expect("the server ends").unwrap(), 0);
    drop(input);
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_without_a_shutdown_is_an_error() {
    let mut client = Client::start(json!({})).await;
    client.notify("exit", json!(null)).await;
    let Client { server, input: _input, .. } = client;
    assert_eq!(timeout(PATIENCE, server).await.expect("the server ends").unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_document_shows_nothing() {
    let mut client = Client::start(json!({})).await;
    client.open("main.tf", TEXT).await;
    assert!(codes(&client.diagnostics(1).await).contains(&UNSET));
    client.notify("textDocument/didClose", json!({"textDocument": {"uri": client.uri("main.tf")}})).await;
    let empty = client
        .until(|message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"].get("version").is_none()
        })
        .await;
    assert_eq!(empty["params"]["diagnostics"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_came_without_an_event_is_judged_when_it_is_opened() {
    let mut client = Client::start(json!({})).await;
    std::fs::create_dir(client.folder.path().join("one")).unwrap();
    client.open("one/main.tf", TEXT).await;
    assert!(codes(&client.diagnostics(1).await).contains(&UNSET));
    // By now every folder has been looked through.
    std::fs::create_dir(client.folder.path().join("two")).unwrap();
    std::fs::write(client.folder.path().join("two/main.tf"), TEXT).unwrap();
    client.open("two/main.tf", TEXT).await;
    assert!(codes(&client.diagnostics(1).await).contains(&UNSET));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caret_anywhere_on_the_line_is_offered_the_fix() {
    let mut client = Client::start(json!({})).await;
    client.open("main.tf", TEXT).await;
    client.diagnostics(1).await;
    for (id, line, character, offered) in [(1, 0, 43, true), (2, 1, 3, false)] {
        let caret = json!({"line": line, "character": character});
        let uri = client.uri("main.tf");
        let params = json!({"textDocument": {"uri": uri}, "range": {"start": caret, "end": caret},
            "context": {"diagnostics": []}});
        client.request(id, "textDocument/codeAction", params).await;
        let actions = client.answer(id).await["result"].as_array().unwrap().clone();
        let found = actions.iter().any(|action| action["title"] == "set retention_in_days to 365");
        assert_eq!(found, offered, "line {line}: {actions:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_survives_what_changes_elsewhere() {
    let mut client = Client::start(json!({})).await;
    client.open("main.tf", TEXT).await;
    client.diagnostics(1).await;
    let uri = client.uri("main.tf");
    for id in 100..200 {
        let place = json!({"line": 0, "character": 0});
        let params = json!({"textDocument": {"uri": uri}, "range": {"start": place, "end": place},
            "context": {"diagnostics": []}});
        client.request(id, "textDocument/codeAction", params).await;
        let event = json!({"changes": [{"uri": uri, "type": 2}]});
        client.notify("workspace/didChangeWatchedFiles", event).await;
    }
    for id in 100..200 {
        let answer = client.answer(id).await;
        assert!(answer["result"].is_array(), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_is_judged_under_all_its_environments() {
    let mut client = Client::start(json!({})).await;
    let config = "roots:\n  - path: .\n    environments:\n      test: {vars: {days: 7}}\n      production: {vars: {days: 400}}\n";
    std::fs::write(client.folder.path().join(".auditlint.yaml"), config).unwrap();
    let event = json!({"uri": client.uri(".auditlint.yaml"), "type": 1});
    client.notify("workspace/didChangeWatchedFiles", json!({"changes": [event]})).await;
    let text = "variable \"days\" {\n  type = number\n}\n\nresource \"aws_cloudwatch_log_group\" \"g\" {\n  name              = \"g\"\n  retention_in_days = var.days\n}\n";
    client.open("main.tf", text).await;
    client
        .until(|message| {
            let diagnostics = message["params"]["diagnostics"].as_array();
            diagnostics.into_iter().flatten().any(|one| {
                let says = |part| one["message"].as_str().is_some_and(|message| message.contains(part));
                one["code"] == "aws/cloudwatch/log-group-retention" && says("7 days") && says("(in test)")
            })
        })
        .await;
}
