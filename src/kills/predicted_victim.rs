//! What the ranking before a kill predicted for its victim, and which process was probably killed where
//! only a counter tells of the kill.

use std::sync::Arc;

use crate::model::{
    EventTime, Killer, OomEvent, PredictionResult, Process, Reading, Scene, Scope, Snapshot, Text,
    Victim, is_within,
};
use crate::policy::Policy;
use crate::rank::{Placement, Ranking};
use crate::units::{Kib, PageSize, Pages};

/// Maximum number of kills at one time whose victims are looked up in earlier samples.
pub(crate) const MAX_LOOKUPS: usize = 64;

/// A process as a victim.
pub(crate) fn victim_of(process: &Process, page: PageSize) -> Victim {
    let kib = |pages: Pages| Kib(pages.bytes(page).0 / 1024);
    let parts = [process.anon, process.file, process.shmem].map(Reading::value);
    let rss = match parts {
        [Some(anon), Some(file), Some(shmem)] => anon + file + shmem,
        _ => process.rss_stat,
    };
    Victim {
        pid: Some(process.id.pid),
        id: Some(process.id),
        comm: process.comm,
        uid: process.ids.value().map(|ids| ids.uid),
        rss: Some(kib(rss)),
        file: process.file.value().map(kib),
        swap: process.swap.value().map(kib),
        adj: process.adj.value(),
    }
}

/// The rank that `policy` gave the victim in the sample before the kill, in the domain that ran out of
/// memory.
pub(crate) fn predicted_before(
    policy: &dyn Policy,
    sample: &Arc<Snapshot>,
    pid: i32,
    event: &OomEvent,
) -> PredictionResult {
    let Some(at) = sample.position(pid) else { return PredictionResult::NotSeen };
    let same = |victim: Victim| sample.processes.get(at).is_some_and(|it| it.comm == victim.comm);
    // Another process had the pid, or it ran another program.
    if !event.victim.is_some_and(same) {
        return PredictionResult::NotSeen;
    }
    let domain = event.domain.as_ref().filter(|_| event.by.is_kernel());
    let found = domain.filter(|path| sample.cgroups.find(path.as_str()).is_some());
    let scope = match (domain, found) {
        (Some(path), Some(_)) => Scope::Memcg(Arc::new(path.clone())),
        // The sample does not know the cgroup, so it says nothing about the order in it.
        (Some(_), None) if event.by == Killer::Memcg => return PredictionResult::NoSample,
        _ => Scope::Global,
    };
    let scene = Scene::scoped(Arc::clone(sample), None, scope);
    let ranking = Ranking::new(policy, &scene);
    match ranking.place(at) {
        Some((_, row)) if matches!(row.placement, Placement::Spared(_)) => PredictionResult::Spared,
        Some((place, row)) => {
            let place = u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1);
            if ranking.too_close() && ranking.candidates().contains(&row.id) {
                PredictionResult::Candidate(place)
            } else {
                PredictionResult::Rank(place)
            }
        }
        None => PredictionResult::NotSeen,
    }
}

/// Events for the `count` processes that were probably killed between two samples: the largest of those
/// that exited, first those in a cgroup that counted a kill. Their times are not set.
pub(crate) fn guess_victims(
    policy: &dyn Policy,
    then: &Arc<Snapshot>,
    now: &Snapshot,
    count: u64,
) -> Vec<OomEvent> {
    // The counters are hierarchical: the deepest that rose names the domain. A leaf cgroup may have been
    // removed after its kill.
    let rose = |path: &str| {
        let kills = |sample: &Snapshot| sample.cgroups.find(path)?.events.oom_kill.value();
        kills(then).zip(kills(now)).is_some_and(|(then, now)| now > then)
    };
    let paths = now.cgroups.list.iter().map(|it| &it.path);
    let domains: Vec<&Arc<Text>> = paths.filter(|path| rose(path.as_str())).collect();
    let domain_of = |process: &Process| {
        let Reading::Value(path) = &process.cgroup else { return None };
        let above = domains.iter().filter(|domain| is_within(path.as_str(), domain.as_str()));
        above.max_by_key(|domain| domain.as_str().len()).copied()
    };
    let mut gone: Vec<(Option<&Arc<Text>>, &Process)> =
        then.killed_until(now).into_iter().map(|process| (domain_of(process), process)).collect();
    // A stable sort: the largest of each kind stay in front.
    gone.sort_by_key(|(domain, _)| domain.is_none());
    let count = usize::try_from(count).unwrap_or(MAX_LOOKUPS).min(MAX_LOOKUPS);
    let gone = gone.into_iter().take(count);
    gone.map(|(domain, process)| guess(policy, then, domain, process)).collect()
}

fn guess(
    policy: &dyn Policy,
    then: &Arc<Snapshot>,
    domain: Option<&Arc<Text>>,
    process: &Process,
) -> OomEvent {
    let cgroup = match &process.cgroup {
        Reading::Value(path) => Some(Text::clone(path)),
        _ => None,
    };
    let limited = |path: &Text| {
        let mut limited = then.cgroups.limited();
        limited.any(|group| is_within(path.as_str(), group.path.as_str()))
    };
    // With several limits above it, the domain is not known, and neither is the order in it.
    let ranked = domain.is_some() || !cgroup.as_ref().is_some_and(limited);
    let event = OomEvent {
        victim: Some(victim_of(process, then.machine.page_size)),
        guessed: true,
        domain: domain.map(|domain| Text::clone(domain)),
        cgroup,
        last_seen: Some(then.clock.unix_ms),
        ..OomEvent::new(Killer::Counted, 0, EventTime::Order)
    };
    if !ranked {
        return event;
    }
    OomEvent { prediction: predicted_before(policy, then, process.id.pid, &event), ..event }
}
