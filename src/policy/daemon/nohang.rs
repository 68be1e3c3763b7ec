//! nohang (`pid_to_badness`, `fast_find_victim`, `check_mem_swap_ex`, `check_psi_ex`): the kernel's
//! score, and so many points more or less for each rule that finds a process.
//!
//! Points on top are given only where `oom_score_adj` is not negative; points off always. The sum is
//! at least 0, and below `min_badness` nobody dies.

use crate::model::{
    ExeCwdEnviron, Hierarchy, KillerOptions, KillerPresence, Needs, NohangOptions as Options,
    NohangRuleField, Pressure, Process, Reading, Scene, Scores, Signal, Text, ThresholdAmount,
    unescape,
};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::daemon::conditions::{ConditionState, oom_score, percent, stall};
use crate::policy::daemon::pattern::{compiled, finds, trouble};
use crate::policy::{
    AdjEffect, Cite, Drift, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits, Trigger,
    TriggerState,
};
use crate::units::{Adj, Kib, Points};

/// The killer, with one of its two files.
#[derive(Debug)]
pub struct Nohang {
    info: PolicyInfo,
    desktop: bool,
}

/// With `nohang.conf`.
pub static NOHANG: Nohang = Nohang {
    info: PolicyInfo {
        id: "nohang",
        title: "nohang",
        about: "The kernel's own oom_score, and the points of every rule of its file that finds the \
             process; as shipped there are none. Points on top count only where oom_score_adj is not \
             negative. At least 0; of equals the lower pid.",
        cites: &[
            Cite { place: "nohang pid_to_badness(), fast_find_victim()", at: "1d49838, 0.2.0" },
            Cite { place: "conf/nohang/nohang.conf", at: "1d49838" },
        ],
        unit: BadnessUnit::Bare,
        kind: PolicyKind::Daemon,
    },
    desktop: false,
};

/// With `nohang-desktop.conf`.
pub static NOHANG_DESKTOP: Nohang = Nohang {
    info: PolicyInfo {
        id: "nohang-desktop",
        title: "nohang, for desktops",
        about: "The kernel's own oom_score, and the points of every rule that finds the process: browser \
             tabs +200, package managers -200, display servers and desktops -200 (those by their \
             program's path, which is read only where nohang is installed). Points on top count only \
             where oom_score_adj is not negative. At least 0; of equals the lower pid.",
        cites: &[
            Cite { place: "nohang pid_to_badness(), fast_find_victim()", at: "1d49838, 0.2.0" },
            Cite { place: "conf/nohang/nohang-desktop.conf", at: "1d49838" },
        ],
        unit: BadnessUnit::Bare,
        kind: PolicyKind::Daemon,
    },
    desktop: true,
};

/// What came of asking a rule.
enum Answer {
    Finds,
    Not,
    /// It needs what was not read.
    Unknown,
}

/// The pressure that a metric names, `full_avg10` and the like, in percent.
fn metric(pressure: &Pressure, name: &str) -> Option<f64> {
    let (line, span) = name.split_once('_')?;
    let stall = match line {
        "some" => pressure.some.value()?,
        "full" => pressure.full.value()?,
        _ => return None,
    };
    match span {
        "avg10" => Some(f64::from(stall.avg10)),
        "avg60" => Some(f64::from(stall.avg60)),
        "avg300" => Some(f64::from(stall.avg300)),
        _ => None,
    }
}

impl Nohang {
    fn told<'a>(&self, scene: &'a Scene) -> &'a KillerOptions<Options> {
        let killers = &scene.now().killers;
        if self.desktop { &killers.nohang_desktop } else { &killers.nohang }
    }

    /// What a rule says of a process.
    fn ask(&self, nth: usize, on: NohangRuleField, process: &Process, scene: &Scene) -> Answer {
        let patterns = compiled(&scene.now().killers);
        let patterns = if self.desktop { &patterns.nohang_desktop } else { &patterns.nohang };
        let pattern = patterns.get(nth);
        let found = |bytes: &[u8]| {
            if finds(pattern, bytes) { Answer::Finds } else { Answer::Not }
        };
        let hierarchy = scene.now().cgroups.hierarchy.value();
        let line = |of: Hierarchy| match &process.cgroup {
            Reading::Value(path) if hierarchy.unwrap_or(Hierarchy::V2) == of => {
                found(&unescape(path.as_str()))
            }
            _ => Answer::Unknown,
        };
        let told = |process: &Process, which: fn(&ExeCwdEnviron) -> &Reading<Text>| match process
            .exe_cwd_environ
            .as_deref()
            .map(which)
        {
            Some(Reading::Value(text)) => found(&unescape(text.as_str())),
            _ => Answer::Unknown,
        };
        match on {
            NohangRuleField::Name => found(process.comm.bytes()),
            NohangRuleField::Uid => match process.ids {
                Reading::Value(ids) => found(ids.euid.to_string().as_bytes()),
                _ => Answer::Unknown,
            },
            NohangRuleField::CgroupV2 => line(Hierarchy::V2),
            NohangRuleField::Cmdline => match &process.cmdline {
                Reading::Value(line) => found(&unescape(line.as_str())),
                _ => Answer::Unknown,
            },
            // The line of version 1 that it reads is that of systemd's own hierarchy.
            NohangRuleField::CgroupV1 => Answer::Unknown,
            NohangRuleField::Exe => told(process, |it| &it.exe),
            NohangRuleField::Cwd => told(process, |it| &it.cwd),
            NohangRuleField::Environ => told(process, |it| &it.environ),
        }
    }
}

/// What a rule found, for its term.
const fn because(on: NohangRuleField) -> &'static str {
    match on {
        NohangRuleField::Name => "a rule finds the name",
        NohangRuleField::Uid => "a rule finds the user",
        NohangRuleField::Cmdline => "a rule finds the command line",
        NohangRuleField::CgroupV1 | NohangRuleField::CgroupV2 => "a rule finds the cgroup",
        NohangRuleField::Exe => "a rule finds the program",
        NohangRuleField::Cwd => "a rule finds the directory",
        NohangRuleField::Environ => "a rule finds the environment",
    }
}

/// A condition on an amount of memory.
fn amount(what: &'static str, now: Kib, total: Kib, limit: ThresholdAmount) -> Trigger {
    let wants = match limit {
        ThresholdAmount::Percent(percent) => format!("<= {percent}%"),
        ThresholdAmount::Kib(kib) => format!("<= {} MiB", kib.0 / 1024),
    };
    let met = Some(now <= limit.of(total));
    Trigger { what, now: format!("{:.1}%", percent(now, total)), wants, met }
}

impl Policy for Nohang {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn needs(&self) -> Needs {
        Needs {
            status: true,
            cgroup: true,
            exe_cwd_environ: true,
            scores: Scores::All,
            ..Needs::default()
        }
    }

    fn traits(&self, scene: &Scene) -> PolicyTraits {
        // The rule takes off more for a positive adj than the score rose by it.
        let falls = self.told(scene).options.ignore_positive_adj;
        PolicyTraits {
            adj: if falls { AdjEffect::Irregular } else { AdjEffect::Rising },
            ..PolicyTraits::default()
        }
    }

    fn trigger_state(&self, scene: &Scene) -> TriggerState {
        let told = self.told(scene);
        let options = &told.options;
        let now = scene.now();
        let mut stand = ConditionState::of(told);
        let no_swap = now.swap.total_kib == Kib::ZERO;
        match now.memory.available_kib {
            Reading::Value(available) => {
                let total = now.memory.total_kib;
                stand.waits(amount("MemAvailable", available, total, options.soft.mem));
            }
            _ => stand.held("MemAvailable cannot be read"),
        }
        let pressure = metric(&now.pressure, options.psi_metric.as_str());
        let by_pressure = options.psi && !no_swap;
        let pressed = by_pressure && pressure.is_some_and(|share| share >= options.soft.psi);
        if !pressed {
            let (free, total) = (now.swap.free_kib, now.swap.total_kib);
            stand.waits(amount("SwapFree", free, total, options.soft.swap));
        }
        if by_pressure {
            let what = "memory pressure, in place of swap";
            let metric = &options.psi_metric;
            if pressed {
                stand.waits(stall(what, pressure, options.soft.psi, true));
                stand.note(format!("{metric} must stay there for {} s", options.psi_seconds));
            } else if let Some(share) = pressure {
                let (limit, at) = (options.soft.psi, options.psi_seconds);
                stand.note(format!(
                    "or, in place of swap, {metric} >= {limit}% for {at} s (now {share:.2}%)"
                ));
            } else {
                stand.note(format!("{metric} is not available: pressure cannot set it off"));
            }
        }
        stand.note_if(
            options.psi && no_swap,
            "no swap: it ignores pressure then, and its swap half counts as met",
        );
        stand.note_if(!options.psi && no_swap, "no swap: its swap half counts as met");
        stand.note_if(options.zram, "zram is looked at too, which doomtop does not read");
        stand.note_if(
            options.soft_actions > 0,
            "for some victims it runs a command in place of SIGTERM",
        );
        let patterns = compiled(&now.killers);
        let patterns = if self.desktop { &patterns.nohang_desktop } else { &patterns.nohang };
        for words in patterns.iter().filter_map(|pattern| trouble(Some(pattern))) {
            stand.note(words);
        }
        let mut asked: Vec<NohangRuleField> = Vec::new();
        for (nth, rule) in options.rules.iter().enumerate() {
            if rule.adj == 0 || asked.contains(&rule.on) {
                continue;
            }
            asked.push(rule.on);
            let counts = |process: &&Process| process.has_mm && !process.is_kernel_thread();
            let blind = |process: &&Process| {
                matches!(self.ask(nth, rule.on, process, scene), Answer::Unknown)
            };
            let all = now.processes.iter().filter(counts).count();
            let unknown = now.processes.iter().filter(counts).filter(blind).count();
            let count = options.rules.iter().filter(|it| it.adj != 0 && it.on == rule.on).count();
            let needs = rule.on.words();
            let (rules, it) =
                if count == 1 { ("rule is", "it needs") } else { ("rules are", "they need") };
            match unknown {
                0 => {}
                _ if unknown < all => stand.note(format!(
                    "{count} {rules} not evaluated for {unknown} of {all} processes: {it} {needs}"
                )),
                _ => stand.note(format!("{count} {rules} not evaluated: {it} {needs}")),
            }
        }
        let best = now.processes.iter().filter_map(|process| match self.judge(process, scene) {
            Verdict::Scored(badness) => Some(badness.points.0),
            Verdict::Spared(_) => None,
        });
        if best.max().is_none() {
            stand.held("nobody has the least badness that it asks for, so it does nothing");
        }
        stand.armed()
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        let options = &self.told(scene).options;
        if process.is_kernel_thread() {
            return Verdict::Spared(SparedReason::Kernel);
        }
        if process.id.pid == 1 {
            return Verdict::Spared(SparedReason::Init);
        }
        if self.told(scene).found == KillerPresence::Running(process.id.pid) {
            return Verdict::Spared(SparedReason::Ignored); // it never picks itself
        }
        let (score, word) = oom_score(process, scene);
        if score < 1 {
            let never = process.adj.value() == Some(Adj::MIN);
            return Verdict::Spared(if never { SparedReason::Never } else { SparedReason::Zero });
        }
        let mut badness = Badness::default().plus(word, Points(score), TermNote::Fact);
        let adj = process.adj.value().unwrap_or(Adj::ZERO);
        if options.ignore_positive_adj && adj > Adj::ZERO {
            let adj = i64::from(adj.0);
            let off = if options.up_to_0_2 { adj } else { adj * 2 / 3 };
            badness =
                badness.plus("adj", Points(-off), TermNote::Because("a positive adj is ignored"));
        }
        for (nth, rule) in options.rules.iter().enumerate() {
            let counts = rule.adj <= 0 || adj >= Adj::ZERO;
            if counts && matches!(self.ask(nth, rule.on, process, scene), Answer::Finds) {
                let points = Points(rule.adj.into());
                badness = badness.plus("rule", points, TermNote::Because(because(rule.on)));
            }
        }
        if badness.points < Points(0) {
            badness = badness.becoming("floor", Points(0), TermNote::Floor);
        }
        if badness.points.0 < options.min_badness {
            return Verdict::Spared(SparedReason::Zero);
        }
        Verdict::Scored(badness)
    }

    fn drift(&self, _: &Process, _: &Scene) -> Drift {
        Drift::default()
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        crate::policy::likely_sharers(victim, scene)
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction {
            signal: Signal::TERM,
            why: "SIGTERM at the soft limits, and SIGKILL after 10 s if they still hold, or at the hard \
                  limits at once",
        }
    }
}
