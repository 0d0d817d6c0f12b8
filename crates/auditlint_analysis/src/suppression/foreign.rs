//! Comments by which other tools pass over a finding, as the comments of this one: the ids of their checks are known by
//! the `aliases` of rules.

use auditlint_policy::Catalogue;
use jiff::civil::Date;

/// What a comment of another tool says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    /// The rules that judge the same as the checks that it names; `*` where it names none and means all.
    pub(super) rules: Vec<String>,
    /// Until when it holds.
    pub(super) until: Option<Date>,
    /// The comment, as those who read a report know it.
    pub(super) said: String,
    /// What it speaks of.
    pub(super) reach: Reach,
}

/// What a comment of another tool speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The block that it stands in.
    Enclosing,
    /// What it stands on or above.
    Next,
    /// Its file.
    File,
}

/// The beginnings of such comments, for those who look whether a text holds any.
pub(super) const MARKS: [&str; 4] = ["checkov:skip=", "tfsec:ignore:", "trivy:ignore:", "kics-scan "];

/// What a comment says, or why it says nothing; none where it is no comment of another tool.
pub(super) fn read(comment: &str, catalogue: &Catalogue) -> Option<Result<Vec<Foreign>, String>> {
    let at = MARKS.iter().filter_map(|mark| comment.find(mark)).min()?;
    let text = comment.get(at..)?.trim_end_matches("*/").trim();
    Some(if let Some(rest) = text.strip_prefix("checkov:skip=") {
        checkov(rest, text, catalogue)
    } else if let Some(rest) = text.strip_prefix("kics-scan ") {
        kics(rest, text, catalogue)
    } else {
        aqua(text, catalogue)
    })
}

/// `CKV_AWS_18:the reason`, inside of the block that it speaks of.
fn checkov(rest: &str, said: &str, catalogue: &Catalogue) -> Result<Vec<Foreign>, String> {
    let (ids, _) = rest.split_once(':').unwrap_or((rest, ""));
    let ids: Vec<&str> = ids.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        return Err(format!("`{said}` names no check"));
    }
    let rules = ids.iter().flat_map(|id| rules_of(id, catalogue)).collect();
    Ok(vec![Foreign { rules, until: None, said: said.to_owned(), reach: Reach::Enclosing }])
}

/// `trivy:ignore:AVD-AWS-0089:exp:2027-01-31 tfsec:ignore:aws-s3-enable-bucket-logging`, on or above what they speak of.
fn aqua(text: &str, catalogue: &Catalogue) -> Result<Vec<Foreign>, String> {
    let mut out = Vec::new();
    for word in text.split_whitespace() {
        let rest = word.strip_prefix("trivy:ignore:").or_else(|| word.strip_prefix("tfsec:ignore:"));
        let Some(rest) = rest else { break };
        let mut parts = rest.split(':');
        let id = parts.next().unwrap_or_default();
        let rest: Vec<&str> = parts.collect();
        let until = match rest.iter().position(|part| *part == "exp") {
            Some(at) => {
                let date = rest.get(at + 1).copied().unwrap_or_default();
                Some(date.parse().map_err(|_| format!("`{word}`: `{date}` is no date (YYYY-MM-DD)"))?)
            }
            None => None,
        };
        let rules = if id == "*" { vec!["*".to_owned()] } else { rules_of(id, catalogue) };
        out.push(Foreign { rules, until, said: word.to_owned(), reach: Reach::Next });
    }
    if out.is_empty() { Err(format!("`{text}` names no check")) } else { Ok(out) }
}

/// `ignore-block`, `ignore-line`, `ignore` of the file, `disable=ID,ID` of the file.
fn kics(rest: &str, said: &str, catalogue: &Catalogue) -> Result<Vec<Foreign>, String> {
    let word = rest.split_whitespace().next().unwrap_or_default();
    let all = || vec!["*".to_owned()];
    let one = |rules, reach| Ok(vec![Foreign { rules, until: None, said: said.to_owned(), reach }]);
    match word.split_once('=') {
        Some(("disable", ids)) => {
            one(ids.split(',').flat_map(|id| rules_of(id.trim(), catalogue)).collect(), Reach::File)
        }
        None if word == "ignore" => one(all(), Reach::File),
        None if word == "ignore-block" || word == "ignore-line" => one(all(), Reach::Next),
        _ => Err(format!("`{said}` is none of the comments of KICS")),
    }
}

/// The rules that judge the same as a check of another tool; none where no rule does.
pub(crate) fn rules_of(id: &str, catalogue: &Catalogue) -> Vec<String> {
    // Trivy writes its ids with and without `AVD-`.
    let short = id.strip_prefix("AVD-").unwrap_or(id);
    let tfsec = format!("tfsec-{id}");
    let kinds = [id, short, tfsec.as_str()];
    let mut found: Vec<String> =
        kinds.iter().flat_map(|id| catalogue.by_alias(id)).map(|rule| rule.id.to_string()).collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use auditlint_policy::Reading;

    use super::*;

    #[test]
    fn comments_of_other_tools_are_read() {
        let catalogue = Catalogue::embedded(Reading::WithoutExamples);
        let read = |text| read(text, &catalogue);
        let found = |text| read(text).unwrap().unwrap().remove(0);
        assert_eq!(found("#checkov:skip=CKV_AWS_91:later").rules, ["aws/elb/load-balancer-access-logs"]);
        assert_eq!(found("# checkov:skip=CKV_AWS_91").reach, Reach::Enclosing);
        let trivy = found("# trivy:ignore:AVD-AWS-0089:exp:2027-01-31");
        assert_eq!((trivy.until, trivy.rules.is_empty()), (Some(jiff::civil::date(2027, 1, 31)), false));
        assert_eq!(found("# kics-scan ignore-block").rules, ["*"]);
        assert_eq!(found("# kics-scan disable=abc").reach, Reach::File);
        assert!(found("#checkov:skip=CKV_AWS_999999:none of ours").rules.is_empty());
        for text in ["# checkov:skip=:why", "# trivy:ignore:AVD-AWS-0089:exp:soon", "# kics-scan igno"] {
            assert!(read(text).unwrap().is_err(), "{text}");
        }
        assert!(read("# auditlint:ignore aws/a/b -- why").is_none());
    }
}
