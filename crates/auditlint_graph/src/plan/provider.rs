//! The provider configurations of a plan: where resources work that do not say it themselves.
//!
//! They stand in `configuration.provider_config`, and may hold secrets: nothing of them is kept but the region and the
//! account.

use std::collections::BTreeMap;

use auditlint_syntax::Name;
use serde_json::Value as Json;

use super::scan::{Halt, Scan, members};
use super::variables::PlannedValue;
use crate::terraform::{PROVIDER_ACCOUNT, PROVIDER_REGION, account_of_role};
use crate::{Interest, Origin, Tracked, Value};

/// The provider configurations by their keys.
#[derive(Debug, Default)]
pub(super) struct Providers(BTreeMap<Name, Provider>);

/// What a provider configuration says.
#[derive(Debug, Default)]
struct Provider {
    region: Option<Said>,
    account: Option<Said>,
}

/// A text of it.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Known(Name),
    /// It is the value of a variable of the root.
    Variable(Name),
}

impl Said {
    fn of(expression: &Json) -> Option<Self> {
        if let Some(text) = expression.get("constant_value").and_then(Json::as_str) {
            return Some(Self::Known(Name::new(text)));
        }
        let [only] = expression.get("references")?.as_array()?.as_slice() else { return None };
        Some(Self::Variable(Name::new(only.as_str()?.strip_prefix("var.")?)))
    }

    fn text(&self) -> Option<&Name> {
        match self {
            Self::Known(text) => Some(text),
            Self::Variable(_) => None,
        }
    }

    /// The value of the variable in its place; nothing of one that is sensitive or no text.
    fn settled(self, variables: &[(Name, PlannedValue)]) -> Option<Self> {
        let Self::Variable(name) = self else { return Some(self) };
        let (_, value) = variables.iter().find(|(known, value)| *known == name && !value.sensitive)?;
        let text: String = serde_json::from_str(&value.json).ok()?;
        Some(Self::Known(Name::new(text)))
    }
}

impl Provider {
    fn of(name: &str, expressions: &Json) -> Self {
        let said = |argument: &str| expressions.get(argument).and_then(Said::of);
        let account = match name {
            "aws" => only_account(expressions).or_else(|| role_account(expressions)).map(Said::Known),
            "google" | "google-beta" => said("project"),
            "azurerm" => said("subscription_id"),
            _ => None,
        };
        Self { region: said("region"), account }
    }
}

/// The one account in which a provider may work.
fn only_account(expressions: &Json) -> Option<Name> {
    let allowed = expressions.get("allowed_account_ids")?.get("constant_value")?.as_array()?;
    let [only] = allowed.as_slice() else { return None };
    only.as_str().map(Name::new)
}

/// The account of the role that a provider assumes.
fn role_account(expressions: &Json) -> Option<Name> {
    let role = expressions.pointer("/assume_role/0/role_arn/constant_value")?.as_str()?;
    account_of_role(role).map(Name::new)
}

impl Providers {
    /// Reads the value of the key `provider_config`.
    pub(super) fn read(scan: &mut Scan<'_, '_>) -> Result<Self, Halt> {
        let mut all = BTreeMap::new();
        members(scan, |key, scan| {
            let written: Json = serde_json::from_str(scan.take()?).unwrap_or_default();
            let name = written.get("name").and_then(Json::as_str).unwrap_or_default();
            let provider = written.get("expressions").map(|expressions| Provider::of(name, expressions));
            all.insert(Name::new(String::from_utf8_lossy(key)), provider.unwrap_or_default());
            Ok(())
        })?;
        Ok(Self(all))
    }

    /// Puts the values of variables in their places.
    pub(super) fn settle(&mut self, variables: &[(Name, PlannedValue)]) {
        for provider in self.0.values_mut() {
            for said in [&mut provider.region, &mut provider.account] {
                *said = said.take().and_then(|said| said.settled(variables));
            }
        }
    }

    /// What the provider configuration of a resource says, as far as anybody asks.
    pub(super) fn place(&self, key: Option<&Name>, kind: &Name, interest: &Interest) -> Vec<(Name, Tracked)> {
        // A module without a configuration of its own has that of its caller.
        let inherited = |key: &Name| self.0.get(key.rsplit(':').next().unwrap_or_default());
        let Some(provider) = key.and_then(|key| self.0.get(key).or_else(|| inherited(key))) else {
            return Vec::new();
        };
        [(PROVIDER_REGION, &provider.region), (PROVIDER_ACCOUNT, &provider.account)]
            .into_iter()
            .filter(|(name, _)| interest.wants(kind, name))
            .filter_map(|(name, said)| {
                let text = said.as_ref().and_then(Said::text)?;
                let value = Tracked::new(Value::String(text.clone()), Origin::Nowhere);
                Some((Name::new_static(name), value))
            })
            .collect()
    }
}
