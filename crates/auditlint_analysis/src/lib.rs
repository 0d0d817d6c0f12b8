//! The one API that the command line and the editor share.
//!
//! [`AnalysisHost::apply_change`] is the only mutator; [`AnalysisHost::analysis`] gives a snapshot in O(1);
//! whatever is shown to a user is asked of that snapshot. Nothing here knows the protocol of an editor,
//! prints, or touches the network.

mod anchor;
mod attested;
mod baseline;
pub mod bundle;
mod chosen;
mod custom;
mod demands;
mod discovery;
mod disk;
mod environments;
mod estate;
mod evidence;
mod exemption;
mod fix;
mod flows;
mod following;
mod host;
mod hover;
mod judged;
mod left_out;
mod migration;
mod outcome;
mod overlay;
mod policies;
mod policy_file;
mod rego;
mod report;
mod root;
mod snapshot;
mod suppression;
mod survey;
pub mod testing;
mod weaker;
mod whole;
mod world;

pub use auditlint_graph::terraform::is_terraform;
pub use baseline::{Accepted, BASELINE_NAME, Baseline};
pub use discovery::{Discovery, discover};
pub use disk::{DiskFiles, today};
pub use environments::Environments;
pub use evidence::{ControlEvidence, evidence};
pub use fix::{FileEdits, Fix};
pub use flows::{FlowRoot, Flows};
pub use host::{AnalysisHost, Change, ObjectsError, RootId, RootSpec, Settings};
pub use left_out::{LeftOut, LeftOutKind, terragrunt};
pub use migration::{Migration, OtherTool, migrate};
pub use outcome::{Gate, Outcome, Status, outcome};
pub use policies::{
    CONFIG_NAME, NamedPolicy, PolicySet, SetupError, find_config, load_policies, load_policies_before,
    relative,
};
pub use report::{InputMode, Report, RootReport, Summary, gap_fingerprint};
pub use snapshot::{Analysis, Cancelled, Hover};
