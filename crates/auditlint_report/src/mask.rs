//! Source lines with the literals of telling attributes masked, so that a frame never shows a secret.

use auditlint_graph::is_sensitive_name;

/// A copy of `text`, of the same length, in which the quoted strings and heredocs that are given to an
/// attribute with a telling name (`password`, `api_key`, …) are stars. Works line by line: it must also mask
/// in a text that does not parse.
pub(crate) fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut heredoc: Option<String> = None;
    for line in text.split_inclusive('\n') {
        if let Some(end) = &heredoc {
            if line.trim() == end {
                heredoc = None;
                out.push_str(line);
            } else {
                stars(&mut out, line, |_| true);
            }
            continue;
        }
        let Some(value) = value_of_secret(line) else {
            out.push_str(line);
            continue;
        };
        let (name, value) = line.split_at(line.len() - value.len());
        out.push_str(name);
        if let Some(end) = value.trim_start().strip_prefix("<<") {
            heredoc = Some(end.trim_start_matches('-').trim().to_owned());
            out.push_str(value);
        } else {
            let mut inside = false;
            stars(&mut out, value, |c| {
                let hide = inside && c != '"';
                inside ^= c == '"';
                hide
            });
        }
    }
    out
}

/// What follows `name =` or `"name":` when the name is a telling one.
fn value_of_secret(line: &str) -> Option<&str> {
    let start = line.trim_start().trim_start_matches('"');
    let end = start.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))?;
    let (name, rest) = start.split_at(end);
    let rest = rest.trim_start_matches('"').trim_start();
    let value = rest.strip_prefix(['=', ':'])?;
    is_sensitive_name(&name.to_ascii_lowercase()).then_some(value)
}

fn stars(out: &mut String, text: &str, mut hide: impl FnMut(char) -> bool) {
    for c in text.chars() {
        if hide(c) && c != '\n' && c != '\r' {
            (0..c.len_utf8()).for_each(|_| out.push('*'));
        } else {
            out.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_stars_and_offsets_stay() {
        let text = "resource \"x\" \"y\" {\n  password = \"hünter2\" # \"c\"\n  name     = \"n\"\n  private_key = <<EOT\nabc\nEOT\n  a = 1\n}\n";
        let out = masked(text);
        assert_eq!(out.len(), text.len());
        assert!(!out.contains("nter2") && !out.contains("abc"), "{out}");
        assert!(out.contains("name     = \"n\"") && out.contains("a = 1"), "{out}");
        assert!(masked("  \"db_password\": \"x1y2\",\n").contains("\"****\""));
        assert_eq!(masked("secret_arn = \"arn:aws:x\"\n"), "secret_arn = \"arn:aws:x\"\n");
    }
}
