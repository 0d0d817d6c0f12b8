//! What a name may look like.

/// A text in which `*` stands for any text, also for none. Names of clouds hold every other sign that globs use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern that is written so.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// How it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `name` looks like that. Takes time in the product of both lengths at most, whatever they hold.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else { return rest.is_empty() };
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
                None => return false,
            }
        }
        rest.ends_with(last)
    }

    /// Whether every name that begins so looks like that: the pattern asks nothing of what follows.
    #[must_use]
    pub fn matches_all_that_begin(&self, beginning: &str) -> bool {
        self.0.strip_suffix('*').is_some_and(|head| Self(head.to_owned()).matches_a_beginning_of(beginning))
    }

    /// Whether a beginning of `text` looks like that.
    fn matches_a_beginning_of(&self, text: &str) -> bool {
        Self(format!("{}*", self.0)).matches(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, name, expected) in [
            ("org-logs", "org-logs", true),
            ("org-logs", "org-logs-2", false),
            ("org-*", "org-", true),
            ("*-logs", "org-logs", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*b*", "abc", true),
            ("a*a", "a", false),
            ("arn:aws:s3:::org-*/logs", "arn:aws:s3:::org-x/logs", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_beginning_is_enough_where_the_pattern_asks_no_more() {
        for (pattern, beginning, expected) in [
            ("org-*", "org-logs-", true),
            ("org-*", "or", false),
            ("org-*-logs", "org-x", false),
            ("org-logs", "org-logs", false),
            ("*-logs*", "org-logs-", true),
            ("*", "", true),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches_all_that_begin(beginning),
                expected,
                "{pattern} {beginning}"
            );
        }
    }
}
