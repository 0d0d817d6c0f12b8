//! The one API that the command line and the editor share.
//!
//! [`AnalysisHost::apply_change`] is the only mutator; [`AnalysisHost::analysis`] gives a snapshot in O(1);
//! whatever is shown to a user is asked of that snapshot. Nothing here knows the protocol of an editor,
//! prints, or touches the network.

mod disk;
mod fix;
mod host;
mod outcome;
mod report;

pub use disk::DiskFiles;
pub use fix::{FileEdits, Fix};
pub use host::{Analysis, AnalysisHost, Cancelled, Change, Hover, RootId, RootSpec};
pub use outcome::{Gate, Outcome, Status, outcome};
pub use report::{InputMode, Report, RootReport, Summary, gap_fingerprint};
