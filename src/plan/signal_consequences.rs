//! What a signal to a process entails: which processes end with it, which stay, and what stands in the
//! way.

use crate::model::{
    Capability, FrozenBy, Process, ProcessDetail, Reading, Scene, ServiceUnit, Signal,
};
use crate::policy::{Policy, likely_sharers};
use crate::rank::also_killed::group_mates;

/// What the service manager does after the signal, as far as the unit's files tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartOutcome {
    /// The unit has no file that can be read.
    Unknown,
    /// `Restart=` does not apply to this signal.
    StaysDown,
    /// The unit is started again, so its memory use comes back.
    Restarts,
}

/// Why the signal cannot work, known before it is sent (`kernel/signal.c` `check_kill_permission`).
pub(crate) fn obstacle(process: &Process, scene: &Scene) -> Option<&'static str> {
    let privileges = scene.now().privileges;
    let foreign = process.ids.value().is_some_and(|ids| ids.uid != privileges.euid);
    if foreign && !privileges.kills_others() {
        Some("another user's process: needs root (CAP_KILL), which you lack")
    } else if process.state.is_zombie() && !process.has_mm {
        Some("it is a zombie already: its parent has to reap it")
    } else {
        None
    }
}

/// Whether this user may raise the priority of a process.
#[must_use]
pub fn may_raise_priority(scene: &Scene) -> bool {
    scene.now().privileges.caps.has(Capability::SysNice)
}

/// The processes that an OOM kill would end with this one (`memory.oom.group`), and a signal does not.
pub(crate) fn survivors(process: &Process, scene: &Scene) -> Option<String> {
    let (group, mates) = group_mates(process, scene)?;
    let count = mates.len();
    let text = format!(
        "{count} more in {} survive: only an OOM kill kills the whole group (memory.oom.group)",
        group.path
    );
    (count > 0).then_some(text)
}

/// The processes that the policy would kill with this one, or in its place. Those that [`survivors`]
/// and [`also_killed`] name are left out.
pub(crate) fn killed_by_policy(
    policy: &dyn Policy,
    process: &Process,
    scene: &Scene,
) -> Option<String> {
    if let Some((child, why)) = policy.killed_instead(process, scene) {
        let (pid, name) = (child.id.pid, &child.comm);
        return Some(format!("by {} {pid} {name} would die in its place: {why}", policy.id()));
    }
    let mates = group_mates(process, scene).map_or_else(Vec::new, |(_, mates)| mates);
    let sharers = likely_sharers(process, scene);
    let named = |other: &Process| mates.iter().chain(&sharers).any(|it| it.id == other.id);
    let also = policy.also_killed(process, scene).into_iter();
    let more: Vec<&Process> =
        also.filter(|other| other.id != process.id && !named(other)).collect();
    let first = more.first()?;
    let (pid, name) = (first.id.pid, &first.comm);
    let rest = if more.len() > 1 { format!(" and {} more", more.len() - 1) } else { String::new() };
    Some(format!(
        "by {} {pid} {name}{rest} would die with it; a signal does not kill them",
        policy.id()
    ))
}

/// What ends or changes with a process, a line each; `detail` once it was read.
pub(crate) fn also_killed(
    process: &Process,
    scene: &Scene,
    detail: Option<&ProcessDetail>,
) -> Vec<String> {
    let mut lines = Vec::new();
    if process.threads > 1 {
        lines.push(format!("its {} threads", process.threads));
    }
    lines.extend(sharers(process, scene, detail));
    lines.extend(detail.and_then(|detail| ended_by_unit(process, scene, detail.unit.as_ref()?)));
    let children = scene.children(process.id.pid).count();
    if children > 0 {
        let word = if children == 1 { "child stays" } else { "children stay" };
        lines.push(format!("its {children} {word}, under another parent"));
    }
    if process.session == process.id.pid {
        let in_session = |it: &&Process| it.session == process.session && it.id != process.id;
        let members = scene.now().processes.iter().filter(in_session).count();
        if members > 0 {
            lines.push(format!("it leads a session: {members} more may be hung up"));
        }
    }
    lines
}

/// The processes that share its memory: proven where `kcmp(2)` could tell, otherwise guessed by size.
fn sharers(process: &Process, scene: &Scene, detail: Option<&ProcessDetail>) -> Vec<String> {
    let proven = detail.map_or(Reading::NotAsked, |detail| detail.sharers.as_ref());
    let mut lines = Vec::new();
    if let Reading::Value(sharers) = proven {
        for (id, name) in sharers.found.iter().take(3) {
            lines.push(format!(
                "{id} {name} shares its memory (kcmp): it survives, and keeps that memory"
            ));
        }
        if sharers.found.len() > 3 {
            lines.push(format!("{} more share its memory", sharers.found.len() - 3));
        }
        return lines;
    }
    let how = match proven {
        Reading::Denied => "by its sizes; to be sure needs CAP_SYS_PTRACE",
        _ => "by its sizes",
    };
    for other in likely_sharers(process, scene).iter().take(3) {
        lines.push(format!(
            "{} {} seems to share its memory ({how}): it survives, and keeps that memory",
            other.id.pid, other.comm
        ));
    }
    lines
}

/// The other processes of its cgroup, which systemd ends after the main process (`KillMode=`).
fn ended_by_unit(process: &Process, scene: &Scene, unit: &ServiceUnit) -> Option<String> {
    let Reading::Value(path) = &process.cgroup else { return None };
    if !unit.main || !unit.ends_all {
        return None;
    }
    let same = |other: &&Process| matches!(&other.cgroup, Reading::Value(it) if it == path);
    let others = scene.now().processes.iter().filter(same).count().saturating_sub(1);
    let name = unit.name.as_str();
    (others > 0).then(|| {
        format!(
            "if it is the main process of {name}, systemd ends the other {others} with it (KillMode)"
        )
    })
}

/// What the freezer that holds a process means for a signal to it.
pub(crate) fn frozen(frozen: &FrozenBy, signal: Signal) -> String {
    let path = frozen.path.as_str();
    if !frozen.delays(signal) {
        return format!("its cgroup {path} is frozen; {signal} reaches it nevertheless");
    }
    if !frozen.own {
        return format!(
            "frozen by a cgroup above {path}: it cannot act on {signal} before the thaw"
        );
    }
    let others = match frozen.others {
        0 => "no other process is in it".to_owned(),
        1 => "1 other process continues too".to_owned(),
        count => format!("{count} other processes continue too"),
    };
    format!("its cgroup {path} is frozen and will be thawed: {others}")
}

/// Whether the service manager starts the unit again after this signal, and the sentence that says so.
pub(crate) fn restart(unit: &ServiceUnit, signal: Signal) -> (RestartOutcome, String) {
    let (name, how) = (unit.name.as_str(), unit.restart.name());
    if unit.from.is_empty() {
        return (RestartOutcome::Unknown, format!("of {name}: its unit file cannot be seen"));
    }
    if !unit.restart.restarts_after(signal) {
        let text = format!("of {name}: stays down after {signal} (Restart={how})");
        return (RestartOutcome::StaysDown, text);
    }
    let text = if unit.main {
        format!(
            "if it is the main process of {name}, systemd restarts it (Restart={how}), and the memory \
             comes back"
        )
    } else {
        format!("of {name}: if it is its main process, systemd restarts it (Restart={how})")
    };
    (RestartOutcome::Restarts, text)
}
