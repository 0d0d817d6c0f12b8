//! What the provider configurations of a root module tell of the root as a whole.

use std::sync::Arc;

use auditlint_syntax::{Files, Name};

use super::declared::BlockRef;
use super::memo::Memo;
use super::modules::ROOT;
use super::tags::attribute;
use super::world::World;
use super::{Caches, RootInputs};
use crate::{Tables, Tracked, Value};

/// Where a root is applied, and how its providers mark what it makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootIdentity {
    /// The local names of its providers, sorted.
    pub providers: Vec<Name>,
    /// The accounts, projects and subscriptions in which its providers work, sorted.
    pub accounts: Vec<Name>,
    /// Whether it may be applied in others too: a provider does not say where.
    pub other_accounts: bool,
    /// The tags and labels that its providers give to everything, sorted.
    pub tags: Vec<(Name, Name)>,
    /// Whether there may be others: some are not known.
    pub other_tags: bool,
    /// The regions in which its providers work, sorted.
    pub regions: Vec<Name>,
    /// Whether they may work in others too: a provider does not say where.
    pub other_regions: bool,
}

impl RootIdentity {
    /// The account in which everything is, where that is certain.
    #[must_use]
    pub fn account(&self) -> Option<&Name> {
        the_only(&self.accounts, self.other_accounts)
    }

    /// The region in which everything is that does not say otherwise, where that is certain.
    #[must_use]
    pub fn region(&self) -> Option<&Name> {
        the_only(&self.regions, self.other_regions)
    }
}

fn the_only(names: &[Name], others: bool) -> Option<&Name> {
    match names {
        [only] if !others => Some(only),
        _ => None,
    }
}

/// What the provider configurations of the root module in `inputs` tell. One that is not sure is not guessed at.
#[must_use]
pub fn identity(inputs: &RootInputs, files: &dyn Files, caches: &Caches, tables: &Tables) -> RootIdentity {
    let world = World::new(inputs, files, caches, tables, Memo::default());
    let folder = Arc::clone(&world.module(ROOT).folder);
    let mut found = RootIdentity::default();
    for (local, block) in folder.providers() {
        found.providers.push(local.clone());
        world.add_accounts(local, block, &mut found);
        world.add_tags(local, block, &mut found);
        world.add_region(local, block, &mut found);
    }
    if let Some(account) = &inputs.account {
        (found.accounts, found.other_accounts) = (vec![account.clone()], false);
    } else if found.providers.is_empty() {
        found.other_accounts = true;
    }
    found.providers.sort();
    found.providers.dedup();
    found.accounts.sort();
    found.accounts.dedup();
    found.regions.sort();
    found.regions.dedup();
    found.tags.sort();
    found.tags.dedup();
    found
}

/// The value of a variable of the root module in `inputs`; none where it declares no such variable.
#[must_use]
pub fn root_variable(
    inputs: &RootInputs,
    files: &dyn Files,
    caches: &Caches,
    tables: &Tables,
    name: &str,
) -> Option<Tracked> {
    let world = World::new(inputs, files, caches, tables, Memo::default());
    let name = Name::new(name);
    world.module(ROOT).folder.variable(&name)?;
    Some(world.evaluate_variable(ROOT, &name))
}

impl World<'_> {
    fn add_accounts(&self, local: &str, provider: &BlockRef, found: &mut RootIdentity) {
        let accounts = match local {
            "aws" => self
                .allowed_accounts(ROOT, provider)
                .or_else(|| self.role_account(ROOT, provider).map(|account| vec![account])),
            "google" | "google-beta" => self.argument_of(ROOT, provider, "project").map(|one| vec![one]),
            "azurerm" => self.argument_of(ROOT, provider, "subscription_id").map(|one| vec![one]),
            // Other providers have nothing that is called an account here.
            _ => return,
        };
        let named: Option<Vec<Name>> =
            accounts.and_then(|all| all.iter().map(|one| one.value().as_str().map(Name::new)).collect());
        match named {
            Some(named) if !named.is_empty() => found.accounts.extend(named),
            _ => found.other_accounts = true,
        }
    }

    fn add_region(&self, local: &str, provider: &BlockRef, found: &mut RootIdentity) {
        if !matches!(local, "aws" | "google" | "google-beta") {
            return;
        }
        let region = self.argument_of(ROOT, provider, "region");
        match region.as_ref().filter(|region| !region.sensitive).and_then(|region| region.value().as_str()) {
            Some(region) => found.regions.push(Name::new(region)),
            None => found.other_regions = true,
        }
    }

    fn add_tags(&self, local: &str, provider: &BlockRef, found: &mut RootIdentity) {
        let tags = match local {
            "aws" => {
                self.nested(ROOT, provider, "default_tags").and_then(|defaults| attribute(&defaults, "tags"))
            }
            "google" | "google-beta" => self.argument_of(ROOT, provider, "default_labels"),
            _ => None,
        };
        match tags.as_ref().map(Tracked::value) {
            None | Some(Value::Null) => {}
            Some(Value::Map(tags)) => {
                for (name, tag) in tags.iter() {
                    match tag.value().as_str() {
                        Some(text) if !tag.sensitive => found.tags.push((name.clone(), Name::new(text))),
                        _ => found.other_tags = true,
                    }
                }
            }
            Some(_) => found.other_tags = true,
        }
    }
}
