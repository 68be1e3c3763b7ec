//! The predicted death as a sentence: which process dies, in how long, where, and at which limit. The screen
//! shows the longest form that fits; text output shows the longest form.

use crate::columns::{RowContext, human_size};
use crate::forecast::next_death::{Candidate, DeathCertainty, KERNEL, NextDeath};
use crate::model::{ForecastResult, ProcId, Scope};
use crate::policy::{TriggerLevel, TriggerQuantity, TriggerRule};
use crate::units::{Kib, Millis};
use crate::words::{numbers_and_names, overridden};

/// The sentence at one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentenceForm {
    /// `NEXT`.
    pub label: String,
    /// The victim: `20731 chrome`. Empty if none is named.
    pub who: String,
    /// When and where, with the space before it.
    pub rest: String,
}

impl SentenceForm {
    /// The whole sentence.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { label, who, rest } = self;
        if who.is_empty() { format!("{label}{rest}") } else { format!("{label} {who}{rest}") }
    }
}

/// What the headline tells, with the percentage of the limit that is in use: where this stays the same, so does
/// the picture.
#[must_use]
pub fn headline_text(context: &RowContext<'_>, death: &NextDeath) -> String {
    let left = u128::from(death.left.0) * 100 / u128::from(death.limit.0.max(1));
    let longest = forms(context, death).into_iter().next();
    let sentence = longest.map(|it| it.label + &it.who + &it.rest);
    format!("{} {left}", sentence.unwrap_or_default())
}

/// The sentence in forms of different length, the longest first; at least one.
#[must_use]
pub fn forms(context: &RowContext<'_>, death: &NextDeath) -> Vec<SentenceForm> {
    let when = when(death);
    let [long, middle, short] = places(death);
    let form = |label: &str, who: &str, rest: String| SentenceForm {
        label: label.to_owned(),
        who: who.to_owned(),
        rest,
    };
    if let Some(reason) = death.stalled {
        let (words, brief) = (reason.words(), reason.brief());
        let names = numbers_and_names::domain_forms(death.domain.as_str());
        let [long, place] = [names.first(), names.last()].map(|it| it.cloned().unwrap_or_default());
        return vec![
            form("STALLED", "", format!(" {long}: {words}")),
            form("STALLED", "", format!(" {place}: {words}")),
            form("STALLED", "", format!(" {place}: {brief}, nobody is killed")),
            form("STALLED", "", format!(" {place}: nobody is killed")),
            form("STALLED", "", format!(" {place}")),
        ];
    }
    match death.certainty {
        DeathCertainty::Named => {
            let Some(first) = death.candidates.first() else { return Vec::new() };
            let name = name(first);
            let user = context.scene.find(first.id).map(|it| numbers_and_names::user(context, it));
            let user = user.map(|it| format!(" ({it})")).unwrap_or_default();
            vec![
                form("NEXT", &name, format!("{user} {when}: {long}")),
                form("NEXT", &name, format!("{user} {when}: {middle}")),
                form("NEXT", &name, format!("{user} {when}: {short}")),
                form("NEXT", &name, format!(" {when}: {short}")),
                form("NEXT", &name, format!(" {when}")),
            ]
        }
        DeathCertainty::TooClose => {
            let Some(first) = death.candidates.first() else { return Vec::new() };
            let (who, others) = (name(first), others(&death.candidates));
            vec![
                form("NEXT", &who, format!("{others} {when}: {long}")),
                form("NEXT", &who, format!("{others} {when}: {middle}")),
                form("NEXT", &who, format!("{others} {when}: {short}")),
                form("NEXT", &who, format!(" or another {when}: {short}")),
                form("NEXT", &who, format!(" or another {when}")),
            ]
        }
        DeathCertainty::Nobody => {
            let is_machine = death.domain.as_str() == Scope::GLOBAL;
            let kills = death.trigger.is_none();
            let then = match is_machine {
                _ if !kills => "it kills nothing",
                true => "the kernel panics",
                false => "allocations fail",
            };
            vec![
                form("NOBODY", "", format!(" can be chosen {when}: {long}, {then}")),
                form("NOBODY", "", format!(" can be chosen {when}: {middle}, {then}")),
                form("NOBODY", "", format!(" can be chosen {when}: {short}")),
                form("NOBODY", "", format!(" {when}")),
            ]
        }
        DeathCertainty::Overridden(by) => {
            let brief = overridden::brief(by, context.policy, context.scene);
            vec![
                form("NO PREDICTION", "", format!(" {when}: {long}; {brief}")),
                form("NO PREDICTION", "", format!(" {when}: {middle}; {brief}")),
                form("NO PREDICTION", "", format!(" {when}: {brief}")),
                form("OFF", "", format!(" {when}: {short}")),
            ]
        }
    }
}

/// Whether a process is the next to die, by the death that the headline shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeathVerdict {
    /// It is, or may be; the sentence.
    Next(String),
    /// It is not; the sentence.
    NotNext(String),
}

/// Whether this process is the next to die: `this IS the next to die (~4s, cgroup shop/web)`. Nothing while no
/// death is near, or nobody is named.
#[must_use]
pub fn verdict_on(death: Option<&NextDeath>, who: ProcId) -> Option<DeathVerdict> {
    let death = death.filter(|it| it.when.is_some())?;
    let first = death.candidates.first()?;
    let when = match death.middle() {
        Millis::ZERO => "now".to_owned(),
        time => numbers_and_names::soon(time),
    };
    let by = if death.by == KERNEL { String::new() } else { format!(", by {}", death.by) };
    let place = match death.domain.as_str() {
        Scope::GLOBAL => "machine".to_owned(),
        path => numbers_and_names::short_cgroup(path),
    };
    let place = format!("({when}, {place}{by})");
    let is_among = death.candidates.iter().any(|it| it.id == who);
    Some(match (death.candidates.len(), is_among) {
        (1, true) => DeathVerdict::Next(format!("this IS the next to die {place}")),
        (1, false) => DeathVerdict::NotNext(format!(
            "this is NOT the next to die: that is {} {place}",
            name(first)
        )),
        (count, true) => {
            DeathVerdict::Next(format!("this MAY be the next to die: one of {count} {place}"))
        }
        (count, false) => DeathVerdict::NotNext(format!(
            "this is NOT the next to die: that is {} or another of {count} {place}",
            name(first)
        )),
    })
}

/// What a change does to the death that the headline shows.
#[must_use]
pub fn after_change(before: &NextDeath, after: Option<&NextDeath>) -> String {
    let Some(after) = after.filter(|it| it.domain == before.domain) else {
        return "then no death is near".to_owned();
    };
    match (after.candidates.as_slice(), after.certainty) {
        ([only], _) if before.victim().map(|it| it.id) == Some(only.id) => {
            format!("{} is still the next to die", name(only))
        }
        ([only], _) => format!("then {} dies next", name(only)),
        ([first, ..], _) => {
            format!("then {} or another of {} dies next", name(first), after.candidates.len())
        }
        ([], DeathCertainty::Nobody) => "then nobody can be chosen at the limit".to_owned(),
        ([], _) => "then it is not known who dies next".to_owned(),
    }
}

/// What the forecast said before a kill: `predicted 14 s before`. Nothing where there was none.
#[must_use]
pub fn forecast_sentence(result: ForecastResult) -> Option<String> {
    Some(match result {
        ForecastResult::NotMade => return None,
        ForecastResult::NotPredicted => "not predicted".to_owned(),
        ForecastResult::Named { lead } => format!("predicted {} before", ago(lead)),
        ForecastResult::Among { candidates, lead } => {
            format!("among {candidates} candidates from {} before", ago(lead))
        }
    })
}

/// A time before a kill, rounded down: `14 s`, `2 min`.
fn ago(lead: Millis) -> String {
    match lead.0 / 1000 {
        0 => "less than 1 s".to_owned(),
        seconds @ 1..100 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

fn name(candidate: &Candidate) -> String {
    format!("{} {}", candidate.id, candidate.comm)
}

/// `in ~4s`, or `now` where the limit is reached.
fn when(death: &NextDeath) -> String {
    numbers_and_names::in_soon(death.middle())
}

/// What is reached where, or which killer acts by what, in three lengths.
fn places(death: &NextDeath) -> [String; 3] {
    if let Some(rule) = &death.trigger {
        return killer(death.by, rule);
    }
    let (path, limit) = (death.domain.as_str(), human_size(death.limit));
    if path == Scope::GLOBAL {
        let long = "the machine runs out of memory";
        return [long.to_owned(), long.to_owned(), "machine full".to_owned()];
    }
    let names = numbers_and_names::cgroup_forms(path);
    let [long, place] = [names.first(), names.last()].map(|it| it.cloned().unwrap_or_default());
    [
        format!("{long} reaches its limit of {limit}"),
        format!("{place} reaches its limit of {limit}"),
        format!("{place}, limit {limit}"),
    ]
}

/// When a userspace killer acts: `earlyoom acts at 10% available memory and 10% free swap`.
fn killer(by: &str, rule: &TriggerRule) -> [String; 3] {
    // Where there is no swap, its condition says nothing.
    let counts = |it: &&TriggerLevel| it.whole != Some(0.0);
    let levels: Vec<String> = rule.levels.iter().filter(counts).filter_map(threshold).collect();
    let lasting = match rule.lasting {
        Millis::ZERO => String::new(),
        time => format!(" for {} s", time.0 / 1000),
    };
    let first = levels.first().map(String::as_str).unwrap_or_default();
    [
        format!("{by} acts at {}{lasting}", levels.join(" and ")),
        format!("{by} acts at {first}"),
        format!("{by} acts"),
    ]
}

/// What comes of a domain and when, in the words of the headline: `earlyoom acts in ~32s`, `machine full in ~53s`,
/// `limit reached in ~4s`.
#[must_use]
pub fn event_and_time(death: &NextDeath) -> String {
    let is_machine = death.domain.as_str() == Scope::GLOBAL;
    let what = match &death.trigger {
        None if !is_machine => "limit reached".to_owned(),
        _ => event(death),
    };
    format!("{what} {}", when(death))
}

/// What comes, in a few words: `earlyoom acts`, `machine full`, `shop/web, limit 190M`.
#[must_use]
pub fn event(death: &NextDeath) -> String {
    let [.., short] = places(death);
    short
}

/// `10% available memory`; `None` for what is no threshold that a reader knows.
fn threshold(level: &TriggerLevel) -> Option<String> {
    let amount = level.percent(level.acts_at).map_or_else(
        || human_size(Kib(level.acts_at.max(0.0) as u64).bytes()),
        |percent| format!("{}%", (percent * 10.0).round() / 10.0),
    );
    let what = match level.quantity {
        TriggerQuantity::AvailableMemory => "available memory",
        TriggerQuantity::FreeMemory => "free memory",
        TriggerQuantity::FreeSwap => "free swap",
        TriggerQuantity::Zram => "zram",
        TriggerQuantity::Pressure => "memory pressure",
        TriggerQuantity::Reclaim => return None,
    };
    let name = level.cgroup.as_ref().map(|path| numbers_and_names::short_cgroup(path.as_str()));
    let place = name.map(|name| format!(" in {name}")).unwrap_or_default();
    Some(format!("{amount} {what}{place}"))
}

/// The candidates after the first: ` until ~8s, then 178 python3`, or ` or 178 python3 or 2 others`.
fn others(candidates: &[Candidate]) -> String {
    let [first, second, more @ ..] = candidates else { return String::new() };
    if more.is_empty() && first.to <= second.from && first.to > Millis::ZERO {
        return format!(" (until {}, then {})", numbers_and_names::soon(first.to), name(second));
    }
    let more = match more.len() {
        0 => String::new(),
        1 => " or another".to_owned(),
        count => format!(" or {count} others"),
    };
    format!(" or {}{more}", name(second))
}
