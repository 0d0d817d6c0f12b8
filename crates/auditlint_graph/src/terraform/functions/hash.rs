//! Hashes of texts and of files, and what is encrypted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::{Answer, not_computed, string, text_of};
use crate::Tracked;

/// Some answer when `name` is one of these functions.
pub(super) fn call(name: &str, arguments: &[Tracked]) -> Option<Answer> {
    match name {
        "uuidv5" => Some(uuid(arguments)),
        "rsadecrypt" => Some(decrypt(arguments)),
        "md5" | "sha1" | "sha256" | "sha512" | "base64sha256" | "base64sha512" => {
            let text = arguments.first().and_then(text_of);
            Some(text.and_then(|text| digest(name, text.as_bytes())).and_then(string))
        }
        _ => None,
    }
}

/// The hash of `bytes` that the function `name` gives.
pub(super) fn digest(name: &str, bytes: &[u8]) -> Option<String> {
    Some(match name {
        "md5" => hex(&Md5::digest(bytes)),
        "sha1" => hex(&Sha1::digest(bytes)),
        "sha256" => hex(&Sha256::digest(bytes)),
        "sha512" => hex(&Sha512::digest(bytes)),
        "base64sha256" => STANDARD.encode(Sha256::digest(bytes)),
        "base64sha512" => STANDARD.encode(Sha512::digest(bytes)),
        _ => return None,
    })
}

/// What is encrypted stays unknown; what cannot be decrypted is refused.
fn decrypt(arguments: &[Tracked]) -> Answer {
    let decoded = |text: &str| STANDARD.decode(text.replace(['\r', '\n'], "")).ok();
    decoded(text_of(arguments.first()?)?)?;
    // A key is a block of PEM with an ASN.1 sequence in it.
    let (_, block) = text_of(arguments.get(1)?)?.split_once("-----BEGIN ")?;
    let (name, block) = block.split_once("-----")?;
    let (body, _) = block.split_once(&format!("-----END {name}-----"))?;
    // Headers stand before an empty line.
    let body = body.rsplit("\n\n").next().unwrap_or(body);
    decoded(body.trim()).filter(|key| key.first() == Some(&0x30))?;
    not_computed("rsadecrypt()")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn uuid(arguments: &[Tracked]) -> Answer {
    let (space, name) = (text_of(arguments.first()?)?, text_of(arguments.get(1)?)?);
    let space = match space.as_str() {
        "dns" => "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "url" => "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
        "oid" => "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
        "x500" => "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
        other => other,
    };
    let mut hashed = bytes_of(space)?.to_be_bytes().to_vec();
    hashed.extend_from_slice(name.as_bytes());
    let digest = Sha1::digest(&hashed);
    let first: [u8; 16] = digest.get(..16)?.try_into().ok()?;
    // Version 5 of the variant of RFC 4122.
    let bits = u128::from_be_bytes(first) & !(0xF << 76) & !(0b11 << 62) | 5 << 76 | 0b10 << 62;
    let digits = format!("{bits:032x}");
    let group = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    string([group(0, 8), group(8, 12), group(12, 16), group(16, 20), group(20, 32)].join("-"))
}

/// The bits of a UUID in one of its usual notations.
fn bytes_of(text: &str) -> Option<u128> {
    let text = text.strip_prefix("urn:uuid:").unwrap_or(text);
    let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let dashes: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
    if !dashes.is_empty() && dashes != [8, 13, 18, 23] {
        return None;
    }
    let digits = text.replace('-', "");
    let is_hex = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u128::from_str_radix(&digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::super::testing::{json, t};
    use super::*;

    #[test]
    fn hashes_are_those_of_terraform() {
        for (name, expected) in [
            ("md5", "66ddcd97cfdeabb2f6fb8a999b4bc76f"),
            ("sha1", "bf15be717ac1b080b4f1c456692825891ff5073d"),
            ("sha256", "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"),
            ("base64sha256", "SplVfkAzw1Od4utlRyAXytX5VX96BiWgnxw/biumnEw="),
            (
                "base64sha512",
                "nirShjPyRFG9TzwcsgWGohpEw67tvcAbnMj6cpF+p71onIK4vx/vibkRz4zEb6LBzMEAh7IJT9TTNQ7NiFJqLA==",
            ),
        ] {
            assert_eq!(json(call(name, &[t("é")]).unwrap()), Some(format!("\"{expected}\"")), "{name}");
        }
    }

    #[test]
    fn uuids_of_names() {
        let of = |space: &str, name: &str| json(uuid(&[t(space), t(name)]));
        for (space, name, expected) in [
            ("dns", "www.terraform.io", "a5008fae-b28c-5ba5-96cd-82b4c53552d6"),
            ("url", "https://www.terraform.io/", "9db6f67c-dd95-5ea0-aa5b-e70e5c5f7cf5"),
            ("oid", "1.3.6.1.4", "af9d40a5-7a36-5c07-b23a-851cd99fbfa5"),
            ("x500", "CN=Example,C=GB", "84e09961-4aa4-57f8-95b7-03edb1073253"),
            (
                "6BA7B810-9DAD-11D1-80B4-00C04FD430C8",
                "www.terraform.io",
                "a5008fae-b28c-5ba5-96cd-82b4c53552d6",
            ),
            ("6ba7b8109dad11d180b400c04fd430c8", "x", "05b16a01-46c6-56dd-bd6e-c6dfb4a1427a"),
            ("{6ba7b810-9dad-11d1-80b4-00c04fd430c8}", "x", "05b16a01-46c6-56dd-bd6e-c6dfb4a1427a"),
            ("urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8", "x", "05b16a01-46c6-56dd-bd6e-c6dfb4a1427a"),
        ] {
            assert_eq!(of(space, name), Some(format!("\"{expected}\"")), "{space}");
        }
        assert_eq!(of("DNS", "x"), None);
        assert_eq!(of("nope", "x"), None);
    }
}
