//! Data sources that the configuration alone decides.

use auditlint_syntax::Name;
use auditlint_syntax::hcl::{Expr, ExprKind, ObjectKey};

use super::declared::{BlockRef, Declared};
use super::modules::{ModuleId, Scope};
use super::world::World;
use crate::{Origin, Tracked, Value};

impl World<'_> {
    /// What the block of a data source says about its attribute `name`; none when only the provider knows.
    pub(super) fn data_attribute(
        &self,
        id: ModuleId,
        kind: &Name,
        block: &BlockRef,
        name: &Name,
        scope: &Scope,
    ) -> Option<Tracked> {
        if kind == "aws_iam_policy_document" && name == "json" {
            return Some(super::functions::policy_document(self, id, block, scope));
        }
        // An argument of the look-up is an attribute of its result.
        if let Some(attribute) = block.block().body.attribute(name) {
            return Some(self.eval(id, block, &attribute.value, scope));
        }
        match (kind.as_str(), name.as_str()) {
            ("aws_caller_identity", "account_id" | "id") => self.account(id, kind, block),
            ("aws_region", "name" | "region" | "id") => self.provider_argument(id, kind, block, "region"),
            ("aws_partition", "partition" | "id") => self.partition(id, kind, block, |partition| partition),
            ("aws_partition", "dns_suffix") => self.partition(id, kind, block, |partition| match partition {
                "aws-cn" => "amazonaws.com.cn",
                _ => "amazonaws.com",
            }),
            _ => None,
        }
    }

    /// The one account that the provider may be used in, or the one whose role it takes.
    pub(super) fn account(&self, id: ModuleId, kind: &Name, block: &BlockRef) -> Option<Tracked> {
        let (at, provider) = self.provider_of(id, kind, block)?;
        match self.allowed_accounts(at, &provider).as_deref() {
            Some([only]) => Some(only.clone()),
            _ => self.role_account(at, &provider),
        }
    }

    /// The accounts that a provider configuration may be used in, where it names them and all are known.
    pub(super) fn allowed_accounts(&self, at: ModuleId, provider: &BlockRef) -> Option<Vec<Tracked>> {
        let allowed = self.argument_of(at, provider, "allowed_account_ids")?;
        let Value::List(items) = allowed.value() else { return None };
        items.iter().map(|item| item.value().as_str().map(|_| item.clone())).collect()
    }

    /// The account whose role a provider configuration takes.
    pub(super) fn role_account(&self, at: ModuleId, provider: &BlockRef) -> Option<Tracked> {
        let role = provider.block().body.blocks_named("assume_role").next()?.body.attribute("role_arn")?;
        let arn = self.eval(at, provider, &role.value, &Scope::default());
        let value = Value::text(account_of_role(arn.value().as_str()?)?);
        Some(arn.with_value(value))
    }

    fn partition(
        &self,
        id: ModuleId,
        kind: &Name,
        block: &BlockRef,
        of: fn(&'static str) -> &'static str,
    ) -> Option<Tracked> {
        let region = self.provider_argument(id, kind, block, "region")?;
        let partition = match region.value().as_str()? {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            region if region.starts_with("us-iso") || region.starts_with("eu-isoe") => return None,
            _ => "aws",
        };
        Some(region.with_value(Value::text(of(partition))))
    }

    /// An argument of the provider configuration that the data source uses, where it says anything.
    pub(super) fn provider_argument(
        &self,
        id: ModuleId,
        kind: &Name,
        block: &BlockRef,
        argument: &str,
    ) -> Option<Tracked> {
        let (at, provider) = self.provider_of(id, kind, block)?;
        self.argument_of(at, &provider, argument)
    }

    /// An argument of a provider configuration, where it says anything.
    pub(super) fn argument_of(&self, at: ModuleId, provider: &BlockRef, argument: &str) -> Option<Tracked> {
        let written = provider.block().body.attribute(argument)?;
        let value = self.eval(at, provider, &written.value, &Scope::default());
        (!matches!(value.origin, Origin::Nowhere) && !value.is_null()).then_some(value)
    }

    /// The provider configuration of a block, and the module that holds it: that of its own module, else the one
    /// that the call hands on.
    pub(super) fn provider_of(
        &self,
        id: ModuleId,
        kind: &Name,
        block: &BlockRef,
    ) -> Option<(ModuleId, BlockRef)> {
        let written = block.block().body.attribute("provider").map(|provider| &provider.value);
        let default = || (Name::new(kind.split('_').next().unwrap_or_default()), Name::default());
        let (mut local, mut alias) = written.map_or_else(|| Some(default()), named)?;
        let mut at = id;
        loop {
            let module = self.looking_for(at, Declared::Provider(local.clone(), alias.clone()));
            if let Some(found) = module.folder.provider(&local, &alias) {
                return Some((at, found.clone()));
            }
            let (parent, call) = module.parent.as_ref()?;
            let handed =
                call.block().body.attribute("providers").and_then(|providers| match &providers.value.kind {
                    ExprKind::Object(items) => items.iter().find_map(|item| {
                        let key = match &item.key {
                            ObjectKey::Name(name) => split(name),
                            ObjectKey::Expr(key) => named(key)?,
                        };
                        (key == (local.clone(), alias.clone())).then(|| named(&item.value)).flatten()
                    }),
                    _ => None,
                });
            match handed {
                Some(names) => (local, alias) = names,
                None if alias.is_empty() => {}
                None => return None,
            }
            at = *parent;
        }
    }
}

fn split(text: &Name) -> (Name, Name) {
    match text.split_once('.') {
        Some((local, alias)) => (Name::new(local), Name::new(alias)),
        None => (text.clone(), Name::default()),
    }
}

/// `aws` or `aws.alias`: the local name of a provider and the alias.
fn named(expr: &Expr) -> Option<(Name, Name)> {
    match &expr.kind {
        ExprKind::Variable(local) => Some((local.clone(), Name::default())),
        // As JSON has it, and configurations of old.
        ExprKind::String(text) => Some(split(text)),
        ExprKind::GetAttr(access) => match &access.base.kind {
            ExprKind::Variable(local) => Some((local.clone(), access.name.clone())),
            _ => None,
        },
        _ => None,
    }
}

/// The account of a role: `arn:PARTITION:iam::ACCOUNT:role/NAME`.
pub(crate) fn account_of_role(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| account.len() == 12)
}
