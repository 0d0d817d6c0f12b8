//! Lengths of time in whole days, as policies write them.

use std::fmt;

/// How long something is kept. The order is by length: nothing outlasts `Never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Days {
    /// So many days.
    Count(u32),
    /// It never expires.
    Never,
}

impl Days {
    /// Reads `90_days`, `90d`, `12_months`, `6_years`, `P1Y`, `P90D` or a plain number of days. A month has 30
    /// days, but twelve months are a year of 365 (so that 365 days satisfy "twelve months").
    ///
    /// # Errors
    /// A phrase that says what is expected.
    pub fn parse(text: &str) -> Result<u32, String> {
        let wrong = || {
            format!(
                "`{text}` is not a duration: write `90_days`, `90d`, `12_months`, `6_years`, `P1Y` or a number of days"
            )
        };
        let (digits, unit) = match text.strip_prefix('P') {
            Some(iso) => iso.split_at(iso.len().saturating_sub(1)),
            None => text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())),
        };
        let count: u32 = digits.parse().map_err(|_| wrong())?;
        let days = match unit.trim_start_matches(['_', ' ', '-']) {
            "" | "d" | "D" | "day" | "days" => Some(count),
            "w" | "W" | "week" | "weeks" => count.checked_mul(7),
            "m" | "M" | "month" | "months" => {
                (count / 12).checked_mul(365).map(|years| years + count % 12 * 30)
            }
            "y" | "Y" | "year" | "years" => count.checked_mul(365),
            _ => return Err(wrong()),
        };
        days.filter(|&days| days <= 36_500).ok_or_else(|| format!("`{text}` is longer than a hundred years"))
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(1) => f.write_str("1 day"),
            Self::Count(days) => write!(f, "{days} days"),
            Self::Never => f.write_str("ever"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_duration() {
        for (text, days) in [
            ("90_days", 90),
            ("90d", 90),
            ("90", 90),
            ("12_months", 365),
            ("18_months", 545),
            ("6_years", 2190),
            ("P1Y", 365),
            ("P90D", 90),
            ("1_day", 1),
            ("2w", 14),
            ("3_months", 90),
        ] {
            assert_eq!(Days::parse(text), Ok(days), "{text}");
        }
        for text in ["", "90_dayz", "ninety", "-1d", "P1Q", "99999999999d", "900_years", "P"] {
            assert!(Days::parse(text).is_err(), "{text}");
        }
        assert!(Days::Never > Days::Count(36_500));
    }
}
