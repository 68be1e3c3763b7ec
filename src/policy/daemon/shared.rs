//! Shared by the userspace killers: the facts that they read, and their conditions in words.

use std::sync::Arc;

use crate::model::{
    Cgroup, GrowthBound, KillerOptions, KillerPresence, Memory, Process, PsiLine, Reading, Scene,
    ScoreScale, Swap,
};
use crate::policy::badness::{SparedReason, Verdict};
use crate::policy::{
    Drift, Trigger, TriggerKind, TriggerLevel, TriggerQuantity, TriggerSide, TriggerState,
    kernel_score,
};
use crate::units::{Adj, Kib};

/// `/proc/PID/oom_score` with the name of its term. It is computed where it was not read.
pub(crate) fn oom_score(process: &Process, scene: &Scene) -> (i64, &'static str) {
    match process.score {
        Reading::Value(score) => (i64::from(score), "oom_score"),
        _ => (i64::from(kernel_score(process, scene)), "oom_score (computed)"),
    }
}

/// How many points of `oom_score` one page more gives a process.
pub(crate) fn score_per_page(scene: &Scene) -> f64 {
    let points = match scene.machine().score_scale {
        ScoreScale::Signed => 2000.0 / 3.0,
        ScoreScale::Floored => 1000.0,
    };
    points / scene.now().total().0.max(1) as f64
}

/// Resident pages as in `stat` and `statm`, which every process may read.
pub(crate) fn rss(process: &Process) -> i64 {
    process.rss_stat.points().0
}

/// How far the memory of a process may change until the kill.
pub(crate) fn growth(process: &Process, scene: &Scene) -> Drift {
    let GrowthBound { rise, fall } = scene.growth_bound(process.id);
    Drift { up: rise, down: fall }
}

/// Spares a process that cannot be killed, has no memory, or has adj -1000.
pub(crate) fn not_killable(process: &Process, scene: &Scene) -> Option<Verdict> {
    let reason = if process.is_kernel_thread() {
        SparedReason::Kernel
    } else if scene.is_global_init(process) {
        SparedReason::Init
    } else if !process.has_mm {
        SparedReason::NoMm
    } else if process.adj.value() == Some(Adj::MIN) {
        SparedReason::Never
    } else {
        return None;
    };
    Some(Verdict::Spared(reason))
}

/// A share of a whole in percent; 0 of an empty whole.
pub(crate) fn percent(part: Kib, whole: Kib) -> f64 {
    if whole.0 == 0 { 0.0 } else { 100.0 * part.0 as f64 / whole.0 as f64 }
}

/// `MemAvailable`, at most (or below) a part of this whole.
pub(crate) fn available(
    memory: &Memory,
    whole: f64,
    acts_at: f64,
    side: TriggerSide,
) -> TriggerLevel {
    TriggerLevel {
        quantity: TriggerQuantity::AvailableMemory,
        cgroup: None,
        present: memory.available_kib.value().map(|it| it.0 as f64),
        acts_at,
        side,
        whole: Some(whole),
    }
}

/// `SwapFree`, at most (or below) this much.
pub(crate) fn free_swap(swap: &Swap, acts_at: f64, side: TriggerSide) -> TriggerLevel {
    TriggerLevel {
        quantity: TriggerQuantity::FreeSwap,
        cgroup: None,
        present: Some(swap.free_kib.0 as f64),
        acts_at,
        side,
        whole: Some(swap.total_kib.0 as f64),
    }
}

/// A stall time in percent, at least (or above) this. It cannot be seen without PSI.
pub(crate) fn pressure(
    present: Option<f64>,
    acts_at: f64,
    side: TriggerSide,
    cgroup: Option<&Cgroup>,
) -> TriggerLevel {
    TriggerLevel {
        quantity: TriggerQuantity::Pressure,
        cgroup: cgroup.map(|it| Arc::clone(&it.path)),
        present,
        acts_at,
        side,
        whole: None,
    }
}

/// A level in words: in percent where the killer compares shares, else in MiB.
pub(crate) fn worded(what: &'static str, level: &TriggerLevel) -> Trigger {
    let sign = match level.side {
        TriggerSide::AtMost => "<=",
        TriggerSide::Below => "<",
        TriggerSide::AtLeast => ">=",
        TriggerSide::Above => ">",
    };
    let digits = if level.quantity == TriggerQuantity::Pressure { 2 } else { 1 };
    let mib = |kib: f64| format!("{} MiB", (kib / 1024.0) as u64);
    let now = level.present.map_or_else(
        || "not available".to_owned(),
        |now| level.percent(now).map_or_else(|| mib(now), |now| format!("{now:.digits$}%")),
    );
    let limit = level.percent(level.acts_at);
    let limit = limit.map_or_else(|| mib(level.acts_at), |limit| tidy(&format!("{limit:.4}%")));
    Trigger {
        kind: TriggerKind::Measured,
        what,
        now,
        wants: format!("{sign} {limit}"),
        met: level.met(),
    }
}

/// The average of a stall time over ten seconds, in percent.
pub(crate) fn avg10(reading: Reading<PsiLine>) -> Option<f64> {
    reading.value().map(|stall| f64::from(stall.avg10))
}

/// Removes trailing zeros: `10.0000%` becomes `10%`.
fn tidy(words: &str) -> String {
    match words.strip_suffix('%') {
        Some(number) if number.contains('.') => {
            format!("{}%", number.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => words.to_owned(),
    }
}

/// Collects the state of a killer: presence, options, conditions, obstacles and notes.
pub(crate) struct ConditionState {
    presence: KillerPresence,
    words: Vec<String>,
    triggers: Vec<Trigger>,
    /// Why it cannot act at all.
    obstacles: Vec<String>,
    notes: Vec<String>,
}

impl ConditionState {
    /// The state of a killer with these options.
    pub(crate) fn of<T>(options: &KillerOptions<T>) -> Self {
        let source = if options.assumed() {
            "assumed defaults".to_owned()
        } else {
            let from: Vec<&str> = options.from.iter().map(crate::model::Text::as_str).collect();
            format!("options from {}", from.join(", "))
        };
        let mut words = Vec::new();
        if !matches!(options.found, KillerPresence::Running(_)) {
            words.push(options.found.word().to_owned());
        }
        words.push(source);
        let notes = options.remarks.iter().map(ToString::to_string).collect();
        Self { presence: options.found, words, triggers: Vec::new(), obstacles: Vec::new(), notes }
    }

    /// The state of a killer that is not looked for on this machine.
    pub(crate) fn assumed() -> Self {
        Self {
            presence: KillerPresence::Absent,
            words: vec!["assumed defaults".to_owned()],
            triggers: Vec::new(),
            obstacles: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a condition.
    pub(crate) fn condition(&mut self, trigger: Trigger) {
        self.triggers.push(trigger);
    }

    /// Adds a reason why it cannot act at all.
    pub(crate) fn obstacle(&mut self, why: impl Into<String>) {
        self.obstacles.push(why.into());
    }

    /// Adds a note.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Adds a note if a condition holds.
    pub(crate) fn note_if(&mut self, holds: bool, note: &str) {
        if holds {
            self.note(note);
        }
    }

    /// The trigger state in words.
    pub(crate) fn finish(self) -> TriggerState {
        let Self { presence, mut words, triggers, obstacles, notes } = self;
        let list = |met: Option<bool>| {
            let such = triggers.iter().filter(|trigger| trigger.met == met);
            such.map(|it| format!("{} {} (now {})", it.what, it.wants, it.now))
                .collect::<Vec<_>>()
                .join(" and ")
        };
        let (waits, unseen) = (list(Some(false)), list(None));
        let met = waits.is_empty() && unseen.is_empty();
        if met && !triggers.is_empty() {
            words.push("its conditions are met".to_owned());
        }
        if !waits.is_empty() {
            words.push(format!("waits for {waits}"));
        }
        if !unseen.is_empty() {
            words.push(format!("not visible: {unseen}"));
        }
        let running = matches!(presence, KillerPresence::Running(_));
        let ready = running && met && obstacles.is_empty();
        words.extend(obstacles);
        words.extend(notes);
        TriggerState { ready, why: words.join("; "), triggers }
    }
}
