//! What a repository may do to the policy that it is checked by: nothing that loosens it, where that policy comes from
//! elsewhere or from the revision before a change.

mod weaker;

use auditlint_policy::exemption::RepositoryLimits;
use auditlint_policy::external::{
    AttestedModule, DeclaredRole, ExternalSource, ExternalStore, Externals, Pattern,
};
use auditlint_policy::rego::RegoSet;
use auditlint_policy::{Catalogue, Policy};
use auditlint_syntax::{Files, Location, Source};
use camino::{Utf8Path, Utf8PathBuf};

use crate::PolicySet;
use crate::baseline::{BASELINE_NAME, Baseline};

/// Takes in the exemptions and the baseline of the repository, as far as the policy lets it.
pub(crate) fn take_in(set: &mut PolicySet, own: Option<&Policy>) {
    let Some(own) = own else { return };
    let policy = std::sync::Arc::make_mut(&mut set.policy);
    let mut exemptions = policy.exemptions.to_vec();
    for exemption in own.exemptions.iter() {
        match set.limits.refuse(exemption) {
            Some(why) => {
                set.refused.push((exemption.at, format!("exemption {} is not allowed: {why}", exemption.id)));
            }
            None => exemptions.push(exemption.clone()),
        }
    }
    set_exemptions(policy, &exemptions);
}

fn set_exemptions(policy: &mut Policy, exemptions: &[auditlint_policy::exemption::Exemption]) {
    policy.exemptions = exemptions.into();
    for environment in &mut policy.environments {
        std::sync::Arc::make_mut(&mut environment.policy).exemptions = exemptions.into();
    }
}

/// The baseline beside the config file, else at the top of the workspace.
pub(crate) fn baseline(
    config: Option<&Utf8PathBuf>,
    files: &dyn Files,
) -> Result<Option<(std::sync::Arc<Source>, Baseline)>, auditlint_policy::LocatedProblem> {
    let beside = config.and_then(|path| path.parent()).map(|folder| folder.join(BASELINE_NAME));
    let places = beside.into_iter().chain([Utf8Path::new(BASELINE_NAME).to_owned()]);
    for path in places {
        if let Ok(source) = files.read(&path) {
            let baseline = Baseline::read(&source)?;
            return Ok(Some((source, baseline)));
        }
    }
    Ok(None)
}

/// What a change of the repository does to excuse itself: `before` is what held, `after` what it makes of it.
pub(crate) fn added(before: &PolicySet, after: &PolicySet, catalogue: &Catalogue) -> Vec<(Location, String)> {
    let mut out = Vec::new();
    for exemption in after.policy.exemptions.iter() {
        let known = before.policy.exemptions.iter().find(|known| known.id == exemption.id);
        let same = known.is_some_and(|known| {
            auditlint_policy::exemption::Exemption { at: exemption.at, ..known.clone() } == *exemption
        });
        if !same {
            let what = if known.is_some() { "changes" } else { "adds" };
            out.push((
                exemption.at,
                format!("this change {what} exemption {}: it counts once it is merged", exemption.id),
            ));
        }
    }
    out.extend(weaker::told(&before.policy, &after.policy, catalogue));
    rego(before, after, &mut out);
    outside(&before.policy.externals, &after.policy.externals, &mut out);
    if let Some((source, now)) = &after.baseline {
        let known = |fingerprint: &String| {
            before.baseline.as_ref().is_some_and(|(_, known)| known.gaps.contains_key(fingerprint))
        };
        for (_, reason) in now.gaps.iter().filter(|(fingerprint, _)| !known(fingerprint)) {
            let at = Location { file: source.file(), span: auditlint_syntax::Span::default() };
            out.push((at, format!("this change adds a gap to the baseline: {reason}")));
        }
        for (fingerprint, accepted) in &now.findings {
            let known = before.baseline.as_ref().and_then(|(_, known)| known.findings.get(fingerprint));
            if known != Some(accepted) {
                let span = now.place(fingerprint).unwrap_or_default();
                let at = Location { file: source.file(), span };
                out.push((
                    at,
                    format!(
                        "this change adds {} of {} to the baseline: it only shrinks",
                        accepted.rule, accepted.address
                    ),
                ));
            }
        }
    }
    out
}

/// What a change of the config file leaves out of the run, or says to be no store: exempt in all but name.
pub(crate) fn left_out(before: &PolicySet, after: &PolicySet, config: &Source) -> Vec<(Location, String)> {
    let ignored = |set: &PolicySet| {
        set.config.as_ref().map(|(_, config)| config.ignore_paths.clone()).unwrap_or_default()
    };
    let known = ignored(before);
    let at = Location { file: config.file(), span: auditlint_syntax::Span::default() };
    let paths = ignored(after).into_iter().filter(|path| !known.contains(path));
    let paths =
        paths.map(|path| (at, format!("this change leaves {path} out: it is checked until that is merged")));
    let known = &before.policy.externals.roles;
    let is_known = |role: &&DeclaredRole| {
        known.iter().any(|known| (&known.matches, known.role) == (&role.matches, role.role))
    };
    let roles = after.policy.externals.roles.iter().filter(|role| !is_known(role)).map(|role| {
        let stores: Vec<&str> = role.matches.iter().map(Pattern::as_str).collect();
        let (stores, role_is) = (stores.join(", "), role.role.as_str());
        (role.at, format!("this change says that {stores} is for `{role_is}`: it counts once it is merged"))
    });
    paths.chain(roles).collect()
}

/// What a change says otherwise of what nobody reads: stores, sources and modules that are not here.
fn outside(before: &Externals, after: &Externals, out: &mut Vec<(Location, String)>) {
    let mut told = |at: Location, what: String| {
        out.push((at, format!("this change says what {what} is: it counts once it is merged")));
    };
    for store in &after.stores {
        let known = |known: &ExternalStore| {
            ExternalStore { at: store.at, review: store.review.clone(), ..known.clone() } == *store
        };
        if !before.stores.iter().any(known) {
            told(store.at, format!("external store {}", store.id));
        }
    }
    for source in &after.sources {
        let known = |known: &ExternalSource| {
            ExternalSource { at: source.at, review: source.review.clone(), ..known.clone() } == *source
        };
        if !before.sources.iter().any(known) {
            told(source.at, format!("external source {}", source.id));
        }
    }
    for module in &after.modules {
        if !before.modules.iter().any(|known| AttestedModule { at: module.at, ..known.clone() } == *module) {
            told(module.at, format!("module {}", module.source.as_str()));
        }
    }
}

/// Policies in Rego that are gone or say something else: whether that is less nobody can tell.
fn rego(before: &PolicySet, after: &PolicySet, out: &mut Vec<(Location, String)>) {
    let head = after.policy.texts.last();
    let head = head.map(|text| Location { file: text.file(), span: auditlint_syntax::Span::default() });
    for set in &before.rego {
        let same = |now: &&std::sync::Arc<RegoSet>| {
            let spec = &now.spec;
            (&spec.path, spec.input, &spec.packages) == (&set.spec.path, set.spec.input, &set.spec.packages)
        };
        let now = after.rego.iter().find(same);
        let Some(at) = now.map(|now| now.spec.at).or(head) else { continue };
        let is_there = |text: &Source| {
            now.is_some_and(|now| now.sources.iter().any(|source| source.bytes() == text.bytes()))
        };
        if let Some(text) = set.sources.iter().find(|text| !is_there(text)) {
            let name = text.path().file_name().unwrap_or_default();
            let what = if now.is_some() { "alters a policy in Rego" } else { "removes policies in Rego" };
            out.push((
                at,
                format!(
                    "this change {what}, {name} of `{}`: what it said counts until it is merged",
                    set.spec.path
                ),
            ));
        }
    }
}

/// What a repository may do to a policy: everything to its own.
pub(crate) fn limits(policy: &Policy, is_anchor: bool) -> RepositoryLimits {
    if is_anchor { policy.limits.clone() } else { RepositoryLimits::own() }
}
