//! How long the compiled facts and rules take to load, as a process that just started does it: the milliseconds.

use std::process::ExitCode;
use std::time::Instant;

use auditlint_policy::{Catalogue, Reading};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::print_stdout, reason = "the one line that this program is for")]
fn main() -> ExitCode {
    let start = Instant::now();
    let catalogue = Catalogue::embedded(Reading::WithoutExamples);
    let took = start.elapsed();
    println!("{:.3}", took.as_secs_f64() * 1e3);
    if catalogue.rules().is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
