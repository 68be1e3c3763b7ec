//! systemd-oomd (`src/oom/oomd-manager.c`, `oomd-util.c`): kills a whole cgroup below a watched one, by its
//! swap or by the activity of reclaim in it. `oom_score_adj` does not count.
//!
//! Candidates are leaf cgroups, and cgroups with `memory.oom.group` as a whole. The marks
//! `user.oomd_avoid` and `user.oomd_omit` count only on cgroups that root owns or, for the pressure rule,
//! that the owner of the watched cgroup owns. Sampling reads the owner only of marked cgroups, so the
//! session of a user is recognised by its name.

use std::sync::Arc;

use crate::model::{
    Cgroup, CgroupNeeds, Cgroups, KillerOptions, KillerPresence, Needs, NominatedUnit, OomRule,
    OomRuleAction, OomdXattrs, Process, Scene, Signal, SystemdOomdOptions as Options,
};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::daemon::cgroup_candidates;
use crate::policy::daemon::cgroup_candidates::{before, cgroup_of, is_leaf, path_from_root};
use crate::policy::daemon::shared::{
    ConditionState, available, avg10, free_swap, pressure, worded,
};
use crate::policy::{
    BadnessKey, Cite, Drift, KillScope, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits,
    Trigger, TriggerKind, TriggerLevel, TriggerQuantity, TriggerRule, TriggerSide, TriggerState,
};
use crate::units::{Bytes, Kib, Millis, Points};

/// The killer, by one of its two rules.
#[derive(Debug)]
pub struct SystemdOomd {
    info: PolicyInfo,
    by_pressure: bool,
}

/// By swap use.
pub static SYSTEMD_OOMD_SWAP: SystemdOomd = SystemdOomd {
    info: PolicyInfo {
        id: "systemd-oomd-swap",
        title: "systemd-oomd, swap",
        about: "When available memory and free swap are both below 10 %, kills the whole leaf \
                cgroup with the most swap below any cgroup with ManagedOOMSwap=kill, if it \
                has more than 5 % of all swap. oom_score_adj does not count. Cgroups marked \
                avoid come last; those marked omit are spared. Rule files with kill-by-swap \
                (OOMRules=, 261) choose the same way.",
        cites: &[
            Cite {
                place: "systemd src/oom/oomd-manager.c monitor_swap_contexts_handler()",
                at: "252",
            },
            Cite { place: "src/oom/oomd-util.c oomd_kill_by_swap_usage()", at: "252" },
            Cite {
                place: "src/oom/oomd-manager.c ruleset_check_conditions(), ruleset_execute_action()",
                at: "261",
            },
        ],
        unit: BadnessUnit::Pages,
        kind: PolicyKind::Daemon,
    },
    by_pressure: false,
};

/// By memory pressure.
pub static SYSTEMD_OOMD_PRESSURE: SystemdOomd = SystemdOomd {
    info: PolicyInfo {
        id: "systemd-oomd-pressure",
        title: "systemd-oomd, memory pressure",
        about: "Watches cgroups with ManagedOOMMemoryPressure=kill. If the full avg10 of one \
                exceeds its limit for long enough and reclaim is active in it, kills the \
                whole leaf cgroup below it in which reclaim scanned the most pages in the \
                last second; among equals the one with the most memory. oom_score_adj does \
                not count. Cgroups marked avoid come last; those marked omit are spared. The \
                root cgroup never acts. Rule files (OOMRules=, 261) with kill-by-pgscan \
                choose by all pages that were ever scanned, without waiting for reclaim; \
                with kill-all the watched cgroup dies as a whole.",
        cites: &[
            Cite {
                place: "systemd src/oom/oomd-manager.c monitor_memory_pressure_contexts_handler()",
                at: "252",
            },
            Cite { place: "src/oom/oomd-util.c oomd_kill_by_pgscan_rate()", at: "252" },
            Cite {
                place: "src/oom/oomd-manager.c ruleset_check_conditions(), ruleset_execute_action()",
                at: "261",
            },
        ],
        unit: BadnessUnit::Pages,
        kind: PolicyKind::Daemon,
    },
    by_pressure: true,
};

/// For how long it does not act by pressure after it has (`POST_ACTION_DELAY_USEC`).
const PAUSE: Millis = Millis(15_000);
/// Minimum share of all swap of a victim, in percent.
const MIN_SWAP_SHARE: u64 = 5;

fn configured(scene: &Scene) -> &KillerOptions<Options> {
    &scene.now().killers.systemd_oomd
}

impl SystemdOomd {
    /// Whether a unit enables this rule, by its settings or by a rule file.
    fn enabled_by(&self, unit: &NominatedUnit, options: &Options) -> bool {
        let by_setting = if self.by_pressure { unit.pressure } else { unit.swap };
        by_setting || self.files_of(unit, options).next().is_some()
    }

    /// The rule files that a unit names, and that choose their victims as this rule does.
    fn files_of<'a>(
        &self,
        unit: &'a NominatedUnit,
        options: &'a Options,
    ) -> impl Iterator<Item = &'a OomRule> + use<'a> {
        let by_pressure = self.by_pressure;
        let is_own = move |action| by_pressure != (action == OomRuleAction::KillBySwap);
        options.rules_of(unit).filter(move |rule| is_own(rule.action))
    }

    /// The unit that enables this rule for a cgroup.
    fn unit_of<'a>(&self, path: &str, scene: &'a Scene) -> Option<&'a NominatedUnit> {
        let options = &configured(scene).options;
        options.nominated.iter().find(|unit| unit.is(path) && self.enabled_by(unit, options))
    }

    /// The pressure limit of a watched cgroup, in percent.
    fn limit(&self, unit: &NominatedUnit, scene: &Scene) -> f64 {
        unit.limit.unwrap_or(configured(scene).options.pressure)
    }

    /// The candidate cgroup that contains a process.
    fn candidate<'a>(&self, process: &Process, scene: &'a Scene) -> Option<&'a Cgroup> {
        let cgroups = cgroup_candidates::v2(scene)?;
        let own = cgroup_of(process)?;
        let mut watched = false;
        for path in path_from_root(own) {
            let unit = self.unit_of(path, scene);
            watched |= unit.is_some();
            if !watched {
                continue;
            }
            let Some(group) = cgroups.find(path) else { continue };
            let options = &configured(scene).options;
            let mut files = unit.into_iter().flat_map(|unit| self.files_of(unit, options));
            if files.any(|rule| rule.action == OomRuleAction::KillAll) {
                return Some(group);
            }
            if path != "/" && group.oom_group.value() == Some(true) {
                return Some(group);
            }
        }
        // Processes of an inner cgroup, such as the root, are in no leaf.
        cgroups.find(own).filter(|_| watched && is_leaf(cgroups, own))
    }

    /// The marks of a candidate, if they count.
    fn marks(&self, group: &Cgroup, scene: &Scene) -> Option<OomdXattrs> {
        let marks = group.xattrs?;
        // A session runs below `user@UID.service`, which that user owns.
        let session = format!("user@{}.service", marks.owner);
        let own = || {
            let mut above = path_from_root(group.path.as_str());
            above.any(|path| path.ends_with(&session) && self.unit_of(path, scene).is_some())
        };
        // By swap, the watched cgroup is the root, which root owns.
        (marks.owner == 0 || (self.by_pressure && own())).then_some(marks)
    }

    /// The badness of a candidate: pages of swap, or pages that reclaim scanned since the last sample.
    fn points(
        &self,
        group: &Cgroup,
        scene: &Scene,
        more_swap: Bytes,
    ) -> Result<Badness, SparedReason> {
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
            // A cgroup that is new, or whose counter decreased, counts from zero.
            let seen = scene.before().filter(|then| !then.cgroups.list.is_empty());
            let past = seen.map(|_| before(scene, group).and_then(|then| then.pgscan.value()));
            let past = if self.is_watched_by_setting(group, scene) { past } else { Some(None) };
            let delta = scanned.zip(past).map(|(now, then)| {
                let then = then.filter(|&then| then <= now).unwrap_or(0);
                now - then
            });
            let note = if delta.is_some() { TermNote::Fact } else { TermNote::Unread };
            let delta = i64::try_from(delta.unwrap_or(0)).unwrap_or(i64::MAX);
            let usage = i64::try_from(usage.0).unwrap_or(i64::MAX);
            // Only cgroups below one that exceeds its limit are considered, so they come first.
            let class = 2 * i8::from(self.stalls_above(group, scene)) - avoided;
            let badness = Badness::default().plus("reclaim in its cgroup", Points(delta), note);
            Ok(badness.then_by(usage).of_class(class))
        } else {
            let swap = group.swap_usage.value().ok_or(SparedReason::Unreadable)? + more_swap;
            if swap <= min_swap(scene) {
                return Err(SparedReason::Zero);
            }
            let points = swap.pages(page).points();
            let badness = Badness::default().plus("swap of its cgroup", points, TermNote::Fact);
            Ok(badness.of_class(-avoided))
        }
    }

    /// The verdict on a process. `more_swap`: what its cgroup is to have in swap beside what it has, by the swap rule.
    fn verdict(
        &self,
        key: &'static str,
        process: &Process,
        scene: &Scene,
        more_swap: impl Fn(&Cgroup) -> Bytes,
    ) -> Verdict {
        if process.is_kernel_thread() {
            return Verdict::Spared(SparedReason::Kernel);
        }
        let Some(cgroup) = cgroup_of(process) else {
            return Verdict::Spared(SparedReason::NoCandidate);
        };
        let badness = cgroup_candidates::badness_once(key, cgroup, scene, || {
            let group = self.candidate(process, scene).ok_or(SparedReason::NoCandidate)?;
            self.points(group, scene, more_swap(group))
        });
        badness.map_or_else(Verdict::Spared, Verdict::Scored)
    }

    /// Whether a cgroup is below one with `ManagedOOMMemoryPressure=kill`. A rule file looks at its candidates only
    /// when it acts, so that the pages that were scanned before are not known, and count from zero
    /// (`get_monitored_cgroup_contexts_candidates()`).
    fn is_watched_by_setting(&self, group: &Cgroup, scene: &Scene) -> bool {
        path_from_root(group.path.as_str())
            .any(|path| self.unit_of(path, scene).is_some_and(|unit| unit.pressure))
    }

    /// Whether a cgroup is below a watched one whose pressure exceeds its limit.
    fn stalls_above(&self, group: &Cgroup, scene: &Scene) -> bool {
        let Some(cgroups) = cgroup_candidates::v2(scene) else { return false };
        path_from_root(group.path.as_str()).any(|path| {
            let watched = self.unit_of(path, scene).zip(cgroups.find(path));
            let Some((unit, watched)) = watched else { return false };
            let share = avg10(watched.pressure.full);
            let by_setting = acts_by_setting(watched, unit)
                && share.is_some_and(|it| it > self.limit(unit, scene));
            let options = &configured(scene).options;
            by_setting
                || self.files_of(unit, options).any(|rule| {
                    file_levels(rule, watched, scene).iter().all(|it| it.met() == Some(true))
                })
        })
    }

    /// The watched cgroups that exist.
    fn watched<'a>(
        &self,
        cgroups: &'a Cgroups,
        scene: &'a Scene,
    ) -> Vec<(&'a Cgroup, &'a NominatedUnit)> {
        let nominated =
            |group: &'a Cgroup| Some((group, self.unit_of(group.path.as_str(), scene)?));
        cgroups.list.iter().filter_map(nominated).collect()
    }

    /// The rule of each watched cgroup whose pressure can be read: its pressure, and reclaim in it.
    fn pressure_rules(
        &self,
        watched: &[(&Cgroup, &NominatedUnit)],
        scene: &Scene,
    ) -> Vec<TriggerRule> {
        let options = &configured(scene).options;
        let rule = |(group, unit): &(&Cgroup, &NominatedUnit)| {
            let share = avg10(group.pressure.full).filter(|_| acts_by_setting(group, unit))?;
            let lasting = millis(unit.seconds.unwrap_or(options.seconds));
            let mut levels = vec![pressure(
                Some(share),
                self.limit(unit, scene),
                TriggerSide::Above,
                Some(group),
            )];
            let past = before(scene, group).and_then(|then| then.pgscan.value());
            if let Some((then, now)) = past.zip(group.pgscan.value()) {
                levels.push(TriggerLevel {
                    quantity: TriggerQuantity::Reclaim,
                    cgroup: Some(Arc::clone(&group.path)),
                    present: Some(now.saturating_sub(then) as f64),
                    acts_at: 0.0,
                    side: TriggerSide::Above,
                    whole: None,
                });
            }
            Some(TriggerRule { signal: Signal::KILL, levels, lasting, pause: PAUSE })
        };
        let mut rules: Vec<TriggerRule> = watched.iter().filter_map(rule).collect();
        rules.extend(self.file_rules(watched, scene));
        rules
    }

    /// The rules of files, for each cgroup that has them.
    fn file_rules(&self, watched: &[(&Cgroup, &NominatedUnit)], scene: &Scene) -> Vec<TriggerRule> {
        let options = &configured(scene).options;
        let of = |(group, unit): &(&Cgroup, &NominatedUnit)| {
            let rule = |rule: &OomRule| TriggerRule {
                signal: Signal::KILL,
                levels: file_levels(rule, group, scene),
                lasting: millis(rule.seconds),
                // The time begins anew (`process_rules_cgroup_context()`).
                pause: millis(rule.seconds),
            };
            self.files_of(unit, options).map(rule).collect::<Vec<_>>()
        };
        watched.iter().flat_map(of).collect()
    }

    /// Adds the rules of files in words, the version of systemd, and how long a kill may wait.
    fn add_notes(
        &self,
        watched: &[(&Cgroup, &NominatedUnit)],
        scene: &Scene,
        state: &mut ConditionState,
    ) {
        let options = &configured(scene).options;
        for (group, unit) in watched {
            for rule in self.files_of(unit, options) {
                let mut conditions: Vec<String> = Vec::new();
                conditions.extend(rule.pressure.map(|it| format!("full avg10 > {it}%")));
                conditions.extend(rule.swap.map(|it| format!("swap used > {it}%")));
                state.note(format!(
                    "rule {} of {}: {} for {} s, then {}",
                    rule.name,
                    group.path,
                    conditions.join(" and "),
                    rule.seconds,
                    rule.action.word()
                ));
            }
        }
        if let Some(seconds) = options.prekill_seconds.filter(|it| *it > 0.0) {
            state.note(format!("hooks may delay a kill by up to {seconds} s"));
        }
        if let Some(version) = options.version {
            state.note(format!("systemd {version}"));
        }
    }

    /// Adds the conditions of the pressure rule: the pressure of the watched cgroup that exceeds its limit
    /// most, and reclaim in it.
    fn pressure_conditions(
        &self,
        watched: &[(&Cgroup, &NominatedUnit)],
        scene: &Scene,
        state: &mut ConditionState,
    ) {
        let mut rules = self.pressure_rules(watched, scene);
        rules.retain(|rule| {
            rule.levels.first().is_some_and(|it| it.quantity == TriggerQuantity::Pressure)
        });
        let excess = |rule: &&TriggerRule| {
            let level = rule.levels.first();
            level.and_then(|it| Some(it.present? - it.acts_at)).unwrap_or(f64::NEG_INFINITY)
        };
        let worst = rules.iter().max_by(|a, b| excess(a).total_cmp(&excess(b)));
        match worst.map(|rule| &rule.levels[..]) {
            Some([level, rest @ ..]) => {
                let reclaim = rest.iter().find(|it| it.quantity == TriggerQuantity::Reclaim);
                for swap in rest.iter().filter(|it| it.quantity == TriggerQuantity::FreeSwap) {
                    state.condition(worded("SwapFree", swap));
                }
                let what = "full avg10 of the watched cgroup with the most pressure";
                state.condition(worded(what, level));
                if let Some(group) = &level.cgroup {
                    state.note(format!("this is {group}"));
                }
                match reclaim.and_then(|it| it.present) {
                    Some(pages) => state.condition(Trigger {
                        kind: TriggerKind::Measured,
                        what: "pages scanned by reclaim in it",
                        now: format!("+{pages}"),
                        wants: "more than before".to_owned(),
                        met: Some(pages > 0.0),
                    }),
                    None if rest.iter().any(|it| it.quantity == TriggerQuantity::FreeSwap) => {}
                    None => state.note("reclaim activity needs two samples"),
                }
            }
            _ if watched.is_empty() => {}
            _ if watched.iter().all(|(group, _)| group.path.as_str() == "/") => {
                state.obstacle("it watches only the root cgroup, of which it never sees reclaim, so it cannot act");
            }
            _ => state.obstacle("no memory.pressure can be read, so it cannot act"),
        }
        let lasting =
            worst.map_or(configured(scene).options.seconds, |it| it.lasting.0 as f64 / 1000.0);
        state.note(format!("this must last {lasting} s"));
    }
}

/// Whether a watched cgroup acts by its pressure. Of the root, the pages that reclaim scanned are not read
/// (`oomd_cgroup_context_acquire()` at 252 and 261), so that it never has the reclaim that must be seen.
fn acts_by_setting(group: &Cgroup, unit: &NominatedUnit) -> bool {
    unit.pressure && group.path.as_str() != "/"
}

/// The conditions of a rule file for a watched cgroup, which must all hold (`ruleset_check_conditions()`). Swap is
/// that of the machine; without any, the condition is never met.
fn file_levels(rule: &OomRule, group: &Cgroup, scene: &Scene) -> Vec<TriggerLevel> {
    let mut levels = Vec::new();
    if let Some(limit) = rule.pressure {
        let share = avg10(group.pressure.full);
        levels.push(pressure(share, limit, TriggerSide::Above, Some(group)));
    }
    if let Some(used) = rule.swap {
        let swap = &scene.now().swap;
        let left = (1.0 - used / 100.0) * swap.total_kib.0 as f64;
        levels.push(free_swap(swap, left, TriggerSide::Below));
    }
    levels
}

fn millis(seconds: f64) -> Millis {
    Millis((seconds.max(0.0) * 1000.0) as u64)
}

/// The swap rule: memory and swap must both be used beyond the limit. It is never met without swap.
fn swap_rule(scene: &Scene) -> TriggerRule {
    let left = 1.0 - configured(scene).options.swap_used / 100.0;
    let (memory, swap) = (&scene.now().memory, &scene.now().swap);
    let (total, side) = (memory.total_kib.0 as f64, TriggerSide::Below);
    let levels = vec![
        available(memory, total, left * total, side),
        free_swap(swap, left * swap.total_kib.0 as f64, side),
    ];
    TriggerRule { signal: Signal::KILL, levels, lasting: Millis::ZERO, pause: Millis::ZERO }
}

/// What a cgroup will have in swap beside what it has when the swap rule acts: until then swap fills up to the limit,
/// by anonymous memory of all alike.
fn swap_to_come(group: &Cgroup, scene: &Scene) -> Bytes {
    let (memory, swap) = (&scene.now().memory, &scene.now().swap);
    let stays_free = (1.0 - configured(scene).options.swap_used / 100.0) * swap.total_kib.0 as f64;
    let to_fill = (swap.free_kib.0 as f64 - stays_free).max(0.0) * 1024.0;
    let all = memory.anon_kib.value().map_or(0.0, |it| it.0 as f64 * 1024.0);
    let own = group.anon.value().map_or(0.0, |it| it.0 as f64).min(all);
    // It cannot be more than there is.
    let share = if all > 0.0 { own / all } else { 0.0 };
    Bytes((to_fill * share).min(own) as u64)
}

/// Adds the conditions of the swap rule.
fn swap_conditions(scene: &Scene, state: &mut ConditionState) {
    let words = ["MemAvailable", "SwapFree"];
    for (what, level) in words.into_iter().zip(&swap_rule(scene).levels) {
        if level.present.is_some() {
            state.condition(worded(what, level));
        } else {
            state.obstacle("MemAvailable cannot be read");
        }
    }
    if scene.now().swap.total_kib == Kib::ZERO {
        state.obstacle("no swap: 0 < 0 is never true, so this rule never acts");
    }
}

/// The swap that a candidate must exceed.
fn min_swap(scene: &Scene) -> Bytes {
    Bytes(scene.now().swap.total_kib.0.saturating_mul(1024).saturating_mul(MIN_SWAP_SHARE) / 100)
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
        let mut state = ConditionState::of(configured(scene));
        let Some(cgroups) = cgroup_candidates::v2(scene) else {
            state.obstacle("it needs cgroups of version 2, which are not visible here");
            return state.finish();
        };
        if configured(scene).options.dry_run {
            state.obstacle("--dry-run: it kills nothing");
        }
        let watched = self.watched(cgroups, scene);
        self.add_notes(&watched, scene, &mut state);
        if watched.is_empty() {
            state.obstacle(if self.by_pressure {
                "no cgroup has ManagedOOMMemoryPressure=kill, so it watches none"
            } else {
                "no cgroup has ManagedOOMSwap=kill, so it watches none"
            });
        }
        if self.by_pressure {
            self.pressure_conditions(&watched, scene, &mut state);
        } else if watched.is_empty() || watched.iter().any(|(_, unit)| unit.swap) {
            swap_conditions(scene, &mut state);
        } else if let Some(rule) = self.file_rules(&watched, scene).first() {
            for level in &rule.levels {
                let is_swap = level.quantity == TriggerQuantity::FreeSwap;
                let what = if is_swap { "SwapFree" } else { "full avg10 of the watched cgroup" };
                state.condition(worded(what, level));
            }
        }
        match cgroup_candidates::leader(self, scene) {
            Some(leader) => {
                if let Some(group) = self.candidate(leader, scene) {
                    state.note(cgroup_candidates::first_words(group, scene));
                }
            }
            None if watched.is_empty() => {}
            None if self.by_pressure => {
                state.obstacle("there is no candidate below a watched cgroup");
            }
            None => {
                state.obstacle("no candidate has more than 5 % of all swap, so it would kill none");
            }
        }
        state.finish()
    }

    fn acts_here(&self, scene: &Scene) -> bool {
        let KillerOptions { found, options, .. } = configured(scene);
        matches!(found, KillerPresence::Running(_))
            && !options.dry_run
            && cgroup_candidates::v2(scene).is_some()
            && options.nominated.iter().any(|unit| self.enabled_by(unit, options))
    }

    /// Neither swap nor the activity of reclaim follows the growth of one process.
    fn points_per_page(&self, _: &Scene) -> f64 {
        0.0
    }

    fn trigger_rules(&self, scene: &Scene) -> Vec<TriggerRule> {
        match cgroup_candidates::v2(scene) {
            Some(cgroups) if self.by_pressure => {
                self.pressure_rules(&self.watched(cgroups, scene), scene)
            }
            _ if self.by_pressure => Vec::new(),
            cgroups => {
                let watched = cgroups.map_or_else(Vec::new, |it| self.watched(it, scene));
                let by_setting = watched.is_empty() || watched.iter().any(|(_, unit)| unit.swap);
                let mut rules: Vec<TriggerRule> =
                    by_setting.then(|| swap_rule(scene)).into_iter().collect();
                rules.extend(self.file_rules(&watched, scene));
                rules
            }
        }
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        self.verdict(self.info.id, process, scene, |_| Bytes::ZERO)
    }

    fn key_when_acting(
        &self,
        process: &Process,
        scene: &Scene,
    ) -> Result<BadnessKey, SparedReason> {
        if self.by_pressure {
            return self.key(process, scene);
        }
        let to_come = |group: &Cgroup| swap_to_come(group, scene);
        self.verdict("systemd-oomd-swap when it acts", process, scene, to_come).key()
    }

    /// Reclaim is not steady: who was scanned most in the last second may change in the next. Which memory goes to swap
    /// is not known either.
    fn doubt_when_acting(&self) -> f64 {
        if self.by_pressure { 0.25 } else { 0.1 }
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
            why: "SIGKILL to every process of the cgroup, without warning",
        }
    }
}
