//! Numbers and names as doomtop writes them, on the screen as in a pipe.

use crate::columns::{RowContext, SizeUnit, span_of};
use crate::forecast::at_limit::OutcomeAtLimit;
use crate::forecast::limits::ReachableLimit;
use crate::model::{
    Cgroup, Domain, DomainKind, ProcId, Process, Reading, Scene, Scope, TimeToFull,
};
use crate::policy::Override;
use crate::units::{Bytes, Kib, Millis, Pages, Permille, Points};

/// `3 021 312`.
#[must_use]
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3 + 1);
    if number < 0 {
        out.push('-');
    }
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// How long ago it started.
#[must_use]
pub fn age(scene: &Scene, id: ProcId) -> String {
    let ran = scene.now().clock.uptime_ticks.saturating_sub(id.born);
    span_of(ran.seconds(scene.machine().tick_rate))
}

/// A size in the unit of the sight.
#[must_use]
pub fn size(context: &RowContext<'_>, pages: Pages) -> String {
    let mut out = String::new();
    context.size(pages, &mut out);
    out
}

/// The same of KiB.
#[must_use]
pub fn kib(context: &RowContext<'_>, kib: Kib) -> String {
    size(context, kib.pages(context.scene.machine().page_size))
}

/// Two sizes of one unit: `25.9/31.2G`.
#[must_use]
pub fn pair(context: &RowContext<'_>, of: Kib, all: Kib) -> String {
    joined(kib(context, of), kib(context, all))
}

/// A signed amount of the policy's points.
#[must_use]
pub fn points(context: &RowContext<'_>, points: Points) -> String {
    if points == Points::ZERO {
        return "0".to_owned();
    }
    let mut out = String::new();
    context.points(points, &mut out);
    out
}

/// What one step of adj weighs: a tenth of a MiB matters where it is multiplied by hundreds.
#[must_use]
pub fn step(context: &RowContext<'_>) -> String {
    step_of(context, context.scene.domain())
}

/// The same in another domain.
#[must_use]
pub fn step_of(context: &RowContext<'_>, domain: &Domain) -> String {
    let pages = Pages(domain.pages.0 / 1000);
    let mib = pages.bytes(context.scene.machine().page_size).0 as f64 / f64::from(1 << 20);
    if context.scale == SizeUnit::Auto && (1.0..1024.0).contains(&mib) {
        format!("{mib:.1}M")
    } else {
        size(context, pages)
    }
}

/// Points as a share of the domain: `313`.
#[must_use]
pub fn permille(context: &RowContext<'_>, points: Points) -> i64 {
    Permille::of(points, context.scene.domain().pages).0
}

/// The user's name, or the dash that says why not.
#[must_use]
pub fn user(context: &RowContext<'_>, process: &Process) -> String {
    let user = context.user(process);
    let dash = user.dash();
    user.value().unwrap_or_else(|| dash.to_owned())
}

/// The pid and the name.
#[must_use]
pub fn who(process: &Process) -> String {
    format!("{} {}", process.id, process.comm)
}

/// A share of time in percent.
#[must_use]
pub fn share(percent: f32) -> String {
    format!("{:.1}", percent.clamp(0.0, 999.9))
}

/// A size in bytes in the unit of the sight.
#[must_use]
pub fn bytes(context: &RowContext<'_>, bytes: Bytes) -> String {
    size(context, bytes.pages(context.scene.machine().page_size))
}

/// Two sizes of one unit: `7.10/8.00G`.
#[must_use]
pub fn joined(of: String, all: String) -> String {
    let unit = |text: &str| text.chars().next_back().filter(char::is_ascii_alphabetic);
    let mut of = of;
    if unit(&of).is_some() && unit(&of) == unit(&all) {
        of.pop();
    }
    format!("{of}/{all}")
}

/// A time to come: `~3m`, `~40s`, `~2h`.
#[must_use]
pub fn soon(time: Millis) -> String {
    match time.0.div_ceil(1000) {
        seconds @ 0..100 => format!("~{seconds}s"),
        seconds @ 100..5370 => format!("~{}m", (seconds + 30) / 60),
        seconds => format!("~{:.1}h", seconds as f64 / 3600.0),
    }
}

/// The same in words, with how sure it is: `in about 7 min (5 to 9)`, `in about 40 s (30 to 55)`.
#[must_use]
pub fn about(arrival: &TimeToFull) -> String {
    let TimeToFull { soonest, likely, latest, .. } = *arrival;
    let (unit, each) = match likely.0 {
        0..100_000 => ("s", 1000.0),
        100_000..5_370_000 => ("min", 60_000.0),
        _ => ("h", 3_600_000.0),
    };
    let number = |time: Millis| {
        let number = time.0 as f64 / each;
        match unit {
            "h" => format!("{number:.1}"),
            "s" => format!("{:.0}", number.ceil()),
            _ => format!("{number:.0}"),
        }
    };
    let (from, to) = (number(soonest), number(latest));
    let range = if from == to { String::new() } else { format!(" ({from} to {to})") };
    format!("in about {} {unit}{range}", number(likely))
}

/// Who dies at a wall: `30114 cc1plus`, or why nobody does.
#[must_use]
pub fn victim(context: &RowContext<'_>, fate: &OutcomeAtLimit) -> String {
    let name = |id: ProcId| context.scene.find(id).map_or_else(|| id.to_string(), who);
    match fate.overridden {
        Some(Override::Waits) => return "no kill: waits".to_owned(),
        Some(Override::Panic) => return "no kill: panics".to_owned(),
        Some(off) => return off.brief(context.scene),
        None => {}
    }
    let Some(victim) = fate.victim else { return "nobody can be chosen".to_owned() };
    match fate.rival {
        Some(other) => format!("too close: {} or {}", name(victim), name(other)),
        None => name(victim),
    }
}

/// How many die with the victim: ` +3 with it`.
#[must_use]
pub fn mates(fate: &OutcomeAtLimit) -> String {
    let falls = fate.victim.is_some() && fate.overridden.is_none() && fate.also_killed > 0;
    if falls { format!(" +{} with it", fate.also_killed) } else { String::new() }
}

/// Who dies at a wall, the longest form first: `30114 cc1plus 471/1000 +3 with it`, without those
/// with it, with the bare per-mille, with the name only.
#[must_use]
pub fn fates(context: &RowContext<'_>, fate: &OutcomeAtLimit) -> [String; 4] {
    let name = victim(context, fate);
    let certain = fate.overridden.is_none() && !fate.too_close();
    let (share, bare) = match fate.permille.filter(|_| certain) {
        Some(share) => (format!("{name} {}/1000", share.0), format!("{name} {}", share.0)),
        None => (name.clone(), name.clone()),
    };
    [format!("{share}{}", mates(fate)), share, bare, name]
}

/// The longest of them.
#[must_use]
pub fn fate(context: &RowContext<'_>, fate: &OutcomeAtLimit) -> String {
    let [whole, ..] = fates(context, fate);
    whole
}

/// What is left until a wall is hit: `322M left, full in ~65s`.
#[must_use]
pub fn left(context: &RowContext<'_>, wall: &ReachableLimit) -> String {
    let swap = context.scene.now().swap.free_kib.bytes();
    let mut text = if wall.is_machine() && swap.0 > 0 {
        let memory = bytes(context, wall.headroom.saturating_sub(swap));
        format!("{memory} + {} swap left", bytes(context, swap))
    } else {
        format!("{} left", bytes(context, wall.headroom))
    };
    if let Some(time) = wall.full.map(|full| full.likely).or(wall.hit_in) {
        text.push_str(&format!(", full in {}", soon(time)));
    }
    text
}

/// The same behind how full it is: `2.71/3.00G, 322M left, full in ~65s`.
#[must_use]
pub fn room(context: &RowContext<'_>, wall: &ReachableLimit) -> String {
    let left = left(context, wall);
    let Scope::Memcg(path) = wall.scope() else { return left };
    let limit = bytes(context, wall.limit);
    match context.scene.now().cgroups.find(path.as_str()).map(Cgroup::used) {
        Some(Reading::Value(used)) => format!("{}, {left}", joined(bytes(context, used), limit)),
        _ => format!("{limit}, {left}"),
    }
}

/// The name of a wall: the cgroup's path, or the machine.
#[must_use]
pub fn limit_name(wall: &ReachableLimit) -> &str {
    if wall.is_machine() { "the machine" } else { wall.name.as_str() }
}

/// What a domain is, behind its name: nothing to add for the plain ones.
#[must_use]
pub fn scope_note(scene: &Scene) -> String {
    let domain = scene.domain();
    let contained = !scene.machine().initial_pid_namespace;
    match (domain.kind, &domain.weighed_by) {
        (DomainKind::Global, _) if contained => {
            " (of the host; outside processes are not visible)".to_owned()
        }
        (DomainKind::Global, _) => String::new(),
        (DomainKind::Gone, _) => ", gone".to_owned(),
        (DomainKind::Part, Some(name)) => format!(", weighed by {name}"),
        (DomainKind::Memcg(_), _) if *scene.scope() == Scope::Auto => {
            " (container limit)".to_owned()
        }
        _ => String::new(),
    }
}
