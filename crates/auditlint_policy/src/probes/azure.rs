//! How long an Azure storage account keeps the logs that it gets.

use auditlint_graph::{Cause, Tracked, Value};
use auditlint_syntax::Name;

use super::Context;
use super::bucket::collect;
use crate::Days;
use crate::condition::AttributePath;
use crate::evaluate::Looked;

const POLICY: &str = "azurerm_storage_management_policy";
const AGE: &str = "delete_after_days_since_modification_greater_than";

/// The shortest time after which blobs of the whole account are deleted. A rule with a prefix or a tag does not speak
/// for the account; one that is disabled does not speak at all.
pub(super) fn lifecycle(context: &Context<'_>) -> Result<(Days, Looked), (Cause, Looked)> {
    let nothing = || Looked { path: "lifecycle".to_owned(), value: None };
    let join = AttributePath::parse("storage_account_id");
    let (found, more) = context.companions(&[Name::new_static(POLICY)], &join, &[]);
    let mut open = more.into_iter().min().or_else(|| context.left_out(|kind| kind == POLICY));
    let mut rules = Vec::new();
    for (slot, _) in found {
        if let Some(value) = context.get(slot).and_then(|resource| resource.attribute("rule")) {
            collect(value, &mut rules, &mut open);
        }
    }
    let mut shortest = (Days::Never, nothing());
    for rule in &rules {
        match get(rule, "enabled").map(Tracked::value) {
            Some(Value::Bool(true)) => {}
            Some(Value::Unknown(unknown)) => {
                open = open.or_else(|| Some(unknown.cause.clone()));
                continue;
            }
            _ => continue,
        }
        let is_picked = blocks(rule, "filters").iter().any(|filter| {
            let some = |name: &str| get(filter, name).is_some_and(|value| !is_empty(value));
            some("prefix_match") || some("match_blob_index_tag")
        });
        if is_picked {
            continue;
        }
        let actions = blocks(rule, "actions").iter();
        for age in actions.flat_map(|action| blocks(action, "base_blob")).filter_map(|blob| get(blob, AGE)) {
            match age.value() {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "checked to be a small number"
                )]
                Value::Number(number) if (0.0..1e6).contains(&number.to_f64()) => {
                    let found = Days::Count(number.to_f64() as u32);
                    if found < shortest.0 {
                        shortest = (found, Looked { path: "lifecycle".to_owned(), value: Some(age.clone()) });
                    }
                }
                Value::Unknown(unknown) => open = open.or_else(|| Some(unknown.cause.clone())),
                _ => {}
            }
        }
    }
    match open {
        Some(cause) => Err((cause, nothing())),
        None => Ok(shortest),
    }
}

fn get<'a>(map: &'a Tracked, name: &str) -> Option<&'a Tracked> {
    if let Value::Map(map) = map.value() { map.get(name).filter(|value| !value.is_null()) } else { None }
}

fn blocks<'a>(map: &'a Tracked, name: &str) -> &'a [Tracked] {
    match get(map, name).map(Tracked::value) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

fn is_empty(value: &Tracked) -> bool {
    matches!(value.value(), Value::List(items) if items.is_empty())
}
