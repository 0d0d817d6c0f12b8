//! The flags of an API server, in its static pod, in the settings of kubeadm, or in those of kops.

use auditlint_graph::{Map, Tracked, Value};
use auditlint_syntax::Name;

use super::objects::{Object, PATH};
use super::{Context, holds, objects, wrong};
use crate::Verdict;
use crate::condition::Operand;
use crate::evaluate::Judged;
use crate::probes::{text, texts};

/// The resource says how an API server is started.
pub(in crate::probes) fn is_server(context: &Context<'_>) -> Judged {
    holds(objects::of(context), |object| !matches!(object, Object::Policy(_)))
}

/// One of `flags` is given, and where a number is asked for by `least` it is that or more. `unset: pass` takes a
/// server for right that is given none of them. Of every number `0` means without limit.
pub(in crate::probes) fn flag(context: &Context<'_>, with: &[(Name, Operand)]) -> Judged {
    let flags = texts(context, with, "flags");
    let least =
        with.iter().find(|(name, _)| name == "least").and_then(|(_, value)| match context.operand(value) {
            Operand::Number(number) => Some(*number),
            _ => None,
        });
    let may_be_unset = text(context, with, "unset") == Some("pass");
    let found = objects::of(context);
    let mut parts: Vec<Judged> = Vec::new();
    for object in &found.objects {
        let Some((at, given)) = given(object, &flags) else { continue };
        parts.push(match given {
            Given::Unset => {
                if may_be_unset {
                    Judged::holds(true)
                } else {
                    unset(at, &flags)
                }
            }
            Given::Set(value) => judged(at, &value, least),
        });
    }
    parts.extend(found.unknown.map(Judged::unknown));
    Judged::all(parts, Verdict::NotApplicable)
}

fn unset(at: &Tracked, flags: &[String]) -> Judged {
    let names: Vec<String> = flags.iter().map(|flag| format!("--{flag}")).collect();
    wrong(format!("the API server is started without {}", names.join(" or ")), at)
}

/// The flag with its value; `0` means without limit.
fn judged(at: &Tracked, value: &Tracked, least: Option<f64>) -> Judged {
    let number = match value.value() {
        Value::Unknown(unknown) => {
            return Judged::unknown(unknown.cause.clone()).looking(PATH, Some(value.clone()));
        }
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => Some(number.to_f64()),
        _ => None,
    };
    match (least, number) {
        (None, _) => Judged::holds(!matches!(value.value(), Value::String(text) if text.is_empty())),
        (Some(_), None) => wrong("what should be a number is none".to_owned(), at),
        (Some(least), Some(number)) => Judged::holds(number == 0.0 || number >= least),
    }
    .looking(PATH, Some(value.clone()))
}

enum Given {
    Unset,
    Set(Tracked),
}

/// The first of the flags that the server is given, and the object that would give it.
fn given<'o>(object: &'o Object, flags: &[String]) -> Option<(&'o Tracked, Given)> {
    let (at, value) = match object {
        Object::Policy(_) => return None,
        Object::Pod(at, words) => (at, flags.iter().find_map(|flag| in_words(words, flag))),
        Object::Kubeadm(at, arguments) => (
            at,
            arguments
                .as_ref()
                .and_then(|arguments| flags.iter().find_map(|flag| in_arguments(arguments, flag))),
        ),
        Object::Kops(at, server) => {
            let setting = |flag: &String| map(server.as_ref()?)?.get(kops_setting(flag)?).cloned();
            (at, flags.iter().find_map(setting))
        }
    };
    let value = value.filter(|value| !matches!(value.value(), Value::Null));
    Some((at, value.map_or(Given::Unset, Given::Set)))
}

/// `--flag=value`, or `--flag value`. A word that is not known may be any flag.
fn in_words(words: &[Tracked], flag: &str) -> Option<Tracked> {
    let mut after = None;
    for (at, word) in words.iter().enumerate() {
        let text = match word.value() {
            Value::String(text) => text,
            Value::Unknown(unknown) => {
                let is_ours = unknown.prefix.as_ref().is_none_or(|prefix| {
                    let begins = format!("--{flag}=");
                    begins.starts_with(&**prefix) || prefix.starts_with(&begins)
                });
                if is_ours {
                    after.get_or_insert_with(|| word.clone());
                }
                continue;
            }
            _ => continue,
        };
        match text.strip_prefix("--").and_then(|text| text.strip_prefix(flag)) {
            Some("") => return words.get(at + 1).cloned(),
            Some(rest) if rest.starts_with('=') => {
                let value = Value::String(Name::new(rest.trim_start_matches('=')));
                return Some(Tracked::new(value, word.origin.clone()));
            }
            _ => {}
        }
    }
    after
}

/// A map of flags, or since `v1beta4` a list of `{name, value}`.
fn in_arguments(arguments: &Tracked, flag: &str) -> Option<Tracked> {
    match arguments.value() {
        Value::Map(map) => map.get(flag).cloned(),
        Value::List(items) => items.iter().find_map(|item| {
            let item = map(item)?;
            matches!(item.get("name")?.value(), Value::String(name) if name == flag)
                .then(|| item.get("value").cloned())?
        }),
        Value::Unknown(_) => Some(arguments.clone()),
        _ => None,
    }
}

/// What kops calls a flag (<https://pkg.go.dev/k8s.io/kops/pkg/apis/kops#KubeAPIServerConfig>).
pub(super) fn kops_setting(flag: &str) -> Option<&'static str> {
    Some(match flag {
        "audit-log-path" => "auditLogPath",
        "audit-log-maxage" => "auditLogMaxAge",
        "audit-log-maxbackup" => "auditLogMaxBackups",
        "audit-log-maxsize" => "auditLogMaxSize",
        "audit-policy-file" => "auditPolicyFile",
        "audit-webhook-config-file" => "auditWebhookConfigFile",
        _ => return None,
    })
}

fn map(value: &Tracked) -> Option<&Map> {
    if let Value::Map(map) = value.value() { Some(map) } else { None }
}
