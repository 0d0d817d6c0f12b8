//! Workflow commands of GitHub Actions: an annotation for each rule and place.

use std::fmt::Write as _;

use auditlint_analysis::Report;
use auditlint_policy::{Severity, Verdict};

use crate::group::{gaps, groups};
use crate::plain::plain_line;
use crate::{Options, words};

pub(crate) fn render(report: &Report, options: &Options) -> String {
    let mut out = String::new();
    for group in groups(report, options) {
        let finding = group.first;
        let command = match (finding.verdict, finding.severity) {
            (Verdict::Fail, Severity::Low) => "warning",
            (Verdict::Fail, _) if !finding.level.gates() => "warning",
            (Verdict::Fail, _) => "error",
            _ => "notice",
        };
        let mut properties = vec![format!("title={}", property(&finding.rule))];
        match words::shown(report, &finding.place) {
            Some(shown) => {
                properties.insert(0, format!("file={}", property(shown.source.path().as_str())));
                properties.push(format!("line={}", shown.start.line));
                properties.push(format!("endLine={}", shown.end.line));
                if shown.start.line == shown.end.line {
                    properties.push(format!("col={},endColumn={}", shown.start.column, shown.end.column));
                }
            }
            None => properties.insert(0, format!("file={}", property(group.root.path.as_str()))),
        }
        // What is said of the whole root has no address.
        let addresses: Vec<&str> =
            group.addresses.iter().map(String::as_str).filter(|one| !one.is_empty()).collect();
        let message = match addresses.as_slice() {
            [] => finding.message.clone(),
            some => format!("{} ({})", finding.message, some.join(", ")),
        };
        let _ = writeln!(out, "::{command} {}::{}", properties.join(","), data(&message));
    }
    for (_, gap) in gaps(report) {
        let line = gap
            .at
            .and_then(|at| words::location(report, at))
            .map(|shown| format!(",line={}", shown.start.line));
        let title = format!("gap: {}", gap.kind.as_str());
        let _ = writeln!(
            out,
            "::warning file={}{},title={}::{}",
            property(&gap.path),
            line.unwrap_or_default(),
            property(&title),
            data(&gap.reason)
        );
    }
    if let Some(line) = words::exempt(report, options) {
        let _ = writeln!(out, "::notice title=exempt::{}", data(&line));
    }
    for one in &report.left_out {
        let (folder, title) =
            (words::folder(one.folder.as_str()), format!("left out: {}", one.kind.as_str()));
        let _ = writeln!(
            out,
            "::notice file={},title={}::{}",
            property(folder),
            property(&title),
            data(&one.reason)
        );
    }
    out
}

/// The message part: line ends would end the command.
fn data(text: &str) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    plain_line(&text)
}

/// A property: commas and colons separate properties as well.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_cannot_start_a_command_of_its_own() {
        assert_eq!(property("a,b:c\n::error::x"), "a%2Cb%3Ac%0A%3A%3Aerror%3A%3Ax");
        assert_eq!(data("100%\r\n::stop"), "100%25%0D%0A::stop");
    }
}
