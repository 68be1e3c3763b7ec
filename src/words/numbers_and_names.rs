//! Numbers and names as text, the same in all output.

use crate::columns::{RowContext, SizeUnit, cgroup_leaf, short_id, span_of};
use crate::forecast::limits::ReachableLimit;
use crate::forecast::oom_at_limit::OutcomeAtLimit;
use crate::model::{
    Cgroup, CgroupName, Domain, DomainKind, ProcId, Process, Reading, Scene, Scope, TimeToFull,
};
use crate::policy::{BadnessUnit, Override};
use crate::units::{Bytes, Kib, Millis, Pages, Permille, Points};
use crate::words::overridden;

/// An integer in groups of three digits: `3 021 312`.
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

/// The time since a process started.
#[must_use]
pub fn age(scene: &Scene, id: ProcId) -> String {
    let ran = scene.now().clock.uptime_ticks.saturating_sub(id.born);
    span_of(ran.seconds(scene.machine().tick_rate))
}

/// A size in pages, in the unit of the context.
#[must_use]
pub fn size(context: &RowContext<'_>, pages: Pages) -> String {
    let mut out = String::new();
    context.size(pages, &mut out);
    out
}

/// A size in KiB, in the unit of the context.
#[must_use]
pub fn kib(context: &RowContext<'_>, kib: Kib) -> String {
    size(context, kib.pages(context.scene.machine().page_size))
}

/// A part and the whole in one unit: `25.9/31.2G`.
#[must_use]
pub fn pair(context: &RowContext<'_>, of: Kib, all: Kib) -> String {
    joined(kib(context, of), kib(context, all))
}

/// A signed number of points, in the unit of the policy.
#[must_use]
pub fn points(context: &RowContext<'_>, points: Points) -> String {
    if points == Points::ZERO {
        return "0".to_owned();
    }
    let mut out = String::new();
    context.points(points, &mut out);
    out
}

/// A difference of badness with its unit: `14M`, or `3 points` where the points of the policy are not pages.
#[must_use]
pub fn lead(context: &RowContext<'_>, points: Points) -> String {
    match (context.policy.info().unit, points) {
        (BadnessUnit::Pages, Points::ZERO) => "0B".to_owned(),
        (BadnessUnit::Pages, _) => self::points(context, points),
        (BadnessUnit::Bare, Points(1)) => "1 point".to_owned(),
        (BadnessUnit::Bare, _) => format!("{} points", grouped(points.0)),
    }
}

/// The weight of one step of adj. It shows tenths of a MiB, because it is multiplied by hundreds.
#[must_use]
pub fn step(context: &RowContext<'_>) -> String {
    step_of(context, context.scene.domain())
}

/// The weight of one step of adj in another domain.
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

/// Points as a share of the domain, in per mille: `313`.
#[must_use]
pub fn permille(context: &RowContext<'_>, points: Points) -> i64 {
    Permille::of(points, context.scene.domain().pages).0
}

/// The same as text: `313/1000`. Nothing where it is no share: a userspace killer may add to what it prefers.
#[must_use]
pub fn share_of_domain(context: &RowContext<'_>, points: Points) -> Option<String> {
    let share = permille(context, points);
    let is_share = share <= 1000 || context.policy.info().kind.is_kernel();
    is_share.then(|| format!("{share}/1000"))
}

/// The name of the user, or the sign that says why it is unknown.
#[must_use]
pub fn user(context: &RowContext<'_>, process: &Process) -> String {
    let user = context.user(process);
    let dash = user.dash();
    user.value().unwrap_or_else(|| dash.to_owned())
}

/// The pid and the name: `20731 chrome`.
#[must_use]
pub fn who(process: &Process) -> String {
    format!("{} {}", process.id, process.comm)
}

/// A share of time in percent, without the sign.
#[must_use]
pub fn share(percent: f32) -> String {
    format!("{:.1}", percent.clamp(0.0, 999.9))
}

/// A size in bytes, in the unit of the context.
#[must_use]
pub fn bytes(context: &RowContext<'_>, bytes: Bytes) -> String {
    size(context, bytes.pages(context.scene.machine().page_size))
}

/// Two sizes with a shared unit: `7.10/8.00G`.
#[must_use]
pub fn joined(of: String, all: String) -> String {
    let unit = |text: &str| text.chars().next_back().filter(char::is_ascii_alphabetic);
    let mut of = of;
    if unit(&of).is_some() && unit(&of) == unit(&all) {
        of.pop();
    }
    format!("{of}/{all}")
}

/// The seconds of a day: nobody can use an estimate of more in hours.
const DAY: u64 = 86_400;

/// An estimated time: `~40s`, `~3m`, `~2.0h`, `more than a day`.
#[must_use]
pub fn soon(time: Millis) -> String {
    match time.0.div_ceil(1000) {
        DAY.. => "more than a day".to_owned(),
        seconds @ 0..100 => format!("~{seconds}s"),
        seconds @ 100..5370 => format!("~{}m", (seconds + 30) / 60),
        seconds => format!("~{:.1}h", seconds as f64 / 3600.0),
    }
}

/// An estimated time as an answer to "when": `in ~40s`, or `now`.
#[must_use]
pub fn in_soon(time: Millis) -> String {
    if time == Millis::ZERO { "now".to_owned() } else { format!("in {}", soon(time)) }
}

/// An estimated time with its range: `in about 7 min (5 to 9)`.
#[must_use]
pub fn about(arrival: &TimeToFull) -> String {
    let TimeToFull { soonest, likely, latest, .. } = *arrival;
    if likely.0 >= DAY * 1000 {
        return "in more than a day".to_owned();
    }
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
    let range = match latest.0 / 1000 {
        DAY.. => format!(" ({from} to more than a day)"),
        _ if from == to => String::new(),
        _ => format!(" ({from} to {to})"),
    };
    format!("in about {} {unit}{range}", number(likely))
}

/// The victim at a limit: `30114 cc1plus`, or why there is none.
#[must_use]
pub fn victim(context: &RowContext<'_>, outcome: &OutcomeAtLimit) -> String {
    let name = |id: ProcId| context.scene.find(id).map_or_else(|| id.to_string(), who);
    match outcome.overridden {
        Some(Override::Waits) => return "no kill: waits".to_owned(),
        Some(Override::Panic) => return "no kill: panics".to_owned(),
        Some(other) => return overridden::brief(other, context.policy, context.scene),
        None => {}
    }
    let Some(victim) = outcome.victim else { return "no process can be chosen".to_owned() };
    match outcome.rival {
        Some(other) => format!("too close: {} or {}", name(victim), name(other)),
        None => name(victim),
    }
}

/// The number of processes that die with the victim: ` +3 with it`. Empty if none.
#[must_use]
pub fn also_killed(outcome: &OutcomeAtLimit) -> String {
    let falls = outcome.victim.is_some() && outcome.overridden.is_none() && outcome.also_killed > 0;
    if falls { format!(" +{} with it", outcome.also_killed) } else { String::new() }
}

/// The outcome at a limit in three lengths, the longest first: `30114 cc1plus 471/1000 +3 with it`,
/// `30114 cc1plus 471/1000`, `30114 cc1plus`.
#[must_use]
pub fn outcome_forms(context: &RowContext<'_>, outcome: &OutcomeAtLimit) -> [String; 3] {
    let name = victim(context, outcome);
    let certain = outcome.overridden.is_none() && !outcome.too_close();
    let share = outcome.permille.filter(|_| certain);
    let share = share.map_or_else(|| name.clone(), |share| format!("{name} {}/1000", share.0));
    [format!("{share}{}", also_killed(outcome)), share, name]
}

/// The outcome at a limit, in its longest form.
#[must_use]
pub fn outcome(context: &RowContext<'_>, outcome: &OutcomeAtLimit) -> String {
    let [whole, ..] = outcome_forms(context, outcome);
    whole
}

/// The memory left below a limit, and what of it is swap: `322M left, full in ~65s`, `22M + 300M swap left`.
#[must_use]
pub fn left(context: &RowContext<'_>, limit: &ReachableLimit) -> String {
    let mut text = if limit.swap > Bytes::ZERO {
        format!("{} + {} swap left", bytes(context, limit.memory()), bytes(context, limit.swap))
    } else {
        format!("{} left", bytes(context, limit.headroom))
    };
    if let Some(time) = limit.hit_in {
        text.push_str(&format!(", full in {}", soon(time)));
    }
    text
}

/// The usage of a limit and the memory left: `2.71/3.00G, 322M left, full in ~65s`.
#[must_use]
pub fn room(context: &RowContext<'_>, limit: &ReachableLimit) -> String {
    let left = left(context, limit);
    let Scope::Memcg(path) = limit.scope() else { return left };
    let whole = bytes(context, limit.limit);
    match context.scene.now().cgroups.find(path.as_str()).map(Cgroup::used) {
        Some(Reading::Value(used)) => format!("{}, {left}", joined(bytes(context, used), whole)),
        _ => format!("{whole}, {left}"),
    }
}

/// The name of a limit in texts: the path of the cgroup, or `the machine`.
#[must_use]
pub fn limit_name(limit: &ReachableLimit) -> &str {
    if limit.is_machine() { "the machine" } else { limit.name.as_str() }
}

/// A cgroup in one or two words: `container 3f9c27d1`, `pod 7e1c`, `ssh.service`, `cgroup shop`.
#[must_use]
pub fn short_cgroup(path: &str) -> String {
    match CgroupName::of(path) {
        CgroupName::Container { id, .. } => format!("container {}", short_id(id)),
        CgroupName::Pod(id) => format!("pod {}", id.get(..12).unwrap_or(id)),
        CgroupName::Unit(name) if name.ends_with(".service") => name.to_owned(),
        _ => format!("cgroup {}", cgroup_leaf(path)),
    }
}

/// The same in forms of different length, the longest first: a container also with its pod, a plain cgroup also with
/// the one above it.
#[must_use]
pub fn cgroup_forms(path: &str) -> Vec<String> {
    let short = short_cgroup(path);
    let above = path.trim_end_matches('/').rsplit('/').nth(1).filter(|it| !it.is_empty());
    let long = match (CgroupName::of(path), above) {
        (CgroupName::Container { pod: Some(pod), .. }, _) => {
            Some(format!("{short} of pod {}", pod.get(..12).unwrap_or(pod)))
        }
        (_, Some(above)) if short.starts_with("cgroup ") => {
            Some(format!("cgroup {above}/{}", cgroup_leaf(path)))
        }
        _ => None,
    };
    long.into_iter().chain([short]).collect()
}

/// A domain in the forms in which sentences and titles name it, the longest first: `the machine`, or those of the cgroup.
#[must_use]
pub fn domain_forms(name: &str) -> Vec<String> {
    match name {
        Scope::GLOBAL => vec!["the machine".to_owned()],
        // A cpuset or a node has no path, and the root no name.
        name if !name.starts_with('/') || name == "/" => vec![name.to_owned()],
        path => cgroup_forms(path),
    }
}

/// A cgroup as that of a process, in words: `its container in pod 7e1c`, `its service ssh.service`.
#[must_use]
pub(crate) fn its_cgroup(path: &str) -> String {
    match CgroupName::of(path) {
        CgroupName::Container { pod: Some(pod), .. } => format!("its container in pod {pod}"),
        CgroupName::Container { id, pod: None } => format!("its container {}", short_id(id)),
        CgroupName::Pod(_) => "its pod".to_owned(),
        CgroupName::Machine(name) => format!("its virtual machine ({name})"),
        CgroupName::User(uid) => format!("the slice of user {uid}"),
        CgroupName::Unit(name) => {
            format!("its {} {name}", name.rsplit_once('.').map_or("unit", |(_, kind)| kind))
        }
        CgroupName::Other(path) => format!("its memory cgroup {path}"),
    }
}

/// A note on the domain to put behind its name; empty for ordinary domains.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cgroup_has_a_longer_name_where_there_is_room() {
        let pod = "/kubepods.slice/kubepods-burstable-pod3f9c.slice/cri-containerd-c65a08.scope";
        for (path, names) in [
            (pod, &["container c65a08 of pod 3f9c", "container c65a08"][..]),
            ("/system.slice/docker-c65a08.scope", &["container c65a08"]),
            ("/shop/web", &["cgroup shop/web", "cgroup web"]),
            ("/shop", &["cgroup shop"]),
            ("/system.slice/ssh.service", &["ssh.service"]),
        ] {
            assert_eq!(cgroup_forms(path), names);
        }
    }

    #[test]
    fn a_cgroup_is_named_after_its_container() {
        let id = "0123456789abcdef".repeat(4);
        for (path, name) in [
            (
                "/kubepods.slice/kubepods-pod3f.slice/cri-containerd-c65a08.scope",
                "container c65a08",
            ),
            (&format!("/system.slice/docker-{id}.scope"), "container 0123456789ab"),
            (&format!("/docker/{id}"), "container 0123456789ab"),
            ("/kubepods.slice/kubepods-burstable-pod7e1c_9.slice", "pod 7e1c_9"),
            ("/system.slice/ssh.service", "ssh.service"),
            ("/user.slice/session-3.scope", "cgroup session-3.scope"),
            ("/docker-compose", "cgroup docker-compose"),
            ("/", "cgroup /"),
        ] {
            assert_eq!(short_cgroup(path), name);
        }
    }

    #[test]
    fn a_cgroup_is_named_as_its_user_knows_it() {
        for (path, wanted) in [
            ("/kubepods/burstable/podab12", "its pod"),
            ("/kubepods/burstable/podab12/c1", "its container in pod ab12"),
            (
                "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podab_12.slice/cri-containerd-77.scope",
                "its container in pod ab_12",
            ),
            ("/system.slice/docker-0123456789abcdef0123.scope", "its container 0123456789ab"),
            ("/docker/0123456789abcdef0123", "its container 0123456789ab"),
            ("/lxc/web", "its container web"),
            ("/lxc.payload.web", "its container web"),
            ("/system.slice/nginx.service", "its service nginx.service"),
            ("/user.slice/user-1000.slice", "the slice of user 1000"),
            ("/shop/web", "its memory cgroup /shop/web"),
        ] {
            assert_eq!(its_cgroup(path), wanted, "{path}");
        }
    }
}
