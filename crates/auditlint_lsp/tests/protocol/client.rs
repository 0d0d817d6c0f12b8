//! A client of the server, over a wire in memory.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use auditlint_lsp::{Options, serve_on};
use auditlint_policy::{Catalogue, Reading};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    pub(crate) input: WriteHalf<DuplexStream>,
    pub(crate) output: BufReader<ReadHalf<DuplexStream>>,
    pub(crate) server: JoinHandle<u8>,
    pub(crate) later: VecDeque<Value>,
    pub(crate) folder: tempfile::TempDir,
}

impl Client {
    pub(crate) async fn start(capabilities: Value) -> Self {
        Self::start_with(capabilities, vec!["auditlint:everything".to_owned()]).await
    }

    pub(crate) async fn start_with(capabilities: Value, policies: Vec<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let options = Options {
            catalogue: Arc::new(Catalogue::embedded(Reading::WithoutExamples)),
            policies,
            schema: |_| include_str!("../../../../policies/schema/policy.json").to_owned(),
            library: Some(folder.path().join(".git/library")),
        };
        let (read, write) = tokio::io::split(theirs);
        let server = tokio::spawn(serve_on(options, read, write));
        let (output, input) = tokio::io::split(ours);
        let mut client =
            Self { input, output: BufReader::new(output), server, later: VecDeque::new(), folder };
        let root = client.uri("");
        client.request(0, "initialize", json!({"capabilities": capabilities, "rootUri": root})).await;
        client.answer(0).await;
        client.notify("initialized", json!({})).await;
        client
    }

    pub(crate) fn uri(&self, name: &str) -> String {
        format!("file://{}/{name}", self.folder.path().canonicalize().unwrap().display())
    }

    pub(crate) async fn send(&mut self, message: Value) {
        let body = message.to_string();
        let text = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        timeout(PATIENCE, self.input.write_all(text.as_bytes())).await.expect("the server reads").unwrap();
    }

    pub(crate) async fn request(&mut self, id: u32, method: &str, params: Value) {
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
    }

    pub(crate) async fn notify(&mut self, method: &str, params: Value) {
        self.send(json!({"jsonrpc": "2.0", "method": method, "params": params})).await;
    }

    pub(crate) async fn next(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            timeout(PATIENCE, self.output.read_line(&mut line)).await.expect("the server answers").unwrap();
            match line.trim() {
                "" => break,
                line => {
                    if let Some(number) = line.strip_prefix("Content-Length: ") {
                        length = number.parse().unwrap();
                    }
                }
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    /// The first message that `wanted` accepts; others are kept.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.later.iter().position(&wanted) {
            return self.later.remove(at).unwrap();
        }
        loop {
            let message = self.next().await;
            if wanted(&message) {
                return message;
            }
            self.later.push_back(message);
        }
    }

    pub(crate) async fn answer(&mut self, id: u32) -> Value {
        self.until(|message| message["id"] == id && message.get("method").is_none()).await
    }

    pub(crate) async fn diagnostics(&mut self, version: u32) -> Vec<Value> {
        let message = self
            .until(|message| {
                message["method"] == "textDocument/publishDiagnostics"
                    && message["params"]["version"] == version
            })
            .await;
        message["params"]["diagnostics"].as_array().unwrap().clone()
    }

    pub(crate) async fn open(&mut self, name: &str, text: &str) {
        let item = json!({"uri": self.uri(name), "languageId": "terraform", "version": 1, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": item})).await;
    }

    pub(crate) async fn change(
        &mut self,
        name: &str,
        version: u32,
        from: [u32; 2],
        to: [u32; 2],
        text: &str,
    ) {
        let position = |[line, character]: [u32; 2]| json!({"line": line, "character": character});
        let change = json!({"range": {"start": position(from), "end": position(to)}, "text": text});
        let document = json!({"uri": self.uri(name), "version": version});
        let params = json!({"textDocument": document, "contentChanges": [change]});
        self.notify("textDocument/didChange", params).await;
    }
}

/// The codes of diagnostics.
pub(crate) fn codes(diagnostics: &[Value]) -> Vec<&str> {
    diagnostics.iter().filter_map(|one| one["code"].as_str()).collect()
}
