//! The real doomtop, and what it had said when the kernel chose.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::clock::now;
use crate::terminal::program;

/// So many of the last looks are kept.
const KEPT: usize = 100;

/// A row of a look.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    /// Its pid.
    pub pid: i32,
    /// When it was born.
    pub start_ticks: u64,
    /// Its name.
    #[serde(default)]
    pub comm: String,
    /// Resident by `stat`.
    pub rss_stat_pages: Option<i64>,
    /// Resident by `status`.
    pub rss_pages: Option<i64>,
    /// Swapped out.
    pub swap_pages: Option<i64>,
    /// Page tables.
    pub pgtables_pages: Option<i64>,
    /// Its adj.
    pub oom_score_adj: Option<i64>,
    /// The kernel's own score.
    pub oom_score: Option<u32>,
    /// The place in the order of death, if it can die.
    pub rank: Option<usize>,
    /// doomtop's points.
    pub badness_pages: Option<i64>,
    /// Growth since the look before.
    pub growth_pages_per_minute: Option<i64>,
    /// Why it cannot die.
    pub spared: Option<String>,
}

/// Who is named.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Named {
    /// Its pid.
    pub pid: i32,
}

/// What the limit is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Domain {
    /// Its name.
    pub name: String,
    /// What adj is weighed by.
    pub total_pages: i64,
}

/// One look: a line of `doomtop --json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Frame {
    /// What the limit is.
    #[serde(default)]
    pub domain: Domain,
    /// Who dies next.
    pub victim: Option<Named>,
    /// Who may die next.
    pub candidates: Vec<i32>,
    /// By how much the victim is ahead.
    pub margin_pages: Option<i64>,
    /// By how much the two may move.
    pub slack_pages: Option<i64>,
    /// Why nothing is predicted.
    #[serde(default)]
    pub off: Option<serde_json::Value>,
    /// Everybody who was looked at.
    pub processes: Vec<Row>,
}

impl Frame {
    /// Whether this pid was seen.
    pub fn shows(&self, pid: i32) -> bool {
        self.processes.iter().any(|row| row.pid == pid)
    }

    /// Whom sorting by the kernel's own score would name, of those in the domain, the youngest of
    /// equals.
    pub fn highest_score(&self) -> Option<i32> {
        let inside = self.processes.iter().filter(|row| row.spared.as_deref() != Some("outside"));
        let key = |row: &&Row| (row.oom_score.unwrap_or(0), row.start_ticks, row.pid);
        inside.max_by_key(key).map(|row| row.pid)
    }
}

/// A line, and when all of it had arrived.
struct Look {
    arrived: i64,
    line: Vec<u8>,
}

impl Look {
    fn frame(&self) -> Frame {
        serde_json::from_slice(&self.line).expect("a line of doomtop --json")
    }
}

#[derive(Default)]
struct Looks {
    kept: VecDeque<Look>,
    ended: bool,
}

/// doomtop, running beside us.
pub struct Oracle {
    child: Child,
    samples: Arc<(Mutex<Looks>, Condvar)>,
}

impl Oracle {
    /// Starts it, for the machine or for one cgroup.
    pub fn start(scope: Option<&str>) -> Self {
        let mut command = Command::new(program());
        command.args(["--json", "-d", "0.1", "--scope", scope.unwrap_or("global")]);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("doomtop");
        let mut lines = BufReader::with_capacity(1 << 20, child.stdout.take().expect("its output"));
        let samples = Arc::new((Mutex::new(Looks::default()), Condvar::new()));
        let theirs = Arc::clone(&samples);
        thread::spawn(move || {
            let (samples, changed) = &*theirs;
            loop {
                // The line that is forgotten gives its memory to the next: under pressure nothing
                // needs to be allocated.
                let mut line = {
                    let mut samples = samples.lock().expect("looks");
                    let full = samples.kept.len() >= KEPT;
                    let oldest = if full { samples.kept.pop_front() } else { None };
                    oldest.map(|sample| sample.line).unwrap_or_default()
                };
                line.clear();
                let count = lines.read_until(b'\n', &mut line).unwrap_or(0);
                let arrived = now();
                let mut samples = samples.lock().expect("looks");
                if count == 0 {
                    samples.ended = true;
                } else {
                    samples.kept.push_back(Look { arrived, line });
                }
                changed.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self { child, samples }
    }

    fn lock(&self) -> MutexGuard<'_, Looks> {
        self.samples.0.lock().expect("looks")
    }

    /// Waits for so many looks in a row of which this is true, all taken after `since`.
    pub fn settled(
        &self,
        since: i64,
        wanted_looks: usize,
        deadline: Instant,
        wanted: impl Fn(&Frame) -> bool,
    ) -> Result<(), String> {
        let mut seen = since;
        let mut fine = 0;
        let mut samples = self.lock();
        loop {
            let fresh: Vec<(i64, Frame)> = samples
                .kept
                .iter()
                .filter(|sample| sample.arrived > seen)
                .map(|sample| (sample.arrived, sample.frame()))
                .collect();
            for (arrived, frame) in fresh {
                // What arrived first may have been looked at before.
                fine = if seen != since && wanted(&frame) { fine + 1 } else { 0 };
                seen = arrived;
            }
            if fine >= wanted_looks {
                return Ok(());
            }
            if samples.ended {
                return Err("doomtop ended".to_owned());
            }
            if Instant::now() >= deadline {
                return Err("doomtop does not show what was waited for".to_owned());
            }
            let wait = Duration::from_millis(500);
            samples = self.samples.1.wait_timeout(samples, wait).expect("looks").0;
        }
    }

    /// The last look that had arrived before this moment, and how old it was then.
    pub fn before(&self, moment: i64) -> Option<(Frame, i64)> {
        let samples = self.lock();
        let sample = samples.kept.iter().rev().find(|sample| sample.arrived < moment)?;
        Some((sample.frame(), moment - sample.arrived))
    }

    /// How a process went up in the looks before this moment: milliseconds before it, and points.
    pub fn history(&self, moment: i64, pid: i32) -> Vec<(i64, Option<i64>)> {
        let samples = self.lock();
        let past = samples.kept.iter().filter(|sample| sample.arrived < moment);
        past.map(|sample| {
            let row = sample.frame().processes.into_iter().find(|row| row.pid == pid);
            ((sample.arrived - moment) / 1000, row.and_then(|row| row.badness_pages))
        })
        .skip_while(|(_, points)| points.is_none())
        .collect()
    }

    /// How many looks arrived between these moments of which this is true.
    pub fn samples(&self, from: i64, to: i64, wanted: impl Fn(&Frame) -> bool) -> usize {
        let samples = self.lock();
        let within =
            samples.kept.iter().filter(|sample| sample.arrived > from && sample.arrived < to);
        within.filter(|sample| wanted(&sample.frame())).count()
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
