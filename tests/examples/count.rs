//! Prints how much the catalogue holds of each provider, as `policies/` stands now: `cargo xtask count`.

use std::io::Write as _;

use auditlint_tests::count::{counts, table};
use auditlint_tests::{catalogue_of, policy_texts};

fn main() -> anyhow::Result<()> {
    let texts = policy_texts()?;
    let table = table(&counts(&catalogue_of(&texts)?, &texts));
    Ok(std::io::stdout().write_all(table.as_bytes())?)
}
