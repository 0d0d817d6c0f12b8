//! A real `git http-backend` behind HTTPS on loopback, for whoever has the token.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};

use crate::repository;

/// A server for the repositories below a folder; it ends when this does.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub port: u16,
    /// The certificate that a client has to trust.
    pub authority: Utf8PathBuf,
    /// The passwords that it was sent, one a line; there is no such file where it was sent none.
    pub passwords: Utf8PathBuf,
}

impl Server {
    /// Serves the repositories below `folder` to whoever has `token`.
    ///
    /// # Errors
    /// Where python, openssl or git are missing.
    pub fn serve(folder: &Utf8Path, token: &str) -> anyhow::Result<Self> {
        let mut child = Command::new("python3")
            .arg(repository().join("tests/bundles/https.py"))
            .args([folder.as_str(), token])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .context("python3 cannot be started")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("an output")?).read_line(&mut line)?;
        let port = line.trim().parse().context("the server says no port")?;
        Ok(Self { child, port, authority: folder.join("ca.pem"), passwords: folder.join("passwords") })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
