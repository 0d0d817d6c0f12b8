//! auditlint in Zed: tells Zed how the language server is started.

use zed_extension_api::settings::LspSettings;
use zed_extension_api::{self as zed, Command, LanguageServerId, Result, Worktree};

struct Auditlint;

impl zed::Extension for Auditlint {
    fn new() -> Self {
        Self
    }

    /// The binary of the settings (`lsp.auditlint.binary`), else `auditlint` on the `PATH` of the worktree's
    /// shell. Nothing is downloaded: which version judges is the user's decision.
    fn language_server_command(&mut self, id: &LanguageServerId, worktree: &Worktree) -> Result<Command> {
        let settings = LspSettings::for_worktree(id.as_ref(), worktree)?;
        let binary = settings.binary;
        let (path, arguments, env) = match binary {
            Some(binary) => (binary.path, binary.arguments, binary.env),
            None => (None, None, None),
        };
        let command = path.or_else(|| worktree.which("auditlint")).ok_or_else(|| {
            "there is no auditlint on PATH: install it, or name the binary in the setting lsp.auditlint.binary.path"
                .to_owned()
        })?;
        let args = arguments.unwrap_or_else(|| vec!["lsp".to_owned()]);
        Ok(Command { command, args, env: env.unwrap_or_default().into_iter().collect() })
    }
}

zed::register_extension!(Auditlint);
