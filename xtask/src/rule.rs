//! `cargo xtask rule provider/service/name`: the file of a new rule, with everything that it must hold.

use std::fs;

use anyhow::{bail, ensure};

use crate::step;

/// Each mark of `TODO` is a decision; `cargo xtask test rules ID` fails until all are taken.
const SKELETON: &str = r#"title: TODO (a plain sentence that says what holds when the rule passes)
why: >-
  TODO (two or three sentences that an engineer who has never met an auditor understands)
severity: medium
kind: source
asks: [emit]
categories: [access_logs]
selects: [TODO]
requires:
  path: TODO
  present: true
message: "TODO"
references: ["https://TODO"]
examples:
  - name: does not log
    hcl: |
      resource "TODO" "wrong" { #! fail
      }
  - name: logs
    hcl: |
      resource "TODO" "right" { #! pass
      }
  - name: a variable without a value decides
    hcl: |
      variable "logs" {}
      resource "TODO" "undecided" { #! unknown
      }
"#;

/// Writes the skeleton where the id says.
pub(crate) fn begin(id: &str) -> anyhow::Result<()> {
    let parts: Vec<&str> = id.split('/').collect();
    let plain = |part: &&str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    ensure!(
        parts.len() == 3 && parts.iter().all(plain),
        "`{id}` is no id of a rule: provider/service/name, in lower case with hyphens"
    );
    let path = step::repository().join("policies/rules").join(format!("{id}.yaml"));
    if path.exists() {
        bail!("{id} exists; an id is never used again");
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, SKELETON)?;
    step::say(&format!(
        "policies/rules/{id}.yaml\n\nThe facts of its resource type stand in policies/resources; policies/README.md \
         says what a rule may hold.\nThen: cargo xtask test rules {id}"
    ));
    Ok(())
}
