//! A run that cannot be made: exit code 3.

use std::fmt::Display;
use std::io::Write as _;

/// Why a run cannot be made, and the next step.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(message: impl Display) -> Self {
        Self { message: message.to_string(), hint: None }
    }

    pub(crate) fn hint(self, hint: impl Display) -> Self {
        Self { hint: Some(hint.to_string()), ..self }
    }

    /// On standard error: standard output stays empty.
    pub(crate) fn show(&self, json: bool) {
        if json {
            let text = auditlint_report::json_error(&self.message, self.hint.as_deref());
            let _ = std::io::stderr().write_all(text.as_bytes());
            return;
        }
        let mut text = format!("error: {}\n", self.message);
        if let Some(hint) = &self.hint {
            text.push_str(&format!("  next: {hint}\n"));
        }
        let _ = std::io::stderr().write_all(auditlint_report::plain(&text).as_bytes());
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(format!("{error:#}"))
    }
}
