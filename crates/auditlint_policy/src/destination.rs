//! Where logs may rest: a policy permits accounts and regions, and every store that logs reach stands in one of them.
//!
//! A store is judged in the root that manages it, whichever root its logs come from; one that nobody here manages at the
//! resources that send logs there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use auditlint_graph::terraform::{PROVIDER_ACCOUNT, PROVIDER_REGION};
use auditlint_graph::{Address, Cause, CauseKind, Resource, ResourceGraph, Tracked, Value};
use auditlint_syntax::{Location, Name};

use crate::check::{Check, DESTINATION_ACCOUNT, DESTINATION_REGION};
use crate::evaluate::place;
use crate::external::Pattern;
use crate::flow::{FlowMap, Role, Station, StationId, Way};
use crate::intent::Field;
use crate::{Category, Evidence, Finding, Matter, Place, Policy, Related, Verdict};

/// The attributes that say where a resource stands.
pub const PLACE_ATTRIBUTES: [&str; 5] = ["region", "location", "arn", PROVIDER_REGION, PROVIDER_ACCOUNT];

/// What of a place is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The account, project or subscription.
    Account,
    /// The region or location.
    Region,
}

/// Where logs of a category may rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Of what.
    pub part: Part,
    /// The category.
    pub category: Category,
    /// How the accounts or regions look that are permitted.
    pub permitted: Vec<Pattern>,
    /// The line that says so.
    pub at: Location,
}

impl Part {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Account, Self::Region];

    /// The check that finds what stands elsewhere.
    #[must_use]
    pub const fn check(self) -> Check {
        match self {
            Self::Account => DESTINATION_ACCOUNT,
            Self::Region => DESTINATION_REGION,
        }
    }

    /// The field of a policy that says what is permitted.
    #[must_use]
    pub const fn field(self) -> Field {
        match self {
            Self::Account => Field::Accounts,
            Self::Region => Field::Regions,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Region => "region",
        }
    }

    /// Why it is not known, where nobody says anything.
    fn unsaid(self, hint: String) -> Cause {
        Cause { kind: CauseKind::Elsewhere, subject: format!("the {} of the store", self.word()), hint }
    }

    /// What nobody says of a resource is said by its provider configuration.
    fn unsaid_by_provider(self) -> Cause {
        self.unsaid(match self {
            Self::Account => "say `allowed_account_ids`, `project` or `subscription_id` in the provider \
                              configuration, or the account of the root"
                .to_owned(),
            Self::Region => "say `region` in the provider configuration".to_owned(),
        })
    }
}

/// Where something stands.
enum Standing<'a> {
    /// There, by the value that says so.
    At(Name, Option<&'a Tracked>),
    /// It is not known.
    Unknown(Cause),
}

impl<'a> Standing<'a> {
    /// Where a resource stands: what it says itself, else its provider configuration, else its ARN.
    fn of(resource: &'a Resource, part: Part) -> Self {
        let names: &[&str] = match part {
            Part::Account => &[PROVIDER_ACCOUNT],
            Part::Region => &["region", "location", PROVIDER_REGION],
        };
        for value in names.iter().filter_map(|name| resource.attribute(name)) {
            match value.value() {
                Value::String(text) if !value.sensitive => return Self::At(Name::new(text), Some(value)),
                // What it says itself counts, also where that is not known yet.
                Value::Unknown(unknown) => return Self::Unknown(unknown.cause.clone()),
                _ => {}
            }
        }
        let arn = resource.attribute("arn").filter(|arn| !arn.sensitive);
        if let Some((arn, named)) = arn.and_then(|arn| Some((arn, of_arn(arn.value().as_str()?, part)?))) {
            return Self::At(named, Some(arn));
        }
        Self::Unknown(part.unsaid_by_provider())
    }

    /// Where a store stands that no root of the run manages, by what the policy says of it or its ARN.
    fn of_external(name: &str, policy: &Policy, part: Part) -> Self {
        let said = policy.externals.of_text(name).and_then(|store| match part {
            Part::Account => store.account.as_deref(),
            Part::Region => store.region.as_deref(),
        });
        let found = said.map(Name::new).or_else(|| of_arn(name, part));
        let hint = || format!("say `{}` of it in `external_stores`", part.word());
        found.map_or_else(|| Self::Unknown(part.unsaid(hint())), |found| Self::At(found, None))
    }
}

/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:NAME`; buckets leave both out.
fn of_arn(arn: &str, part: Part) -> Option<Name> {
    let mut parts = arn.strip_prefix("arn:")?.split(':');
    let found = match part {
        Part::Region => parts.nth(2),
        Part::Account => parts.nth(3),
    };
    found.filter(|found| !found.is_empty()).map(Name::new)
}

/// Where a resource stands, or why that is not known.
pub(crate) fn standing(resource: &Resource, part: Part) -> Result<Name, Cause> {
    match Standing::of(resource, part) {
        Standing::At(name, _) => Ok(name),
        Standing::Unknown(cause) => Err(cause),
    }
}

/// Whether a place looks so, in whichever of its ways a provider writes it.
pub(crate) fn fits(look: &Pattern, place: &str) -> bool {
    Pattern::new(&folded(look.as_str())).matches(&folded(place))
}

/// Azure writes its regions in two ways, `West Europe` and `westeurope`, Google its locations in capitals.
pub(crate) fn folded(text: &str) -> String {
    text.chars().filter(|c| *c != ' ').flat_map(char::to_lowercase).collect()
}

/// What is permitted; of each category where that is not the same for all.
fn permitted(asked: &[&Destination]) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for one in asked {
        let places: Vec<&str> = one.permitted.iter().map(Pattern::as_str).collect();
        let (places, category) = (places.join(", "), one.category.as_str());
        match groups.iter_mut().find(|(known, _)| *known == places) {
            Some((_, categories)) => categories.push(category),
            None => groups.push((places, vec![category])),
        }
    }
    match groups.as_slice() {
        [(places, _)] => places.clone(),
        _ => {
            let of = |(places, categories): &(String, Vec<&str>)| {
                format!("{places} for {}", categories.join(" and "))
            };
            groups.iter().map(of).collect::<Vec<String>>().join(", ")
        }
    }
}

/// The stores that stand where the policy permits no logs, sorted by address; `map` is the flow of the root of that name.
#[must_use]
pub fn outside(graph: &ResourceGraph, map: &FlowMap, matter: Matter<'_>, root: &str) -> Vec<Finding> {
    let by_name = graph.iter().map(|(_, resource)| (resource.address.to_string(), resource)).collect();
    let mut ways: BTreeMap<&StationId, Vec<&Way>> = BTreeMap::new();
    for way in &map.ways {
        ways.entry(&way.to).or_default().push(way);
    }
    let judging = Judging { matter, graph, ways, root, by_name };
    let mut found: Vec<Finding> = map.stations.iter().flat_map(|station| judging.station(station)).collect();
    found.sort_by(|a, b| a.address.cmp(&b.address).then_with(|| a.rule.cmp(&b.rule)));
    found
}

struct Judging<'a> {
    matter: Matter<'a>,
    graph: &'a ResourceGraph,
    /// By the station that they lead to.
    ways: BTreeMap<&'a StationId, Vec<&'a Way>>,
    root: &'a str,
    by_name: BTreeMap<String, &'a Arc<Resource>>,
}

impl Judging<'_> {
    fn station(&self, station: &Station) -> Vec<Finding> {
        let mut found = Vec::new();
        for part in Part::ALL {
            match station.role {
                Role::Store => {
                    let resource = self.resource(&station.id);
                    found.extend(resource.and_then(|resource| {
                        let standing = Standing::of(resource, part);
                        self.judge(part, (resource, "keeps"), "", &standing, &station.carries)
                    }));
                }
                Role::ServiceStore | Role::External => {
                    let name = &station.id.name;
                    let ways = self.ways.get(&station.id).into_iter().flatten();
                    found.extend(ways.filter_map(|way| {
                        let resource = self.resource(&way.from)?;
                        let standing = match station.role {
                            Role::External => Standing::of_external(name, self.matter.policy, part),
                            // What a service makes by itself stands where its resource does.
                            _ => Standing::of(resource, part),
                        };
                        self.judge(part, (resource, "sends"), name, &standing, &way.categories)
                    }));
                }
                Role::Source | Role::Forwarder | Role::Unknown => {}
            }
        }
        found
    }

    fn resource(&self, id: &StationId) -> Option<&Resource> {
        let own = id.made.is_none() && *id.root == *self.root;
        own.then(|| self.by_name.get(&id.name)).flatten().map(|resource| &***resource)
    }

    /// What is said of a store that gets logs of these categories; nothing where it stands well.
    fn judge(
        &self,
        part: Part,
        (resource, does): (&Resource, &str),
        store: &str,
        standing: &Standing<'_>,
        categories: &BTreeSet<Category>,
    ) -> Option<Finding> {
        let policy = self.matter.policy;
        if !policy.scope.holds(resource) {
            return None;
        }
        let asked = policy.destinations.iter();
        let asked = asked.filter(|asked| asked.part == part && categories.contains(&asked.category));
        let permits = |asked: &Destination, name: &Name| asked.permitted.iter().any(|look| fits(look, name));
        let broken: Vec<&Destination> = match standing {
            Standing::At(name, _) => asked.filter(|asked| !permits(asked, name)).collect(),
            Standing::Unknown(_) => asked.collect(),
        };
        let first = broken.first()?;
        let permitted = permitted(&broken);
        let categories: Vec<Category> = broken.iter().map(|asked| asked.category).collect();
        let words: Vec<&str> = categories.iter().map(|category| category.as_str()).collect();
        let words = words.join(", ");
        let to = if store.is_empty() { String::new() } else { format!(" to {store}") };
        let word = part.word();
        let value = match standing {
            Standing::At(_, value) => *value,
            Standing::Unknown(_) => None,
        };
        let (place, related): (Place, Vec<Related>) = place::of(self.graph, resource, None, value);
        let (verdict, message, cause) = match standing {
            Standing::At(name, _) => {
                let message = format!("{does} {words}{to} in {word} {name}; the policy permits {permitted}");
                (Verdict::Fail, message, None)
            }
            Standing::Unknown(cause) => {
                let message = format!("{does} {words}{to}, and whether in {word} {permitted} is not known");
                (Verdict::Unknown, message, Some(cause.clone()))
            }
        };
        let evidence = match standing {
            Standing::At(name, value) => vec![Evidence {
                subject: word.to_owned(),
                value: name.to_string(),
                origin: value.map_or("written", |value| place::origin_word(&value.origin)),
                place: value.map_or(place.clone(), |value| place::decisive(&value.origin)),
            }],
            Standing::Unknown(_) => Vec::new(),
        };
        let finding = part.check().finding(policy, first.at, categories, message);
        Some(Finding {
            verdict,
            address: Address::clone(&resource.address),
            evidence,
            place,
            related,
            cause,
            root: Arc::clone(&self.matter.root.folder),
            ..finding
        })
    }
}
