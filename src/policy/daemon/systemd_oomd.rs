//! systemd-oomd (`src/oom/oomd-manager.c`, `oomd-util.c`): kills a whole cgroup below one that asks
//! to be watched, by its swap or by how hard reclaim works in it. `oom_score_adj` counts for nothing.
//!
//! Candidates are the leaves, and groups with `memory.oom.group` as a whole. The marks
//! `user.oomd_avoid` and `user.oomd_omit` count only on a cgroup that root owns, or, under pressure,
//! whoever owns the watched one; that one's owner is told only where it is marked itself, so a user's
//! own session counts by its name.

use crate::model::{
    Cgroup, CgroupNeeds, Cgroups, KillerOptions, Needs, NominatedUnit, OomdXattrs, Process,
    Reading, Scene, Signal, SystemdOomdOptions as Options,
};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::daemon::cgroup_candidates;
use crate::policy::daemon::cgroup_candidates::{before, downwards, home, is_leaf};
use crate::policy::daemon::conditions::{ConditionState, avg10, percent, stall};
use crate::policy::{
    Cite, Drift, KillScope, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits, Trigger,
    TriggerState,
};
use crate::units::{Bytes, Kib, Points};

/// The killer, on one of its two paths.
#[derive(Debug)]
pub struct SystemdOomd {
    info: PolicyInfo,
    by_pressure: bool,
}

/// When swap is full.
pub static SYSTEMD_OOMD_SWAP: SystemdOomd = SystemdOomd {
    info: PolicyInfo {
        id: "systemd-oomd-swap",
        title: "systemd-oomd, swap",
        about: "When available memory and free swap are both below 10 %, the leaf with the most swap below \
             any cgroup with ManagedOOMSwap=kill dies as a whole, if it holds more than 5 % of all swap. \
             oom_score_adj counts for nothing; a mark to avoid puts a cgroup last, one to omit spares it.",
        cites: &[
            Cite {
                place: "systemd src/oom/oomd-manager.c monitor_swap_contexts_handler()",
                at: "252",
            },
            Cite { place: "src/oom/oomd-util.c oomd_kill_by_swap_usage()", at: "252" },
        ],
        unit: BadnessUnit::Pages,
        kind: PolicyKind::Daemon,
    },
    by_pressure: false,
};

/// When memory pressure lasts.
pub static SYSTEMD_OOMD_PRESSURE: SystemdOomd = SystemdOomd {
    info: PolicyInfo {
        id: "systemd-oomd-pressure",
        title: "systemd-oomd, memory pressure",
        about: "Watches cgroups with ManagedOOMMemoryPressure=kill. When one stalls (full avg10) above its \
             limit for long enough and reclaim works in it, the leaf below with the most pages looked \
             at since the second before dies as a whole; of equals the one with the most memory. \
             oom_score_adj counts for nothing; a mark to avoid puts a cgroup last, one to omit spares it.",
        cites: &[
            Cite {
                place: "systemd src/oom/oomd-manager.c monitor_memory_pressure_contexts_handler()",
                at: "252",
            },
            Cite { place: "src/oom/oomd-util.c oomd_kill_by_pgscan_rate()", at: "252" },
        ],
        unit: BadnessUnit::Pages,
        kind: PolicyKind::Daemon,
    },
    by_pressure: true,
};

/// Only who has more than this share of all swap is worth killing, in percent.
const LEAST_SWAP: u64 = 5;

fn told(scene: &Scene) -> &KillerOptions<Options> {
    &scene.now().killers.systemd_oomd
}

impl SystemdOomd {
    /// Whether a unit asks for this path.
    fn asks(&self, unit: &NominatedUnit) -> bool {
        if self.by_pressure { unit.pressure } else { unit.swap }
    }

    /// The unit that asks, if this cgroup is its.
    fn nominated<'a>(&self, path: &str, scene: &'a Scene) -> Option<&'a NominatedUnit> {
        told(scene).options.nominated.iter().find(|unit| self.asks(unit) && unit.is(path))
    }

    /// The limit of a cgroup that asks to be watched, in percent.
    fn limit(&self, unit: &NominatedUnit, scene: &Scene) -> f64 {
        unit.limit.unwrap_or(told(scene).options.pressure)
    }

    /// The candidate that a process lives in.
    fn candidate<'a>(&self, process: &Process, scene: &'a Scene) -> Option<&'a Cgroup> {
        let cgroups = cgroup_candidates::v2(scene)?;
        let own = home(process)?;
        let mut watched = false;
        for path in downwards(own) {
            watched |= self.nominated(path, scene).is_some();
            if !watched {
                continue;
            }
            let Some(group) = cgroups.find(path) else { continue };
            if path != "/" && group.oom_group.value() == Some(true) {
                return Some(group);
            }
        }
        // Processes of an inner group (the root has some) live in no leaf.
        cgroups.find(own).filter(|_| watched && is_leaf(cgroups, own))
    }

    /// How a candidate is marked, if the mark counts.
    fn marks(&self, group: &Cgroup, scene: &Scene) -> Option<OomdXattrs> {
        let marks = group.xattrs?;
        // A session runs below `user@UID.service`, which belongs to that user.
        let session = format!("user@{}.service", marks.owner);
        let own = || {
            let mut above = downwards(group.path.as_str());
            above.any(|path| path.ends_with(&session) && self.nominated(path, scene).is_some())
        };
        // By swap, the cgroup searched from is the root, which is root's.
        (marks.owner == 0 || (self.by_pressure && own())).then_some(marks)
    }

    /// The points of a candidate: pages of swap, or pages that reclaim looked at since the look
    /// before. Nothing where it is passed by.
    fn points(&self, group: &Cgroup, scene: &Scene) -> Result<Badness, SparedReason> {
        let page = scene.machine().page_size;
        let marks = self.marks(group, scene).unwrap_or_default();
        if marks.omit {
            return Err(SparedReason::Ignored);
        }
        let avoided = i8::from(marks.avoid);
        if self.by_pressure {
            let usage = group.usage.value().ok_or(SparedReason::Unreadable)?;
            let scanned = group.pgscan.value();
            if scanned.unwrap_or(0) == 0 && usage == Bytes::ZERO {
                return Err(SparedReason::Zero);
            }
            // Whoever was not there, or scanned more then than now, counts from nothing.
            let seen = scene.before().filter(|then| !then.cgroups.list.is_empty());
            let past = seen.map(|_| before(scene, group).and_then(|then| then.pgscan.value()));
            let delta = scanned.zip(past).map(|(now, then)| {
                let then = then.filter(|&then| then <= now).unwrap_or(0);
                now - then
            });
            let note = if delta.is_some() { TermNote::Fact } else { TermNote::Unread };
            let delta = i64::try_from(delta.unwrap_or(0)).unwrap_or(i64::MAX);
            let usage = i64::try_from(usage.0).unwrap_or(i64::MAX);
            // Only what lies below a cgroup that stalls too much is looked at.
            let class = 2 * i8::from(self.stalls_above(group, scene)) - avoided;
            let badness = Badness::default().plus("reclaim in its cgroup", Points(delta), note);
            Ok(badness.then_by(usage).of_class(class))
        } else {
            let swap = group.swap_usage.value().ok_or(SparedReason::Unreadable)?;
            if swap <= least_swap(scene) {
                return Err(SparedReason::Zero);
            }
            let points = swap.pages(page).points();
            let badness = Badness::default().plus("swap of its cgroup", points, TermNote::Fact);
            Ok(badness.of_class(-avoided))
        }
    }

    /// Whether a cgroup lies below a watched one that stalls above its limit.
    fn stalls_above(&self, group: &Cgroup, scene: &Scene) -> bool {
        let Some(cgroups) = cgroup_candidates::v2(scene) else { return false };
        downwards(group.path.as_str()).any(|path| {
            let unit = self.nominated(path, scene);
            let share = cgroups.find(path).and_then(|it| avg10(it.pressure.full));
            unit.zip(share).is_some_and(|(unit, share)| share > self.limit(unit, scene))
        })
    }

    /// The cgroups that ask to be watched, as far as they are there.
    fn watched<'a>(
        &self,
        cgroups: &'a Cgroups,
        scene: &'a Scene,
    ) -> Vec<(&'a Cgroup, &'a NominatedUnit)> {
        let nominated =
            |group: &'a Cgroup| Some((group, self.nominated(group.path.as_str(), scene)?));
        cgroups.list.iter().filter_map(nominated).collect()
    }
}

/// The swap that a candidate must exceed.
fn least_swap(scene: &Scene) -> Bytes {
    Bytes(scene.now().swap.total_kib.0.saturating_mul(1024).saturating_mul(LEAST_SWAP) / 100)
}

/// A share of the total used, to be above so much. With nothing there it never is.
fn used(what: &'static str, free: Kib, total: Kib, limit: f64) -> Trigger {
    let left = (1.0 - limit / 100.0) * total.0 as f64;
    Trigger {
        what,
        now: format!("{:.1}%", percent(free, total)),
        wants: format!("< {}%", ((100.0 - limit) * 100.0).round() / 100.0),
        met: Some((free.0 as f64) < left),
    }
}

impl Policy for SystemdOomd {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn needs(&self) -> Needs {
        Needs { status: true, cgroup: true, cgroups: CgroupNeeds::Everything, ..Needs::default() }
    }

    fn traits(&self, _: &Scene) -> PolicyTraits {
        PolicyTraits { kill_scope: KillScope::Cgroup, ..PolicyTraits::default() }
    }

    fn trigger_state(&self, scene: &Scene) -> TriggerState {
        let told = told(scene);
        let now = scene.now();
        let mut stand = ConditionState::of(told);
        let Some(cgroups) = cgroup_candidates::v2(scene) else {
            stand.held("it needs cgroups of version 2, which cannot be seen here");
            return stand.armed();
        };
        let watched = self.watched(cgroups, scene);
        if watched.is_empty() {
            stand.held(if self.by_pressure {
                "no cgroup here has ManagedOOMMemoryPressure=kill, so it watches none"
            } else {
                "no cgroup here has ManagedOOMSwap=kill, so it watches none"
            });
        }
        if self.by_pressure {
            let worst = watched.iter().filter_map(|(group, unit)| {
                Some((avg10(group.pressure.full)?, self.limit(unit, scene), *group))
            });
            let worst = worst.max_by(|a, b| (a.0 - a.1).total_cmp(&(b.0 - b.1)));
            let what = "full avg10 of the most pressed watched cgroup";
            match worst {
                Some((share, limit, group)) => {
                    stand.waits(stall(what, Some(share), limit, false));
                    stand.note(format!("that is {}", group.path));
                    let grew = before(scene, group)
                        .and_then(|then| then.pgscan.value())
                        .zip(group.pgscan.value());
                    match grew {
                        Some((then, now)) => stand.waits(Trigger {
                            what: "pages that reclaim looked at in it",
                            now: format!("+{}", now.saturating_sub(then)),
                            wants: "more than before".to_owned(),
                            met: Some(now > then),
                        }),
                        None => stand.note("what reclaim does needs two looks"),
                    }
                }
                None if watched.is_empty() => {}
                None => stand.held("no memory.pressure can be read, so it can never act"),
            }
            stand.note(format!("it must last {} s", told.options.seconds));
        } else {
            let limit = told.options.swap_used;
            let (memory, swap) = (&now.memory, &now.swap);
            match memory.available_kib {
                Reading::Value(available) => {
                    stand.waits(used("MemAvailable", available, memory.total_kib, limit));
                }
                _ => stand.held("MemAvailable cannot be read"),
            }
            stand.waits(used("SwapFree", swap.free_kib, swap.total_kib, limit));
            if swap.total_kib == Kib::ZERO {
                stand.held("no swap: 0 < 0 is never true, so this rule can never fire");
            }
        }
        match cgroup_candidates::leader(self, scene) {
            Some(leader) => {
                let group = self.candidate(leader, scene);
                stand
                    .note(group.map_or_else(String::new, |it| cgroup_candidates::falls(it, scene)));
            }
            None if watched.is_empty() => {}
            None if self.by_pressure => stand.held("no candidate lives below a watched cgroup"),
            None => stand.held(
                "no candidate holds more than 5 % of all swap: when armed it would kill nobody",
            ),
        }
        stand.armed()
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        if process.is_kernel_thread() {
            return Verdict::Spared(SparedReason::Kernel);
        }
        let Some(home) = home(process) else { return Verdict::Spared(SparedReason::NoCandidate) };
        let worth = cgroup_candidates::once(self.info.id, home, scene, || {
            let group = self.candidate(process, scene).ok_or(SparedReason::NoCandidate)?;
            self.points(group, scene)
        });
        worth.map_or_else(Verdict::Spared, Verdict::Scored)
    }

    fn drift(&self, _: &Process, _: &Scene) -> Drift {
        Drift::default()
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        let candidate = self.candidate(victim, scene);
        candidate.map_or_else(Vec::new, |group| {
            cgroup_candidates::inhabitants(group.path.as_str(), victim, scene)
        })
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction {
            signal: Signal::KILL,
            why: "SIGKILL to every process of the cgroup, without warning",
        }
    }
}
