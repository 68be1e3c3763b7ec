//! A kill as one sentence, for the banner.

use crate::app::incident::event_text::victim_text;
use crate::columns::human_size;
use crate::model::{Killer, OomEvent, Text};
use crate::units::Bytes;
use crate::words::numbers_and_names::cgroup_forms;

/// `the kernel killed 208 node (165M) in container c65a08 of pod 3f9c: its limit of 190M`, and shorter forms;
/// `limit` is that of the domain. The last form leaves out where and why.
#[must_use]
pub fn kill_sentences(event: &OomEvent, limit: Option<Bytes>) -> [String; 3] {
    let name = |path: &Text, nth: usize| {
        let mut forms = cgroup_forms(path.as_str());
        let at = nth.min(forms.len().saturating_sub(1));
        forms.swap_remove(at)
    };
    let long = |nth: usize| kill_sentence(event, limit, &|path| name(path, nth));
    [long(0), long(1), format!("{} killed {}", event.by.name(), who(event))]
}

/// The sentence with cgroups by these names.
fn kill_sentence(event: &OomEvent, limit: Option<Bytes>, leaf: &dyn Fn(&Text) -> String) -> String {
    let mut text = format!("{} killed {}", event.by.name(), who(event));
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
