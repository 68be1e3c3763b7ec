//! oomd (`facebookincubator/oomd`, `src/oomd/plugins/`): kills a whole cgroup among those that its
//! configuration names, by size or growth, swap, pressure, reclaim or I/O.
//!
//! Cgroups marked `oomd_prefer` come before all others, those marked `oomd_avoid` after them. Growth is
//! `memory.current` against a running average that only oomd itself has.

use crate::model::{
    Cgroup, CgroupNeeds, CgroupSet, Cgroups, KillerOptions, KillerPresence, Needs,
    OomdOptions as Options, Process, Scene, Signal,
};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::daemon::cgroup_candidates;
use crate::policy::daemon::cgroup_candidates::{before, cgroup_of, path_from_root};
use crate::policy::daemon::shared::{ConditionState, avg10, free_swap, pressure, worded};
use crate::policy::{
    Cite, Drift, KillScope, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits,
    TriggerLevel, TriggerRule, TriggerSide, TriggerState,
};
use crate::units::{Bytes, Kib, Millis, Points};

/// The plugin that chooses.
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
        about: "Kills a whole cgroup among those that its configuration names: one with half \
                of the memory of all candidates or more; else, among the largest fifth, the \
                one that grew most (by a quarter at least); else the largest. Growth is \
                measured since the last sample, not against its own average; memory.min and \
                memory.low are not read. oom_score_adj does not count. Cgroups marked prefer \
                come first, those marked avoid last.",
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
        about: "Kills the whole cgroup with the most swap, among those that its configuration \
                names. oom_score_adj does not count. Cgroups marked prefer come first, those \
                marked avoid last.",
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
        about: "Kills the whole cgroup with the most stalls (half of full avg10 plus half of \
                full avg60, in whole percent), among those that its configuration names. \
                oom_score_adj does not count. Cgroups marked prefer come first, those marked \
                avoid last.",
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
        about: "Kills the whole cgroup in which reclaim scanned the most pages since its last \
                tick (here: since the last sample), but at least one, among those that its \
                configuration names. oom_score_adj does not count. Cgroups marked prefer come \
                first, those marked avoid last.",
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
        title: "oomd, by I/O cost",
        about: "Kills the whole cgroup with the highest I/O cost since its last tick (here: \
                since the last sample), among those that its configuration names. The cost \
                weighs operations and bytes on the devices of --device. If there was no I/O \
                it kills an arbitrary cgroup, which cannot be predicted. oom_score_adj does \
                not count. Cgroups marked prefer come first, those marked avoid last.",
        cites: &[Cite {
            place: "oomd src/oomd/plugins/KillIOCost-inl.h, src/oomd/Main.cpp",
            at: "88c28fd",
        }],
        unit: BadnessUnit::Bare,
        kind: PolicyKind::Daemon,
    },
    plugin: Plugin::Io,
};

/// The share of the memory of all candidates, in percent, from which size alone decides.
const SIZE_THRESHOLD: u128 = 50;
/// Minimum growth that counts, in percent of the size before.
const MIN_GROWTH: u128 = 125;
/// Growth counts among the largest candidates, this share in percent.
const LARGEST: usize = 20;

/// Number of classes per preference: the phases of the size plugin.
const PHASES: i8 = 3;

fn configured(scene: &Scene) -> &KillerOptions<Options> {
    &scene.now().killers.oomd
}

impl Oomd {
    fn set<'a>(&self, scene: &'a Scene) -> &'a CgroupSet {
        let options = &configured(scene).options;
        match self.plugin {
            Plugin::Size => &options.by_size,
            Plugin::Swap => &options.by_swap,
            Plugin::Pressure => &options.by_pressure,
            Plugin::Scan => &options.by_pgscan,
            Plugin::Io => &options.by_io,
        }
    }

    /// The candidate cgroup that contains a process.
    fn candidate<'a>(&self, process: &Process, scene: &'a Scene) -> Option<&'a Cgroup> {
        let cgroups = cgroup_candidates::v2(scene)?;
        let set = self.set(scene);
        let path = path_from_root(cgroup_of(process)?).find(|path| set.has(path))?;
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

    /// By size or growth. The three phases of the plugin are classes here. Protection (`memory.min`,
    /// `memory.low`) is not read, so the full size counts.
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
        if u128::from(size.0) * 100 >= sum * SIZE_THRESHOLD {
            return Ok(badness.of_class(2));
        }
        let rank = (sizes.len() * LARGEST).div_ceil(100);
        let large = sizes.get(rank.saturating_sub(1)).is_none_or(|&least| size.0 >= least);
        // The average over its last ticks is not visible, so the last sample is used.
        let past = before(scene, group).and_then(|then| then.usage.value());
        let growth = past.map(|then| u128::from(size.0) * 100 / u128::from(then.0.max(1)));
        match growth {
            Some(growth) if growth >= MIN_GROWTH && large => {
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
                // A cgroup that is new since the last tick has no rate yet.
                let then = before(scene, group).and_then(|then| then.pgscan.value());
                let more = now.saturating_sub(then.unwrap_or(now));
                if more == 0 {
                    return Err(SparedReason::Zero);
                }
                let points = Points(i64::try_from(more).unwrap_or(i64::MAX));
                Ok(Badness::default().plus("reclaim in its cgroup, pages", points, TermNote::Fact))
            }
            Plugin::Io => {
                let options = &configured(scene).options;
                let then = before(scene, group).ok_or(SparedReason::Zero)?;
                let more = cost(group, options) - cost(then, options);
                // In thousandths, because points are integers.
                let points = Points((more * 1000.0) as i64);
                if points <= Points::ZERO {
                    return Err(SparedReason::Zero);
                }
                Ok(Badness::default().plus("I/O cost of its cgroup", points, TermNote::Fact))
            }
        }
    }

    /// The rule of each set of watched cgroups: the pressure of the one in it that is stalled most.
    fn pressure_rules(cgroups: &Cgroups, scene: &Scene) -> Vec<TriggerRule> {
        let options = &configured(scene).options;
        let lasting = Millis((options.seconds * 1000.0) as u64);
        let weight = |group: &&Cgroup| {
            group.pressure.full.value().map_or(-1.0, |full| {
                3.0 * f64::from(full.avg10) + 2.0 * f64::from(full.avg60) + f64::from(full.avg300)
            })
        };
        let rule = |(set, limit): &(CgroupSet, f64)| {
            let listed = cgroups.list.iter().filter(|group| set.has(group.path.as_str()));
            let group = listed.max_by(|a, b| weight(a).total_cmp(&weight(b)))?;
            let share = avg10(group.pressure.full)?;
            let levels = vec![pressure(Some(share), *limit, TriggerSide::Above, Some(group))];
            Some(TriggerRule { signal: Signal::KILL, levels, lasting, pause: PAUSE })
        };
        options.pressure.iter().filter_map(rule).collect()
    }

    /// Adds the condition of the pressure detector: the watched cgroup with the most pressure.
    fn pressure(cgroups: &Cgroups, scene: &Scene, state: &mut ConditionState) {
        let mut worst: Option<(f64, TriggerLevel)> = None;
        for level in Self::pressure_rules(cgroups, scene).into_iter().flat_map(|it| it.levels) {
            let excess = level.present.unwrap_or(f64::NEG_INFINITY) - level.acts_at;
            if worst.as_ref().is_none_or(|it| excess > it.0) {
                worst = Some((excess, level));
            }
        }
        match worst {
            Some((_, level)) => {
                state.condition(worded("full avg10 of a watched cgroup", &level));
                if let Some(group) = &level.cgroup {
                    state.note(format!("this is {group}"));
                }
                let seconds = configured(scene).options.seconds;
                state.note(format!("this must last {seconds} s while reclaim is active"));
            }
            None => state.obstacle("none of the cgroups that it watches exists"),
        }
    }
}

/// For how long a ruleset does not act after it has killed (`post_action_delay`, if it is not set).
const PAUSE: Millis = Millis(15_000);

/// The rule of the swap detector. It is never met without swap.
fn swap_rule(scene: &Scene) -> TriggerRule {
    let swap = &scene.now().swap;
    let acts_at = swap.total_kib.0 as f64 * configured(scene).options.swap_free / 100.0;
    let levels = vec![free_swap(swap, acts_at, TriggerSide::Below)];
    TriggerRule { signal: Signal::KILL, levels, lasting: Millis::ZERO, pause: PAUSE }
}

/// Adds the condition of the swap detector.
fn swap_condition(scene: &Scene, state: &mut ConditionState) {
    for level in &swap_rule(scene).levels {
        state.condition(worded("SwapFree", level));
    }
    if scene.now().swap.total_kib == Kib::ZERO {
        state.obstacle("no swap: this rule never acts");
    }
}

/// The weighted I/O of a cgroup on the configured devices.
fn cost(group: &Cgroup, options: &Options) -> f64 {
    let costs = group.io.iter().filter_map(|used| {
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
    costs.sum()
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
        let configured = configured(scene);
        let mut state = ConditionState::of(configured);
        let Some(cgroups) = cgroup_candidates::v2(scene) else {
            state.obstacle("it needs cgroups of version 2, which are not visible here");
            return state.finish();
        };
        if self.set(scene).0.is_empty() {
            state.obstacle("its configuration names no cgroup that this plugin may kill");
            return state.finish();
        }
        if self.plugin == Plugin::Swap {
            swap_condition(scene, &mut state);
        } else {
            Self::pressure(cgroups, scene, &mut state);
        }
        if scene.before().is_none() {
            state.note_if(self.plugin == Plugin::Size, "growth needs two samples");
            state.note_if(self.plugin == Plugin::Scan, "reclaim activity needs two samples");
            state.note_if(self.plugin == Plugin::Io, "I/O cost needs two samples");
        }
        if self.plugin == Plugin::Io && configured.options.devices.is_empty() {
            state
                .obstacle("it runs without --device: every cost is 0, and its choice is arbitrary");
            return state.finish();
        }
        let leader = cgroup_candidates::leader(self, scene);
        match leader.and_then(|leader| self.candidate(leader, scene)) {
            Some(group) => state.note(cgroup_candidates::first_words(group, scene)),
            None => state.obstacle(match self.plugin {
                Plugin::Scan => "reclaim scanned no page in the cgroups that it may kill",
                Plugin::Io => "the cgroups that it may kill did no I/O",
                _ => "no process is in a cgroup that it may kill",
            }),
        }
        state.finish()
    }

    fn acts_here(&self, scene: &Scene) -> bool {
        matches!(configured(scene).found, KillerPresence::Running(_))
            && !self.set(scene).0.is_empty()
    }

    /// Swap does not follow the growth of one process.
    fn points_per_page(&self, _: &Scene) -> f64 {
        0.0
    }

    fn trigger_rules(&self, scene: &Scene) -> Vec<TriggerRule> {
        match cgroup_candidates::v2(scene) {
            _ if self.plugin == Plugin::Swap => vec![swap_rule(scene)],
            Some(cgroups) => Self::pressure_rules(cgroups, scene),
            None => Vec::new(),
        }
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        if process.is_kernel_thread() {
            return Verdict::Spared(SparedReason::Kernel);
        }
        let Some(cgroup) = cgroup_of(process) else {
            return Verdict::Spared(SparedReason::NoCandidate);
        };
        let badness = cgroup_candidates::badness_once(self.info.id, cgroup, scene, || {
            let group = self.candidate(process, scene).ok_or(SparedReason::NoCandidate)?;
            let badness = self.points(group, scene)?;
            let marks = group.xattrs.unwrap_or_default();
            let preference = i8::from(marks.prefer) - i8::from(marks.avoid && !marks.prefer);
            Ok(badness.of_class(badness.class + PHASES * preference))
        });
        badness.map_or_else(Verdict::Spared, Verdict::Scored)
    }

    fn drift(&self, _: &Process, _: &Scene) -> Drift {
        Drift::default()
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        let candidate = self.candidate(victim, scene);
        candidate.map_or_else(Vec::new, |group| {
            cgroup_candidates::members(group.path.as_str(), victim, scene)
        })
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction {
            signal: Signal::KILL,
            why: "SIGKILL to every process of the cgroup, repeated until none is left",
        }
    }
}
