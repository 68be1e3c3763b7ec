//! oomd (`facebookincubator/oomd`, `src/oomd/plugins/`): kills a whole cgroup of those that its
//! configuration names, by size or growth, by swap, by pressure, or by what reclaim does in it.
//!
//! Whoever is marked `oomd_prefer` goes before all others, `oomd_avoid` after them. Growth is
//! `memory.current` against a running average that only oomd itself has.

use crate::model::{
    Cgroup, CgroupNeeds, CgroupSet, Cgroups, KillerOptions, Needs, OomdOptions as Options, Process,
    Scene, Signal,
};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::daemon::cgroup_candidates;
use crate::policy::daemon::cgroup_candidates::{before, downwards, home};
use crate::policy::daemon::conditions::{ConditionState, avg10, percent, stall};
use crate::policy::{
    Cite, Drift, KillScope, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits, Trigger,
    TriggerState,
};
use crate::units::{Bytes, Kib, Points};

/// Which plugin chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plugin {
    Size,
    Swap,
    Pressure,
    Scan,
    Io,
}

/// The killer, by one of its plugins.
#[derive(Debug)]
pub struct Oomd {
    info: PolicyInfo,
    plugin: Plugin,
}

/// `kill_by_memory_size_or_growth`.
pub static OOMD_SIZE: Oomd = Oomd {
    info: PolicyInfo {
        id: "oomd-size",
        title: "oomd, by size or growth",
        about: "The whole cgroup with half of all candidates' memory or more; else, of the largest \
                 fifth, the one that grew most (by a quarter at least); else the largest. Candidates are \
                 named by its configuration. Growth is measured against the look before, not against \
                 its own average; memory.min and memory.low are not read. Marks to prefer or to avoid go first. \
                 oom_score_adj counts for nothing.",
        cites: &[Cite { place: "oomd src/oomd/plugins/KillMemoryGrowth-inl.h", at: "88c28fd" }],
        // Pages, or percent of growth.
        unit: BadnessUnit::Bare,
        kind: PolicyKind::Daemon,
    },
    plugin: Plugin::Size,
};

/// `kill_by_swap_usage`.
pub static OOMD_SWAP: Oomd = Oomd {
    info: PolicyInfo {
        id: "oomd-swap",
        title: "oomd, by swap",
        about: "The whole cgroup with the most swap, of those that its configuration names; marks to \
                 prefer or to avoid go first. oom_score_adj counts for nothing.",
        cites: &[Cite { place: "oomd src/oomd/plugins/KillSwapUsage-inl.h", at: "88c28fd" }],
        unit: BadnessUnit::Pages,
        kind: PolicyKind::Daemon,
    },
    plugin: Plugin::Swap,
};

/// `kill_by_pressure`.
pub static OOMD_PRESSURE: Oomd = Oomd {
    info: PolicyInfo {
        id: "oomd-pressure",
        title: "oomd, by pressure",
        about: "The whole cgroup that stalls most: half of full avg10 and half of full avg60, a whole \
                 number of percent, of those that its configuration names; marks to prefer or to avoid \
                 go first. oom_score_adj counts for nothing.",
        cites: &[Cite { place: "oomd src/oomd/plugins/KillPressure-inl.h", at: "88c28fd" }],
        unit: BadnessUnit::Bare,
        kind: PolicyKind::Daemon,
    },
    plugin: Plugin::Pressure,
};

/// `kill_by_pg_scan`.
pub static OOMD_PGSCAN: Oomd = Oomd {
    info: PolicyInfo {
        id: "oomd-pgscan",
        title: "oomd, by reclaim",
        about: "The whole cgroup in which reclaim looked at most pages since its last tick (here: since \
                 the look before), at least at one, of those that its configuration names; marks to prefer \
                 or to avoid go first. oom_score_adj counts for nothing.",
        cites: &[Cite { place: "oomd src/oomd/plugins/KillPgScan-inl.h", at: "88c28fd" }],
        // Pages that reclaim scanned, which no process holds.
        unit: BadnessUnit::Bare,
        kind: PolicyKind::Daemon,
    },
    plugin: Plugin::Scan,
};

/// `kill_by_io_cost`.
pub static OOMD_IO: Oomd = Oomd {
    info: PolicyInfo {
        id: "oomd-io",
        title: "oomd, by reads and writes",
        about: "The whole cgroup whose reads and writes since its last tick (here: since the look before) \
                 cost most, of those that its configuration names: operations and bytes on the devices of \
                 --device, each with its weight. Marks to prefer or to avoid go first. oom_score_adj \
                 counts for nothing. Where nothing was read or written it takes whoever comes first, \
                 which cannot be told.",
        cites: &[Cite {
            place: "oomd src/oomd/plugins/KillIOCost-inl.h, src/oomd/Main.cpp",
            at: "88c28fd",
        }],
        unit: BadnessUnit::Bare,
        kind: PolicyKind::Daemon,
    },
    plugin: Plugin::Io,
};

/// Whoever has so much of all candidates' memory is judged by size alone, in percent.
const HALF: u128 = 50;
/// Growth counts from here, in hundredths.
const GROWTH: u128 = 125;
/// Growth counts among the largest of so many percent.
const LARGEST: usize = 20;

/// So many classes lie between two preferences.
const PHASES: i8 = 3;

fn told(scene: &Scene) -> &KillerOptions<Options> {
    &scene.now().killers.oomd
}

impl Oomd {
    fn set<'a>(&self, scene: &'a Scene) -> &'a CgroupSet {
        let options = &told(scene).options;
        match self.plugin {
            Plugin::Size => &options.by_size,
            Plugin::Swap => &options.by_swap,
            Plugin::Pressure => &options.by_pressure,
            Plugin::Scan => &options.by_pgscan,
            Plugin::Io => &options.by_io,
        }
    }

    /// The candidate that a process lives in.
    fn candidate<'a>(&self, process: &Process, scene: &'a Scene) -> Option<&'a Cgroup> {
        let cgroups = cgroup_candidates::v2(scene)?;
        let set = self.set(scene);
        let path = downwards(home(process)?).find(|path| set.has(path))?;
        cgroups.find(path)
    }

    fn candidates<'a>(
        &self,
        cgroups: &'a Cgroups,
        scene: &'a Scene,
    ) -> impl Iterator<Item = &'a Cgroup> {
        let set = self.set(scene);
        cgroups.list.iter().filter(move |group| set.has(group.path.as_str()))
    }

    /// By size, unless it grows: three phases, which here are classes. Protection (`memory.min`,
    /// `memory.low`) is not read, so what counts is all that it has.
    fn by_size(&self, group: &Cgroup, scene: &Scene) -> Result<Badness, SparedReason> {
        let size = group.usage.value().ok_or(SparedReason::Unreadable)?;
        let cgroups = cgroup_candidates::v2(scene).ok_or(SparedReason::NoCandidate)?;
        let sizes = cgroup_candidates::sizes(self.info.id, scene, || {
            let all = self.candidates(cgroups, scene);
            all.filter_map(|other| other.usage.value().map(|usage| usage.0)).collect()
        });
        let sum: u128 = sizes.iter().map(|&size| u128::from(size)).sum();
        let points = size.pages(scene.machine().page_size).points();
        let badness = Badness::default().plus("memory of its cgroup", points, TermNote::Fact);
        if u128::from(size.0) * 100 >= sum * HALF {
            return Ok(badness.of_class(2));
        }
        let rank = (sizes.len() * LARGEST).div_ceil(100);
        let large = sizes.get(rank.saturating_sub(1)).is_none_or(|&least| size.0 >= least);
        // Its average over the last ticks is its own; the look before has to stand for it.
        let past = before(scene, group).and_then(|then| then.usage.value());
        let growth = past.map(|then| u128::from(size.0) * 100 / u128::from(then.0.max(1)));
        match growth {
            Some(growth) if growth >= GROWTH && large => {
                let growth = i64::try_from(growth).unwrap_or(i64::MAX);
                let grown =
                    Badness::default().plus("growth, percent", Points(growth), TermNote::Fact);
                Ok(grown.then_by(points.0).of_class(1))
            }
            _ => Ok(badness),
        }
    }

    fn points(&self, group: &Cgroup, scene: &Scene) -> Result<Badness, SparedReason> {
        match self.plugin {
            Plugin::Size => self.by_size(group, scene),
            Plugin::Swap => {
                let swap = group.swap_usage.value().ok_or(SparedReason::Unreadable)?;
                if swap <= Bytes(1) {
                    return Err(SparedReason::Zero);
                }
                let points = swap.pages(scene.machine().page_size).points();
                Ok(Badness::default().plus("swap of its cgroup", points, TermNote::Fact))
            }
            Plugin::Pressure => {
                let full = group.pressure.full.value().ok_or(SparedReason::Unreadable)?;
                let share = f64::from(full.avg10) / 2.0 + f64::from(full.avg60) / 2.0;
                let points = Points(share as i64);
                Ok(Badness::default().plus("stalls of its cgroup, percent", points, TermNote::Fact))
            }
            Plugin::Scan => {
                let now = group.pgscan.value().ok_or(SparedReason::Unreadable)?;
                // Whoever was not there at its last tick has no rate yet.
                let then = before(scene, group).and_then(|then| then.pgscan.value());
                let more = now.saturating_sub(then.unwrap_or(now));
                if more == 0 {
                    return Err(SparedReason::Zero);
                }
                let points = Points(i64::try_from(more).unwrap_or(i64::MAX));
                Ok(Badness::default().plus("reclaim in its cgroup, pages", points, TermNote::Fact))
            }
            Plugin::Io => {
                let options = &told(scene).options;
                let then = before(scene, group).ok_or(SparedReason::Zero)?;
                let more = cost(group, options) - cost(then, options);
                // In thousandths: points are whole numbers.
                let points = Points((more * 1000.0) as i64);
                if points <= Points::ZERO {
                    return Err(SparedReason::Zero);
                }
                Ok(Badness::default().plus(
                    "reads and writes of its cgroup",
                    points,
                    TermNote::Fact,
                ))
            }
        }
    }

    /// The pressure detector: of the listed cgroups the one that is pressed most, for each list.
    fn pressure(&self, cgroups: &Cgroups, scene: &Scene, stand: &mut ConditionState) {
        let options = &told(scene).options;
        let mut worst: Option<(f64, f64, &Cgroup)> = None;
        for (set, limit) in &options.pressure {
            let weight = |group: &&Cgroup| {
                group.pressure.full.value().map_or(-1.0, |full| {
                    3.0 * f64::from(full.avg10)
                        + 2.0 * f64::from(full.avg60)
                        + f64::from(full.avg300)
                })
            };
            let listed = cgroups.list.iter().filter(|group| set.has(group.path.as_str()));
            let pressed = listed.max_by(|a, b| weight(a).total_cmp(&weight(b)));
            let Some((share, group)) =
                pressed.and_then(|group| Some((avg10(group.pressure.full)?, group)))
            else {
                continue;
            };
            if worst.is_none_or(|(old, than, _)| share - limit > old - than) {
                worst = Some((share, *limit, group));
            }
        }
        match worst {
            Some((share, limit, group)) => {
                stand.waits(stall("full avg10 of a watched cgroup", Some(share), limit, false));
                stand.note(format!("that is {}", group.path));
                stand.note(format!("it must last {} s, with reclaim at work", options.seconds));
            }
            None => stand.held("none of the cgroups that it watches is here"),
        }
    }
}

/// What a cgroup did on the devices that count, weighed.
fn cost(group: &Cgroup, options: &Options) -> f64 {
    let take_breakdowns = group.io.iter().filter_map(|used| {
        let (_, weights) = options.devices.iter().find(|(device, _)| *device == used.device)?;
        let counts = [
            used.read_ios,
            used.read_bytes,
            used.write_ios,
            used.write_bytes,
            used.trim_ios,
            used.trim_bytes,
        ];
        Some(
            counts.iter().zip(weights.0).map(|(&count, weight)| count as f64 * weight).sum::<f64>(),
        )
    });
    take_breakdowns.sum()
}

impl Policy for Oomd {
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
        let mut stand = ConditionState::of(told);
        let Some(cgroups) = cgroup_candidates::v2(scene) else {
            stand.held("it needs cgroups of version 2, which cannot be seen here");
            return stand.armed();
        };
        if self.set(scene).0.is_empty() {
            stand.held("its configuration names no cgroup that this plugin may kill");
            return stand.armed();
        }
        if self.plugin == Plugin::Swap {
            let (free, total) = (scene.now().swap.free_kib, scene.now().swap.total_kib);
            let limit = told.options.swap_free;
            let share = percent(free, total);
            stand.waits(Trigger {
                what: "SwapFree",
                now: format!("{share:.1}%"),
                wants: format!("< {limit}%"),
                met: Some(total > Kib::ZERO && share < limit),
            });
            if total == Kib::ZERO {
                stand.held("no swap: this rule can never fire");
            }
        } else {
            self.pressure(cgroups, scene, &mut stand);
        }
        if scene.before().is_none() {
            stand.note_if(self.plugin == Plugin::Size, "growth needs two looks");
            stand.note_if(self.plugin == Plugin::Scan, "what reclaim does needs two looks");
            stand.note_if(self.plugin == Plugin::Io, "what is read and written needs two looks");
        }
        if self.plugin == Plugin::Io && told.options.devices.is_empty() {
            stand.held(
                "it runs without --device: every cost is 0, and whom it would take is chance",
            );
            return stand.armed();
        }
        match cgroup_candidates::leader(self, scene)
            .and_then(|leader| self.candidate(leader, scene))
        {
            Some(group) => stand.note(cgroup_candidates::falls(group, scene)),
            None if self.plugin == Plugin::Scan => {
                stand.held("reclaim looked at nothing in the cgroups that it may kill");
            }
            None if self.plugin == Plugin::Io => {
                stand.held("nothing was read or written by the cgroups that it may kill");
            }
            None => stand.held("nobody lives in a cgroup that it may kill"),
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
            let badness = self.points(group, scene)?;
            let marks = group.xattrs.unwrap_or_default();
            let preference = i8::from(marks.prefer) - i8::from(marks.avoid && !marks.prefer);
            Ok(badness.of_class(badness.class + PHASES * preference))
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
            why: "SIGKILL to every process of the cgroup, again and again",
        }
    }
}
