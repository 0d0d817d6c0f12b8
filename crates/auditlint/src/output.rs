//! Writing: standard output, report files, and atomic replacement of edited files.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Context as _;
use camino::Utf8Path;

/// Writes to standard output. A reader that went away (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<(), anyhow::Error> {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("standard output"),
        _ => Ok(()),
    }
}

/// Writes a diff: to a terminal with what acts on it written out, to anything else byte for byte, so that it can
/// be applied.
pub(crate) fn print_diff(diff: &str) -> Result<(), anyhow::Error> {
    if io::stdout().is_terminal() { print(&shown(diff)) } else { print(diff) }
}

fn shown(diff: &str) -> String {
    let lines = diff.split_inclusive('\n').map(|line| match line.strip_suffix("\r\n") {
        Some(line) => format!("{}\n", auditlint_report::plain(line)),
        None => auditlint_report::plain(line),
    });
    lines.collect()
}

/// Whether standard output shows colours.
pub(crate) fn colours() -> bool {
    io::stdout().is_terminal() && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

/// Replaces a file with `bytes` in one step; its mode stays, and a link's target is what is replaced.
pub(crate) fn replace(path: &Utf8Path, bytes: &[u8]) -> Result<(), anyhow::Error> {
    let path = path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or_else(|| Utf8Path::new("."));
    let write = || -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        if let Ok(metadata) = std::fs::metadata(&path) {
            file.as_file().set_permissions(metadata.permissions())?;
        } else {
            readable_by_all(file.as_file())?;
        }
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(())
    };
    // The name of the temporary file beside it is nobody's business.
    write().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => anyhow::anyhow!("{path} cannot be written: no such folder"),
        kind => anyhow::anyhow!("{path} cannot be written: {kind}"),
    })
}

/// A temporary file is private; a report is not.
fn readable_by_all(file: &std::fs::File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    let _ = file;
    Ok(())
}
