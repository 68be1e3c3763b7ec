//! earlyoom (`kill.c` `is_larger`, `find_largest_process`; `main.c` `lowmem_sig`): one scan over `/proc` in
//! the order of pids. A process that is strictly larger than the current maximum replaces it.
//!
//! By `oom_score` this is an ordinary order. With `--sort-by-rss` it is not transitive: if one of two sizes
//! is not above zero (a dead main thread, or a small process from which `--avoid` subtracted 3 GiB), the two
//! are compared by their scores instead. So the scan is reproduced literally.

use crate::model::{
    EarlyoomOptions as Options, KillerOptions, KillerPresence, Memory, Needs, ProcId, Process,
    Reading, Scene, Scores, Signal,
};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::daemon::pattern::{compile_error, compiled, matches};
use crate::policy::daemon::shared;
use crate::policy::daemon::shared::{ConditionState, available, free_swap, oom_score, rss, worded};
use crate::policy::kernel::relatives::process_group;
use crate::policy::{
    AdjEffect, Cite, Drift, KillScope, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits,
    TieBreak, TriggerRule, TriggerSide, TriggerState,
};
use crate::units::{Adj, Kib, Millis, Pages, Points};

/// Added to the score by `--prefer`, subtracted by `--avoid`.
const SCORE: i64 = 300;
/// Added to the resident size by `--prefer`, subtracted by `--avoid`.
const SIZE: Kib = Kib(3_145_728);

/// The killer, by one of its two orders.
#[derive(Debug)]
pub struct Earlyoom {
    info: PolicyInfo,
    by_rss: bool,
}

const CITES: &[Cite] = &[
    Cite { place: "earlyoom kill.c is_larger(), find_largest_process()", at: "1.9, 1.7" },
    Cite { place: "earlyoom main.c lowmem_sig(); meminfo.c parse_meminfo()", at: "1.9, 1.7" },
];

/// By `oom_score`.
pub static EARLYOOM: Earlyoom = Earlyoom {
    info: PolicyInfo {
        id: "earlyoom",
        title: "earlyoom",
        about: "The highest oom_score; --prefer adds 300, --avoid subtracts 300. Between \
                equals the larger resident size, then the lower pid. A preferred process has \
                at least 300, whatever its oom_score_adj. Acts when available memory and free \
                swap are both at 10 % or less (SIGTERM) or 5 % or less (SIGKILL).",
        cites: CITES,
        unit: BadnessUnit::Bare,
        kind: PolicyKind::Daemon,
    },
    by_rss: false,
};

/// By resident size.
pub static EARLYOOM_RSS: Earlyoom = Earlyoom {
    info: PolicyInfo {
        id: "earlyoom-rss",
        title: "earlyoom, by resident size",
        about: "The largest resident size; --prefer adds 3 GiB, --avoid subtracts 3 GiB. If \
                one of two sizes is not above zero (a dead main thread, or a process below 3 \
                GiB that matches --avoid), the two are compared by oom_score instead, so \
                --avoid may have no effect. Processes are compared in the order of their \
                pids. Acts when available memory and free swap are both at 10 % or less \
                (SIGTERM) or 5 % or less (SIGKILL).",
        cites: CITES,
        unit: BadnessUnit::Pages,
        kind: PolicyKind::Daemon,
    },
    by_rss: true,
};

/// What the scan compares.
#[derive(Clone, Copy)]
struct Key {
    score: i64,
    size: i64,
}

impl Key {
    /// The start of the scan: below the key of any process. Up to 1.7 it was zero.
    const START: Self = Self { score: i64::MIN, size: i64::MIN };

    /// Whether this process replaces the current maximum, with `--sort-by-rss`.
    fn beats_by_rss(self, maximum: Self) -> bool {
        if self.size > 0 && maximum.size > 0 {
            (self.size, self.score) > (maximum.size, maximum.score)
        } else {
            (self.score, self.size) > (maximum.score, maximum.size)
        }
    }
}

fn configured(scene: &Scene) -> &KillerOptions<Options> {
    &scene.now().killers.earlyoom
}

impl Earlyoom {
    /// Why it never considers a process.
    fn spared(&self, process: &Process, scene: &Scene) -> Option<SparedReason> {
        let options = &configured(scene).options;
        if process.is_kernel_thread() {
            return Some(SparedReason::Kernel);
        }
        if configured(scene).found == KillerPresence::Running(process.id.pid) {
            return Some(SparedReason::Ignored); // it never kills itself
        }
        match process.id.pid {
            ..=1 => return Some(SparedReason::Init),
            2 if !options.before_1_8 => return Some(SparedReason::Ignored),
            _ => {}
        }
        // It takes children of pid 2 for kernel threads; up to 1.7 it takes processes without memory.
        if process.parent == 2 && !options.before_1_8 {
            return Some(SparedReason::Kernel);
        }
        if options.before_1_8 && rss(process) == 0 {
            return Some(SparedReason::NoMm);
        }
        if options.ignore_root {
            match process.ids {
                Reading::Value(ids) if ids.euid == 0 => return Some(SparedReason::Ignored),
                Reading::Value(_) => {}
                _ => return Some(SparedReason::Unreadable),
            }
        }
        let patterns = compiled(&scene.now().killers);
        if matches(patterns.ignore.as_ref(), process.comm.bytes()) {
            return Some(SparedReason::Ignored);
        }
        match process.adj {
            Reading::Value(Adj::MIN) => Some(SparedReason::Never),
            Reading::Value(_) | Reading::NotAsked => None,
            Reading::Denied | Reading::Missing => Some(SparedReason::Unreadable),
        }
    }

    fn badness(&self, process: &Process, scene: &Scene) -> Badness {
        let patterns = compiled(&scene.now().killers);
        let name = process.comm.bytes();
        let (score, word) = oom_score(process, scene);
        let step = if self.by_rss {
            SIZE.pages(scene.machine().page_size).points()
        } else {
            Points(SCORE)
        };
        let mut badness = if self.by_rss {
            Badness::default().plus("rss", Points(rss(process)), TermNote::Fact)
        } else {
            Badness::default().plus(word, Points(score), TermNote::Fact)
        };
        if matches(patterns.prefer.as_ref(), name) {
            badness = badness.plus("--prefer", step, TermNote::Because("it matches the name"));
        }
        if matches(patterns.avoid.as_ref(), name) {
            badness = badness.plus("--avoid", -step, TermNote::Because("it matches the name"));
        }
        badness.then_by(if self.by_rss { score } else { rss(process) })
    }
}

/// What 100 % of `MemAvailable` are. Since 1.8 the memory that user processes can have, so that it acts even
/// if tmpfs is full.
fn whole(options: &Options, memory: &Memory) -> Option<Kib> {
    match (options.before_1_8, memory.anon_kib) {
        (false, Reading::Value(anon)) => memory.available_kib.value().map(|it| it + anon),
        _ => Some(memory.total_kib),
    }
}

/// The rules of SIGTERM and SIGKILL: memory and swap must both be low.
fn rules(options: &Options, scene: &Scene) -> Vec<TriggerRule> {
    let (memory, swap) = (&scene.now().memory, &scene.now().swap);
    let (mem, swaps) = (options.mem(memory.total_kib), options.swap(swap.total_kib));
    let whole = whole(options, memory).unwrap_or(memory.total_kib).0 as f64;
    let rule = |signal, mem: f64, free: f64| TriggerRule {
        signal,
        levels: vec![
            available(memory, whole, whole * mem / 100.0, TriggerSide::AtMost),
            free_swap(swap, swap.total_kib.0 as f64 * free / 100.0, TriggerSide::AtMost),
        ],
        lasting: Millis::ZERO,
        pause: Millis::ZERO,
    };
    vec![rule(Signal::TERM, mem[0], swaps[0]), rule(Signal::KILL, mem[1], swaps[1])]
}

/// Adds the conditions on memory and swap.
fn memory_conditions(options: &Options, scene: &Scene, state: &mut ConditionState) {
    let (memory, swap) = (&scene.now().memory, &scene.now().swap);
    let [_, mem_kill] = options.mem(memory.total_kib);
    let [_, swap_kill] = options.swap(swap.total_kib);
    let of_users = !options.before_1_8 && memory.anon_kib.value().is_some();
    let what = if of_users {
        "MemAvailable of MemAvailable + AnonPages"
    } else {
        "MemAvailable of MemTotal"
    };
    if let [term, _] = &rules(options, scene)[..]
        && let [available, free_swap] = &term.levels[..]
    {
        if available.present.is_some() {
            state.condition(worded(what, available));
        } else {
            state.obstacle("MemAvailable cannot be read");
        }
        state.condition(worded("SwapFree", free_swap));
    }
    state.note(format!("SIGKILL at {mem_kill:.4}% and {swap_kill:.4}%").replace(".0000%", "%"));
    state.note_if(
        swap.total_kib == Kib::ZERO,
        "no swap: its swap condition counts as met, so only available memory decides",
    );
    state.note_if(
        !options.before_1_8 && memory.anon_kib.value().is_none(),
        "AnonPages is not in the recording: the percentage is of MemTotal, as up to 1.7",
    );
}

impl Policy for Earlyoom {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn needs(&self) -> Needs {
        Needs { status: true, scores: Scores::All, ..Needs::default() }
    }

    fn traits(&self, scene: &Scene) -> PolicyTraits {
        let group = configured(scene).options.group;
        PolicyTraits {
            tie_break: TieBreak::LowestPid,
            kill_scope: if group { KillScope::ProcessGroup } else { KillScope::Process },
            adj: if self.by_rss { AdjEffect::Ignored } else { AdjEffect::Rising },
            scans: self.by_rss,
        }
    }

    fn trigger_state(&self, scene: &Scene) -> TriggerState {
        let configured = configured(scene);
        let options = &configured.options;
        let now = scene.now();
        let mut state = ConditionState::of(configured);
        memory_conditions(options, scene, &mut state);
        state.note_if(
            self.by_rss && options.before_1_8,
            "the installed version does not have --sort-by-rss",
        );
        let running =
            matches!(configured.found, KillerPresence::Running(_)) || !configured.assumed();
        state.note_if(
            running && options.sort_by_rss && !self.by_rss,
            "the one here sorts by resident size: use the policy earlyoom-rss",
        );
        state.note_if(
            running && !options.sort_by_rss && self.by_rss,
            "the one here sorts by oom_score: use the policy earlyoom",
        );
        state.note_if(
            options.kernel_oom,
            "--kernel-oom: it triggers the kernel's OOM killer, which chooses",
        );
        state.note_if(options.group, "-g: the whole process group of the victim gets the signal");
        if options.dry_run {
            state.obstacle("--dryrun: it kills nothing");
        }
        let patterns = compiled(&now.killers);
        for pattern in [&patterns.prefer, &patterns.avoid, &patterns.ignore] {
            if let Some(words) = compile_error(pattern.as_ref()) {
                state.note(words);
            }
        }
        if now.processes.iter().all(|process| self.spared(process, scene).is_some()) {
            state.obstacle("it spares all processes, so it can kill none");
        }
        state.finish()
    }

    fn acts_here(&self, scene: &Scene) -> bool {
        let KillerOptions { found, options, .. } = configured(scene);
        let runs = matches!(found, KillerPresence::Running(_));
        runs && !options.dry_run && options.sort_by_rss == self.by_rss
    }

    fn points_per_page(&self, scene: &Scene) -> f64 {
        if self.by_rss { 1.0 } else { shared::score_per_page(scene) }
    }

    fn lets_kernel_choose(&self, scene: &Scene) -> bool {
        configured(scene).options.kernel_oom
    }

    fn trigger_rules(&self, scene: &Scene) -> Vec<TriggerRule> {
        rules(&configured(scene).options, scene)
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        if let Some(reason) = self.spared(process, scene) {
            return Verdict::Spared(reason);
        }
        let badness = self.badness(process, scene);
        // Up to 1.7 the scan started at score 0.
        if !self.by_rss && configured(scene).options.before_1_8 && badness.points < Points(0) {
            return Verdict::Spared(SparedReason::Ignored);
        }
        Verdict::Scored(badness)
    }

    fn drift(&self, process: &Process, scene: &Scene) -> Drift {
        if self.by_rss { shared::growth(process, scene) } else { Drift::default() }
    }

    fn max_drift_up(&self, scene: &Scene) -> Pages {
        if self.by_rss { scene.greatest_rise() } else { Pages::ZERO }
    }

    fn scan(&self, scene: &Scene, among: &[u32]) -> Option<ProcId> {
        let mut maximum = (Key::START, None);
        for &at in among {
            let process = &scene.now().processes[at as usize];
            if self.spared(process, scene).is_some() {
                continue;
            }
            let badness = self.badness(process, scene);
            let key = Key { score: badness.second, size: badness.points.0 };
            if key.beats_by_rss(maximum.0) {
                maximum = (key, Some(process.id));
            }
        }
        maximum.1
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        let mut others = crate::policy::likely_sharers(victim, scene);
        if configured(scene).options.group {
            let group = process_group(victim, scene);
            others.retain(|other| group.iter().all(|member| member.id != other.id));
            others.splice(0..0, group);
        }
        others
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction {
            signal: Signal::TERM,
            why: "SIGTERM first; SIGKILL when memory and swap fall to the lower limits, not after a time",
        }
    }
}
