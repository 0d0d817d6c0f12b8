//! What a root is judged by: the policy of the environment that it is.

use std::sync::Arc;

use auditlint_graph::terraform::{RootInputs, identity, root_variable};
use auditlint_policy::intent::{OnUnknown, PolicyEnvironment, RootLook};
use auditlint_policy::{Finding, Matter, Policy, RootContext, Verdict};
use jiff::civil::Date;

use crate::suppression::Suppressions;
use crate::world::{Prepared, World};
use crate::{InputMode, RootSpec};

/// The policy of a root.
pub(crate) struct Chosen {
    pub(crate) policy: Arc<Policy>,
    pub(crate) root: RootContext,
    /// The environment, and why it is that one.
    pub(crate) environment: Option<(String, String)>,
}

impl Chosen {
    /// Chooses for the root of `spec`.
    pub(crate) fn of(spec: &RootSpec, world: &World<'_>) -> Self {
        let folder = match spec {
            RootSpec::Folder { inputs, .. } => &inputs.folder,
            RootSpec::Plan { path, .. } => path,
        };
        let root = RootContext { folder: folder.as_str().into(), keep_passes: world.settings.keep_passes };
        let (inputs, own) = match spec {
            RootSpec::Folder { inputs, environment } => (Some(inputs), environment.clone()),
            RootSpec::Plan { source, .. } => (source.as_ref(), None),
        };
        let all = &world.set.policy;
        if all.environments.is_empty() {
            return Self { policy: Arc::clone(all), root, environment: own };
        }
        let own = own.or_else(|| world.settings.environment.clone());
        let (policy, environment) = match named(all, own.as_ref()) {
            Some(environment) => (Arc::clone(&environment.policy), own),
            None => {
                let (policy, found) = found(all, inputs, folder.as_str(), world);
                // A root that is called something keeps its name; what it is judged as is said beside it.
                let both = own.zip(found.clone()).map(|((name, why), (as_name, as_why))| {
                    (name, format!("{why}; judged as {as_name}: {as_why}"))
                });
                (policy, both.or(found))
            }
        };
        Self { policy, root, environment }
    }

    pub(crate) fn matter<'m>(&'m self, set: &'m Prepared) -> Matter<'m> {
        Matter { policy: &self.policy, catalogue: &set.catalogue, root: &self.root }
    }

    /// Whether what is undecided in that kind of input makes a run incomplete.
    pub(crate) fn blocks_unknown(&self, mode: InputMode) -> bool {
        let [hcl, plan, state] = self.policy.on_unknown;
        let said = match mode {
            InputMode::Hcl | InputMode::Kubernetes => hcl,
            InputMode::Plan => plan,
            InputMode::State => state,
        };
        said == OnUnknown::Block
    }

    /// The finding as the policy, comments and the baseline leave it.
    pub(crate) fn excused(
        &self,
        finding: Arc<Finding>,
        suppressions: &Suppressions,
        world: &World<'_>,
    ) -> Arc<Finding> {
        let today = world.settings.today;
        let finding = suppressions.apply(self.exempted(finding, today), &world.set.limits, today);
        match &world.set.baseline {
            Some((_, baseline)) => baseline.apply(finding),
            None => finding,
        }
    }

    /// The finding, exempt where the policy says so and until then.
    fn exempted(&self, finding: Arc<Finding>, today: Option<Date>) -> Arc<Finding> {
        if !matches!(finding.verdict, Verdict::Fail | Verdict::Unknown) {
            return finding;
        }
        let environment = self.environment.as_ref().map(|(name, _)| name.as_str());
        let holds = self.policy.exemptions.iter().find(|exemption| {
            exemption.holds(&finding, environment)
                && today.is_none_or(|today| today <= exemption.expires)
                && exemption.digest.as_ref().is_none_or(|digest| *digest == finding.evidence_digest())
        });
        let Some(exemption) = holds else { return finding };
        let approved =
            exemption.approved_by.as_ref().map(|who| format!(", approved by {who}")).unwrap_or_default();
        let mut exempt = Finding::clone(&finding);
        exempt.verdict = Verdict::Exempt;
        exempt.exemption = Some(format!(
            "{} ({}, owner {}{approved}, until {})",
            exemption.reason, exemption.id, exemption.owner, exemption.expires
        ));
        exempt.remedies.clear();
        Arc::new(exempt)
    }
}

/// The environment that the root is said to be.
fn named<'p>(policy: &'p Policy, own: Option<&(String, String)>) -> Option<&'p PolicyEnvironment> {
    let (name, _) = own?;
    policy.environments.iter().find(|environment| environment.name == *name)
}

/// The first environment that means the root. Where that is not known, the strictest of all counts.
fn found(
    policy: &Arc<Policy>,
    inputs: Option<&RootInputs>,
    folder: &str,
    world: &World<'_>,
) -> (Arc<Policy>, Option<(String, String)>) {
    let strictest = |why: String| (Arc::clone(policy), Some(("strictest".to_owned(), why)));
    let Some(inputs) = inputs else {
        return strictest("a plan alone does not say which environment it is".to_owned());
    };
    let identity = identity(inputs, world.files, world.caches, &world.set.tables);
    let variable = |name: &str| {
        let value = root_variable(inputs, world.files, world.caches, &world.set.tables, name)?;
        if value.sensitive { None } else { value.value().as_str().map(str::to_owned) }
    };
    let look = RootLook {
        folder: if folder.is_empty() { "." } else { folder },
        workspace: inputs.workspace.as_deref(),
        identity: &identity,
        variable: &variable,
    };
    for environment in &policy.environments {
        let Some(pattern) = &environment.matches else { continue };
        match pattern.matches(&look) {
            (Verdict::Pass, why) => {
                return (Arc::clone(&environment.policy), Some((environment.name.clone(), why)));
            }
            (Verdict::Unknown, why) => {
                return strictest(format!("whether it is {}: {why}", environment.name));
            }
            _ => {}
        }
    }
    let unmatched = policy.unmatched.as_ref();
    match unmatched.and_then(|name| policy.environments.iter().find(|one| one.name == *name)) {
        Some(environment) => {
            let why = "no environment of the policy means it, and `unmatched` says so".to_owned();
            (Arc::clone(&environment.policy), Some((environment.name.clone(), why)))
        }
        None => strictest("no environment of the policy means it".to_owned()),
    }
}
