//! Shared by the userspace killers: the facts that they read, and their conditions in words.

use crate::model::{GrowthBound, KillerOptions, KillerPresence, Process, PsiLine, Reading, Scene};
use crate::policy::badness::{SparedReason, Verdict};
use crate::policy::{Drift, Trigger, TriggerKind, TriggerState, kernel_score};
use crate::units::{Adj, Kib};

/// `/proc/PID/oom_score` with the name of its term. It is computed where it was not read.
pub(crate) fn oom_score(process: &Process, scene: &Scene) -> (i64, &'static str) {
    match process.score {
        Reading::Value(score) => (i64::from(score), "oom_score"),
        _ => (i64::from(kernel_score(process, scene)), "oom_score (computed)"),
    }
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

/// The condition that a share is at most `limit` percent.
pub(crate) fn at_most(what: &'static str, now: f64, limit: f64) -> Trigger {
    let (now_words, wants) = (format!("{now:.1}%"), format!("<= {limit:.4}%"));
    Trigger {
        kind: TriggerKind::Measured,
        what,
        now: now_words,
        wants: tidy(&wants),
        met: Some(now <= limit),
    }
}

/// Whether a condition includes its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threshold {
    /// At the limit it is met.
    AtLeast,
    /// At the limit it is not met.
    Above,
}

/// The condition that a stall time reaches or exceeds `limit` percent. It cannot be seen without PSI.
pub(crate) fn stall(
    what: &'static str,
    now: Option<f64>,
    threshold: Threshold,
    limit: f64,
) -> Trigger {
    let sign = match threshold {
        Threshold::AtLeast => ">=",
        Threshold::Above => ">",
    };
    Trigger {
        kind: TriggerKind::Measured,
        what,
        now: now.map_or_else(|| "not available".to_owned(), |now| format!("{now:.2}%")),
        wants: tidy(&format!("{sign} {limit:.4}%")),
        met: now.map(|now| match threshold {
            Threshold::AtLeast => now >= limit,
            Threshold::Above => now > limit,
        }),
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
