//! A small editor: it opens a file in the language server over its standard input and output, types, and takes the
//! time until the diagnostics of exactly that version of the text arrive.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

/// A server that says nothing for so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Editor {
    server: Child,
    input: ChildStdin,
    messages: Receiver<(Instant, Value)>,
    uri: String,
    text: String,
    version: u64,
}

impl Editor {
    /// Starts the server in `folder`, opens the file and waits for its first diagnostics.
    pub(crate) fn open(binary: &Path, folder: &Path, file: &str, policy: &str) -> anyhow::Result<Self> {
        let folder = folder.canonicalize()?;
        let text = std::fs::read_to_string(folder.join(file)).with_context(|| file.to_owned())?;
        let mut server = Command::new(binary)
            .args(["lsp", "--stdio", "--policy", policy])
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        let input = server.stdin.take().context("no standard input")?;
        let output = server.stdout.take().context("no standard output")?;
        let (sender, messages) = channel();
        std::thread::spawn(move || read(BufReader::new(output), &sender));
        let uri = format!("file://{}/{file}", folder.display());
        let mut editor = Self { server, input, messages, uri, text, version: 1 };
        let capabilities = json!({"general": {"positionEncodings": ["utf-8"]}});
        let root = format!("file://{}", folder.display());
        let params = json!({"processId": null, "capabilities": capabilities, "rootUri": root});
        editor.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}))?;
        let answer = editor.until(|message| message.get("id") == Some(&json!(1)))?.1;
        let encoding = answer.pointer("/result/capabilities/positionEncoding").and_then(Value::as_str);
        if encoding != Some("utf-8") {
            bail!("the server counts in {encoding:?} and was asked for utf-8");
        }
        editor.send(&json!({"jsonrpc": "2.0", "method": "initialized", "params": {}}))?;
        let document =
            json!({"uri": editor.uri, "languageId": "terraform", "version": 1, "text": editor.text});
        editor.notify("textDocument/didOpen", &json!({"textDocument": document}))?;
        editor.diagnostics()?;
        Ok(editor)
    }

    /// Types `keystrokes` keys, one after the other, and gives the milliseconds from each to its diagnostics.
    ///
    /// Half of them write an attribute (each state before the last is broken) and take it away again, half edit a
    /// string, both in the resource in the middle of the file.
    pub(crate) fn type_keys(&mut self, keystrokes: usize) -> anyhow::Result<Vec<f64>> {
        let middle = self.text.len() / 2;
        let from = self.text.get(middle..).context("the file is text")?;
        let block = middle
            + from.find("resource \"aws_cloudwatch_log_group\"").context("no log group after the middle")?;
        let name = block + self.text.get(block..).and_then(|text| text.find("  name ")).context("no name")?;
        let end = name + self.text.get(name..).and_then(|text| text.find('\n')).context("no line end")?;
        let mut times = Vec::with_capacity(keystrokes);
        while times.len() < keystrokes {
            for (at, typed) in [
                (end, "\n  retention_in_days = 30"),
                (end - 1, "-${var.environment}-${local.retention[\"dev\"]}"),
            ] {
                for (n, key) in typed.char_indices() {
                    times.push(self.key(at + n, at + n, &key.to_string())?);
                }
                for n in (0..typed.len()).rev() {
                    times.push(self.key(at + n, at + n + 1, "")?);
                }
            }
        }
        Ok(times)
    }

    /// Puts `with` in the place of these bytes and waits for the diagnostics of the new text.
    fn key(&mut self, from: usize, to: usize, with: &str) -> anyhow::Result<f64> {
        let range = json!({"start": self.position(from)?, "end": self.position(to)?});
        self.text.replace_range(from..to, with);
        self.version += 1;
        let document = json!({"uri": self.uri, "version": self.version});
        let params = json!({"textDocument": document, "contentChanges": [{"range": range, "text": with}]});
        let started = Instant::now();
        self.notify("textDocument/didChange", &params)?;
        let arrived = self.diagnostics()?;
        Ok(arrived.duration_since(started).as_secs_f64() * 1e3)
    }

    fn position(&self, at: usize) -> anyhow::Result<Value> {
        let before = self.text.get(..at).context("a place in the text")?;
        let line = before.matches('\n').count();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Ok(json!({"line": line, "character": at - start}))
    }

    /// When the diagnostics of the present version arrived.
    fn diagnostics(&mut self) -> anyhow::Result<Instant> {
        let (uri, version) = (json!(self.uri), json!(self.version));
        let (arrived, _) = self.until(|message| {
            message.get("method") == Some(&json!("textDocument/publishDiagnostics"))
                && message.pointer("/params/uri") == Some(&uri)
                && message.pointer("/params/version") == Some(&version)
        })?;
        Ok(arrived)
    }

    fn until(&self, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<(Instant, Value)> {
        loop {
            let (arrived, message) = self
                .messages
                .recv_timeout(PATIENCE)
                .with_context(|| format!("the server was silent for {PATIENCE:?}"))?;
            if wanted(&message) {
                return Ok((arrived, message));
            }
        }
    }

    fn notify(&mut self, method: &str, params: &Value) -> anyhow::Result<()> {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
    }

    fn send(&mut self, message: &Value) -> anyhow::Result<()> {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len())?;
        Ok(self.input.flush()?)
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        // Whatever the server is doing, the measurement is over.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Hands on every message with the moment of its arrival, until the server closes its output.
fn read(mut output: impl BufRead, to: &Sender<(Instant, Value)>) {
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            match output.read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            if line.trim().is_empty() {
                break;
            }
            if let Some(number) = line.strip_prefix("Content-Length: ") {
                length = number.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        if output.read_exact(&mut body).is_err() {
            return;
        }
        let arrived = Instant::now();
        let Ok(message) = serde_json::from_slice(&body) else { return };
        if to.send((arrived, message)).is_err() {
            return;
        }
    }
}
