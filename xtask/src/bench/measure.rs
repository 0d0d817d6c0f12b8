//! Whole processes: the CPU seconds and the memory of each run, as the system accounts for them when it ends.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use wait4::Wait4 as _;

/// What one run cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// User and system time of all its threads, in seconds.
    pub(crate) cpu: f64,
    /// The most memory that was resident, in bytes.
    pub(crate) peak: u64,
}

/// A program with arguments and the exit codes that mean that it did its work: one that stops at once looks fast.
pub(crate) struct Program<'a> {
    pub(crate) path: &'a Path,
    pub(crate) arguments: Vec<&'a str>,
    pub(crate) folder: &'a Path,
    pub(crate) ends_with: i32,
}

impl Program<'_> {
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(self.path);
        command.args(&self.arguments).current_dir(self.folder);
        command.env_remove("TF_WORKSPACE").env_remove("AUDITLINT_POLICIES_DIR").stdin(Stdio::null());
        command
    }

    /// Runs it once.
    ///
    /// The kernel counts the peak from the fork on, so that it holds the peak of this process: nothing large may
    /// ever be kept here, and a run that took less than this process did cannot be told.
    pub(crate) fn run(&self) -> anyhow::Result<Cost> {
        let mut child = self
            .command()
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("{} cannot be started", self.path.display()))?;
        let done = child.wait4()?;
        ensure!(
            done.status.code() == Some(self.ends_with),
            "`{} {}` ended with {}, expected {}",
            self.path.display(),
            self.arguments.join(" "),
            done.status,
            self.ends_with
        );
        let cpu: Duration = done.rusage.utime + done.rusage.stime;
        Ok(Cost { cpu: cpu.as_secs_f64(), peak: done.rusage.maxrss })
    }
}

/// What two programs cost when run in turn.
pub(crate) struct Paired {
    /// The median of the ratios of CPU seconds, pair by pair.
    pub(crate) ratio: f64,
    /// The medians of the CPU seconds.
    pub(crate) ours: f64,
    pub(crate) theirs: f64,
    /// The largest peak of ours.
    pub(crate) peak: u64,
}

/// Runs both in turn, after one run of each that is not counted.
pub(crate) fn paired(ours: &Program<'_>, theirs: &Program<'_>, pairs: usize) -> anyhow::Result<Paired> {
    ours.run()?;
    theirs.run()?;
    let mut runs = Vec::with_capacity(pairs);
    for _ in 0..pairs {
        runs.push((ours.run()?, theirs.run()?));
    }
    let peak = runs.iter().map(|(ours, _)| ours.peak).max().unwrap_or(0);
    ensure!(peak > own_peak(), "the peak of {} is hidden by that of this task", ours.path.display());
    Ok(Paired {
        peak,
        ratio: median(runs.iter().map(|(ours, theirs)| ours.cpu / theirs.cpu.max(1e-6)).collect()),
        ours: median(runs.iter().map(|(ours, _)| ours.cpu).collect()),
        theirs: median(runs.iter().map(|(_, theirs)| theirs.cpu).collect()),
    })
}

/// The most memory that was resident in this process, in bytes; 0 where the system does not say.
fn own_peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// The middle one, the mean of the two in the middle of an even number, and zero of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = values.get(middle).copied().unwrap_or(0.0);
    if values.len().is_multiple_of(2) {
        let lower = values.get(middle.wrapping_sub(1)).copied().unwrap_or(upper);
        return f64::midpoint(lower, upper);
    }
    upper
}

/// The value that `of_hundred` of a hundred do not exceed.
pub(crate) fn percentile(mut values: Vec<f64>, of_hundred: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() * of_hundred).div_ceil(100).saturating_sub(1);
    values.get(at).copied().unwrap_or(0.0)
}
