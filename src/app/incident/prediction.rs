//! What the ranking before a kill said of its victim, and who was probably killed where only a
//! counter tells.

use std::sync::Arc;

use crate::model::{
    EventTime, Killer, OomEvent, PredictionResult, Process, Reading, Scene, Scope, Snapshot, Text,
    Victim, is_within,
};
use crate::rank::{Placement, Ranking};
use crate::units::Kib;

#[derive(Clone, Debug)]
pub(crate) struct VictimGuess {
    pub(crate) victim: Victim,
    pub(crate) domain: Option<Text>,
    pub(crate) cgroup: Option<Text>,
    pub(crate) foreseen: PredictionResult,
}

/// So many kills at once are looked up in earlier looks; a storm is told without.
pub(crate) const STORM: usize = 64;

/// What a process was, as a victim.
pub(crate) fn victim_of(process: &Process, page: crate::units::PageSize) -> Victim {
    let kib = |pages: crate::units::Pages| Kib(pages.bytes(page).0 / 1024);
    Victim {
        pid: Some(process.id.pid),
        id: Some(process.id),
        comm: process.comm,
        uid: process.ids.value().map(|ids| ids.uid),
        rss: Some(kib(process.rss_stat)),
        swap: process.swap.value().map(kib),
        adj: process.adj.value(),
    }
}

/// The place of a process in the order of death of the domain that ran out.
pub(crate) fn foresee(
    policy: &dyn crate::policy::Policy,
    sample: &Arc<Snapshot>,
    pid: i32,
    happening: &OomEvent,
) -> PredictionResult {
    let Some(at) = sample.position(pid) else { return PredictionResult::NotSeen };
    let same = |victim: Victim| sample.processes.get(at).is_some_and(|it| it.comm == victim.comm);
    // Another one has the pid, or it ran another program then.
    if !happening.victim.is_some_and(same) {
        return PredictionResult::NotSeen;
    }
    let domain = happening.domain.as_ref().filter(|_| happening.by.is_kernel());
    let found = domain.filter(|path| sample.cgroups.find(path.as_str()).is_some());
    let scope = match (domain, found) {
        (Some(path), Some(_)) => Scope::Memcg(Arc::new(path.clone())),
        // In which order they stood there, nobody looked.
        (Some(_), None) if happening.by == Killer::Memcg => return PredictionResult::NoSample,
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

/// Who may have been killed: of those who went between two looks the largest, and first of all those in
/// a cgroup that counted a kill.
pub(crate) fn guess(
    policy: &dyn crate::policy::Policy,
    then: &Arc<Snapshot>,
    now: &Snapshot,
    count: u64,
) -> Vec<VictimGuess> {
    // The counters are hierarchical: the deepest that rose says where. A leaf may be gone with its kill.
    let rose = |path: &str| {
        let events = |sample: &Snapshot| sample.cgroups.find(path)?.events.oom_kill.value();
        events(then).zip(events(now)).is_some_and(|(then, now)| now > then)
    };
    let walls: Vec<&Arc<Text>> =
        now.cgroups.list.iter().map(|it| &it.path).filter(|path| rose(path.as_str())).collect();
    let wall_of = |process: &Process| {
        let Reading::Value(path) = &process.cgroup else { return None };
        let above = walls.iter().filter(|wall| is_within(path.as_str(), wall.as_str()));
        above.max_by_key(|wall| wall.as_str().len()).copied()
    };
    let mut gone: Vec<(Option<&Arc<Text>>, &Process)> =
        then.killed_until(now).into_iter().map(|process| (wall_of(process), process)).collect();
    // Those behind a wall that killed come first; the largest of each stay in front.
    gone.sort_by_key(|(wall, _)| wall.is_none());
    let count = usize::try_from(count).unwrap_or(STORM).min(STORM);
    gone.into_iter()
        .take(count)
        .map(|(wall, process)| {
            let cgroup = match &process.cgroup {
                Reading::Value(path) => Some(Text::clone(path)),
                _ => None,
            };
            let victim = victim_of(process, then.machine.page_size);
            let mut guess = OomEvent {
                nth: 0,
                unix_ms: 0,
                time: EventTime::Order,
                by: Killer::Counted,
                victim: Some(victim),
                guessed: true,
                domain: wall.map(|wall| Text::clone(wall)),
                cgroup,
                prediction: PredictionResult::NoSample,
                report: None,
                said: None,
            };
            // Behind which wall it was is not known: then neither is the order there.
            let walled = |path: &Text| {
                let mut limited = then.cgroups.limited();
                limited.any(|wall| is_within(path.as_str(), wall.path.as_str()))
            };
            if wall.is_some() || !guess.cgroup.as_ref().is_some_and(walled) {
                guess.prediction = foresee(policy, then, process.id.pid, &guess);
            }
            VictimGuess {
                victim,
                domain: guess.domain,
                cgroup: guess.cgroup,
                foreseen: guess.prediction,
            }
        })
        .collect()
}
