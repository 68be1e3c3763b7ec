//! A kill as one sentence, for the banner and for texts.

use crate::app::incident::event_text::victim_text;
use crate::columns::human_size;
use crate::kills::KillNews;
use crate::model::{Killer, OomEvent, Scene, Text};
use crate::units::{Bytes, Kib};
use crate::words::daemon_kill::doubt;
use crate::words::next_death::forecast_sentence;
use crate::words::numbers_and_names::cgroup_forms;

/// Pages of files are told where they are at least this much.
const MIN_FILES: Kib = Kib(1024);

/// The limit of the cgroup in which a kill was, by the last samples of the scene.
#[must_use]
pub fn limit_of_kill(scene: &Scene, event: &OomEvent) -> Option<Bytes> {
    let path = event.domain.as_ref()?;
    let mut samples = [scene.before(), Some(scene.now())].into_iter().flatten();
    samples.find_map(|sample| sample.cgroups.find(path.as_str())?.effective_limit())
}

/// A kill and what was predicted of it, as a line of a text: `the kernel killed 208 node (165M) in cgroup shop/web:
/// its limit of 190M, predicted 14 s before`.
#[must_use]
pub fn kill_line(scene: Option<&Scene>, event: &OomEvent) -> String {
    let [mut text, ..] = kill_sentences(event, scene.and_then(|scene| limit_of_kill(scene, event)));
    text.push_str(doubt(event));
    if let Some(forecast) = forecast_sentence(event.forecast) {
        text.push_str(&format!(", {forecast}"));
    }
    text
}

/// What became known of a kill as a line of a text: its first word, and the rest. What was told wrongly is told again.
#[must_use]
pub fn kill_news_line(scene: Option<&Scene>, news: &KillNews) -> (&'static str, String) {
    let line = kill_line(scene, news.event());
    match news {
        KillNews::Kill(_) => ("KILLED", line),
        KillNews::Retracted(_) => ("NOT KILLED", format!("{line}; the log takes that back")),
        KillNews::Corrected { before, now } => {
            let pid = |event: &OomEvent| event.victim.and_then(|victim| victim.pid);
            let name = victim_text(&OomEvent { guessed: false, ..OomEvent::clone(before) });
            let note = match pid(before) == pid(now) && pid(now).is_some() {
                true if before.guessed => "; that was a guess so far".to_owned(),
                true => "; told before with less".to_owned(),
                false => format!("; not {name}, as was told before"),
            };
            ("CORRECTED", line + &note)
        }
    }
}

/// `the kernel killed 208 node (165M and 12M of files) in container c65a08 of pod 3f9c: its limit of 190M`, and shorter forms;
/// `limit` is that of the domain. The third form leaves out the limit, the last one also where it was.
#[must_use]
pub fn kill_sentences(event: &OomEvent, limit: Option<Bytes>) -> [String; 4] {
    let name = |path: &Text, nth: usize| {
        let mut forms = cgroup_forms(path.as_str());
        let at = nth.min(forms.len().saturating_sub(1));
        forms.swap_remove(at)
    };
    let long = |nth: usize| kill_sentence(event, limit, nth == 0, &|path| name(path, nth));
    let short = format!("{} killed {}", event.by.name(), who(event, false));
    let path = event.domain.as_ref().or(event.cgroup.as_ref());
    let place = match (event.by, path) {
        (Killer::Machine, _) => " in the machine".to_owned(),
        (Killer::Sysrq, _) | (_, None) => String::new(),
        (_, Some(path)) => format!(" in {}", name(path, 1)),
    };
    [long(0), long(1), format!("{short}{place}"), short]
}

/// The sentence with cgroups by these names, and with the pages of files.
fn kill_sentence(
    event: &OomEvent,
    limit: Option<Bytes>,
    has_files: bool,
    leaf: &dyn Fn(&Text) -> String,
) -> String {
    let mut text = format!("{} killed {}", event.by.name(), who(event, has_files));
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

/// Who was killed, and what that frees; beside it the pages of files that it had.
fn who(event: &OomEvent, has_files: bool) -> String {
    let Some(victim) = &event.victim else {
        return match event.by {
            Killer::Counted => "a process: its log does not say which".to_owned(),
            _ => victim_text(event),
        };
    };
    let mut notes = Vec::new();
    if let Some(freed) = victim.freed() {
        let mut size = human_size(freed.bytes());
        if let Some(files) = victim.file.filter(|files| has_files && *files >= MIN_FILES) {
            size.push_str(&format!(" and {} of files", human_size(files.bytes())));
        }
        notes.push(size);
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
