//! The predicted death as a sentence: which process dies, in how long, where, and at which limit. The screen
//! shows the longest form that fits; text output shows the longest form.

use crate::columns::{RowContext, human_size};
use crate::forecast::next_death::{Candidate, DeathCertainty, NextDeath};
use crate::model::Scope;
use crate::units::Millis;
use crate::words::next_victim::SentenceForm;
use crate::words::numbers_and_names;

/// The name of the kernel as a killer.
const KERNEL: &str = "kernel";

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
    let killer = if death.by == KERNEL { String::new() } else { format!(", by {}", death.by) };
    let form = |label: &str, who: &str, rest: String| SentenceForm {
        label: label.to_owned(),
        who: who.to_owned(),
        rest,
    };
    if let Some(reason) = death.stalled {
        let words = reason.words();
        let domain = &death.domain;
        return vec![
            form("STALLED", "", format!(" cgroup {domain}: {words}")),
            form("STALLED", "", format!(" {domain}")),
        ];
    }
    match death.certainty {
        DeathCertainty::Named => {
            let Some(first) = death.candidates.first() else { return Vec::new() };
            let name = name(first);
            let user = context.scene.find(first.id).map(|it| numbers_and_names::user(context, it));
            let user = user.map(|it| format!(" ({it})")).unwrap_or_default();
            vec![
                form("NEXT", &name, format!("{user} {when}: {long}{killer}")),
                form("NEXT", &name, format!("{user} {when}: {middle}{killer}")),
                form("NEXT", &name, format!("{user} {when}: {short}{killer}")),
                form("NEXT", &name, format!(" {when}: {short}{killer}")),
                form("NEXT", &name, format!(" {when}")),
            ]
        }
        DeathCertainty::TooClose => {
            let Some(first) = death.candidates.first() else { return Vec::new() };
            let (who, others) = (name(first), others(&death.candidates));
            vec![
                form("NEXT", &who, format!("{others} {when}: {long}{killer}")),
                form("NEXT", &who, format!("{others} {when}: {middle}{killer}")),
                form("NEXT", &who, format!("{others} {when}: {short}{killer}")),
                form("NEXT", &who, format!("{others} {when}")),
                form("NEXT", &who, format!(" or another {when}")),
            ]
        }
        DeathCertainty::Nobody => {
            let is_machine = death.domain.as_str() == Scope::GLOBAL;
            let then = if is_machine { "the kernel panics" } else { "allocations fail" };
            vec![
                form("NOBODY", "", format!(" can be chosen {when}: {long}, {then}")),
                form("NOBODY", "", format!(" can be chosen {when}: {middle}, {then}")),
                form("NOBODY", "", format!(" can be chosen {when}: {short}")),
                form("NOBODY", "", format!(" {when}")),
            ]
        }
        DeathCertainty::Overridden(by) => {
            let brief = by.brief(context.scene);
            vec![
                form("NO PREDICTION", "", format!(" {when}: {long}; {brief}")),
                form("NO PREDICTION", "", format!(" {when}: {middle}; {brief}")),
                form("NO PREDICTION", "", format!(" {when}: {brief}")),
                form("OFF", "", format!(" {when}: {short}")),
            ]
        }
    }
}

fn name(candidate: &Candidate) -> String {
    format!("{} {}", candidate.id, candidate.comm)
}

/// `in ~4s`, or `now` where the limit is reached.
fn when(death: &NextDeath) -> String {
    match death.middle() {
        Millis::ZERO => "now".to_owned(),
        time => format!("in {}", numbers_and_names::soon(time)),
    }
}

/// What is reached where, in three lengths.
fn places(death: &NextDeath) -> [String; 3] {
    let (path, limit) = (death.domain.as_str(), human_size(death.limit));
    if path == Scope::GLOBAL {
        let long = "the machine runs out of memory";
        return [long.to_owned(), long.to_owned(), "machine full".to_owned()];
    }
    let last = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(path);
    [
        format!("cgroup {path} reaches its limit of {limit}"),
        format!("cgroup {last} reaches its limit of {limit}"),
        format!("{last} limit {limit}"),
    ]
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
