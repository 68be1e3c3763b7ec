//! Runs the real doomtop and keeps its samples, to know what it said before a kill.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::clock::now;
use crate::terminal::program;

/// Maximum number of samples that are kept.
const MAX_KEPT: usize = 100;

/// A process of a sample.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    /// Its pid.
    pub pid: i32,
    /// Its start time in clock ticks.
    pub start_ticks: u64,
    /// Its name.
    #[serde(default)]
    pub comm: String,
    /// Resident pages by `stat`.
    pub rss_stat_pages: Option<i64>,
    /// Resident pages by `status`.
    pub rss_pages: Option<i64>,
    /// Swapped out.
    pub swap_pages: Option<i64>,
    /// Page tables.
    pub pgtables_pages: Option<i64>,
    /// Its adj.
    pub oom_score_adj: Option<i64>,
    /// The kernel's own score.
    pub oom_score: Option<u32>,
    /// Its rank, if it can be chosen.
    pub rank: Option<usize>,
    /// doomtop's points.
    pub badness_pages: Option<i64>,
    /// Growth in pages per minute.
    pub growth_pages_per_minute: Option<i64>,
    /// Why it cannot be chosen.
    pub spared: Option<String>,
}

/// The predicted victim.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Named {
    /// Its pid.
    pub pid: i32,
}

/// The ranking without what reclaim takes back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AtLimit {
    /// The first.
    pub victim: Option<Named>,
    /// All who may be the first.
    pub candidates: Vec<i32>,
}

/// A death that is predicted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Death {
    /// The killer.
    pub by: String,
    /// Where.
    pub domain: String,
    /// Who may die, the first first.
    pub candidates: Vec<Named>,
}

/// What doomtop said of a kill.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// The first of the candidates.
    pub first: Option<i32>,
    /// Who may die.
    pub candidates: Vec<i32>,
    /// Whether it said that nothing can be predicted.
    pub off: bool,
}

/// The domain.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Domain {
    /// Its name.
    pub name: String,
    /// Its total memory, which adj is a share of.
    pub total_pages: i64,
}

/// One sample: a line of `doomtop --json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Frame {
    /// The domain.
    #[serde(default)]
    pub domain: Domain,
    /// The predicted victim.
    pub victim: Option<Named>,
    /// Every process that may be the next victim.
    pub candidates: Vec<i32>,
    /// How much the victim is ahead.
    pub margin_pages: Option<i64>,
    /// Uncertainty of that margin.
    pub slack_pages: Option<i64>,
    /// Why nothing is predicted.
    #[serde(default)]
    pub off: Option<serde_json::Value>,
    /// The ranking at the limit.
    #[serde(default)]
    pub at_limit: AtLimit,
    /// The deaths that are predicted.
    #[serde(default)]
    pub deaths: Vec<Death>,
    /// All processes.
    pub processes: Vec<Row>,
}

impl Frame {
    /// Whether the sample has this pid.
    pub fn shows(&self, pid: i32) -> bool {
        self.processes.iter().any(|row| row.pid == pid)
    }

    fn is_off(&self) -> bool {
        self.off.as_ref().is_some_and(|off| !off.is_null())
    }

    /// The claim by the sizes of now: a kill that waits for nothing.
    pub fn now(&self) -> Claim {
        Claim {
            first: self.victim.as_ref().map(|victim| victim.pid),
            candidates: self.candidates.clone(),
            off: self.is_off(),
        }
    }

    /// The claim of the kernel's next kill in this domain: of the predicted death, else of the ranking at the limit.
    pub fn at_the_limit(&self, domain: &str) -> Claim {
        let death = self.deaths.iter().find(|it| it.by == "kernel" && it.domain == domain);
        match death {
            Some(death) => Claim {
                first: death.candidates.first().map(|it| it.pid),
                candidates: death.candidates.iter().map(|it| it.pid).collect(),
                off: false,
            },
            None => Claim {
                first: self.at_limit.victim.as_ref().map(|victim| victim.pid),
                candidates: self.at_limit.candidates.clone(),
                off: self.is_off(),
            },
        }
    }

    /// The claim where the scope has no limit of its own: of the predicted death in the domain above, else whom it says
    /// to die there.
    pub fn above_the_scope(&self, domain: &str) -> Claim {
        let off = self.off.as_ref().filter(|off| off["by"] == "no_limit");
        let Some(off) = off else { return Claim::default() };
        if self.deaths.iter().any(|it| it.by == "kernel" && it.domain == domain) {
            return self.at_the_limit(domain);
        }
        let pids = off["candidates"].as_array().into_iter().flatten();
        let candidates: Vec<i32> =
            pids.filter_map(|pid| i32::try_from(pid.as_i64()?).ok()).collect();
        Claim { first: candidates.first().copied(), candidates, off: false }
    }

    /// The process in the domain with the highest `oom_score`; of equals the youngest.
    pub fn highest_score(&self) -> Option<i32> {
        let inside = self.processes.iter().filter(|row| row.spared.as_deref() != Some("outside"));
        let key = |row: &&Row| (row.oom_score.unwrap_or(0), row.start_ticks, row.pid);
        inside.max_by_key(key).map(|row| row.pid)
    }
}

/// A line, and the time at which it was complete.
struct Sample {
    arrived: i64,
    line: Vec<u8>,
}

impl Sample {
    fn frame(&self) -> Frame {
        serde_json::from_slice(&self.line).expect("a line of doomtop --json")
    }
}

#[derive(Default)]
struct Samples {
    kept: VecDeque<Sample>,
    ended: bool,
}

/// A running doomtop.
pub struct Oracle {
    child: Child,
    samples: Arc<(Mutex<Samples>, Condvar)>,
}

impl Oracle {
    /// Starts it, for the machine or for one cgroup.
    pub fn start(scope: Option<&str>) -> Self {
        let mut command = Command::new(program());
        command.args(["--json", "-d", "0.1", "--scope", scope.unwrap_or("global")]);
        let sampler = std::env::var_os("OOM_SAMPLER").filter(|name| !name.is_empty());
        if let Some(sampler) = sampler {
            command.arg("--sampler").arg(sampler);
        }
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("doomtop");
        let mut lines = BufReader::with_capacity(1 << 20, child.stdout.take().expect("its output"));
        let samples = Arc::new((Mutex::new(Samples::default()), Condvar::new()));
        let shared = Arc::clone(&samples);
        thread::spawn(move || {
            let (samples, changed) = &*shared;
            loop {
                // The buffer of the oldest line is used again, so that nothing is allocated under
                // memory pressure.
                let mut line = {
                    let mut samples = samples.lock().expect("samples");
                    let full = samples.kept.len() >= MAX_KEPT;
                    let oldest = if full { samples.kept.pop_front() } else { None };
                    oldest.map(|sample| sample.line).unwrap_or_default()
                };
                line.clear();
                let count = lines.read_until(b'\n', &mut line).unwrap_or(0);
                let arrived = now();
                let mut samples = samples.lock().expect("samples");
                if count == 0 {
                    samples.ended = true;
                } else {
                    samples.kept.push_back(Sample { arrived, line });
                }
                changed.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self { child, samples }
    }

    fn lock(&self) -> MutexGuard<'_, Samples> {
        self.samples.0.lock().expect("samples")
    }

    /// Waits for `count_wanted` samples in a row, taken after `since`, for which `wanted` is true.
    pub fn settled(
        &self,
        since: i64,
        count_wanted: usize,
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
                // The first one to arrive may have been taken before `since`.
                fine = if seen != since && wanted(&frame) { fine + 1 } else { 0 };
                seen = arrived;
            }
            if fine >= count_wanted {
                return Ok(());
            }
            if samples.ended {
                return Err("doomtop ended".to_owned());
            }
            if Instant::now() >= deadline {
                return Err("doomtop does not show what was waited for".to_owned());
            }
            let wait = Duration::from_millis(500);
            samples = self.samples.1.wait_timeout(samples, wait).expect("samples").0;
        }
    }

    /// The last sample that arrived before this time, and its age then.
    pub fn before(&self, moment: i64) -> Option<(Frame, i64)> {
        let samples = self.lock();
        let sample = samples.kept.iter().rev().find(|sample| sample.arrived < moment)?;
        Some((sample.frame(), moment - sample.arrived))
    }

    /// The points of a process in the samples before this time, each with its time in milliseconds.
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

    /// Number of samples between these times for which `wanted` is true.
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
