//! The summary of a log with many kills: how often, where, and which name, with the first and last time.

use std::collections::BTreeMap;

use crate::events::{HeardKill, LogTimestamp, OomCause, OomReport};

/// Kills of one name in one place.
#[derive(Clone, Debug, Default)]
struct Tally {
    count: u64,
    first: String,
    last: String,
    /// The order of appearance.
    nth: usize,
}

/// All kills of a log.
#[derive(Clone, Debug, Default)]
pub struct KillSummary {
    tallies: BTreeMap<(String, String), Tally>,
    count: u64,
    first: String,
    last: String,
}

/// The fewest kills that get a summary.
const LEAST: u64 = 3;
/// Maximum number of lines of the summary.
const MAX_LINES: usize = 20;
/// Maximum number of different names and places that are counted.
const MAX_TALLIES: usize = 10_000;

fn time(stamp: &LogTimestamp) -> String {
    match stamp.uptime_us {
        Some(us) if stamp.text.is_empty() || stamp.text.ends_with(" us") => {
            format!("{}.{:03} s", us / 1_000_000, us / 1000 % 1000)
        }
        _ => stamp.shown(),
    }
}

impl KillSummary {
    fn note(&mut self, place: String, name: String, stamp: &LogTimestamp) {
        let time = time(stamp);
        if self.count == 0 {
            self.first.clone_from(&time);
        }
        self.count += 1;
        self.last.clone_from(&time);
        let nth = self.tallies.len();
        let key = (place, name);
        if nth >= MAX_TALLIES && !self.tallies.contains_key(&key) {
            return;
        }
        let tally = self.tallies.entry(key).or_insert_with(|| Tally {
            first: time.clone(),
            nth,
            ..Tally::default()
        });
        tally.count += 1;
        tally.last = time;
    }

    /// Counts the kills of a report; one that names none counts as one.
    pub fn note_report(&mut self, report: &OomReport) {
        let place = match (&report.domain, report.cause()) {
            (Some(path), _) => path.clone(),
            (None, OomCause::Memcg) => "a memory cgroup".to_owned(),
            (None, OomCause::Unknown) => "domain not told".to_owned(),
            (None, OomCause::PageFault) => "a page fault".to_owned(),
            (None, OomCause::Cpuset) => "a cpuset".to_owned(),
            (None, OomCause::MemoryPolicy) => "a memory policy".to_owned(),
            (None, OomCause::Machine | OomCause::Sysrq) => "the machine".to_owned(),
        };
        if report.killed.is_empty() {
            let chosen = report.selected.as_ref().map(|(_, name, _)| format!("{name} (chosen)"));
            let name = chosen.unwrap_or_else(|| "nobody named".to_owned());
            self.note(place.clone(), name, &report.stamp);
        }
        for killed in &report.killed {
            self.note(place.clone(), killed.name.clone(), &report.stamp);
        }
    }

    /// Counts a kill by a daemon.
    pub fn note_daemon(&mut self, heard: &HeardKill) {
        let kill = &heard.kill;
        let leaf = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let cgroup = kill.cgroup.as_ref().map(|path| leaf(path.as_str()));
        let name = kill.comm.map(|comm| comm.to_string()).or(cgroup).unwrap_or_default();
        self.note(format!("by {}", kill.by.word()), name, &heard.stamp);
    }

    /// The lines of the summary; none where there are few kills.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        if self.count < LEAST {
            return Vec::new();
        }
        let mut all: Vec<_> = self.tallies.iter().collect();
        all.sort_by_key(|(_, tally)| (std::cmp::Reverse(tally.count), tally.nth));
        let span = |first: &str, last: &str| match (first, last) {
            ("", "") => String::new(),
            _ if first == last => format!(", {first}"),
            _ => format!(", {first} to {last}"),
        };
        let mut lines = vec![format!("{} kills{}", self.count, span(&self.first, &self.last))];
        lines.extend(all.iter().take(MAX_LINES).map(|((place, name), tally)| {
            let at = if place.starts_with("by ") { " " } else { " in " };
            format!(
                "  {:>5} {name}{at}{place}{}",
                format!("{}×", tally.count),
                span(&tally.first, &tally.last)
            )
        }));
        if all.len() > MAX_LINES {
            lines.push(format!("  {} more names and places", all.len() - MAX_LINES));
        }
        lines
    }
}
