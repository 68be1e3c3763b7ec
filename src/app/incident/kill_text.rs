//! A kill as one sentence, for the banner.

use crate::app::incident::event_text::victim_text;
use crate::columns::{cgroup_leaf, human_size};
use crate::model::{Killer, OomEvent};
use crate::units::Bytes;

/// `the kernel killed 208 node (165M) in shop.scope: its limit of 190M`; `limit` is that of the domain.
/// The short form leaves out where and why.
#[must_use]
pub fn kill_sentence(event: &OomEvent, limit: Option<Bytes>, short: bool) -> String {
    let mut text = format!("{} killed {}", event.by.name(), who(event));
    if short {
        return text;
    }
    let leaf = |path: &crate::model::Text| cgroup_leaf(path.as_str()).to_owned();
    match (event.by, &event.domain, &event.cgroup) {
        (Killer::Machine, ..) => text.push_str(": the machine was out of memory"),
        (Killer::Sysrq, ..) => text.push_str(": asked for with sysrq-f"),
        (Killer::Group, _, Some(path)) => {
            text.push_str(&format!(" with all of {} (memory.oom.group)", leaf(path)));
        }
        (by, Some(path), _) if by.is_kernel() => {
            text.push_str(&format!(" in {}: its limit", leaf(path)));
            if let Some(limit) = limit {
                text.push_str(&format!(" of {}", human_size(limit)));
            }
        }
        (_, Some(path), _) | (_, None, Some(path)) if event.victim.is_some() => {
            text.push_str(&format!(" in {}", leaf(path)));
        }
        _ => {}
    }
    text
}

/// Who was killed, with its size.
fn who(event: &OomEvent) -> String {
    let Some(victim) = &event.victim else {
        return match event.by {
            Killer::Counted => "a process: its log does not say which".to_owned(),
            _ => victim_text(event),
        };
    };
    let mut notes = Vec::new();
    if victim.rss.is_some() || victim.swap.is_some() {
        let size = victim.rss.unwrap_or_default() + victim.swap.unwrap_or_default();
        notes.push(human_size(size.bytes()));
    }
    if event.guessed {
        notes.push("victim guessed".to_owned());
    }
    let pid = victim.pid.map_or_else(String::new, |pid| format!("{pid} "));
    if notes.is_empty() {
        format!("{pid}{}", victim.comm)
    } else {
        format!("{pid}{} ({})", victim.comm, notes.join(", "))
    }
}
