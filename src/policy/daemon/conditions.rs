//! What the userspace killers have in common: the score that they read, what they wait for, and
//! how that is said.

use crate::model::{GrowthBound, KillerOptions, KillerPresence, Process, PsiLine, Reading, Scene};
use crate::policy::badness::{SparedReason, Verdict};
use crate::policy::{Drift, Trigger, TriggerState, kernel_score};
use crate::units::{Adj, Kib};

/// What `/proc/PID/oom_score` shows: as it was read, or as we reckon it where it was not.
pub(crate) fn oom_score(process: &Process, scene: &Scene) -> (i64, &'static str) {
    match process.score {
        Reading::Value(score) => (i64::from(score), "oom_score"),
        _ => (i64::from(kernel_score(process, scene)), "oom_score (reckoned)"),
    }
}

/// Resident pages as `stat` and `statm` tell: what every process may read.
pub(crate) fn rss(process: &Process) -> i64 {
    process.rss_stat.points().0
}

/// How far what it holds may move until the kill.
pub(crate) fn growth(process: &Process, scene: &Scene) -> Drift {
    let GrowthBound { rise, fall } = scene.growth_bound(process.id);
    Drift { up: rise, down: fall }
}

/// Why nobody who kills by hand would choose it: nothing to kill, or nothing to gain.
pub(crate) fn untouchable(process: &Process, scene: &Scene) -> Option<Verdict> {
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

/// A share of a whole, in percent; nothing of nothing is 0.
pub(crate) fn percent(part: Kib, whole: Kib) -> f64 {
    if whole.0 == 0 { 0.0 } else { 100.0 * part.0 as f64 / whole.0 as f64 }
}

/// A share, to be at most so much.
pub(crate) fn at_most(what: &'static str, now: f64, limit: f64) -> Trigger {
    let (now_words, wants) = (format!("{now:.1}%"), format!("<= {limit:.4}%"));
    Trigger { what, now: now_words, wants: tidy(&wants), met: Some(now <= limit) }
}

/// A stall time, to be above (or at least) so much; nothing to be seen without stall accounting.
pub(crate) fn stall(what: &'static str, now: Option<f64>, limit: f64, or_equal: bool) -> Trigger {
    let sign = if or_equal { ">=" } else { ">" };
    Trigger {
        what,
        now: now.map_or_else(|| "not available".to_owned(), |now| format!("{now:.2}%")),
        wants: tidy(&format!("{sign} {limit:.4}%")),
        met: now.map(|now| if or_equal { now >= limit } else { now > limit }),
    }
}

/// The last ten seconds of a stall time.
pub(crate) fn avg10(reading: Reading<PsiLine>) -> Option<f64> {
    reading.value().map(|stall| f64::from(stall.avg10))
}

/// `10.0000%` as `10%`.
fn tidy(words: &str) -> String {
    match words.strip_suffix('%') {
        Some(number) if number.contains('.') => {
            format!("{}%", number.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => words.to_owned(),
    }
}

/// How a killer stands: there or not, its options, what it waits for, and what is odd about it.
pub(crate) struct ConditionState {
    found: KillerPresence,
    words: Vec<String>,
    triggers: Vec<Trigger>,
    /// Words that say why it can never act as things are.
    held: Vec<String>,
    notes: Vec<String>,
}

impl ConditionState {
    /// Of a killer and how its options are known.
    pub(crate) fn of<T>(told: &KillerOptions<T>) -> Self {
        let options = if told.assumed() {
            "assumed defaults".to_owned()
        } else {
            let from: Vec<&str> = told.from.iter().map(crate::model::Text::as_str).collect();
            format!("options from {}", from.join(", "))
        };
        let mut words = Vec::new();
        if !matches!(told.found, KillerPresence::Running(_)) {
            words.push(told.found.word().to_owned());
        }
        words.push(options);
        let notes = told.remarks.iter().map(ToString::to_string).collect();
        Self { found: told.found, words, triggers: Vec::new(), held: Vec::new(), notes }
    }

    /// Of a killer whose presence is not looked for.
    pub(crate) fn assumed() -> Self {
        Self {
            found: KillerPresence::Absent,
            words: vec!["assumed defaults".to_owned()],
            triggers: Vec::new(),
            held: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A condition.
    pub(crate) fn waits(&mut self, trigger: Trigger) {
        self.triggers.push(trigger);
    }

    /// It can never act while this is so.
    pub(crate) fn held(&mut self, why: impl Into<String>) {
        self.held.push(why.into());
    }

    /// Something that one should know.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Something that one should know, if it is so.
    pub(crate) fn note_if(&mut self, so: bool, note: &str) {
        if so {
            self.note(note);
        }
    }

    /// In words.
    pub(crate) fn armed(self) -> TriggerState {
        let Self { found, mut words, triggers, held, notes } = self;
        let asks = |met: Option<bool>| {
            let such = triggers.iter().filter(|trigger| trigger.met == met);
            such.map(|it| format!("{} {} (now {})", it.what, it.wants, it.now))
                .collect::<Vec<_>>()
                .join(" and ")
        };
        let (waits, unseen) = (asks(Some(false)), asks(None));
        let met = waits.is_empty() && unseen.is_empty();
        if met && !triggers.is_empty() {
            words.push("its conditions are met".to_owned());
        }
        if !waits.is_empty() {
            words.push(format!("waits for {waits}"));
        }
        if !unseen.is_empty() {
            words.push(format!("cannot be seen: {unseen}"));
        }
        let running = matches!(found, KillerPresence::Running(_));
        let ready = running && met && held.is_empty();
        words.extend(held);
        words.extend(notes);
        TriggerState { ready, why: words.join("; "), triggers }
    }
}
