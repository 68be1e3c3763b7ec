//! One kill: who and when, and what doomtop had said.

use serde_json::{Value, json};

use crate::trace::{Round, Trace, ends, program, rounds};

/// Seconds before the kill at which the prediction is looked at.
pub const LEADS: [f64; 3] = [10.0, 5.0, 1.0];
/// The lead at which the victim must be named.
const JUDGED: usize = 1;
/// More candidates than this are no prediction.
const MOST: usize = 3;

/// What was said at one lead.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// The killer of the next death.
    pub by: String,
    pub domain: String,
    /// Those who may die.
    pub names: Vec<String>,
    /// Seconds from the sample to the death that it foretells.
    pub seconds: Option<f64>,
    /// Seconds from the sample to the kill.
    pub really: f64,
}

impl Said {
    fn of(sample: &Value, at: f64) -> Option<Self> {
        let when = uptime(sample)?;
        let death = sample.get("next_death").filter(|it| !it.is_null());
        let text = |key: &str| {
            let value = death.and_then(|it| it.get(key)).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let mut names: Vec<String> = Vec::new();
        names.extend(Some(text("comm")).filter(|it| !it.is_empty()));
        if names.is_empty() {
            let all = death.and_then(|it| it.get("candidates")).and_then(Value::as_array);
            let comm = |it: &Value| Some(it.get("comm")?.as_str()?.to_owned());
            names.extend(all.into_iter().flatten().filter_map(comm));
        }
        let seconds = death.and_then(|it| it.get("seconds")).and_then(Value::as_f64);
        Some(Self { by: text("by"), domain: text("domain"), names, seconds, really: at - when })
    }

    fn names(&self, victim: &str) -> bool {
        self.names.len() <= MOST && self.names.iter().any(|it| it == victim)
    }
}

/// A kill, and what was said of it.
#[derive(Debug)]
pub struct Judged {
    pub round: Round,
    /// When the killer wrote that it kills.
    pub at: Option<f64>,
    /// The load that died.
    pub victim: String,
    pub signal: String,
    /// By lead.
    pub said: Vec<Option<Said>>,
    /// What doomtop says of the journal: killer, victim, reason.
    pub explained: bool,
}

impl Judged {
    /// At a lead: whether the killer was right.
    pub fn has_killer(&self, lead: usize) -> bool {
        let said = self.said.get(lead).and_then(Option::as_ref);
        said.is_some_and(|it| is_same(&it.by, &self.round.killer))
    }

    /// At a lead: whether the victim was right.
    pub fn has_victim(&self, lead: usize) -> bool {
        let said = self.said.get(lead).and_then(Option::as_ref);
        !self.victim.is_empty() && said.is_some_and(|it| it.names(&self.victim))
    }

    /// The error of the time as a share of the time that was left.
    pub fn error(&self, lead: usize) -> Option<f64> {
        let said = self.said.get(lead)?.as_ref().filter(|_| self.has_killer(lead))?;
        Some((said.seconds? - said.really).abs() / said.really)
    }

    /// Whether killer and victim were named in time, and the journal was explained.
    pub fn holds(&self) -> bool {
        self.has_killer(JUDGED) && self.has_victim(JUDGED) && self.explained
    }

    /// One line about it.
    pub fn sentence(&self) -> String {
        let Round { killer, number, .. } = &self.round;
        let Some(at) = self.at else { return format!("{number} {killer}: it killed nobody") };
        let said = LEADS.iter().zip(&self.said).map(|(lead, said)| match said {
            Some(it) if !it.by.is_empty() && it.names.is_empty() => {
                format!("{lead} s before: nobody in {} (really {:.1} s)", it.domain, it.really)
            }
            Some(it) if !it.by.is_empty() => format!(
                "{lead} s before: {} kills {} in {:.1} s ({}; really {:.1} s)",
                it.by,
                it.names.join(" or "),
                it.seconds.unwrap_or(f64::NAN),
                it.domain,
                it.really
            ),
            _ => format!("{lead} s before: nothing"),
        });
        format!(
            "{number} {killer}: {} died at {at:.1} of {}, explained: {}; {}",
            self.victim,
            self.signal,
            self.explained,
            said.collect::<Vec<_>>().join("; ")
        )
    }
}

/// Both orders of earlyoom are one program.
fn is_same(said: &str, killer: &str) -> bool {
    said == killer || (program(said) == "earlyoom" && killer == "earlyoom")
}

/// The time of a sample in seconds since the boot. A tick is a hundredth of a second, on every platform that Debian has.
fn uptime(sample: &Value) -> Option<f64> {
    Some(sample.get("clock")?.get("uptime_ticks")?.as_f64()? / 100.0)
}

/// Judges the first kill of a round.
pub fn judge(trace: &Trace, round: &Round) -> Judged {
    let within = |at: f64| at >= round.begins && at <= round.ends;
    let lines = trace.said.get(program(&round.killer));
    let killed_at = lines.and_then(|all| all.iter().copied().find(|at| within(*at)));
    // Those that end afterwards were stopped by the test.
    let end = trace.ends.iter().find(|it| within(it.at));
    let victim = end.map_or(String::new(), |it| it.unit.clone());
    let said = |lead: &f64| {
        let at = killed_at?;
        let early = |it: &&Value| uptime(it).is_some_and(|when| when <= at - lead);
        trace.samples.iter().rev().find(early).and_then(|sample| Said::of(sample, at))
    };
    Judged {
        at: killed_at,
        signal: end.map_or(String::new(), |it| it.status.clone()),
        said: LEADS.iter().map(said).collect(),
        explained: explained(trace, &round.killer, &victim),
        victim,
        round: round.clone(),
    }
}

/// Whether `doomtop explain` tells of this death the killer, the victim and a reason.
fn explained(trace: &Trace, killer: &str, victim: &str) -> bool {
    trace.explained.iter().any(|object| {
        let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
        let has_reason =
            object.get("why").and_then(Value::as_array).is_some_and(|why| !why.is_empty());
        !victim.is_empty()
            && text("killer") == program(killer)
            && text("answer").contains(victim)
            && has_reason
    })
}

/// A judge that cannot say no proves nothing: a made-up round, told rightly, wrongly, too late and not at all.
pub fn tests() {
    let death = |by: &str, comm: &str, seconds: f64| json!({ "by": by, "comm": comm, "domain": "global", "candidates": [], "seconds": seconds });
    let trace = |deaths: [Value; 3]| {
        let at = [8800, 9400, 9900];
        let samples = at.into_iter().zip(deaths);
        let sample = |(at, death): (u64, Value)| json!({ "clock": { "uptime_ticks": at }, "next_death": death });
        Trace {
            rounds: rounds(
                "50 earlyoom 1 earlyoom.service begins\n110 earlyoom 1 earlyoom.service ends",
            ),
            ends: ends("49 l-old signal killed TERM\n100.5 l-grow signal killed TERM"),
            said: [("earlyoom".to_owned(), vec![100.0])].into(),
            samples: samples.map(sample).collect(),
            explained: vec![json!({
                "killer": "earlyoom", "answer": "l-grow (7) was killed", "why": ["memory was low"]
            })],
            versions: [("earlyoom".to_owned(), "1.8.2-1".to_owned())].into(),
        }
    };
    let judged = |deaths| {
        let trace = trace(deaths);
        assert_eq!(trace.version("earlyoom-rss"), "1.8.2");
        judge(&trace, &trace.rounds[0])
    };
    let right = || death("earlyoom", "l-grow", 9.0);
    let all_right = judged([right(), right(), right()]);
    assert!(all_right.holds() && all_right.has_killer(0), "{all_right:?}");
    assert_eq!(all_right.victim, "l-grow");
    assert_eq!(all_right.error(0), Some(0.25), "12 s were left, and 9 were told");
    let wrong_victim = judged([right(), death("earlyoom", "l-big", 6.0), right()]);
    assert!(wrong_victim.has_killer(1) && !wrong_victim.holds());
    let wrong_killer = judged([right(), death("kernel", "l-grow", 6.0), right()]);
    assert!(wrong_killer.has_victim(1) && !wrong_killer.holds() && wrong_killer.error(1).is_none());
    let late = judged([Value::Null, Value::Null, right()]);
    assert!(late.has_killer(2) && !late.holds() && !late.has_killer(1));
}
