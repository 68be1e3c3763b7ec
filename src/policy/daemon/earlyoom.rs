//! earlyoom (`kill.c` `is_larger`, `find_largest_process`; `main.c` `lowmem_sig`): one scan over
//! `/proc` in the order of pids, where whoever is strictly larger than the champion takes its place.
//!
//! By `oom_score` that is an order like any other. With `--sort-by-rss` it is none: where one of two
//! sizes is not above zero (a dead main thread, or a small process after `--avoid` took 3 GiB off),
//! the two are compared by their scores instead, so the scan is done as it is written.

use crate::model::{
    EarlyoomOptions as Options, KillerOptions, KillerPresence, Needs, ProcId, Process, Reading,
    Scene, Scores, Signal,
};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::daemon::conditions;
use crate::policy::daemon::conditions::{ConditionState, at_most, oom_score, percent, rss};
use crate::policy::daemon::pattern::{compiled, finds, trouble};
use crate::policy::kernel::relatives::process_group;
use crate::policy::{
    AdjEffect, Cite, Drift, KillScope, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits,
    TieBreak, TriggerState,
};
use crate::units::{Adj, Kib, Pages, Points};

/// What `--prefer` adds to the score, and `--avoid` takes off.
const SCORE: i64 = 300;
/// The same of the size.
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
        about: "The kernel's own oom_score; --prefer adds 300, --avoid takes 300 off; between equals the \
             larger resident size, then the lower pid. A preferred process has at least 300, whatever \
             its oom_score_adj. Acts when available memory and free swap are both at 10 % or less \
             (SIGTERM), 5 % (SIGKILL).",
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
        about: "Resident size; --prefer adds 3 GiB, --avoid takes 3 GiB off. Where one of two sizes is \
             not above zero (a dead main thread, or a process below 3 GiB that --avoid finds), the \
             two are compared by their plain oom_score: so --avoid may protect nobody. The first in \
             the order of pids that nobody beats. Acts when available memory and free swap are both \
             at 10 % or less (SIGTERM), 5 % (SIGKILL).",
        cites: CITES,
        unit: BadnessUnit::Pages,
        kind: PolicyKind::Daemon,
    },
    by_rss: true,
};

/// What a comparison looks at.
#[derive(Clone, Copy)]
struct Key {
    score: i64,
    size: i64,
}

impl Key {
    /// Nobody yet: below every key that a process can have. Up to 1.7 it was zero.
    const NOBODY: Self = Self { score: i64::MIN, size: i64::MIN };

    /// Whether this one takes the champion's place, with `--sort-by-rss`.
    fn beats_by_rss(self, champion: Self) -> bool {
        if self.size > 0 && champion.size > 0 {
            (self.size, self.score) > (champion.size, champion.score)
        } else {
            (self.score, self.size) > (champion.score, champion.size)
        }
    }
}

fn told(scene: &Scene) -> &KillerOptions<Options> {
    &scene.now().killers.earlyoom
}

impl Earlyoom {
    /// Whom it never looks at.
    fn spared(&self, process: &Process, scene: &Scene) -> Option<SparedReason> {
        let options = &told(scene).options;
        if process.is_kernel_thread() {
            return Some(SparedReason::Kernel);
        }
        if told(scene).found == KillerPresence::Running(process.id.pid) {
            return Some(SparedReason::Ignored); // it never picks itself
        }
        match process.id.pid {
            ..=1 => return Some(SparedReason::Init),
            2 if !options.before_1_8 => return Some(SparedReason::Ignored),
            _ => {}
        }
        // Whoever has pid 2 for a parent counts as a kernel thread; up to 1.7, whoever has no memory.
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
        if finds(patterns.ignore.as_ref(), process.comm.bytes()) {
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
        if finds(patterns.prefer.as_ref(), name) {
            badness = badness.plus("--prefer", step, TermNote::Because("it finds the name"));
        }
        if finds(patterns.avoid.as_ref(), name) {
            badness = badness.plus("--avoid", -step, TermNote::Because("it finds the name"));
        }
        badness.then_by(if self.by_rss { score } else { rss(process) })
    }
}

impl Policy for Earlyoom {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn needs(&self) -> Needs {
        Needs { status: true, scores: Scores::All, ..Needs::default() }
    }

    fn traits(&self, scene: &Scene) -> PolicyTraits {
        let group = told(scene).options.group;
        PolicyTraits {
            tie_break: TieBreak::LowestPid,
            kill_scope: if group { KillScope::ProcessGroup } else { KillScope::Process },
            adj: if self.by_rss { AdjEffect::Ignored } else { AdjEffect::Rising },
            scans: self.by_rss,
        }
    }

    fn trigger_state(&self, scene: &Scene) -> TriggerState {
        let told = told(scene);
        let options = &told.options;
        let now = scene.now();
        let (memory, swap) = (&now.memory, &now.swap);
        let mut stand = ConditionState::of(told);
        let [mem_term, mem_kill] = options.mem(memory.total_kib);
        let [swap_term, swap_kill] = options.swap(swap.total_kib);
        // Since 1.8 of what users can have, so that a full tmpfs cannot keep it from acting.
        let (what, whole) = match (options.before_1_8, memory.anon_kib) {
            (false, Reading::Value(anon)) => (
                "MemAvailable of MemAvailable + AnonPages",
                memory.available_kib.value().map(|available| available + anon),
            ),
            _ => ("MemAvailable of MemTotal", Some(memory.total_kib)),
        };
        match memory.available_kib.value().zip(whole) {
            Some((available, whole)) => {
                stand.waits(at_most(what, percent(available, whole), mem_term));
            }
            None => stand.held("MemAvailable cannot be read"),
        }
        stand.waits(at_most("SwapFree", percent(swap.free_kib, swap.total_kib), swap_term));
        stand
            .note(format!("SIGKILL at {mem_kill:.4}% and {swap_kill:.4}%",).replace(".0000%", "%"));
        stand.note_if(
            swap.total_kib == Kib::ZERO,
            "no swap: its swap half counts as met, so available memory alone decides",
        );
        stand.note_if(
            !options.before_1_8 && memory.anon_kib.value().is_none(),
            "AnonPages was not recorded: the percentage is of MemTotal, as up to 1.7",
        );
        stand.note_if(
            self.by_rss && options.before_1_8,
            "the version here does not have --sort-by-rss yet",
        );
        let running = matches!(told.found, KillerPresence::Running(_)) || !told.assumed();
        stand.note_if(
            running && options.sort_by_rss && !self.by_rss,
            "the one here sorts by resident size: see the policy earlyoom-rss",
        );
        stand.note_if(
            running && !options.sort_by_rss && self.by_rss,
            "the one here sorts by oom_score: see the policy earlyoom",
        );
        stand.note_if(
            options.kernel_oom,
            "--kernel-oom: it calls the kernel's killer, which chooses",
        );
        stand.note_if(options.group, "-g: the victim's whole process group gets the signal");
        if options.dry_run {
            stand.held("--dryrun: it kills nobody");
        }
        let patterns = compiled(&now.killers);
        for pattern in [&patterns.prefer, &patterns.avoid, &patterns.ignore] {
            if let Some(words) = trouble(pattern.as_ref()) {
                stand.note(words);
            }
        }
        if now.processes.iter().all(|process| self.spared(process, scene).is_some()) {
            stand.held("it spares everybody, so it can kill nobody");
        }
        stand.armed()
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        if let Some(reason) = self.spared(process, scene) {
            return Verdict::Spared(reason);
        }
        let badness = self.badness(process, scene);
        // Up to 1.7 the first champion was one of score 0.
        if !self.by_rss && told(scene).options.before_1_8 && badness.points < Points(0) {
            return Verdict::Spared(SparedReason::Ignored);
        }
        Verdict::Scored(badness)
    }

    fn drift(&self, process: &Process, scene: &Scene) -> Drift {
        if self.by_rss { conditions::growth(process, scene) } else { Drift::default() }
    }

    fn max_drift_up(&self, scene: &Scene) -> Pages {
        if self.by_rss { scene.greatest_rise() } else { Pages::ZERO }
    }

    fn scan(&self, scene: &Scene, among: &[u32]) -> Option<ProcId> {
        let mut champion = (Key::NOBODY, None);
        for &at in among {
            let process = &scene.now().processes[at as usize];
            if self.spared(process, scene).is_some() {
                continue;
            }
            let badness = self.badness(process, scene);
            let key = Key { score: badness.second, size: badness.points.0 };
            if key.beats_by_rss(champion.0) {
                champion = (key, Some(process.id));
            }
        }
        champion.1
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        let mut company = crate::policy::likely_sharers(victim, scene);
        if told(scene).options.group {
            let fellows = process_group(victim, scene);
            company.retain(|other| fellows.iter().all(|fellow| fellow.id != other.id));
            company.splice(0..0, fellows);
        }
        company
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction {
            signal: Signal::TERM,
            why: "SIGTERM first; SIGKILL once memory and swap fall to the lower limits, never because \
                  time passed",
        }
    }
}
