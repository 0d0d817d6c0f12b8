#![expect(clippy::disallowed_methods, reason = "a build script reads files and speaks to cargo")]
//! Embeds the catalogue: every text under `policies/` that the crate reads, by its path there, with its tree up to
//! the examples.

use auditlint_syntax::document::{before_key, packed, parse_yaml};
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../policies");
    let mut paths = Vec::new();
    for folder in ["controls", "resources", "rules", "sets", "standards"] {
        collect(&root.join(folder), &mut paths)?;
    }
    paths.extend(["recommended.yaml", "everything.yaml", "kinds.yaml"].map(|name| root.join(name)));
    paths.sort();
    let mut out = String::from(
        "/// The texts of the catalogue by their path under `policies/`, with their packed trees.\npub(super) static TEXTS: &[(&str, &str, &[u8])] = &[\n",
    );
    let packed_folder = PathBuf::from(env::var("OUT_DIR")?).join("packed");
    fs::create_dir_all(&packed_folder)?;
    for (n, path) in paths.iter().enumerate() {
        let name = path.strip_prefix(&root)?.to_string_lossy().replace('\\', "/");
        let full = path.canonicalize()?;
        let text = fs::read_to_string(&full)?;
        let needed = before_key(&text, "examples");
        // What is wrong with a text is found by the tests, which read it again.
        let packed = packed_folder.join(n.to_string());
        fs::write(&packed, packed::pack(&parse_yaml(needed).root, needed))?;
        out.push_str(&format!("    ({name:?}, include_str!({full:?}), include_bytes!({packed:?})),\n"));
    }
    out.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("catalogue.rs"), out)?;
    println!("cargo::rerun-if-changed={}", root.display());
    Ok(())
}

fn collect(folder: &Path, out: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, out)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            out.push(path);
        }
    }
    Ok(())
}
