//! What `cargo xtask bench` measures auditlint against: the bare parse of the same files, by the parsers that
//! auditlint itself rests on, with the allocator that it uses, and nothing done with the result.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["hcl", folder] => hcl(Path::new(folder)),
        ["plan", file] => plan(Path::new(file)),
        _ => Err(anyhow::anyhow!("usage: yardstick hcl FOLDER | yardstick plan FILE")),
    };
    match done {
        Ok(line) => {
            say(&line);
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the one line that this program is for")]
fn say(line: &str) {
    println!("{line}");
}

/// Parses every `.tf` file below the folder with hcl-edit, one after the other.
#[expect(clippy::disallowed_methods, reason = "a program of its own, which reads files")]
fn hcl(folder: &Path) -> anyhow::Result<String> {
    let (mut files, mut blocks) = (0usize, 0usize);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|extension| extension == "tf") {
                let text = fs::read_to_string(entry.path())?;
                let body = hcl_edit::parser::parse_body(&text)
                    .with_context(|| entry.path().display().to_string())?;
                files += 1;
                blocks += body.iter().filter(|structure| structure.is_block()).count();
            }
        }
    }
    if files == 0 {
        bail!("{} holds no .tf file", folder.display());
    }
    Ok(format!("{files} files, {blocks} blocks"))
}

/// Reads the file and passes over it with serde_json, which validates every byte and keeps nothing.
#[expect(clippy::disallowed_methods, reason = "a program of its own, which reads files")]
fn plan(file: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(file).with_context(|| file.display().to_string())?;
    let _: serde::de::IgnoredAny = serde_json::from_slice(&bytes)?;
    Ok(format!("{} bytes", bytes.len()))
}
