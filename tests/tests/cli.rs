//! The command line as its users meet it: the cases in `tests/cmd`, whole commands with their output and exit code.
//! `TRYCMD=overwrite cargo test -p auditlint_tests --test cli` writes the outputs anew; read the difference like code.

use auditlint_tests::binary::auditlint;

#[test]
fn commands() {
    let cases = trycmd::TestCases::new();
    cases
        .env("NO_COLOR", "1")
        .register_bin("auditlint", auditlint().as_std_path())
        .default_bin_path(auditlint())
        .case("cmd/*.trycmd")
        .case("cmd/*.toml");
}
