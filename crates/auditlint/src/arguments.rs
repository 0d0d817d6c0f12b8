//! The command line's words.

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Audit-logging policy as code for Terraform.
#[derive(Debug, Parser)]
#[command(name = "auditlint", version, about, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 nothing at or above --fail-on · 1 findings · 2 something that the policy \
covers could not be read or decided · 3 usage, config or policy error";

const FLOW_HELP: &str = "Exit codes: 0 everything was read · 2 something could not be read, and logs may take ways that \
are not shown · 3 usage or config error";

const TEST_HELP: &str = "Exit codes: 0 everything passes · 1 a scenario fails, or a mutant that nothing notices · 3 a \
policy or a file of tests is broken";

const REPORT_HELP: &str = "Exit codes: 0 everything was read · 2 something could not be read, and its evidence is \
missing · 3 usage or policy error";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check Terraform configurations and plans against the policy
    Check(CheckOptions),
    /// Show or apply the fixes that need no decision
    Fix(FixOptions),
    /// Show who logs what, where to and for how long, over all roots
    #[command(after_help = FLOW_HELP)]
    Flow(FlowOptions),
    /// Write what a root keeps and records, for the policies of other repositories (`from:`)
    Export(ExportOptions),
    /// Explain a rule: what it asks, why, and for which controls
    Explain {
        /// Its id, or the id of another tool's check (CKV_AWS_338)
        rule: String,
    },
    /// List all rules
    Rules {
        /// How to list them
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
    /// Run the tests of policies: scenarios, and mutants that somebody has to notice
    #[command(after_help = TEST_HELP)]
    Test(TestOptions),
    /// List the evidence for and against each control of a standard
    #[command(after_help = REPORT_HELP)]
    Report(ReportOptions),
    /// Accept what is there today, and nothing that comes later
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Show what a policy asks, which environment each root is, what another policy would change
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Write a first .auditlint.yaml with a policy
    Init {
        /// The folder that it speaks of
        #[arg(default_value = ".")]
        folder: Utf8PathBuf,
        /// Ask for what this tool checks there, and list what is different
        #[arg(long, value_enum, value_name = "TOOL")]
        from: Option<FromTool>,
    },
    /// Run the language server on standard input and output
    Lsp {
        /// Accepted for editors that pass it; it is the only way to talk
        #[arg(long)]
        stdio: bool,
        /// A policy file, or auditlint:NAME (repeatable)
        #[arg(long, value_name = "FILE|auditlint:NAME")]
        policy: Vec<String>,
    },
    /// Print a completion script
    Completions {
        /// For which shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Accept every failure, unknown and gap that is there
    Create {
        #[command(flatten)]
        selection: Selection,
    },
    /// Take out what was mended; nothing is ever added
    Update {
        #[command(flatten)]
        selection: Selection,
    },
    /// Print what is new beside the baseline, and what of it was mended
    #[command(after_help = "Exit codes: 0 nothing is new · 1 something is · 3 usage or policy error")]
    Diff {
        #[command(flatten)]
        selection: Selection,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Print what the policy asks once everything that it extends is taken in, with the line of each value
    Show {
        /// A policy file, or auditlint:NAME (repeatable) [default: that of .auditlint.yaml]
        #[arg(long, value_name = "FILE|auditlint:NAME")]
        policy: Vec<String>,
        /// What it asks in this environment [default: the strictest of all]
        #[arg(long, value_name = "NAME")]
        env: Option<String>,
        /// Only this value, with the line that says so: access_logs.retention.min
        #[arg(long, value_name = "VALUE")]
        why: Option<String>,
        /// How to print it
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
    /// Print which environment each root is, and why
    Env {
        #[command(flatten)]
        selection: Selection,
    },
    /// Print which findings appear and disappear with another policy
    #[command(after_help = "Exit codes: 0 nothing appears · 1 findings appear · 3 usage or policy error")]
    Diff {
        /// The policy as it is: a file, or auditlint:NAME
        #[arg(value_name = "OLD")]
        old: String,
        /// The policy as it would be
        #[arg(value_name = "NEW")]
        new: String,
        #[command(flatten)]
        scope: Scope,
    },
    /// Fetch the policies of other repositories that policies extend, and write down in auditlint.lock what they are
    #[cfg(feature = "bundles")]
    #[command(
        after_help = "The one command that talks to the network. AUDITLINT_GIT_TOKEN is sent to AUDITLINT_GIT_HOST alone, \
        with AUDITLINT_GIT_USER.\nExit codes: 0 done · 3 nothing was changed"
    )]
    Update {
        /// A policy file of this repository (repeatable) [default: those of .auditlint.yaml]
        #[arg(long, value_name = "FILE")]
        policy: Vec<Utf8PathBuf>,
        /// Fetch exactly what the lock says, and change nothing in it
        #[arg(long)]
        locked: bool,
    },
    /// Print the JSON Schema of policies
    Schema {
        /// That of files of tests instead
        #[arg(long)]
        tests: bool,
    },
}

impl Command {
    /// Whether an error is to be told in JSON.
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Check(options) => options.format == Some(OutputFormat::Json),
            Self::Flow(options) => options.format == FlowFormat::Json,
            _ => false,
        }
    }
}

/// A tool that a policy is made from.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FromTool {
    /// By .checkov.yaml
    Checkov,
    /// By .tfsec/config.yml
    Tfsec,
    /// By trivy.yaml and .trivyignore
    Trivy,
}

/// What is read, and with which values.
#[derive(Debug, Args)]
pub(crate) struct Scope {
    /// Folders, files, plans in JSON; `-` reads a plan from standard input
    #[arg(default_value = ".", value_name = "PATH")]
    pub(crate) paths: Vec<Utf8PathBuf>,
    /// Set a variable of the root module
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub(crate) vars: Vec<String>,
    /// Read variables of the root module from a file
    #[arg(long = "var-file", value_name = "FILE")]
    pub(crate) var_files: Vec<Utf8PathBuf>,
    /// The value of terraform.workspace
    #[arg(long, value_name = "NAME", env = "TF_WORKSPACE")]
    pub(crate) workspace: Option<String>,
    /// Only this environment of those that the config declares
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// Leave folders out that match
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Read the folder alone, as one root
    #[arg(long)]
    pub(crate) no_recurse: bool,
}

/// What is checked, by which policy.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// A policy file, or auditlint:NAME (repeatable) [default: that of .auditlint.yaml, else auditlint:recommended]
    #[arg(long, value_name = "FILE|auditlint:NAME")]
    pub(crate) policy: Vec<String>,
    /// Only these rules or categories
    #[arg(long, value_name = "RULE|CATEGORY", value_delimiter = ',')]
    pub(crate) select: Vec<String>,
    /// Not these rules or categories
    #[arg(long, value_name = "RULE|CATEGORY", value_delimiter = ',')]
    pub(crate) ignore: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckOptions {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// The configuration that a plan was made of: findings are placed on its lines
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<Utf8PathBuf>,
    /// The name of the file that standard input (`-`) holds instead (an unsaved buffer)
    #[arg(long, value_name = "PATH")]
    pub(crate) stdin_filename: Option<Utf8PathBuf>,
    /// How to report on standard output [default: that of .auditlint.yaml, else pretty]
    #[arg(long, value_enum)]
    pub(crate) format: Option<OutputFormat>,
    /// Write a report to a file as well (repeatable)
    #[arg(long, value_name = "FORMAT=FILE")]
    pub(crate) output: Vec<String>,
    /// Show passing and exempt verdicts as well
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) show: Vec<Show>,
    /// Write down what a plan leaves undecided, for a look at the state after the apply
    #[arg(long, value_name = "FILE")]
    pub(crate) obligations: Option<Utf8PathBuf>,
    /// The least severity that fails the run
    #[arg(long, value_enum, default_value_t = FailOn::Low)]
    pub(crate) fail_on: FailOn,
    /// Excuse what could not be analysed: the kinds that are named, else those that are safe to excuse
    #[arg(long, value_name = "KIND", num_args = 0..=1, require_equals = true, value_delimiter = ',', default_missing_value = "")]
    pub(crate) allow_incomplete: Option<Vec<String>>,
    /// The revision before the change: config, policies, exemptions, baseline and comments are those of it
    #[arg(long, value_name = "REVISION")]
    pub(crate) base_ref: Option<String>,
    /// Let soft-mandatory findings pass: who takes the responsibility, and why
    #[arg(long = "override", value_name = "WHO: REASON")]
    pub(crate) overrides: Option<String>,
    /// Only what decides the exit code
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Count findings by rule
    #[arg(long)]
    pub(crate) statistics: bool,
    /// Draw every frame
    #[arg(long)]
    pub(crate) full: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FixOptions {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Show the changes as a diff (the default)
    #[arg(long)]
    pub(crate) diff: bool,
    /// Write the changes
    #[arg(long, conflicts_with = "diff")]
    pub(crate) apply: bool,
    /// Write too what the policy requires and no root has: new resources, which cost money
    #[arg(long)]
    pub(crate) add_missing: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FlowOptions {
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// The configuration that a plan was made of
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<Utf8PathBuf>,
    /// How to show it
    #[arg(long, value_enum, default_value_t = FlowFormat::Tree)]
    pub(crate) format: FlowFormat,
    /// Only this resource, with everything that it gets logs from and that its logs reach
    #[arg(long = "for", value_name = "ADDRESS")]
    pub(crate) around: Option<String>,
    /// Write to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<Utf8PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct TestOptions {
    /// Files of tests, or folders that are searched for them
    #[arg(default_value = ".", value_name = "PATH")]
    pub(crate) paths: Vec<Utf8PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t = TestFormat::Text)]
    pub(crate) format: TestFormat,
    /// Show which verdicts of which rules the scenarios saw
    #[arg(long)]
    pub(crate) coverage: bool,
    /// Most mutants of a file; more are sampled [default: all of them]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) mutants: Option<usize>,
    /// What chooses the sample
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    /// For people
    Text,
    /// The Test Anything Protocol
    Tap,
    /// The XML of build servers
    Junit,
    /// For machines
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ReportOptions {
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// The configuration that a plan was made of
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<Utf8PathBuf>,
    /// The standard: soc2, pci-dss, hipaa, gdpr, iso27001, nist-800-53, cis-aws
    #[arg(long, value_name = "NAME")]
    pub(crate) standard: String,
    /// The policy that selects the rules, a file or auditlint:NAME [default: that of the standard]
    #[arg(long, value_name = "FILE|auditlint:NAME")]
    pub(crate) policy: Vec<String>,
    /// How to report
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
    /// Write to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<Utf8PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportOptions {
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// The configuration that a plan was made of
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<Utf8PathBuf>,
    /// The revision that was read; nobody but you knows it
    #[arg(long, value_name = "REVISION")]
    pub(crate) commit: Option<String>,
    /// Write to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<Utf8PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FlowFormat {
    /// Text, by root, category and source
    Tree,
    /// A picture for Markdown
    Mermaid,
    /// A picture for Graphviz
    Dot,
    /// The stable machine format
    Json,
    /// A picture
    Svg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people
    Pretty,
    /// One line a finding
    Concise,
    /// The stable machine format
    Json,
    /// SARIF 2.1.0
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people
    Text,
    /// For machines
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Show {
    /// Passing verdicts
    Pass,
    /// Excused ones
    Exempt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Every failing finding
    Low,
    /// Medium and above
    Medium,
    /// High and above
    High,
    /// Critical only
    Critical,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_file_knows_every_format() {
        let names: Vec<String> = OutputFormat::value_variants()
            .iter()
            .filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()))
            .collect();
        assert_eq!(names, auditlint_policy::FORMATS);
    }
}
