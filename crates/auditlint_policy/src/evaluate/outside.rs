//! Logs that leave the run: what the policy says of the stores in which they come to rest.

use auditlint_graph::{Cause, CauseKind};
use auditlint_syntax::Location;

use super::judge::Judge;
use super::{Context, Judged, place};
use crate::flow::{self, Exit};
use crate::rule::{Intent, RuleKind};
use crate::{Category, Days, Place, Related, Verdict};

impl Judge<'_> {
    /// What becomes of the logs of a source in order that leave for stores outside of the run, where the policy says how
    /// long they must be kept and what stands there, and the line that asks. Of the stores that get all of what reaches
    /// a station the longest counts, those of the run among them; of logs that part before, the worst: which of them
    /// gets what is not known.
    pub(super) fn outside(
        &self,
        judged: &Judged,
        context: &Context<'_>,
        categories: &[Category],
    ) -> Option<(Judged, Location)> {
        let rule = &self.binding.rule;
        let emits = rule.kind == RuleKind::Source && rule.asks.contains(&Intent::Emit);
        if !emits || judged.verdict != Verdict::Pass || !self.flow.externals().names_stores {
            return None;
        }
        let asked = self.policy.days.retention.iter().filter(|(category, ..)| categories.contains(category));
        let (_, days, line) = asked.max_by_key(|(_, days, _)| *days)?;
        let exits = flow::exits(context, self.flow, categories);
        let (whole, parts): (Vec<&Exit>, Vec<&Exit>) = exits.iter().partition(|exit| exit.is_whole);
        let asked = Days::Count(*days);
        let alone = parts.iter().filter(|exit| !whole.iter().any(|other| other.first == exit.first));
        let mut worst: Option<Judged> = None;
        let mut take = |judged: Judged| {
            if worst.as_ref().is_none_or(|worst| rank(&judged) < rank(worst)) {
                worst = Some(judged);
            }
        };
        alone
            .filter_map(|exit| {
                self.kept_here(context, exit, asked).or_else(|| Some(self.resting(exit, asked)))
            })
            .for_each(&mut take);
        for copies in whole.chunk_by(|one, other| one.first == other.first) {
            let here = copies.first().and_then(|exit| self.kept_here(context, exit, asked));
            let longest = || copies.iter().map(|exit| self.resting(exit, asked)).max_by_key(rank);
            here.or_else(longest).into_iter().for_each(&mut take);
        }
        Some((worst?, *line))
    }

    /// That the logs which leave at `exit` are copies of what the run keeps for as long as asked.
    fn kept_here(&self, context: &Context<'_>, exit: &Exit, asked: Days) -> Option<Judged> {
        let first = exit.first?;
        let station = context.at(first, self.graph.get(first)?);
        let keeper = flow::keeper_behind(&station, self.flow, asked)?;
        Some(Judged::holds(true).with_related(keeper))
    }

    /// Whether what rests behind `exit` is kept for that long.
    fn resting(&self, exit: &Exit, asked: Days) -> Judged {
        let unknown = || exit.value.unknown().map(|unknown| unknown.cause.subject.clone());
        let name = if exit.value.sensitive { None } else { exit.value.value().as_str().map(str::to_owned) };
        let name = name.or_else(unknown).unwrap_or_else(|| "a sensitive value".to_owned());
        let mut judged = match self.flow.externals().named_by(&exit.value) {
            Some(store) => {
                let kept = Related {
                    message: format!("the policy says what external store {} keeps", store.id),
                    place: Place::Source(store.at),
                };
                let judged = match store.retention {
                    Some(kept) if kept >= asked => Judged::of(Verdict::Pass),
                    Some(kept) => Judged {
                        says: Some(format!(
                            "its logs rest in {name} (external store {}), which keeps them for {kept}; the policy asks for {asked}",
                            store.id
                        )),
                        ..Judged::of(Verdict::Fail)
                    },
                    None => Judged::unknown(Cause {
                        kind: CauseKind::Elsewhere,
                        subject: format!("external store {}", store.id),
                        hint: format!("say its `retention` in `external_stores.{}`", store.id),
                    }),
                };
                judged.with_related(kept)
            }
            None => Judged::unknown(match exit.value.unknown() {
                Some(unknown) => unknown.cause.clone(),
                None => Cause {
                    kind: CauseKind::Elsewhere,
                    hint: format!("say in `external_stores` what {name} keeps"),
                    subject: name,
                },
            }),
        };
        match (&exit.path, self.graph.get(exit.station)) {
            (Some(path), _) if exit.station == self.slot => {
                judged = judged.looking(path.to_string(), Some(exit.value.clone()));
            }
            (path, Some(station)) => {
                let path = path.as_ref().map(ToString::to_string);
                let (place, _) = place::of(self.graph, station, path.as_deref(), Some(&exit.value));
                let message = format!("{} sends its logs there", station.address);
                judged = judged.with_related(Related { message, place });
            }
            (_, None) => {}
        }
        judged
    }
}

/// The worst first.
fn rank(judged: &Judged) -> u8 {
    match judged.verdict {
        Verdict::Fail => 0,
        Verdict::Unknown => 1,
        Verdict::Pass | Verdict::NotApplicable | Verdict::Exempt => 2,
    }
}
