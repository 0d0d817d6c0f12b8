//! A real `git daemon` on loopback, and a wire to it that can be cut.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use camino::Utf8Path;

/// A server for the repositories below a folder; it ends when this does.
pub struct Daemon {
    child: Child,
    /// Where it listens.
    pub port: u16,
}

impl Daemon {
    /// Serves the repositories below `folder`.
    ///
    /// # Errors
    /// Where `git daemon` cannot be started.
    pub fn serve(folder: &Utf8Path) -> anyhow::Result<Self> {
        // Another program may take the port between the question and the answer.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let mut child = Command::new("git")
                .args(["daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1"])
                .arg(format!("--port={port}"))
                .arg(format!("--base-path={folder}"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .context("git daemon cannot be started")?;
            for _ in 0..200 {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Ok(Self { child, port });
                }
                if child.try_wait()?.is_some() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(25));
            }
            let _ = child.kill();
        }
        bail!("git daemon does not listen: is it installed?")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // The program that `git` starts is another process; it goes with the one that listens for it.
        let _ = Command::new("pkill").args(["-P", &self.child.id().to_string()]).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that leads to `port`, and is cut after so many bytes of an answer.
///
/// # Errors
/// Where there is no port.
pub fn wire(port: u16, bytes: usize) -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let own = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || passed_on(&client, port, bytes));
        }
    });
    Ok(own)
}

fn passed_on(client: &TcpStream, port: u16, bytes: usize) -> Option<()> {
    let server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let (mut from, mut to) = (client.try_clone().ok()?, server.try_clone().ok()?);
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    let (mut buffer, mut left) = (vec![0; 512], bytes);
    while left > 0 {
        let most = left.min(buffer.len());
        let read = (&server).read(buffer.get_mut(..most)?).ok().filter(|read| *read > 0)?;
        { client }.write_all(buffer.get(..read)?).ok()?;
        left -= read;
    }
    let _ = client.shutdown(Shutdown::Both);
    server.shutdown(Shutdown::Both).ok()
}
