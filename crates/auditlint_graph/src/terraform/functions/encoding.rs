//! Encodings of texts.

use std::io::Read as _;

use auditlint_syntax::Name;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use encoding_rs::Encoding;

pub(crate) use super::json::write_json;
use super::{Answer, LONGEST_TEXT, csv, json, not_computed, string, text_of, too_long};
use crate::Tracked;

/// Base64 as Go reads it: bits that are left over in the last character do not matter.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The character sets of `textencodebase64` whose tables are those of the web. Others are not computed.
const CHARACTER_SETS: &[&str] = &[
    "iso-8859-2",
    "iso-8859-3",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-7",
    "iso-8859-10",
    "iso-8859-13",
    "iso-8859-14",
    "iso-8859-15",
    "iso-8859-16",
    "koi8-r",
    "koi8-u",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1254",
    "windows-1256",
    "windows-1258",
    "macintosh",
    "shift_jis",
    "euc-jp",
    "euc-kr",
    "gbk",
    "gb18030",
    "big5",
];

/// Some answer when `name` is one of these functions.
pub(super) fn call(name: &str, arguments: &[Tracked]) -> Option<Answer> {
    Some(match name {
        "jsonencode" => encoded(arguments),
        "jsondecode" => json::decode(arguments),
        "csvdecode" => csv::decode(arguments),
        "base64encode" | "base64decode" | "base64gunzip" | "urlencode" | "urldecode" => {
            of_text(name, arguments)
        }
        "textencodebase64" => text_encode(arguments),
        "textdecodebase64" => text_decode(arguments),
        _ => return None,
    })
}

fn encoded(arguments: &[Tracked]) -> Answer {
    let mut out = String::new();
    write_json(arguments.first()?.value(), None, &mut out)?;
    string(out)
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(text.replace(['\r', '\n'], "")).ok()
}

fn of_text(name: &str, arguments: &[Tracked]) -> Answer {
    let first = text_of(arguments.first()?)?;
    match name {
        "base64encode" => string(STANDARD.encode(first.as_bytes())),
        "base64decode" => string(String::from_utf8(bytes_of(first)?).ok()?),
        "base64gunzip" => {
            let bytes = bytes_of(first)?;
            let mut out = Vec::new();
            let most = u64::try_from(LONGEST_TEXT).ok()? + 1;
            flate2::read::MultiGzDecoder::new(bytes.as_slice()).take(most).read_to_end(&mut out).ok()?;
            if out.len() > LONGEST_TEXT {
                return too_long();
            }
            string(String::from_utf8(out).ok()?)
        }
        "urlencode" => string(first.bytes().fold(String::new(), |mut out, byte| {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    out.push(char::from(byte));
                }
                b' ' => out.push('+'),
                _ => out.push_str(&format!("%{byte:02X}")),
            }
            out
        })),
        _ => {
            let mut out = Vec::new();
            let mut bytes = first.bytes();
            while let Some(byte) = bytes.next() {
                out.push(match byte {
                    b'+' => b' ',
                    b'%' => {
                        let mut digit = || char::from(bytes.next()?).to_digit(16);
                        u8::try_from(digit()? * 16 + digit()?).ok()?
                    }
                    byte => byte,
                });
            }
            String::from_utf8(out).map_or_else(|_| not_computed("urldecode()"), string)
        }
    }
}

/// A character set by its registered name.
enum CharacterSet {
    Utf8,
    /// UTF-16 in that order of bytes.
    Utf16 {
        big: bool,
        mark: bool,
    },
    /// The first characters of Unicode, so many of them: 128 or 256.
    First(u32),
    Table(&'static Encoding),
}

fn character_set(name: &Name) -> Option<CharacterSet> {
    let name = name.to_lowercase();
    Some(match name.as_str() {
        "utf-8" => CharacterSet::Utf8,
        "utf-16" => CharacterSet::Utf16 { big: true, mark: true },
        "utf-16be" => CharacterSet::Utf16 { big: true, mark: false },
        "utf-16le" => CharacterSet::Utf16 { big: false, mark: false },
        "iso-8859-1" | "latin1" => CharacterSet::First(256),
        "us-ascii" | "us" | "ansi_x3.4-1968" | "ansi_x3.4-1986" | "iso_646.irv:1991" | "iso646-us"
        | "iso-ir-6" | "ibm367" | "cp367" | "csascii" => CharacterSet::First(128),
        name if CHARACTER_SETS.contains(&name) => CharacterSet::Table(Encoding::for_label(name.as_bytes())?),
        _ => return None,
    })
}

fn text_encode(arguments: &[Tracked]) -> Answer {
    let text = text_of(arguments.first()?)?;
    let Some(set) = character_set(text_of(arguments.get(1)?)?) else {
        return not_computed("textencodebase64()");
    };
    let bytes = match set {
        CharacterSet::Utf8 => text.as_bytes().to_vec(),
        CharacterSet::Utf16 { big, mark } => {
            let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
            units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        }
        CharacterSet::First(count) => {
            let byte = |c: char| u8::try_from(u32::from(c)).ok().filter(|byte| u32::from(*byte) < count);
            text.chars().map(byte).collect::<Option<_>>()?
        }
        CharacterSet::Table(table) => {
            let (bytes, _, unmappable) = table.encode(text);
            if unmappable {
                return None;
            }
            if text.chars().any(|c| matches!(c, '\u{80}'..='\u{9F}')) {
                return not_computed("textencodebase64()");
            }
            bytes.into_owned()
        }
    };
    string(STANDARD.encode(bytes))
}

fn text_decode(arguments: &[Tracked]) -> Answer {
    let bytes = bytes_of(text_of(arguments.first()?)?)?;
    let Some(set) = character_set(text_of(arguments.get(1)?)?) else {
        return not_computed("textdecodebase64()");
    };
    match set {
        CharacterSet::Utf8 => string(String::from_utf8(bytes).ok()?),
        CharacterSet::Utf16 { mark: true, .. } => not_computed("textdecodebase64()"),
        CharacterSet::Utf16 { big, .. } => {
            let (units, rest) = bytes.as_chunks::<2>();
            let unit =
                |unit: &[u8; 2]| if big { u16::from_be_bytes(*unit) } else { u16::from_le_bytes(*unit) };
            let text = String::from_utf16(&units.iter().map(unit).collect::<Vec<_>>());
            match text {
                Ok(text) if rest.is_empty() => string(text),
                Ok(_) => None,
                Err(_) => not_computed("textdecodebase64()"),
            }
        }
        CharacterSet::First(count) => {
            let fits = |byte: u8| Some(char::from(byte)).filter(|c| u32::from(*c) < count);
            string(bytes.into_iter().map(fits).collect::<Option<String>>()?)
        }
        CharacterSet::Table(table) => {
            let (text, malformed) = table.decode_without_bom_handling(&bytes);
            // Where the tables of the web and those of Go may differ.
            if malformed || text.chars().any(|c| matches!(c, '\u{80}'..='\u{9F}' | '\u{FFFD}')) {
                return not_computed("textdecodebase64()");
            }
            string(text)
        }
    }
}
