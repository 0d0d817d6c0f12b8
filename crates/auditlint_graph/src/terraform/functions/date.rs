//! `formatdate`, `timeadd` and `timecmp`.
//!
//! Source: cty's standard library and Go's `time`; every expectation below was asked of terraform 1.11.

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{SignedDuration, Span};

use super::{Answer, not_computed, num, string, text_of};
use crate::{Number, Tracked};

/// Some answer when `name` is one of these functions.
pub(super) fn call(name: &str, arguments: &[Tracked]) -> Option<Answer> {
    Some(match name {
        "formatdate" => format_date(arguments),
        "timeadd" => time_add(arguments),
        "timecmp" => compare(arguments),
        _ => return None,
    })
}

/// A timestamp of RFC 3339: a local time, and how many minutes it is ahead of UTC.
struct Timestamp {
    local: DateTime,
    offset: i32,
}

/// The number of the digits that are all of `text`.
fn count(text: &str) -> Option<i32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) { None } else { text.parse().ok() }
}

impl Timestamp {
    fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let (time, rest) = rest.strip_prefix('T')?.split_at_checked(8)?;
        let part = |text: &str, from: usize, to: usize| i8::try_from(count(text.get(from..to)?)?).ok();
        let parted =
            |text: &str, at: [usize; 2], by: u8| at.iter().all(|at| text.as_bytes().get(*at) == Some(&by));
        if !parted(date, [4, 7], b'-') || !parted(time, [2, 5], b':') {
            return None;
        }
        let (rest, nanoseconds) = match rest.strip_prefix('.') {
            Some(fraction) => {
                let end = fraction.bytes().take_while(u8::is_ascii_digit).count();
                let (digits, rest) = fraction.split_at_checked(end).filter(|_| end > 0)?;
                // Go reads nine digits and passes over the rest.
                let nine: String = digits.chars().chain("000000000".chars()).take(9).collect();
                (rest, count(&nine)?)
            }
            None => (rest, 0),
        };
        let offset = match rest.split_at_checked(1)? {
            ("Z", "") => 0,
            (sign @ ("+" | "-"), zone) if zone.len() == 5 && zone.get(2..3) == Some(":") => {
                let (hours, minutes) = (i32::from(part(zone, 0, 2)?), i32::from(part(zone, 3, 5)?));
                if hours > 23 || minutes > 59 {
                    return None;
                }
                (hours * 60 + minutes) * if sign == "-" { -1 } else { 1 }
            }
            _ => return None,
        };
        let second = part(time, 6, 8).filter(|second| *second < 60)?;
        let year = i16::try_from(count(date.get(..4)?)?).ok()?;
        let date = Date::new(year, part(date, 5, 7)?, part(date, 8, 10)?).ok()?;
        let time = Time::new(part(time, 0, 2)?, part(time, 3, 5)?, second, nanoseconds).ok()?;
        Some(Self { local: date.to_datetime(time), offset })
    }

    /// `+02:00`, with `between` between hours and minutes.
    fn zone(&self, between: &str) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.abs();
        format!("{sign}{:02}{between}{:02}", minutes / 60, minutes % 60)
    }

    /// The same moment in UTC; none before the first year that is counted.
    fn utc(&self) -> Option<DateTime> {
        self.local.checked_sub(Span::new().minutes(self.offset)).ok()
    }

    /// The timestamp without its fraction.
    fn shown(&self) -> Option<String> {
        self.shown_in(i32::from(self.local.year()))
    }

    /// The same, as one of another year.
    fn shown_in(&self, year: i32) -> Option<String> {
        let (day, time, zone) = (self.local.date(), self.local.time(), self.field("Z")?);
        let clock = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
        let (sign, year) = (if year < 0 { "-" } else { "" }, year.abs());
        Some(format!("{sign}{year:04}-{:02}-{:02}T{clock}{zone}", day.month(), day.day()))
    }

    /// What a run of one letter in a format stands for; none where it means nothing.
    fn field(&self, letters: &str) -> Option<String> {
        let date = self.local.date();
        let (hour, minute, second) = (self.local.hour(), self.local.minute(), self.local.second());
        let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
        let month = MONTHS.get(usize::try_from(date.month()).ok()?.checked_sub(1)?).copied()?;
        let day = weekday(date.weekday());
        let noon = if hour < 12 { "AM" } else { "PM" };
        Some(match letters {
            "YYYY" => format!("{:04}", date.year()),
            "YY" => format!("{:02}", date.year() % 100),
            "MMMM" => month.to_owned(),
            "MMM" => month.get(..3)?.to_owned(),
            "MM" => format!("{:02}", date.month()),
            "M" => date.month().to_string(),
            "DD" => format!("{:02}", date.day()),
            "D" => date.day().to_string(),
            "EEEE" => day.to_owned(),
            "EEE" => day.get(..3)?.to_owned(),
            "hh" => format!("{hour:02}"),
            "h" => hour.to_string(),
            "HH" => format!("{twelve:02}"),
            "H" => twelve.to_string(),
            "AA" => noon.to_owned(),
            "aa" => noon.to_lowercase(),
            "mm" => format!("{minute:02}"),
            "m" => minute.to_string(),
            "ss" => format!("{second:02}"),
            "s" => second.to_string(),
            "Z" if self.offset == 0 => "Z".to_owned(),
            "ZZZ" if self.offset == 0 => "UTC".to_owned(),
            "Z" | "ZZZZZ" => self.zone(":"),
            "ZZZ" | "ZZZZ" => self.zone(""),
            _ => return None,
        })
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

fn format_date(arguments: &[Tracked]) -> Answer {
    let (mut rest, time) =
        (text_of(arguments.first()?)?.as_str(), Timestamp::parse(text_of(arguments.get(1)?)?)?);
    let mut out = String::new();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            // Two quotes in a row are one, outside of a quotation as well as in one.
            '\'' => {
                let mut end = 1;
                if rest.starts_with("''") {
                    out.push('\'');
                    end = 2;
                } else {
                    loop {
                        let part = rest.get(end..)?;
                        let close = part.find('\'')?;
                        out.push_str(part.get(..close)?);
                        end += close + 1;
                        if !rest.get(end..)?.starts_with('\'') {
                            break;
                        }
                        out.push('\'');
                        end += 1;
                    }
                }
                end
            }
            letter if letter.is_ascii_alphabetic() => {
                let end = rest.find(|c| c != letter).unwrap_or(rest.len());
                out.push_str(&time.field(rest.get(..end)?)?);
                end
            }
            other => {
                out.push(other);
                other.len_utf8()
            }
        };
        rest = rest.get(length..)?;
    }
    string(out)
}

/// A duration as Go reads it: `1h30m`, `-1.5h`, `500ms`.
fn duration(text: &str) -> Option<i128> {
    let (negative, mut rest) = match text.split_at_checked(1) {
        Some(("-", rest)) => (true, rest),
        Some(("+", rest)) => (false, rest),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total: i128 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (digits, after) = rest.split_at_checked(end)?;
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.len() + fraction.len() == 0 || fraction.contains('.') || digits.len() > 40 {
            return None;
        }
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end)?;
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total = total.checked_add(whole.checked_mul(unit)?)?;
        // Eighteen digits are more than tell two nanoseconds of an hour apart.
        let fraction = fraction.get(..18).unwrap_or(fraction);
        if !fraction.is_empty() {
            let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
            total = total.checked_add(fraction.parse::<i128>().ok()?.checked_mul(unit)? / scale)?;
        }
        rest = after;
    }
    let total = if negative { -total } else { total };
    i64::try_from(total).ok().map(i128::from)
}

fn time_add(arguments: &[Tracked]) -> Answer {
    let time = Timestamp::parse(text_of(arguments.first()?)?)?;
    let nanoseconds = i64::try_from(duration(text_of(arguments.get(1)?)?)?).ok()?;
    // The calendar repeats itself after 400 years, and no duration is longer.
    let away = if time.local.year() < 5_000 { 400 } else { -400 };
    let local = time.local.with().year(time.local.year() + away).build().ok()?;
    let sum = local.checked_add(SignedDuration::from_nanos(nanoseconds)).ok()?;
    let year = i32::from(sum.year()) - i32::from(away);
    string(Timestamp { local: sum, ..time }.shown_in(year)?)
}

/// A timestamp without its fraction; none where `text` is none.
pub(super) fn normal(text: &str) -> Option<String> {
    Timestamp::parse(text)?.shown()
}

fn compare(arguments: &[Tracked]) -> Answer {
    let time = |n: usize| Timestamp::parse(text_of(arguments.get(n)?)?);
    let (a, b) = (time(0)?, time(1)?);
    let (Some(a), Some(b)) = (a.utc(), b.utc()) else { return not_computed("timecmp()") };
    num(Number::whole(match a.cmp(&b) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{json, t};
    use super::*;

    fn shown(name: &str, first: &str, second: &str) -> Option<String> {
        json(call(name, &[t(first), t(second)])?)
    }

    #[test]
    fn every_field_of_a_format() {
        let all = "YYYY YY MMMM MMM MM M DD D EEEE EEE hh h HH H AA aa mm m ss s";
        let cases = [
            (
                all,
                "2006-01-02T15:04:05Z",
                "2006 06 January Jan 01 1 02 2 Monday Mon 15 15 03 3 PM pm 04 4 05 5",
            ),
            (
                all,
                "2026-11-12T00:14:15+02:00",
                "2026 26 November Nov 11 11 12 12 Thursday Thu 00 0 12 12 AM am 14 14 15 15",
            ),
            ("Z|ZZZ|ZZZZ|ZZZZZ", "2026-11-12T00:14:15-03:30", "-03:30|-0330|-0330|-03:30"),
            ("Z|ZZZ|ZZZZ|ZZZZZ", "2026-11-12T00:14:15-00:00", "Z|UTC|+0000|+00:00"),
            ("'it''s' YYYY'T'", "2026-11-12T00:14:15.5Z", "it's 2026T"),
            ("'a''''b'|''|''''", "2026-11-12T00:14:15Z", "a''b|'|''"),
            ("é-_YYYY", "0000-01-01T00:00:00Z", "é-_0000"),
        ];
        for (format, time, expected) in cases {
            assert_eq!(shown("formatdate", format, time), Some(format!("\"{expected}\"")), "{format}");
        }
    }

    #[test]
    fn what_is_no_format_and_no_time_is_refused() {
        for format in ["ZZ", "YYY", "Y", "MMMMM", "DDD", "EE", "A", "AAA", "Aa", "hhh", "x", "'open"] {
            assert_eq!(shown("formatdate", format, "2026-11-12T00:14:15Z"), None, "{format}");
        }
        for time in [
            "2026-11-12 00:14:15Z",
            "2026-11-12t00:14:15z",
            "2026-11-12T00:14:15",
            "2026-02-30T00:00:00Z",
            "2026-02-28T24:00:00Z",
            "2026-02-28T23:59:60Z",
            "2026-02-28T23:59:59,9Z",
            "2026-02-28T23:59:59.Z",
            "2026-02-28T23:59:59+24:00",
            "2026-02-28T23:59:59+23:60",
            "2026-02-28T23:59:59+2300",
            "2026-02-28T3:59:59Z",
        ] {
            assert_eq!(shown("formatdate", "YYYY", time), None, "{time}");
        }
    }

    #[test]
    fn durations_are_added() {
        for (time, duration, expected) in [
            ("2017-11-22T00:00:00Z", "10m", "2017-11-22T00:10:00Z"),
            ("2017-11-22T00:00:00+01:00", "-1h30m", "2017-11-21T22:30:00+01:00"),
            ("2017-11-22T00:00:00.75Z", "500ms", "2017-11-22T00:00:01Z"),
            ("2017-11-22T00:00:00Z", "1.5h", "2017-11-22T01:30:00Z"),
            ("2017-11-22T00:00:00Z", "-0", "2017-11-22T00:00:00Z"),
            ("2017-11-22T00:00:00Z", "1000000µs", "2017-11-22T00:00:01Z"),
            ("2017-11-22T00:00:00Z", "2562047h47m16.854775807s", "2310-03-03T23:47:16Z"),
            ("2017-11-22T00:00:00Z", "-2562047h47m16.854775808s", "1725-08-13T00:12:43Z"),
            ("9999-12-31T23:59:59Z", "1h", "10000-01-01T00:59:59Z"),
            ("0000-01-01T00:00:00Z", "-1h", "-0001-12-31T23:00:00Z"),
        ] {
            assert_eq!(shown("timeadd", time, duration), Some(format!("\"{expected}\"")), "{duration}");
        }
        for duration in ["1d", "", "1h 1m", ".h", "5", "2562048h"] {
            assert_eq!(shown("timeadd", "2017-11-22T00:00:00Z", duration), None, "{duration}");
        }
    }

    #[test]
    fn moments_are_compared() {
        let base = "2017-11-22T01:00:00Z";
        assert_eq!(shown("timecmp", base, base).as_deref(), Some("0"));
        assert_eq!(shown("timecmp", "2017-11-22T00:00:00Z", base).as_deref(), Some("-1"));
        assert_eq!(shown("timecmp", base, "2017-11-22T00:00:00-01:00").as_deref(), Some("0"));
        assert_eq!(shown("timecmp", "2017-11-22T01:00:00.1Z", base).as_deref(), Some("1"));
        assert_eq!(shown("timecmp", "x", base), None);
    }
}
