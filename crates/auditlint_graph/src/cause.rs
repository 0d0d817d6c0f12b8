//! Why something is not known, and what could not be read at all.

use auditlint_syntax::{Location, Name};

/// Why a value is not known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cause {
    /// Its kind.
    pub kind: CauseKind,
    /// What it is about, in Terraform's words: `var.databases`, `data.aws_region.current`, `aws_kms_key.k.arn`.
    pub subject: String,
    /// The cheapest step that removes it; empty where there is none but to apply.
    pub hint: String,
}

/// The kinds of cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CauseKind {
    /// A variable without a value.
    Variable,
    /// A data source.
    Data,
    /// A module that was not read.
    Module,
    /// Known after apply.
    Computed,
    /// A function or construct that is not evaluated.
    Function,
    /// A sensitive value that may not be followed.
    Sensitive,
    /// It is decided in another root, or outside of Terraform.
    Elsewhere,
}

impl CauseKind {
    /// The word of the JSON output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Variable => "variable",
            Self::Data => "data",
            Self::Module => "module",
            Self::Computed => "computed",
            Self::Function => "function",
            Self::Sensitive => "sensitive",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// Something that could not be analysed. Always shown, never silent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gap {
    /// Its kind.
    pub kind: GapKind,
    /// The path as a report shows it: of a file, a folder or a plan (`-` for standard input).
    pub path: String,
    /// Where in the file.
    pub at: Option<Location>,
    /// What could not be analysed, and why.
    pub reason: String,
    /// The cheapest step that removes it.
    pub hint: String,
    /// How many places share it (the calls of a missing module).
    pub count: u32,
    /// The module that is missing, where that is the reason.
    pub module: Option<ModuleSource>,
}

/// What a module call names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleSource {
    /// Its `source`, as it is written.
    pub source: Name,
    /// Its `version`, as it is written.
    pub version: Option<Name>,
}

/// The kinds of gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GapKind {
    /// A block that could not be parsed.
    Syntax,
    /// A module whose source is not here.
    MissingModule,
    /// Legal, but past what is evaluated.
    Unsupported,
    /// A file that could not be read.
    Unreadable,
    /// A file past the size limit.
    TooLarge,
    /// An input that ends too early.
    Truncated,
    /// A reference to something that is not declared.
    Reference,
    /// A plan that disagrees with its configuration.
    StalePlan,
    /// A policy file of the repository that could not be used.
    Policy,
}

impl GapKind {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::Syntax,
        Self::MissingModule,
        Self::Unsupported,
        Self::Unreadable,
        Self::TooLarge,
        Self::Truncated,
        Self::Reference,
        Self::StalePlan,
        Self::Policy,
    ];

    /// The word of the JSON output and of `--allow-incomplete`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::MissingModule => "missing_module",
            Self::Unsupported => "unsupported",
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too_large",
            Self::Truncated => "truncated",
            Self::Reference => "reference",
            Self::StalePlan => "stale_plan",
            Self::Policy => "policy",
        }
    }
}
