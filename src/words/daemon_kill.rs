//! A kill by a daemon, found in a saved log, in words.

use crate::columns::human_size;
use crate::events::HeardKill;
use crate::model::{EventTime, OomEvent, Text, Victim};
use crate::words::remedy::{self, Remedy};

/// What follows in every text the name of a kill that JSON calls `unproven`; empty for others.
#[must_use]
pub const fn doubt(event: &OomEvent) -> &'static str {
    if event.unproven { " (unproven: by a log file, to which any user can write)" } else { "" }
}

/// The kill in one sentence: who, whom, why.
#[must_use]
pub fn answer(heard: &HeardKill) -> String {
    let kill = &heard.kill;
    let killer = kill.by.word();
    let mut text = match (kill.pid, &kill.comm, &kill.cgroup) {
        (Some(pid), Some(comm), _) => format!("{comm} ({pid}) was killed by {killer}"),
        (Some(pid), None, _) => format!("{pid} was killed by {killer}"),
        (None, Some(comm), _) => format!("{comm} was killed by {killer}"),
        (None, None, Some(path)) => {
            let count = kill.processes.map_or_else(String::new, |it| match it {
                1 => " (1 process)".to_owned(),
                it => format!(" ({it} processes)"),
            });
            format!("all of {path}{count} was killed by {killer}")
        }
        _ => format!("{killer} killed a process"),
    };
    match &kill.why {
        Some(why) => text.push_str(&format!(" due to {why}")),
        None => text.push_str("; why: not in this log"),
    }
    if let Some(rss) = kill.rss {
        text.push_str(&format!("; it held {}", human_size(rss.bytes())));
    }
    text + "; the kernel's OOM killer was not involved"
}

/// The lines about a unit that a kill of its cgroup explains already.
#[must_use]
pub fn is_same(first: &HeardKill, second: &HeardKill) -> bool {
    let leaf = |path: &Text| path.as_str().rsplit('/').next().unwrap_or_default().to_owned();
    let (Some(path), Some(unit)) = (&first.kill.cgroup, &second.kill.cgroup) else { return false };
    first.kill.by == second.kill.by
        && second.kill.why.is_none()
        && first.kill.why.is_some()
        && !unit.as_str().contains('/')
        && leaf(path) == unit.as_str()
}

/// What to change.
#[must_use]
pub fn remedies(heard: &HeardKill) -> Vec<Remedy> {
    let kill = &heard.kill;
    let victim = kill.comm.map(|comm| Victim {
        pid: kill.pid,
        comm,
        uid: kill.uid,
        rss: kill.rss,
        adj: kill.adj,
        ..Default::default()
    });
    remedy::of_daemon_kill(&OomEvent {
        victim,
        domain: kill.cgroup.clone(),
        ..OomEvent::new(kill.by, 0, EventTime::Order)
    })
}
