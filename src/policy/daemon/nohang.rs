//! nohang (`pid_to_badness`, `fast_find_victim`, `check_mem_swap_ex`, `check_psi_ex`): `oom_score` plus or
//! minus points for each rule that matches a process.
//!
//! Positive points count only if `oom_score_adj` is not negative; negative points always count. The sum is
//! at least 0. A process below `min_badness` is not killed.

use crate::model::{
    ExeCwdEnviron, Hierarchy, KillerOptions, KillerPresence, Needs, NohangOptions as Options,
    NohangRuleField, Pressure, Process, Reading, Scene, Scores, Signal, Text, ThresholdAmount,
    unescape,
};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::daemon::pattern::{compile_error, compiled, matches};
use crate::policy::daemon::shared::{
    ConditionState, available, free_swap, oom_score, pressure, score_per_page, worded,
};
use crate::policy::{
    AdjEffect, Cite, Drift, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits, Trigger,
    TriggerLevel, TriggerQuantity, TriggerRule, TriggerSide, TriggerState,
};
use crate::units::{Adj, Kib, Millis, Points};

/// The killer, with one of its two configuration files.
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
        about: "oom_score plus the points of every rule in its file that matches the process; \
                the default file has no rules. Positive points count only if oom_score_adj is \
                not negative. At least 0; among equals the lower pid.",
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
        about: "oom_score plus the points of every rule that matches the process: browser \
                tabs +200, package managers -200, display servers and desktops -200 (these by \
                the path of the program, which is read only where nohang is installed). \
                Positive points count only if oom_score_adj is not negative. At least 0; \
                among equals the lower pid.",
        cites: &[
            Cite { place: "nohang pid_to_badness(), fast_find_victim()", at: "1d49838, 0.2.0" },
            Cite { place: "conf/nohang/nohang-desktop.conf", at: "1d49838" },
        ],
        unit: BadnessUnit::Bare,
        kind: PolicyKind::Daemon,
    },
    desktop: true,
};

/// Whether a rule matches a process.
enum RuleMatch {
    Yes,
    No,
    /// A fact that the rule needs was not read.
    Unknown,
}

/// The value of a pressure metric such as `full_avg10`, in percent.
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
    fn configured<'a>(&self, scene: &'a Scene) -> &'a KillerOptions<Options> {
        let killers = &scene.now().killers;
        if self.desktop { &killers.nohang_desktop } else { &killers.nohang }
    }

    /// Whether a rule matches a process.
    fn rule_matches(
        &self,
        nth: usize,
        on: NohangRuleField,
        process: &Process,
        scene: &Scene,
    ) -> RuleMatch {
        let patterns = compiled(&scene.now().killers);
        let patterns = if self.desktop { &patterns.nohang_desktop } else { &patterns.nohang };
        let pattern = patterns.get(nth);
        let found = |bytes: &[u8]| {
            if matches(pattern, bytes) { RuleMatch::Yes } else { RuleMatch::No }
        };
        let hierarchy = scene.now().cgroups.hierarchy.value();
        let line = |of: Hierarchy| match &process.cgroup {
            Reading::Value(path) if hierarchy.unwrap_or(Hierarchy::V2) == of => {
                found(&unescape(path.as_str()))
            }
            _ => RuleMatch::Unknown,
        };
        let found_text =
            |process: &Process, which: fn(&ExeCwdEnviron) -> &Reading<Text>| match process
                .exe_cwd_environ
                .as_deref()
                .map(which)
            {
                Some(Reading::Value(text)) => found(&unescape(text.as_str())),
                _ => RuleMatch::Unknown,
            };
        match on {
            NohangRuleField::Name => found(process.comm.bytes()),
            NohangRuleField::Uid => match process.ids {
                Reading::Value(ids) => found(ids.euid.to_string().as_bytes()),
                _ => RuleMatch::Unknown,
            },
            NohangRuleField::CgroupV2 => line(Hierarchy::V2),
            NohangRuleField::Cmdline => match &process.cmdline {
                Reading::Value(line) => found(&unescape(line.as_str())),
                _ => RuleMatch::Unknown,
            },
            // It reads the line of systemd's own version 1 hierarchy, which doomtop does not.
            NohangRuleField::CgroupV1 => RuleMatch::Unknown,
            NohangRuleField::Exe => found_text(process, |it| &it.exe),
            NohangRuleField::Cwd => found_text(process, |it| &it.cwd),
            NohangRuleField::Environ => found_text(process, |it| &it.environ),
        }
    }

    /// Adds a note for each kind of rule that cannot be evaluated for some processes.
    fn note_unknown_rules(&self, scene: &Scene, state: &mut ConditionState) {
        let rules = &self.configured(scene).options.rules;
        let mut reported: Vec<NohangRuleField> = Vec::new();
        for (nth, rule) in rules.iter().enumerate() {
            if rule.adj == 0 || reported.contains(&rule.on) {
                continue;
            }
            reported.push(rule.on);
            let counts = |process: &&Process| process.has_mm && !process.is_kernel_thread();
            let is_unknown = |process: &&Process| {
                matches!(self.rule_matches(nth, rule.on, process, scene), RuleMatch::Unknown)
            };
            let processes = || scene.now().processes.iter().filter(counts);
            let (all, unknown) = (processes().count(), processes().filter(is_unknown).count());
            let count = rules.iter().filter(|it| it.adj != 0 && it.on == rule.on).count();
            let needs = rule.on.words();
            let (rules, it) =
                if count == 1 { ("rule is", "it needs") } else { ("rules are", "they need") };
            match unknown {
                0 => {}
                _ if unknown < all => state.note(format!(
                    "{count} {rules} not evaluated for {unknown} of {all} processes: {it} {needs}"
                )),
                _ => state.note(format!("{count} {rules} not evaluated: {it} {needs}")),
            }
        }
    }
}

/// For how long pressure does not count after an action (`psi_post_action_delay`, as both of its files set it).
const PSI_PAUSE: Millis = Millis(15_000);

/// The rules by memory and swap, by memory and zram, and by memory and pressure: SIGTERM, then SIGKILL.
fn rules(options: &Options, scene: &Scene) -> Vec<TriggerRule> {
    let now = scene.now();
    let pressed = metric(&now.pressure, options.psi_metric.as_str());
    let by_pressure = options.psi && now.swap.total_kib > Kib::ZERO;
    let mut rules = Vec::new();
    for (signal, limits) in [(Signal::TERM, options.soft), (Signal::KILL, options.hard)] {
        let mem = amount(TriggerQuantity::AvailableMemory, scene, limits.mem);
        let swap = amount(TriggerQuantity::FreeSwap, scene, limits.swap);
        let none = Millis::ZERO;
        rules.push(TriggerRule {
            signal,
            levels: vec![mem.clone(), swap],
            lasting: none,
            pause: none,
        });
        if options.zram {
            let levels = vec![mem.clone(), zram(scene, limits.zram)];
            rules.push(TriggerRule { signal, levels, lasting: none, pause: none });
        }
        if by_pressure {
            let level = pressure(pressed, limits.psi, TriggerSide::AtLeast, None);
            let lasting = Millis((options.psi_seconds * 1000.0) as u64);
            rules.push(TriggerRule { signal, levels: vec![mem, level], lasting, pause: PSI_PAUSE });
        }
    }
    rules
}

/// Whether the hard limits are reached before the soft ones, or hold while the soft ones do not. nohang checks them
/// first, and sends SIGKILL (`src/nohang` at 1d49838).
fn hard_acts_first(rules: &[TriggerRule]) -> bool {
    let of = |signal| rules.iter().find(|rule| rule.signal == signal).map(|rule| &rule.levels[..]);
    let (Some([soft_mem, soft_swap]), Some([mem, swap])) = (of(Signal::TERM), of(Signal::KILL))
    else {
        return false;
    };
    let met = |levels: [&TriggerLevel; 2]| levels.iter().all(|it| it.met() == Some(true));
    let above = mem.acts_at >= soft_mem.acts_at && swap.acts_at >= soft_swap.acts_at;
    let differs = mem.acts_at > soft_mem.acts_at || swap.acts_at > soft_swap.acts_at;
    above && differs || met([mem, swap]) && !met([soft_mem, soft_swap])
}

/// Adds the conditions on memory, swap and pressure. Pressure may replace the condition on swap.
fn memory_conditions(options: &Options, scene: &Scene, state: &mut ConditionState) {
    let rules = rules(options, scene);
    let no_swap = scene.now().swap.total_kib == Kib::ZERO;
    let is_hard = hard_acts_first(&rules);
    let (signal, limits) =
        if is_hard { (Signal::KILL, options.hard) } else { (Signal::TERM, options.soft) };
    state.note_if(
        is_hard,
        "its hard limits are reached before the soft ones: it sends SIGKILL at once",
    );
    let mut of_signal = rules.iter().filter(|rule| rule.signal == signal);
    let Some([mem, swap]) = of_signal.next().map(|rule| &rule.levels[..]) else { return };
    if mem.present.is_some() {
        state.condition(worded("MemAvailable", mem));
    } else {
        state.obstacle("MemAvailable cannot be read");
    }
    let other = |quantity: TriggerQuantity| {
        let of_signal = rules.iter().filter(|rule| rule.signal == signal);
        of_signal.filter_map(|rule| rule.levels.last()).find(|level| level.quantity == quantity)
    };
    let by_pressure = other(TriggerQuantity::Pressure);
    let pressed = by_pressure.filter(|level| level.met() == Some(true));
    let by_zram = other(TriggerQuantity::Zram);
    let stored = by_zram.filter(|level| level.met() == Some(true));
    match (pressed, stored) {
        (None, None) => state.condition(worded("SwapFree", swap)),
        (None, Some(stored)) => state.condition(worded("zram, instead of swap", stored)),
        _ => {}
    }
    if let Some(level) = by_zram.filter(|_| stored.is_none()) {
        let Trigger { wants, now, .. } = worded("zram", level);
        state.note(format!("or, instead of swap, zram takes {wants} of RAM (now {now})"));
    }
    let (metric, at) = (&options.psi_metric, options.psi_seconds);
    if let Some(pressed) = pressed {
        state.condition(worded("memory pressure, instead of swap", pressed));
        state.note(format!("{metric} must stay there for {at} s"));
    } else if let Some(level) = by_pressure {
        if let Some(share) = level.present {
            let limit = limits.psi;
            state.note(format!(
                "or, instead of swap, {metric} >= {limit}% for {at} s (now {share:.2}%)"
            ));
        } else {
            state.note(format!("{metric} is not available: pressure cannot trigger it"));
        }
    }
    state.note_if(
        options.psi && no_swap,
        "no swap: it ignores pressure, and its swap condition counts as met",
    );
    state.note_if(!options.psi && no_swap, "no swap: its swap condition counts as met");
}

/// The reason of the term for a rule.
const fn because(on: NohangRuleField) -> &'static str {
    match on {
        NohangRuleField::Name => "a rule matches the name",
        NohangRuleField::Uid => "a rule matches the user",
        NohangRuleField::Cmdline => "a rule matches the command line",
        NohangRuleField::CgroupV1 | NohangRuleField::CgroupV2 => "a rule matches the cgroup",
        NohangRuleField::Exe => "a rule matches the program path",
        NohangRuleField::Cwd => "a rule matches the working directory",
        NohangRuleField::Environ => "a rule matches the environment",
    }
}

/// The condition that available memory or free swap is at most `limit`.
fn amount(quantity: TriggerQuantity, scene: &Scene, limit: ThresholdAmount) -> TriggerLevel {
    let (memory, swap) = (&scene.now().memory, &scene.now().swap);
    let side = TriggerSide::AtMost;
    let whole =
        if quantity == TriggerQuantity::FreeSwap { swap.total_kib } else { memory.total_kib };
    let whole = whole.0 as f64;
    let acts_at = match limit {
        ThresholdAmount::Percent(percent) => whole * percent / 100.0,
        ThresholdAmount::Kib(kib) => kib.0 as f64,
    };
    match quantity {
        TriggerQuantity::FreeSwap => free_swap(swap, acts_at, side),
        _ => available(memory, whole, acts_at, side),
    }
}

/// The condition that zram devices take at least `limit` of RAM (`mem_used_total` in their `mm_stat`).
fn zram(scene: &Scene, limit: ThresholdAmount) -> TriggerLevel {
    let whole = scene.now().memory.total_kib.0 as f64;
    TriggerLevel {
        quantity: TriggerQuantity::Zram,
        cgroup: None,
        present: scene.now().swap.zram.map(|zram| zram.used_kib.0 as f64),
        acts_at: match limit {
            ThresholdAmount::Percent(percent) => whole * percent / 100.0,
            ThresholdAmount::Kib(kib) => kib.0 as f64,
        },
        side: TriggerSide::AtLeast,
        whole: Some(whole),
    }
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
        let falls = self.configured(scene).options.ignore_positive_adj;
        PolicyTraits {
            adj: if falls { AdjEffect::Irregular } else { AdjEffect::Rising },
            ..PolicyTraits::default()
        }
    }

    fn trigger_state(&self, scene: &Scene) -> TriggerState {
        let configured = self.configured(scene);
        let options = &configured.options;
        let now = scene.now();
        let mut state = ConditionState::of(configured);
        memory_conditions(options, scene, &mut state);
        state.note_if(
            options.soft_actions > 0,
            "for some victims it runs a command instead of sending SIGTERM",
        );
        let patterns = compiled(&now.killers);
        let patterns = if self.desktop { &patterns.nohang_desktop } else { &patterns.nohang };
        for words in patterns.iter().filter_map(|pattern| compile_error(Some(pattern))) {
            state.note(words);
        }
        self.note_unknown_rules(scene, &mut state);
        let judged = || now.processes.iter().map(|process| self.judge(process, scene));
        if !judged().any(|verdict| matches!(verdict, Verdict::Scored(_))) {
            state.obstacle("no process has the minimum badness, so it kills none");
        }
        state.finish()
    }

    fn acts_here(&self, scene: &Scene) -> bool {
        matches!(self.configured(scene).found, KillerPresence::Running(_))
    }

    fn points_per_page(&self, scene: &Scene) -> f64 {
        score_per_page(scene)
    }

    fn trigger_rules(&self, scene: &Scene) -> Vec<TriggerRule> {
        rules(&self.configured(scene).options, scene)
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        let options = &self.configured(scene).options;
        if process.is_kernel_thread() {
            return Verdict::Spared(SparedReason::Kernel);
        }
        if process.id.pid == 1 {
            return Verdict::Spared(SparedReason::Init);
        }
        if self.configured(scene).found == KillerPresence::Running(process.id.pid) {
            return Verdict::Spared(SparedReason::Ignored); // it never kills itself
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
            if counts && matches!(self.rule_matches(nth, rule.on, process, scene), RuleMatch::Yes) {
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
