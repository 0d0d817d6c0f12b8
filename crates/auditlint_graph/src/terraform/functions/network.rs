//! Functions on blocks of IP addresses.
//!
//! Source: terraform 1.11, of which every expectation below was asked; for `cidrcontains` OpenTofu's documentation.

use std::net::{Ipv4Addr, Ipv6Addr};

use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive;

use super::{Answer, int, number_of, string, text_of, texts, truth};
use crate::Tracked;

/// Some answer when `name` is one of these functions.
pub(super) fn call(name: &str, arguments: &[Tracked]) -> Option<Answer> {
    Some(match name {
        "cidrhost" => host(arguments),
        "cidrnetmask" => netmask(arguments),
        "cidrsubnet" => subnet(arguments),
        "cidrsubnets" => subnets(arguments),
        "cidrcontains" => contains(arguments),
        _ => return None,
    })
}

/// A block of addresses: the first one, and how many bits are common to all.
#[derive(Clone, Copy)]
struct Block {
    first: u128,
    prefix: u32,
    /// Bits of an address: 32 or 128.
    bits: u32,
}

/// An address, and how many bits such addresses have.
fn address(text: &str) -> Option<(u128, u32)> {
    if text.contains(':') {
        return text.parse::<Ipv6Addr>().ok().map(|address| (address.to_bits(), 128));
    }
    // Terraform passes over leading zeros, which the standard library refuses.
    let mut parts = text.split('.');
    let mut out = 0_u32;
    for _ in 0..4 {
        let part = parts.next().filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?;
        out = out << 8 | u32::from(part.parse::<u8>().ok()?);
    }
    parts.next().is_none().then_some((u128::from(out), 32))
}

/// The lowest `count` bits.
fn ones(count: u32) -> u128 {
    1_u128.checked_shl(count).map_or(u128::MAX, |end| end - 1)
}

/// Whether an address of IPv6 is one of IPv4 in its notation.
const fn is_mapped(address: u128) -> bool {
    address >> 32 == 0xFFFF
}

impl Block {
    fn parse(text: &str) -> Option<Self> {
        let (host, prefix) = text.split_once('/')?;
        let (host, bits) = address(host)?;
        let prefix = Some(prefix).filter(|prefix| prefix.bytes().all(|byte| byte.is_ascii_digit()))?;
        let prefix: u32 = prefix.parse().ok().filter(|prefix| *prefix <= bits)?;
        Some(Self { first: host & !ones(bits - prefix), prefix, bits })
    }

    /// Whether it is a block of IPv4 in the notation of IPv6. Terraform computes with all of its bits, and shows the
    /// last 32 where the others are still the same.
    fn is_mixed(self) -> bool {
        self.bits == 128 && is_mapped(self.first)
    }

    fn shown(self, address: u128) -> String {
        match u32::try_from(address & ones(32)) {
            Ok(address4) if self.bits == 32 || is_mapped(address) => {
                Ipv4Addr::from_bits(address4).to_string()
            }
            _ => Ipv6Addr::from_bits(address).to_string(),
        }
    }

    /// The block of that prefix that begins with `first`.
    fn shown_with(self, first: u128, prefix: u32) -> String {
        let prefix = if self.bits == 128 && is_mapped(first) { prefix.saturating_sub(96) } else { prefix };
        format!("{}/{prefix}", self.shown(first))
    }

    /// The first address with the bits of `number` that begin `shift` bits from the end. A negative number counts as
    /// Go's big integers have it: as if it had ones without end before it, and then without its sign.
    fn with(self, number: &BigInt, shift: u32) -> Option<u128> {
        let address = BigInt::from(self.first) | (number << shift);
        address.magnitude().to_u128().filter(|address| *address <= ones(self.bits))
    }

    fn last(self) -> u128 {
        self.first | ones(self.bits - self.prefix)
    }
}

fn host(arguments: &[Tracked]) -> Answer {
    let block = Block::parse(text_of(arguments.first()?)?)?;
    let number = number_of(arguments.get(1)?)?.to_integer()?;
    let last = BigInt::from(ones(block.bits - block.prefix));
    // A negative number counts from the end; of another one the lowest 64 bits are held against the end.
    let (distance, number) = if number.sign() == Sign::Minus {
        let distance: BigInt = -&number - 1;
        (distance.clone(), &last - distance)
    } else {
        (BigInt::from(lowest(&number).cast_signed()), number)
    };
    if distance > last {
        return None;
    }
    let shift = if block.is_mixed() { 96 } else { 0 };
    string(block.shown(block.with(&number, shift)?))
}

fn netmask(arguments: &[Tracked]) -> Answer {
    let block = Block::parse(text_of(arguments.first()?)?)?;
    if block.bits == 128 && !block.is_mixed() {
        return None;
    }
    string(block.shown(ones(block.bits) & !ones(block.bits - block.prefix)))
}

fn subnet(arguments: &[Tracked]) -> Answer {
    let block = Block::parse(text_of(arguments.first()?)?)?;
    let (bits, number) = (int(arguments.get(1)?)?, number_of(arguments.get(2)?)?.to_integer()?);
    let prefix = i64::from(block.prefix).checked_add(bits)?;
    let prefix = u32::try_from(prefix).ok().filter(|prefix| *prefix <= block.bits);
    let Some(prefix) = prefix else {
        // A prefix below zero is none, and Terraform says so in the words of Go.
        return if bits < 0 && number.sign() == Sign::NoSign { string("<nil>") } else { None };
    };
    let most =
        u32::try_from(bits).ok().and_then(|bits| 1_u64.checked_shl(bits)).map_or(u64::MAX, |end| end - 1);
    if lowest(&number) > most {
        return None;
    }
    string(block.shown_with(block.with(&number, block.bits - prefix)?, prefix))
}

/// The lowest 64 bits of a number without its sign.
fn lowest(number: &BigInt) -> u64 {
    number.magnitude().iter_u64_digits().next().unwrap_or(0)
}

fn subnets(arguments: &[Tracked]) -> Answer {
    let (block, lengths) = arguments.split_first()?;
    let block = Block::parse(text_of(block)?)?;
    // Terraform looks for the first one among addresses of 32 bits.
    if block.is_mixed() && !lengths.is_empty() {
        return None;
    }
    let mut out = Vec::new();
    // The first address that is free; none behind the very last one.
    let mut free = Some(block.first);
    for length in lengths {
        let length = u32::try_from(int(length)?).ok().filter(|length| (1..=32).contains(length))?;
        let prefix = block.prefix.checked_add(length).filter(|prefix| *prefix <= block.bits)?;
        let size = ones(block.bits - prefix);
        let first = free?.checked_add(size)? & !size;
        // Terraform begins with the block before the first one, and there is none before the address zero.
        if first > block.last() || block.first == 0 {
            return None;
        }
        free = (first | size).checked_add(1);
        out.push(block.shown_with(first, prefix));
    }
    texts(out)
}

fn contains(arguments: &[Tracked]) -> Answer {
    let block = Block::parse(text_of(arguments.first()?)?)?;
    let inner = text_of(arguments.get(1)?)?;
    let (first, last, bits) = match Block::parse(inner) {
        Some(inner) => (inner.first, inner.last(), inner.bits),
        None => address(inner).map(|(address, bits)| (address, address, bits))?,
    };
    // An address of the other kind is refused.
    if bits != block.bits {
        return None;
    }
    truth(block.first <= first && last <= block.last())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{json, n, t};
    use super::*;

    fn shown(name: &str, block: &str, numbers: &[&str]) -> Option<String> {
        let arguments: Vec<Tracked> =
            [t(block)].into_iter().chain(numbers.iter().map(|number| n(number))).collect();
        json(call(name, &arguments)?)
    }

    fn check(name: &str, cases: &[(&str, &[&str], &str)]) {
        for (block, numbers, expected) in cases {
            assert_eq!(shown(name, block, numbers).as_deref(), Some(*expected), "{name} {block} {numbers:?}");
        }
    }

    fn refused(name: &str, cases: &[(&str, &[&str])]) {
        for (block, numbers) in cases {
            assert_eq!(shown(name, block, numbers), None, "{name} {block} {numbers:?}");
        }
    }

    #[test]
    fn hosts() {
        check(
            "cidrhost",
            &[
                ("10.12.127.0/20", &["268"], "\"10.12.113.12\""),
                ("10.12.112.0/20", &["-1"], "\"10.12.127.255\""),
                ("10.12.112.0/20", &["-4096"], "\"10.12.112.0\""),
                ("fd00:fd12:3456:7890:00a2::/72", &["34"], "\"fd00:fd12:3456:7890::22\""),
                ("fd00:fd12:3456:7890:00a2::/72", &["-1"], "\"fd00:fd12:3456:7890:ff:ffff:ffff:ffff\""),
                ("010.001.0.0/08", &["1"], "\"10.0.0.1\""),
                ("0.0.0.0/0", &["4294967295"], "\"255.255.255.255\""),
                (
                    "::/0",
                    &["340282366920938463463374607431768211455"],
                    "\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\"",
                ),
                ("::/0", &["18446744073709551616"], "\"0:0:0:1::\""),
                ("10.0.0.1/32", &["-1"], "\"10.0.0.1\""),
            ],
        );
        refused(
            "cidrhost",
            &[
                ("10.12.112.0/20", &["-4097"]),
                ("10.12.112.0/20", &["4096"]),
                ("10.0.0.0/8", &["1.5"]),
                ("10.0.0.0/33", &["1"]),
                ("10.0.0.0", &["1"]),
                ("10.0.0/8", &["1"]),
                ("10.0.0.0/+8", &["1"]),
                ("10.0.0.256/8", &["1"]),
                ("::/0", &["340282366920938463463374607431768211456"]),
                ("10.0.0.1/32", &["1"]),
                ("fe80::1%eth0/64", &["1"]),
                (" 10.0.0.0/8", &["1"]),
            ],
        );
    }

    #[test]
    fn masks() {
        check(
            "cidrnetmask",
            &[
                ("172.16.0.0/12", &[], "\"255.240.0.0\""),
                ("10.0.0.0/0", &[], "\"0.0.0.0\""),
                ("10.0.0.0/32", &[], "\"255.255.255.255\""),
            ],
        );
        refused("cidrnetmask", &[("fd00::/64", &[])]);
    }

    #[test]
    fn one_subnet() {
        check(
            "cidrsubnet",
            &[
                ("172.16.0.0/12", &["4", "2"], "\"172.18.0.0/16\""),
                ("10.1.2.3/24", &["4", "15"], "\"10.1.2.240/28\""),
                ("10.1.2.0/24", &["0", "0"], "\"10.1.2.0/24\""),
                ("fd00:fd12:3456:7890::/56", &["16", "162"], "\"fd00:fd12:3456:7800:a200::/72\""),
                ("2001:db8::/32", &["33", "1"], "\"2001:db8:0:0:8000::/65\""),
                ("2001:db8::/32", &["96", "18446744073709551617"], "\"2001:db8:0:1::1/128\""),
            ],
        );
        refused(
            "cidrsubnet",
            &[
                ("10.1.2.0/24", &["4", "16"]),
                ("10.1.2.0/24", &["9", "1"]),
                ("10.0.0.0/8", &["1.5", "1"]),
                ("10.0.0.0/8", &["2", "1.5"]),
            ],
        );
    }

    #[test]
    fn many_subnets() {
        check(
            "cidrsubnets",
            &[
                (
                    "10.1.0.5/16",
                    &["4", "4", "8", "4"],
                    r#"["10.1.0.0/20","10.1.16.0/20","10.1.32.0/24","10.1.48.0/20"]"#,
                ),
                ("10.1.0.0/16", &[], "[]"),
                (
                    "fd00:fd12:3456:7890::/56",
                    &["16", "16", "32"],
                    r#"["fd00:fd12:3456:7800::/72","fd00:fd12:3456:7800:100::/72","fd00:fd12:3456:7800:200::/88"]"#,
                ),
                (
                    "255.255.0.0/16",
                    &["1", "2", "3", "3"],
                    r#"["255.255.0.0/17","255.255.128.0/18","255.255.192.0/19","255.255.224.0/19"]"#,
                ),
                ("10.0.0.0/8", &["4", "1"], r#"["10.0.0.0/12","10.128.0.0/9"]"#),
            ],
        );
        refused(
            "cidrsubnets",
            &[
                ("10.1.0.0/16", &["1", "1", "1"]),
                ("10.1.0.0/16", &["0"]),
                ("10.1.0.0/16", &["17"]),
                ("10.1.0.0/16", &["-1"]),
                ("fd00::/8", &["33"]),
                ("255.255.0.0/16", &["1", "2", "3", "3", "4"]),
                ("0.0.0.0/0", &["1", "1"]),
            ],
        );
    }

    #[test]
    fn containment() {
        let holds = |block: &str, inner: &str| json(contains(&[t(block), t(inner)]));
        assert_eq!(holds("192.168.2.0/20", "192.168.2.1").as_deref(), Some("true"));
        assert_eq!(holds("192.168.2.0/20", "192.126.2.1").as_deref(), Some("false"));
        assert_eq!(holds("fe80::/48", "fe80::/64").as_deref(), Some("true"));
        assert_eq!(holds("192.168.2.0/20", "fe80::1"), None);
    }
}
