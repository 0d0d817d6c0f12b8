//! An audit policy as the API server reads it, and which requests its rules match.
//!
//! The server goes through the rules in order, and the first that matches a request decides; a request that no rule
//! matches is not recorded. An empty list of a rule matches everything
//! (<https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/>).

use auditlint_graph::{Cause, Map, Tracked, Value};

use super::unreadable;

/// How much of a request is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    None,
    Metadata,
    Request,
    RequestResponse,
}

impl Level {
    pub(super) const ALL: [Self; 4] = [Self::None, Self::Metadata, Self::Request, Self::RequestResponse];

    pub(super) fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Metadata => "Metadata",
            Self::Request => "Request",
            Self::RequestResponse => "RequestResponse",
        }
    }
}

/// The stages of a request at which an event is written.
pub(super) const STAGES: [&str; 4] = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"];

/// An audit policy.
pub(super) struct Policy {
    /// The object.
    pub(super) at: Tracked,
    pub(super) rules: Vec<Rule>,
    /// The stages that no rule writes, each where it stands.
    pub(super) omitted: Vec<(String, Tracked)>,
}

/// A rule.
pub(super) struct Rule {
    pub(super) at: Tracked,
    /// The word that is written; none where nothing is.
    pub(super) level: Option<String>,
    pub(super) users: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) verbs: Vec<String>,
    pub(super) namespaces: Vec<String>,
    pub(super) urls: Vec<String>,
    pub(super) resources: Vec<Resources>,
    pub(super) omitted: Vec<(String, Tracked)>,
}

/// Resources of one API group.
pub(super) struct Resources {
    /// Empty for the core group.
    pub(super) group: String,
    /// `pods`, `pods/log`, `pods/*`, `*/scale`, `*`; empty for all.
    pub(super) resources: Vec<String>,
    pub(super) names: Vec<String>,
}

/// A request on a resource, by anybody.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) verb: &'a str,
    pub(super) group: &'a str,
    pub(super) resource: &'a str,
    pub(super) subresource: Option<&'a str>,
}

/// Which of the requests that look alike a rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matches {
    None,
    /// Those of some users, namespaces or names.
    Some,
    All,
}

impl Policy {
    /// Reads an object; a cause where a part that decides is not known.
    pub(super) fn read(at: &Tracked) -> Result<Self, Cause> {
        let map = map(at)?;
        let rules = items(map, "rules")?.iter().map(Rule::read).collect::<Result<_, _>>()?;
        Ok(Self { at: at.clone(), rules, omitted: stages(map)? })
    }

    /// The levels at which such requests are recorded, each with the rule that says so; the last of all where no
    /// rule speaks for what is left.
    pub(super) fn levels(&self, request: Request<'_>) -> Vec<(Level, Option<&Rule>)> {
        let mut out = Vec::new();
        for rule in &self.rules {
            let level = rule.level.as_deref().and_then(Level::read);
            let (matches, Some(level)) = (rule.matches(request), level) else { continue };
            if matches != Matches::None {
                out.push((level, Some(rule)));
            }
            if matches == Matches::All {
                return out;
            }
        }
        out.push((Level::None, None));
        out
    }
}

impl Rule {
    pub(super) fn read(at: &Tracked) -> Result<Self, Cause> {
        let map = map(at)?;
        let level = match map.get("level").map(Tracked::value) {
            Some(Value::String(word)) => Some(word.to_string()),
            Some(Value::Unknown(unknown)) => return Err(unknown.cause.clone()),
            _ => None,
        };
        let resources = items(map, "resources")?;
        Ok(Self {
            at: at.clone(),
            level,
            users: words(map, "users")?,
            groups: words(map, "userGroups")?,
            verbs: words(map, "verbs")?,
            namespaces: words(map, "namespaces")?,
            urls: words(map, "nonResourceURLs")?,
            resources: resources.iter().map(Resources::read).collect::<Result<_, _>>()?,
            omitted: stages(map)?,
        })
    }

    /// Whether it speaks of parts of the platform alone, by their own names: what they do day and night is left out
    /// of most policies, and no person signs in as one of them. The groups that hold people are no such part.
    pub(super) fn is_of_the_platform(&self) -> bool {
        const OF_PEOPLE: [&str; 6] = [
            "system:masters",
            "system:authenticated",
            "system:unauthenticated",
            "system:anonymous",
            "system:serviceaccounts",
            "system:admin",
        ];
        let is_part = |who: &String| who.starts_with("system:") && !OF_PEOPLE.contains(&who.as_str());
        let mut users = self.users.iter().peekable();
        let mut groups = self.groups.iter().peekable();
        // Both lists must hold for a request, so that one of them is enough.
        (users.peek().is_some() && users.all(is_part)) || (groups.peek().is_some() && groups.all(is_part))
    }

    /// Whether it matches every request that there is.
    pub(super) fn matches_everything(&self) -> bool {
        self.users.is_empty()
            && self.groups.is_empty()
            && self.verbs.is_empty()
            && self.namespaces.is_empty()
            && self.urls.is_empty()
            && self.resources.is_empty()
    }

    /// Which of the requests that look like `request` it matches, those of the platform's own parts left aside.
    pub(super) fn matches(&self, request: Request<'_>) -> Matches {
        let is_of = |list: &[String], word: &str| list.is_empty() || list.iter().any(|one| one == word);
        let only_urls = !self.urls.is_empty() && self.resources.is_empty() && self.namespaces.is_empty();
        if only_urls || self.is_of_the_platform() || !is_of(&self.verbs, request.verb) {
            return Matches::None;
        }
        let named = self.resources.iter().map(|resources| resources.matches(request));
        let on_resources = if self.resources.is_empty() {
            Matches::All
        } else {
            named.max_by_key(|matches| *matches as u8).unwrap_or(Matches::None)
        };
        let is_part = !self.users.is_empty() || !self.groups.is_empty() || !self.namespaces.is_empty();
        match on_resources {
            Matches::All if is_part => Matches::Some,
            matches => matches,
        }
    }

    /// Whether every request that `later` matches is matched by this one.
    pub(super) fn covers(&self, later: &Self) -> bool {
        let holds = |own: &[String], other: &[String]| {
            own.is_empty() || (!other.is_empty() && other.iter().all(|word| own.contains(word)))
        };
        let who = holds(&self.users, &later.users) && holds(&self.groups, &later.groups);
        if !who || !holds(&self.verbs, &later.verbs) {
            return false;
        }
        let speaks_of_resources = |rule: &Self| !rule.resources.is_empty() || !rule.namespaces.is_empty();
        if speaks_of_resources(self) {
            return speaks_of_resources(later)
                && holds(&self.namespaces, &later.namespaces)
                && (self.resources.is_empty()
                    || (!later.resources.is_empty()
                        && later
                            .resources
                            .iter()
                            .all(|one| self.resources.iter().any(|own| own.covers(one)))));
        }
        self.urls.is_empty()
            || (!speaks_of_resources(later)
                && !later.urls.is_empty()
                && later.urls.iter().all(|url| self.urls.iter().any(|own| url_covers(own, url))))
    }
}

impl Resources {
    fn read(at: &Tracked) -> Result<Self, Cause> {
        let map = map(at)?;
        let group = match map.get("group").map(Tracked::value) {
            Some(Value::String(group)) => group.to_string(),
            Some(Value::Unknown(unknown)) => return Err(unknown.cause.clone()),
            _ => String::new(),
        };
        Ok(Self { group, resources: words(map, "resources")?, names: words(map, "resourceNames")? })
    }

    fn matches(&self, request: Request<'_>) -> Matches {
        let is_named = self.resources.is_empty()
            || self
                .resources
                .iter()
                .any(|pattern| pattern_matches(pattern, request.resource, request.subresource));
        match (self.group == request.group && is_named, self.names.is_empty() || self.resources.is_empty()) {
            (false, _) => Matches::None,
            (true, true) => Matches::All,
            (true, false) => Matches::Some,
        }
    }

    fn covers(&self, later: &Self) -> bool {
        let names = self.names.is_empty()
            || (!later.names.is_empty() && later.names.iter().all(|name| self.names.contains(name)));
        let covers = |pattern: &String| self.resources.iter().any(|own| pattern_covers(own, pattern));
        self.group == later.group
            && names
            && (self.resources.is_empty()
                || if later.resources.is_empty() {
                    self.resources.iter().any(|own| own == "*")
                } else {
                    later.resources.iter().all(covers)
                })
    }
}

/// `*` is everything, `pods/*` every subresource of pods, `*/scale` that subresource of everything; `pods` is not
/// `pods/log`.
fn pattern_matches(pattern: &str, resource: &str, subresource: Option<&str>) -> bool {
    if pattern == "*" {
        return true;
    }
    match (pattern.split_once('/'), subresource) {
        (Some((own, "*")), _) => own == resource,
        (Some(("*", own)), Some(sub)) => own == sub,
        (Some((own, inner)), Some(sub)) => own == resource && inner == sub,
        (None, None) => pattern == resource,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn pattern_covers(own: &str, later: &str) -> bool {
    if own == "*" || own == later {
        return true;
    }
    match (own.split_once('/'), later.split_once('/')) {
        (Some((own, "*")), Some((resource, _))) => own == resource,
        (Some((own, "*")), None) => own == later,
        (Some(("*", own)), Some((_, sub))) => own == sub,
        _ => false,
    }
}

fn url_covers(own: &str, later: &str) -> bool {
    match own.strip_suffix('*') {
        Some(prefix) => later.starts_with(prefix),
        None => own == later,
    }
}

fn stages(map: &Map) -> Result<Vec<(String, Tracked)>, Cause> {
    items(map, "omitStages")?.iter().map(|item| Ok((word(item)?, item.clone()))).collect()
}

fn words(map: &Map, name: &str) -> Result<Vec<String>, Cause> {
    items(map, name)?.iter().map(word).collect()
}

fn word(item: &Tracked) -> Result<String, Cause> {
    match item.value() {
        Value::String(text) => Ok(text.to_string()),
        Value::Unknown(unknown) => Err(unknown.cause.clone()),
        _ => Err(unreadable("an element that is no text")),
    }
}

fn items<'m>(map: &'m Map, name: &str) -> Result<&'m [Tracked], Cause> {
    match map.get(name).map(Tracked::value) {
        Some(Value::List(items)) => Ok(items),
        Some(Value::Unknown(unknown)) => Err(unknown.cause.clone()),
        Some(Value::Null) | None => Ok(&[]),
        Some(_) => Err(unreadable("what should be a list and is none")),
    }
}

fn map(at: &Tracked) -> Result<&Map, Cause> {
    match at.value() {
        Value::Map(map) => Ok(map),
        Value::Unknown(unknown) => Err(unknown.cause.clone()),
        _ => Err(unreadable("what should be an object and is none")),
    }
}

#[cfg(test)]
mod tests {
    use super::{pattern_covers, pattern_matches, url_covers};

    #[test]
    fn patterns_of_resources_match_as_the_api_server_matches_them() {
        assert!(pattern_matches("*", "pods", Some("log")));
        assert!(pattern_matches("pods", "pods", None) && !pattern_matches("pods", "pods", Some("log")));
        assert!(
            pattern_matches("pods/log", "pods", Some("log")) && !pattern_matches("pods/log", "pods", None)
        );
        assert!(pattern_matches("pods/*", "pods", None) && pattern_matches("pods/*", "pods", Some("exec")));
        assert!(pattern_matches("*/scale", "deployments", Some("scale")));
        assert!(!pattern_matches("*/scale", "scale", None));
    }

    #[test]
    fn a_pattern_covers_what_it_matches() {
        for (own, later) in [
            ("*", "x/y"),
            ("pods", "pods"),
            ("pods/*", "pods/log"),
            ("pods/*", "pods"),
            ("*/log", "pods/log"),
        ] {
            assert!(pattern_covers(own, later), "{own} {later}");
        }
        for (own, later) in
            [("pods", "pods/log"), ("pods/log", "pods"), ("pods/log", "pods/*"), ("pods", "*")]
        {
            assert!(!pattern_covers(own, later), "{own} {later}");
        }
        assert!(url_covers("*", "/healthz*") && url_covers("/healthz*", "/healthz/ping"));
        assert!(!url_covers("/healthz", "/healthz*"));
    }
}
