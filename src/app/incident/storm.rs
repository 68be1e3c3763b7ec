//! Groups kills of the same kind that follow each other closely: a storm is one line of the view Events.

use std::collections::{HashMap, HashSet};

use crate::app::incident::entry::{KillStorm, TimelineEntry};
use crate::app::incident::shown_timeline::ShownTimeline;
use crate::model::{Comm, EventTime, Killer, OomEvent, Text};

/// Maximum time between two kills of one storm, in milliseconds.
const GAP: i64 = 10_000;

/// Minimum number of kills that are grouped.
const LEAST: usize = 3;

/// What the kills of a storm have in common: the killer, the name of the victim, the domain.
type Kind<'a> = (Killer, Comm, Option<&'a Text>);

fn kind(event: &OomEvent) -> Option<Kind<'_>> {
    let domain = event.domain.as_ref().or(event.cgroup.as_ref());
    Some((event.by, event.victim?.comm, domain))
}

/// The time of an event, to compare it with others: that of a log file is in its report.
fn time_of(event: &OomEvent, timeline: ShownTimeline<'_>) -> Option<i64> {
    if event.time != EventTime::Order {
        return Some(event.unix_ms);
    }
    let us = timeline.report(event.report?)?.stamp.uptime_us?;
    i64::try_from(us / 1000).ok()
}

/// The seconds between the first and the last kill of a storm, where both times are known.
#[must_use]
pub fn seconds_between(
    timeline: ShownTimeline<'_>,
    first: &OomEvent,
    last: &OomEvent,
) -> Option<u64> {
    let (from, to) = (time_of(first, timeline)?, time_of(last, timeline)?);
    u64::try_from(to.saturating_sub(from)).ok().map(|span| span.div_ceil(1000))
}

/// The kills among these events as entries, a storm as one. It is where its last kill is. The kills of an
/// opened storm, which is named by its first one, follow it.
pub(crate) fn entries<'a>(
    events: impl Iterator<Item = &'a OomEvent>,
    timeline: ShownTimeline<'_>,
    opened: &HashSet<u64>,
) -> Vec<(i64, TimelineEntry)> {
    let mut groups: Vec<Vec<&OomEvent>> = Vec::new();
    let mut last_of: HashMap<Kind<'_>, usize> = HashMap::new();
    for event in events {
        let own = kind(event);
        let near = own.and_then(|own| last_of.get(&own)).copied().filter(|&group| {
            let before = groups[group].last().and_then(|it| time_of(it, timeline));
            match (before, time_of(event, timeline)) {
                (Some(before), Some(now)) => now.saturating_sub(before) <= GAP,
                // Without times only what follows directly belongs together.
                (None, None) => group + 1 == groups.len(),
                _ => false,
            }
        });
        match near {
            Some(group) => groups[group].push(event),
            None => {
                if let Some(own) = own {
                    last_of.insert(own, groups.len());
                }
                groups.push(vec![event]);
            }
        }
    }
    let mut found = Vec::new();
    for group in groups {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let each = group.iter().map(|it| (it.unix_ms, TimelineEntry::Kill(it.nth)));
        if group.len() < LEAST {
            found.extend(each);
            continue;
        }
        let predicted = group.iter().filter(|it| it.was_predicted()).count();
        let storm = KillStorm {
            first: first.nth,
            last: last.nth,
            count: u32::try_from(group.len()).unwrap_or(u32::MAX),
            predicted: u32::try_from(predicted).unwrap_or(u32::MAX),
        };
        found.push((last.unix_ms, TimelineEntry::Storm(storm)));
        if opened.contains(&first.nth) {
            found.extend(group.iter().map(|it| (last.unix_ms, TimelineEntry::Kill(it.nth))));
        }
    }
    // A stable sort: what is of one time keeps its order.
    found.sort_by_key(|&(at, _)| at);
    found
}
