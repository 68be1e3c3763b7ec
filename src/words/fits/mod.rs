//! Whether so much more memory fits, in words: the answer in one sentence, the kills, and what else decides.

use std::sync::Arc;

use crate::columns::human_size;
use crate::forecast::cascade::{
    CascadeStep, Casualty, FitAnswer, FitOutcome, FitVerdict, Newcomer, Obstacle, RoomKind,
    RoomLevel,
};
use crate::forecast::commitments::NextAllocation;
use crate::forecast::next_death::{KERNEL, StallReason};
use crate::model::{Hierarchy, PanicOnOom, Scene, Scope, Text};
use crate::policy::BadnessUnit;
use crate::units::{Adj, Bytes, PageSize, Pages, Points};
use crate::words::numbers_and_names;

/// Victims that the answer names; the list has all.
const MAX_NAMED: usize = 3;

/// How cgroups are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CgroupStyle {
    /// By their path.
    Path,
    /// In one or two words, for the screen: `container 3f9c27d1`.
    Short,
}

impl CgroupStyle {
    fn name(self, path: &str) -> String {
        match self {
            Self::Path => path.to_owned(),
            Self::Short => numbers_and_names::short_cgroup(path),
        }
    }
}

/// `245 chrome`.
#[must_use]
pub fn name(who: &Casualty) -> String {
    format!("{} {}", who.id, who.comm)
}

/// Who is supposed to take the memory: `a new process with oom_score_adj 0, in /shop`.
#[must_use]
pub fn newcomer(newcomer: &Newcomer, style: CgroupStyle) -> String {
    let place = newcomer.cgroup.as_ref().map_or_else(
        || "in no cgroup with a limit".to_owned(),
        |path| format!("in {}", style.name(path.as_str())),
    );
    format!("a new process with oom_score_adj {}, {place}", newcomer.adj.0)
}

/// One kill as a sentence.
#[must_use]
pub fn kill(step: &CascadeStep, style: CgroupStyle) -> String {
    let freed = step.freed.map_or_else(|| "an unknown size".to_owned(), human_size);
    format!(
        "{} at {}, once it has {}: frees {freed}",
        name(&step.victim),
        where_killed(step, style),
        human_size(step.had)
    )
}

/// The points of a rule: a size where they are pages, otherwise marked as points: `812 pt`.
#[must_use]
pub fn points(points: Points, unit: BadnessUnit, page: PageSize) -> String {
    if unit == BadnessUnit::Bare {
        return format!("{} pt", points.0);
    }
    let sign = if points.0 < 0 { "-" } else { "" };
    let pages = Pages(points.0.unsigned_abs());
    format!("{sign}{}", human_size(pages.bytes(page)))
}

/// `at the limit of /shop`, `when the machine runs out of memory`, `by earlyoom`.
fn place(domain: &Text, by: &str, style: CgroupStyle) -> String {
    match domain.as_str() {
        _ if by != KERNEL => format!("by {by}"),
        Scope::GLOBAL => "when the machine runs out of memory".to_owned(),
        path => format!("at the limit of {}", style.name(path)),
    }
}

/// ` in /shop`; nothing for the machine.
fn inside(cgroup: Option<&Arc<Text>>, style: CgroupStyle) -> String {
    cgroup.map_or_else(String::new, |path| format!(" in {}", style.name(path.as_str())))
}

/// `245 chrome, then 31 java and 5 more`.
fn victims(steps: &[CascadeStep]) -> String {
    let who = |step: &CascadeStep| {
        let by = if step.by == KERNEL { String::new() } else { format!(" (by {})", step.by) };
        let with = match step.also.len() {
            0 => String::new(),
            count => format!(" with {count} more"),
        };
        let rival = match step.rivals.first() {
            Some(other) => format!(" or {}", name(other)),
            None => String::new(),
        };
        format!("{}{rival}{with}{by}", name(&step.victim))
    };
    let named: Vec<String> = steps.iter().take(MAX_NAMED).map(who).collect();
    let more = match steps.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    named.join(", then ") + &more
}

/// The answer in one sentence.
#[must_use]
pub fn answer(answer: &FitAnswer, style: CgroupStyle) -> String {
    let size = human_size(answer.newcomer.size);
    let where_to = inside(answer.newcomer.cgroup.as_ref(), style);
    let missing = human_size(answer.missing());
    match &answer.outcome {
        FitOutcome::Fits { left } if answer.steps.is_empty() => {
            let rest = human_size(*left);
            match &answer.throttled {
                None => format!("Yes, {size} fits{where_to}; {rest} is left."),
                Some(at) => format!(
                    "Only slowly: {size} fits{where_to}, but once it has {} it would be throttled at memory.high of {}. Nobody is killed; {rest} is left.",
                    human_size(at.had),
                    style.name(at.domain.as_str())
                ),
            }
        }
        FitOutcome::Fits { left } => {
            let kills = match answer.steps.len() {
                1 => "a kill".to_owned(),
                count => format!("{count} kills"),
            };
            let rest = human_size(*left);
            let who = victims(&answer.steps);
            format!(
                "Only after {kills}: {size} is {missing} more than fits{where_to}. {who} would die; then {rest} is left."
            )
        }
        FitOutcome::Unforeseen { .. } => format!(
            "Only after a kill: {size} is {missing} more than fits{where_to}, and a BPF program decides who dies."
        ),
        FitOutcome::Blocked { obstacle, had } => {
            let first = match answer.steps.as_slice() {
                [] => String::new(),
                steps => format!(" Before that {} would die.", victims(steps)),
            };
            let never = answer.too_large_for().map_or_else(String::new, |level| {
                let what = match level.kind {
                    RoomKind::Machine => "all RAM and swap".to_owned(),
                    _ => format!("the limit of {}", style.name(level.name.as_str())),
                };
                format!("{size} is more than {what} ({}): ", human_size(level.limit))
            });
            let had = format!("once it has {} of {size}", human_size(*had));
            format!("No, {never}{}{first}", blocked(obstacle, &had, style))
        }
    }
}

/// Why the newcomer does not get all, with a full stop.
fn blocked(obstacle: &Obstacle, had: &str, style: CgroupStyle) -> String {
    let named = |path: &Text| style.name(path.as_str());
    match obstacle {
        Obstacle::Itself { by, domain, asks: true, .. } => format!(
            "the new process itself would be killed {had}, {}: oom_kill_allocating_task kills the process that asks.",
            place(domain, by, style)
        ),
        Obstacle::Itself { by, domain, also, next, .. } => {
            let with = match also.len() {
                0 => String::new(),
                1 => ", with one other process".to_owned(),
                count => format!(", with {count} other processes"),
            };
            let close = match next.filter(|it| it.close) {
                Some(it) => format!(", or {} in its place: too close to call", name(&it.who)),
                None => String::new(),
            };
            format!(
                "the new process itself would be killed {had}, {}{with}{close}.",
                place(domain, by, style)
            )
        }
        Obstacle::With { victim, group, by } => {
            let why = match group {
                Some(path) => format!("memory.oom.group kills all of {}", named(path)),
                None => format!("{by} kills both"),
            };
            format!("it would die with {} {had}: {why}.", name(victim))
        }
        Obstacle::Nobody { domain } if domain.as_str() == Scope::GLOBAL => {
            format!("{had} no process is left that can be chosen: the kernel panics.")
        }
        Obstacle::Nobody { domain } => {
            format!(
                "{had} no process in {} can be chosen: its allocations fail or wait.",
                named(domain)
            )
        }
        Obstacle::Stalled { reason: StallReason::Frozen, domain } => {
            format!("{} is frozen: nothing runs in it until it is thawed.", named(domain))
        }
        Obstacle::Stalled { domain, .. } => format!(
            "{had} it would wait at the limit of {}: oom_kill_disable is set, and nobody is killed.",
            named(domain)
        ),
        Obstacle::Panics { .. } => {
            format!("{had} the kernel panics: panic_on_oom is set.")
        }
        Obstacle::Refused { most } => format!(
            "the allocation fails, and nobody is killed: overcommit mode 2 grants {} more.",
            human_size(*most)
        ),
        Obstacle::TooMany => {
            format!("{had} so many processes were killed that the rest is not followed.")
        }
    }
}

/// A limit and its room: `/shop: 12M of 190M left`.
#[must_use]
pub fn level(level: &RoomLevel, style: CgroupStyle) -> String {
    let name = style.name(level.name.as_str());
    let (left, limit) = (human_size(level.left), human_size(level.limit));
    let stalled = match level.stalled {
        Some(StallReason::OomKillDisabled) => ", and nobody is killed there (oom_kill_disable)",
        _ => "",
    };
    match level.kind {
        RoomKind::Limit => format!("{name}: {left} left of a limit of {limit}{stalled}"),
        RoomKind::High => format!(
            "{name}: {left} left until it is throttled (memory.high {limit}); it goes on slowly"
        ),
        RoomKind::Machine => format!("the machine: {left} left of {limit} (RAM and swap)"),
        RoomKind::Killer(id) => format!("{id} runs here and acts after {left} more"),
    }
}

/// Where and by whom: `/shop`, `the machine`, `the machine, by earlyoom`.
#[must_use]
pub fn where_killed(step: &CascadeStep, style: CgroupStyle) -> String {
    let domain = match step.domain.as_str() {
        Scope::GLOBAL => "the machine".to_owned(),
        path => style.name(path),
    };
    if step.by == KERNEL { domain } else { format!("{domain}, by {}", step.by) }
}

/// What happens in one kill, beside the numbers: ties, who dies with the victim, what is not freed.
#[must_use]
pub fn remarks(step: &CascadeStep, page: PageSize, style: CgroupStyle) -> Vec<String> {
    let mut found = Vec::new();
    if !step.rivals.is_empty() {
        let names: Vec<String> = step.rivals.iter().take(MAX_NAMED).map(name).collect();
        found.push(format!("too close to call: {}", names.join(", ")));
    }
    if let Some(own) = step.own.filter(|_| step.close_to_own) {
        let own = points(own, step.unit, page);
        found.push(format!("or the new process itself, which has {own} by then"));
    }
    match (&step.group, step.also.len()) {
        (_, 0) => {}
        (Some(path), count) => {
            let name = style.name(path.as_str());
            found.push(format!("memory.oom.group kills all of {name}: {count} more"));
        }
        (None, 1) => found.push("one more dies with it".to_owned()),
        (None, count) => found.push(format!("{count} more die with it")),
    }
    let perhaps = step.perhaps;
    if perhaps.0 > step.freed.unwrap_or_default().0 / 20 && perhaps >= Bytes(1 << 20) {
        found.push(format!(
            "{} of shared memory stays if a file or another process holds it",
            human_size(perhaps)
        ));
    }
    found
}

/// What else decides, with labels.
#[must_use]
pub fn notes(answer: &FitAnswer, scene: &Scene, style: CgroupStyle) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for (nth, it) in answer.levels.iter().enumerate() {
        found.push((if nth == 0 { "room" } else { "" }, level(it, style)));
    }
    if answer.levels.iter().all(|it| !matches!(it.kind, RoomKind::Limit | RoomKind::High))
        && let Some(path) = &answer.newcomer.cgroup
    {
        let name = style.name(path.as_str());
        found.push(("", format!("{name} has no limit, nor has any cgroup above it")));
    }
    found.extend(answer.unread.iter().map(|path| {
        (
            "unknown",
            format!(
                "the limit or the use of {} could not be read: it may be tighter",
                style.name(path.as_str())
            ),
        )
    }));
    if let Some(at) =
        answer.throttled.as_ref().filter(|_| answer.verdict() != FitVerdict::Throttled)
    {
        let name = style.name(at.domain.as_str());
        let text = format!("before, at memory.high of {name}, once it has {}", human_size(at.had));
        found.push(("slowed", text));
    }
    if let FitOutcome::Blocked {
        obstacle: Obstacle::Itself { own, next: Some(next), asks: false, .. },
        ..
    } = &answer.outcome
    {
        found.push(("why", why_itself(*own, next.who, scene.machine().page_size)));
        if let Some(adj) = next.below {
            let at = if adj == Adj::MIN { String::new() } else { " or less".to_owned() };
            let who = name(&next.who);
            let text = format!("with oom_score_adj {}{at} {who} would die in its place", adj.0);
            found.push(("instead", text));
        }
    }
    found.push(("malloc", malloc(answer)));
    found.extend(answer.by_pressure.iter().map(|id| {
        (
            "killer",
            format!("{id} acts on memory pressure, which cannot be predicted: it may kill earlier"),
        )
    }));
    if scene.now().sysctls.panic_on_oom.value() == Some(PanicOnOom::Global) {
        found.push((
            "panic",
            "panic_on_oom is set: the kernel panics when the machine runs out of memory".to_owned(),
        ));
    }
    let now = scene.now();
    if now.scan.unreadable > 0 || !now.privileges.sees_others {
        let text = "processes of other users are not visible here: one of them may die instead";
        found.push(("hidden", text.to_owned()));
    }
    for (nth, text) in (0..).zip(badness_notes(answer)) {
        found.push((if nth == 0 { "badness" } else { "" }, text));
    }
    found.push(("assumed", "all other processes keep their size".to_owned()));
    if now.cgroups.hierarchy.value() == Some(Hierarchy::V2) {
        let text = "no cache is protected from reclaim by memory.min or memory.low of a cgroup";
        found.push(("", text.to_owned()));
    }
    if answer.steps.iter().any(|step| step.by == KERNEL) {
        // Seen on 6.18: the victim counted as freed (MMF_OOM_SKIP) before its pages were uncharged.
        let text = "the kernel may kill one more while the memory of a victim is still being freed";
        found.push(("", text.to_owned()));
    }
    found
}

/// What the column BADNESS holds: each killer has a measure of its own, and that of the kernel is one of the limit.
fn badness_notes(answer: &FitAnswer) -> Vec<String> {
    let shown = |step: &&CascadeStep| step.victim.points.is_some();
    let mut found = Vec::new();
    if answer.steps.iter().filter(shown).any(|step| step.by == KERNEL) {
        let text = "of the kernel at that limit: without file pages, which reclaim takes first";
        found.push(text.to_owned());
    }
    let mut others: Vec<&str> =
        answer.steps.iter().filter(shown).map(|it| it.by).filter(|by| *by != KERNEL).collect();
    others.dedup();
    found.extend(others.into_iter().map(|by| {
        let bare = answer.steps.iter().any(|it| it.by == by && it.unit == BadnessUnit::Bare);
        let pt = if bare { " (pt)" } else { "" };
        format!("where {by} kills, what it chooses by{pt}: not to be compared with the kernel's")
    }));
    found
}

fn why_itself(own: Option<(Points, BadnessUnit)>, next: Casualty, page: PageSize) -> String {
    match (own, next.points) {
        (Some((own, unit)), Some(theirs)) => format!(
            "its badness is {} then, that of {} is {}",
            points(own, unit, page),
            name(&next),
            points(theirs, unit, page)
        ),
        _ => format!("{} comes next", name(&next)),
    }
}

/// What the overcommit mode says of a request of that size.
fn malloc(answer: &FitAnswer) -> String {
    let size = answer.newcomer.size;
    match answer.grant {
        Some(NextAllocation::AtOnce(most)) if size > most.bytes() => format!(
            "refused if it is asked for at once (mode 0: more than all RAM and swap, {}); granted in parts",
            human_size(most.bytes())
        ),
        Some(NextAllocation::AtOnce(_)) => {
            "succeeds (overcommit mode 0): this does not reserve the memory".to_owned()
        }
        Some(NextAllocation::Free) => {
            "succeeds if that much is free or can be freed (overcommit mode 0)".to_owned()
        }
        Some(NextAllocation::Anything) => {
            "succeeds in any case (overcommit mode 1): this does not reserve the memory".to_owned()
        }
        Some(NextAllocation::UpTo(most)) if size > most.bytes() => {
            format!("fails: {} more may be committed (overcommit mode 2)", human_size(most.bytes()))
        }
        Some(NextAllocation::UpTo(most)) => {
            format!(
                "succeeds: {} more may be committed (overcommit mode 2)",
                human_size(most.bytes())
            )
        }
        None => "not known: the overcommit mode could not be read".to_owned(),
    }
}
