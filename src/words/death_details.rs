//! What stands behind a predicted death, in words: why this process, what would save it, and which death
//! comes after it.

use crate::columns::{RowContext, human_size};
use crate::forecast::next_death::{
    DeathCertainty, Deaths, KERNEL, NextDeath, SavingAdj, StallReason,
};
use crate::forecast::race::{Race, RaceRunner};
use crate::model::{ProcId, Scene, Scope};
use crate::rank::freed::FreedMemory;
use crate::units::{Adj, Bytes, Millis, Pages};
use crate::words::memory_sheet::{FutileKill, MemorySheet};
use crate::words::next_death::event;
use crate::words::numbers_and_names;

/// Killing another process must win at least this much time to be worth telling.
const WORTH: f64 = 10.0;

/// Something that would prevent a predicted death, or put it off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeathRemedy {
    /// Raise the limit of the cgroup.
    RaiseLimit,
    /// Raise `memory.high` of the cgroup.
    RaiseHigh,
    /// Let the kernel kill in the cgroup.
    AllowKill,
    /// Thaw the cgroup.
    Thaw,
    /// Give the victim this adj: then the other one dies.
    Adj {
        /// The highest adj that saves it.
        adj: Adj,
        /// The process that dies in its place.
        instead: String,
    },
    /// Kill another process.
    Kill {
        /// `245 chrome`.
        who: String,
        /// The time that what it holds lasts.
        wins: Millis,
    },
    /// Make a process killable.
    Unprotect,
}

impl DeathRemedy {
    /// The remedy in a few words, with the key that does it, as ` (a)`, behind the act.
    #[must_use]
    pub fn words(&self, key: &str) -> String {
        match self {
            Self::RaiseLimit => format!("raise the limit{key}"),
            Self::RaiseHigh => format!("raise memory.high{key}"),
            Self::Thaw => "thaw it (cgroup.freeze)".to_owned(),
            Self::AllowKill => format!("raise the limit{key}, or clear oom_kill_disable"),
            Self::Adj { adj, instead } => format!("adj {adj}{key}, then {instead} dies"),
            Self::Kill { who, wins } => {
                format!("kill {who}{key}, which wins {}", numbers_and_names::soon(*wins))
            }
            Self::Unprotect => format!("an adj above -1000{key}"),
        }
    }
}

/// What the adj does that saves the victim of a death: `adj -317 saves it: then 205 parser dies (import.service)`.
#[must_use]
pub fn saving(death: &NextDeath, saved: SavingAdj) -> String {
    let SavingAdj { adj, instead } = saved;
    let place = match death.domain.as_str() {
        Scope::GLOBAL => String::new(),
        path => format!(" ({})", numbers_and_names::short_cgroup(path)),
    };
    match instead {
        Some((id, comm)) => format!("adj {adj} saves it: then {id} {comm} dies{place}"),
        None => format!("only adj {adj} saves it: then no process can be chosen{place}"),
    }
}

/// How much of the limit is in use, and how fast that grows: `160M/190M +9M/s`.
#[must_use]
pub fn use_and_rate(death: &NextDeath) -> (String, String) {
    let used = human_size(death.limit.saturating_sub(death.left));
    let text = numbers_and_names::joined(used, human_size(death.limit));
    (text, rate(death.rate.max(0.0)))
}

/// `+9M/s`, by the second at any size, as what grows by the minute is told by the mean of the last one; empty without
/// growth worth telling.
#[must_use]
pub fn rate(bytes_per_second: f64) -> String {
    /// 64 KiB a second.
    const LEAST: f64 = 65_536.0;
    let sign = if bytes_per_second < 0.0 { '-' } else { '+' };
    let size = bytes_per_second.abs();
    if size < LEAST { String::new() } else { format!("{sign}{}/s", human_size(Bytes(size as u64))) }
}

/// Why no kill in the domain of a death can help, where that is so.
#[must_use]
pub fn futile_kill(scene: &Scene, death: &NextDeath) -> Option<FutileKill> {
    let sheet = MemorySheet::of_domain(scene.now(), death.domain.as_str())?;
    // Whoever dies, nine tenths stay.
    sheet.futile_kill(None).filter(|it| it.held.0 <= it.total.0 / 10)
}

/// What decides the death: that no kill can help, or why the named process dies and not another one. The longest
/// form first; nothing where none is named.
#[must_use]
pub fn reasons(
    context: &RowContext<'_>,
    race: &Race,
    death: &NextDeath,
    futile: Option<&FutileKill>,
) -> Vec<String> {
    if let Some(futile) = futile {
        return vec![futile.sentence(), futile.brief(), "killing cannot help".to_owned()];
    }
    let Some(own) = death.victim().and_then(|victim| race.find(victim.id)) else {
        return Vec::new();
    };
    if death.by != KERNEL {
        // The race is by the badness of the kernel.
        return vec![format!("first by the rule of {}", death.by), format!("by {}", death.by)];
    }
    let time = death.middle();
    let Some(rival) = race.rival(own.id, time) else {
        return vec!["the only process that can be chosen".to_owned(), "the only one".to_owned()];
    };
    let size = |pages: f64| numbers_and_names::size(context, Pages(pages.max(0.0) as u64));
    let name = |it: &RaceRunner| format!("{} {}", it.id, it.comm);
    let adj = own.adj.filter(|adj| *adj != Adj::ZERO);
    let with_adj = |text: String| match adj {
        Some(adj) => format!("{text}, adj {adj}"),
        None => text,
    };
    let bare =
        |it: &RaceRunner| it.after(time) - f64::from(it.adj.map_or(0, |adj| adj.0)) * race.step;
    let faster = own.rate - rival.rate;
    let (short, lead) = (own.after(time) - rival.after(time), own.now - rival.now);
    // It may lead at the limit by what is not known here: then it overtakes nobody before.
    let overtakes = Millis((-lead / faster.max(f64::MIN_POSITIVE) * 1000.0) as u64);
    let main = if lead < 0.0 && overtakes <= time {
        let soon = numbers_and_names::soon(overtakes);
        with_adj(format!("overtakes {} in {soon}", name(rival)))
    } else if bare(own) >= bare(rival) {
        with_adj(format!("largest of {}", race.eligible))
    } else if let Some(adj) = adj {
        format!("adj {adj} adds {}", size(f64::from(adj.0) * race.step))
    } else {
        "highest badness".to_owned()
    };
    let ahead = size(short);
    let then = if ahead == size(0.0) {
        format!("then level with {}", name(rival))
    } else {
        format!("then {ahead} ahead of {}", name(rival))
    };
    vec![format!("{main}, {then}"), main]
}

/// What would save the named process, the smallest change first.
#[must_use]
pub fn remedies(
    scene: &Scene,
    race: &Race,
    death: &NextDeath,
    is_futile: bool,
) -> Vec<DeathRemedy> {
    let is_machine = death.domain.as_str() == Scope::GLOBAL;
    match death.stalled {
        Some(StallReason::Throttled) => return vec![DeathRemedy::RaiseHigh],
        Some(StallReason::OomKillDisabled) => return vec![DeathRemedy::AllowKill],
        Some(StallReason::Frozen) => return vec![DeathRemedy::Thaw],
        None => {}
    }
    let mut found = Vec::new();
    if !is_machine {
        found.push(DeathRemedy::RaiseLimit);
    }
    if is_futile {
        return found;
    }
    if death.certainty == DeathCertainty::Nobody {
        found.push(DeathRemedy::Unprotect);
        return found;
    }
    let Some(victim) = death.victim() else { return found };
    let saved = death.saved.and_then(|it| Some((it.adj, it.instead?)));
    if let Some((adj, (id, comm))) = saved {
        found.push(DeathRemedy::Adj { adj, instead: format!("{id} {comm}") });
    }
    found.extend(kill_instead(scene, race, death, victim.id));
    found
}

/// The process of the race that frees most, where that wins time.
fn kill_instead(
    scene: &Scene,
    race: &Race,
    death: &NextDeath,
    victim: ProcId,
) -> Option<DeathRemedy> {
    if death.rate <= 0.0 {
        return None;
    }
    let others = race.runners.iter().filter(|it| it.id != victim);
    let frees = |id: ProcId| Some(FreedMemory::of(scene.find(id)?, scene).value()?.room().0);
    let (bytes, other) =
        others.filter_map(|it| Some((frees(it.id)?, it))).max_by_key(|(bytes, _)| *bytes)?;
    let wins = bytes as f64 / death.rate.max(1.0);
    let worth = wins >= WORTH && wins >= death.middle().0 as f64 / 1000.0 / 2.0;
    let wins = Millis((wins.min(1e9) * 1000.0) as u64);
    worth.then(|| DeathRemedy::Kill { who: format!("{} {}", other.id, other.comm), wins })
}

/// The death after the next one, and when: `~53s`, `machine full` or `earlyoom acts`, `178 python3`.
#[must_use]
pub fn after(deaths: &Deaths, scene: &Scene) -> Option<[String; 3]> {
    let later = deaths.then(scene)?;
    let time = numbers_and_names::soon(later.when.middle);
    let place = event(later.death);
    let who = match (later.death.certainty, later.candidates.as_slice()) {
        (DeathCertainty::Overridden(_), _) => "no prediction".to_owned(),
        (DeathCertainty::Nobody, _) => "nobody can be chosen".to_owned(),
        (_, []) => "another".to_owned(),
        (_, [only]) => format!("{} {}", only.id, only.comm),
        (_, [first, ..]) => format!("{} {} or another", first.id, first.comm),
    };
    Some([time, place, who])
}
