//! The kills in a scope: what the logs of the samples tell, and what the counters tell where no log does.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::counters::CounterSum;
use super::summary::LoadKill;
use crate::events::{LogUpdate, OomReport, RecordedLog, report_events};
use crate::forecast::next_death::{DeathForecaster, Deaths, KERNEL, PredictedKill, PredictionLog};
use crate::model::{
    Comm, EventTime, ForecastResult, Killer, OomEvent, Process, Reading, Scene, Scope, Text,
    is_within,
};
use crate::units::Millis;
use crate::words::answer::answer;

/// Maximum number of kills that are kept.
const MAX_KILLS: usize = 4096;
/// Maximum number of processes of the scope that are remembered.
const MAX_MEMBERS: usize = 65_536;
/// The time of a log line may be so much later than the kill, in milliseconds.
const CLOCK_SKEW: i64 = 1500;

/// Follows the kills of a scope.
#[derive(Default)]
pub(super) struct LoadKills {
    forecaster: DeathForecaster,
    predicted: PredictionLog,
    deaths: Deaths,
    log: RecordedLog,
    /// The processes that were seen in the scope.
    members: BTreeMap<i32, Comm>,
    /// What logs tell, with the number of the kernel's report.
    told: Vec<(Option<u64>, LoadKill)>,
    /// Who was probably killed, by a counter.
    guesses: Vec<LoadKill>,
    /// The kills that the cgroups of the scope counted.
    counted: BTreeMap<Arc<Text>, CounterSum>,
    /// The same of the machine.
    counted_by_machine: CounterSum,
    last_ms: i64,
}

impl LoadKills {
    /// Takes a sample. `began`: the time of the first one, milliseconds since 1970, UTC.
    pub(super) fn take(&mut self, scene: &Scene, began: i64) {
        let now = scene.now();
        self.last_ms = now.clock.unix_ms;
        self.forecaster.observe(scene);
        self.deaths = self.forecaster.predict(scene);
        self.predicted.note_sample(now.clock.unix_ms, &self.deaths, scene);
        for process in now.processes.iter().filter(|it| scene.domain().contains(it)) {
            if self.members.len() < MAX_MEMBERS {
                self.members.insert(process.id.pid, process.comm);
            }
        }
        for update in self.log.take(&now.log) {
            match update {
                LogUpdate::Report { number, unix_ms, told, report } => {
                    self.take_report(scene, (number, unix_ms, told), &report, began);
                }
                LogUpdate::Daemon { unix_ms, heard, .. } if !heard.undone => {
                    let is_inside = heard.cgroup.as_ref().is_some_and(|it| is_inside(scene, it))
                        || heard.pid.is_some_and(|pid| self.is_member(scene, pid, heard.comm));
                    if is_inside {
                        let forecast =
                            self.forecast(unix_ms, (heard.pid, heard.comm), None, heard.by);
                        self.tell(
                            None,
                            LoadKill {
                                unix_ms,
                                after: since(began, unix_ms),
                                pid: heard.pid,
                                comm: heard.comm,
                                guessed: false,
                                by: heard.by,
                                why: heard.said.to_string(),
                                forecast,
                            },
                        );
                    }
                }
                LogUpdate::Daemon { .. } | LogUpdate::Marked { .. } | LogUpdate::Source(..) => {}
            }
        }
        self.take_counters(scene);
        self.guess(scene, began);
    }

    /// What is predicted at the newest sample.
    pub(super) const fn deaths(&self) -> &Deaths {
        &self.deaths
    }

    /// Adds the victims of a report that were in the scope.
    fn take_report(
        &mut self,
        scene: &Scene,
        (number, unix_ms, time): (u64, i64, EventTime),
        report: &OomReport,
        began: i64,
    ) {
        for event in report_events(number, unix_ms, time, report) {
            let Some(victim) = event.victim else { continue };
            let in_scope = [&event.cgroup, &event.domain];
            let named = in_scope.into_iter().flatten().any(|path| is_inside(scene, path));
            let seen = victim.pid.is_some_and(|pid| self.is_member(scene, pid, Some(victim.comm)));
            if !named && !seen {
                continue;
            }
            let who = (victim.pid, Some(victim.comm));
            // In a cgroup namespace the kernel names a cgroup by another path.
            let is_known =
                |path: &&str| *path == Scope::GLOBAL || scene.now().cgroups.find(path).is_some();
            let place = domain(&event).filter(is_known);
            let forecast = self.forecast(unix_ms, who, place, event.by);
            let kill = LoadKill {
                unix_ms,
                after: since(began, unix_ms),
                pid: victim.pid,
                comm: Some(victim.comm),
                guessed: false,
                by: event.by,
                why: answer(report),
                forecast,
            };
            self.tell(Some(number), kill);
        }
    }

    /// Adds a kill that a log tells of. A report may be told again when it is more complete.
    fn tell(&mut self, report: Option<u64>, kill: LoadKill) {
        let same = |it: &(Option<u64>, LoadKill)| {
            it.1.pid == kill.pid && it.1.comm == kill.comm && report.is_some() && it.0 == report
        };
        if let Some(known) = self.told.iter_mut().find(|it| same(it)) {
            known.1.why = kill.why;
        } else if self.told.len() < MAX_KILLS {
            self.told.push((report, kill));
        }
    }

    fn is_member(&self, scene: &Scene, pid: i32, comm: Option<Comm>) -> bool {
        let known = self.members.get(&pid);
        scene.domain().is_global()
            || known.is_some_and(|known| comm.is_none_or(|comm| comm == *known))
    }

    fn forecast(
        &self,
        unix_ms: i64,
        (pid, comm): (Option<i32>, Option<Comm>),
        domain: Option<&str>,
        by: Killer,
    ) -> ForecastResult {
        let (Some(pid), Some(comm)) = (pid, comm) else { return ForecastResult::NotMade };
        if by == Killer::Sysrq {
            return ForecastResult::NotMade;
        }
        let by = if by.is_kernel() { KERNEL } else { by.word() };
        self.predicted.result(&PredictedKill { unix_ms, pid, comm, domain, by })
    }

    fn take_counters(&mut self, scene: &Scene) {
        let (now, before) = (scene.now(), scene.before());
        if before.is_some_and(|before| !now.continues(before)) {
            self.counted.values_mut().for_each(CounterSum::restart);
            self.counted_by_machine.restart();
        }
        self.counted_by_machine.take(now.traffic.oom_kills.value(), false);
        let scope = scene.domain().name.as_str();
        for group in now.cgroups.list.iter().filter(|it| is_within(it.path.as_str(), scope)) {
            let was_there = |before: &crate::model::Snapshot| {
                before.cgroups.list.is_empty() || before.cgroups.find(group.path.as_str()).is_some()
            };
            let is_new = before.is_some_and(|before| !was_there(before));
            let sum = self.counted.entry(Arc::clone(&group.path)).or_default();
            sum.take(group.events.oom_kill.value(), is_new);
        }
    }

    /// Adds who was probably killed since the sample before.
    fn guess(&mut self, scene: &Scene, began: i64) {
        let Some(before) = scene.before() else { return };
        let at = scene.now().clock.monotonic_ms;
        let new = scene.kills().iter().filter(|it| it.at == at);
        let victims = new.filter_map(|it| before.find(it.victim));
        let inside = |it: &&Process| {
            let path = match &it.cgroup {
                Reading::Value(path) => is_inside(scene, path),
                _ => false,
            };
            path || scene.domain().is_global()
        };
        let unix_ms = scene.now().clock.unix_ms;
        let guess = |victim: &Process| LoadKill {
            unix_ms,
            after: since(began, unix_ms),
            pid: Some(victim.id.pid),
            comm: Some(victim.comm),
            guessed: true,
            by: Killer::Counted,
            why: "the kernel counted an OOM kill; no log tells of it".to_owned(),
            forecast: self.forecast(
                before.clock.unix_ms,
                (Some(victim.id.pid), Some(victim.comm)),
                None,
                Killer::Counted,
            ),
        };
        let found: Vec<LoadKill> = victims.filter(inside).map(guess).collect();
        let room = MAX_KILLS.saturating_sub(self.guesses.len());
        self.guesses.extend(found.into_iter().take(room));
    }

    /// The number of kills by the kernel that were counted in the scope; `None` where nothing counts them.
    fn counted(&self, is_machine: bool, is_v2: bool) -> Option<u64> {
        if is_machine {
            return self.counted_by_machine.sum();
        }
        let mut sums = self.counted.values().filter_map(|it| it.sum());
        // A counter of version 2 includes the cgroups below; the first path is that of the scope.
        if is_v2 { sums.next() } else { sums.reduce(u64::saturating_add) }
    }

    /// Whether a counter tells of every kill by the kernel in the scope, to the newest sample.
    pub(super) fn are_known(&self, scene: &Scene) -> bool {
        let of_machine = self.counted_by_machine.sum();
        let of_scope = self.counted(scene.domain().is_global(), true);
        of_scope.is_some() && is_there(scene) || of_machine == Some(0)
    }

    /// All kills, the oldest first: those that logs tell of, and what was counted beyond them.
    pub(super) fn all(&self, scene: &Scene, began: i64) -> Vec<LoadKill> {
        let mut kills: Vec<LoadKill> = self.told.iter().map(|it| it.1.clone()).collect();
        let by_kernel = kills.iter().filter(|it| it.by.is_kernel()).count();
        let is_v2 = scene.now().cgroups.hierarchy == Reading::Value(crate::model::Hierarchy::V2);
        let counted = self.counted(scene.domain().is_global(), is_v2);
        let told = |guess: &&LoadKill| {
            let same = |it: &LoadKill| {
                it.pid == guess.pid && (it.unix_ms - guess.unix_ms).abs() <= CLOCK_SKEW * 4
            };
            !self.told.iter().any(|it| same(&it.1))
        };
        let untold: Vec<&LoadKill> = self.guesses.iter().filter(told).collect();
        let counted = counted
            .map(|counted| usize::try_from(counted).unwrap_or(MAX_KILLS).saturating_sub(by_kernel));
        // A counter that vanished with its cgroup may have told less than there were.
        let missing = match counted {
            Some(counted) if is_there(scene) => counted,
            counted => untold.len().max(counted.unwrap_or(0)),
        };
        let missing = missing.min(MAX_KILLS);
        kills.extend(untold.into_iter().take(missing).cloned());
        let unseen = (by_kernel + missing).saturating_sub(kills.len());
        kills.extend((0..unseen).map(|_| {
            LoadKill {
            unix_ms: self.last_ms,
            after: since(began, self.last_ms),
            pid: None,
            comm: None,
            guessed: true,
            by: Killer::Counted,
            why: "the kernel counted an OOM kill; no log tells of it, and no sample saw the victim"
                .to_owned(),
            forecast: ForecastResult::NotMade,
        }
        }));
        kills.sort_by_key(|it| it.unix_ms);
        kills
    }
}

/// The domain of a kill by the kernel, as predictions name it.
fn domain(event: &OomEvent) -> Option<&str> {
    match event.by {
        Killer::Machine => Some(Scope::GLOBAL),
        Killer::Memcg | Killer::Group => event.domain.as_ref().map(Text::as_str),
        _ => None,
    }
}

/// Whether the scope is in the newest sample.
fn is_there(scene: &Scene) -> bool {
    scene.domain().is_global() || scene.now().cgroups.find(scene.domain().name.as_str()).is_some()
}

/// Whether a path is that of the scope or below it.
fn is_inside(scene: &Scene, path: &Text) -> bool {
    scene.domain().is_global() || is_within(path.as_str(), scene.domain().name.as_str())
}

fn since(began: i64, unix_ms: i64) -> Millis {
    Millis(u64::try_from(unix_ms.saturating_sub(began)).unwrap_or(0))
}
