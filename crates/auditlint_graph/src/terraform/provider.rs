//! Where the provider configuration of a resource works, as attributes of the resource that no block writes.

use auditlint_syntax::Name;

use super::declared::BlockRef;
use super::modules::ModuleId;
use super::world::World;
use crate::{Origin, Tracked, Value};

/// The region of the provider configuration: it is that of the resource where this says no other.
pub const PROVIDER_REGION: &str = "provider.region";
/// The account, project or subscription of the provider configuration.
pub const PROVIDER_ACCOUNT: &str = "provider.account";

impl World<'_> {
    /// What the provider configuration of a block says, as far as anybody asks.
    pub(super) fn provider_place(&self, id: ModuleId, kind: &Name, block: &BlockRef) -> Vec<(Name, Tracked)> {
        let interest = &self.tables.interest;
        let mut out = Vec::new();
        if interest.wants(kind, PROVIDER_REGION) {
            let region = self.provider_argument(id, kind, block, "region");
            out.extend(region.map(|region| (Name::new_static(PROVIDER_REGION), region)));
        }
        if interest.wants(kind, PROVIDER_ACCOUNT) {
            let own = match kind.split('_').next() {
                Some("aws") => self.account(id, kind, block),
                Some("google") => self.provider_argument(id, kind, block, "project"),
                Some("azurerm") => self.provider_argument(id, kind, block, "subscription_id"),
                _ => None,
            };
            // What somebody said of the root holds where the provider says nothing.
            let said = || {
                let account = self.inputs.account.as_ref()?;
                Some(Tracked::new(Value::text(account), Origin::Nowhere))
            };
            out.extend(own.or_else(said).map(|account| (Name::new_static(PROVIDER_ACCOUNT), account)));
        }
        out
    }
}
