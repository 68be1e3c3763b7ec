//! Two recordings of a load test side by side: what the second took more or less than the first.

mod rows;
#[cfg(test)]
mod tests;
mod text;

use serde_json::{Value, json};

use super::load_test::{LoadSummariser, LoadSummary, is_of_run, summary_keys};
use crate::forecast::steady_growth::GrowthTrend;
use crate::model::{Machine, Snapshot};
use crate::units::{Bytes, Kib, Millis};

pub use rows::{ComparedRow, ComparedUnit, ComparedVerdict, JudgedBy};
pub use text::write_comparison;

/// Maximum number of differences of each kind that the sentence names.
const NAMED: usize = 3;
/// Durations that differ by more than this share are told, and totals are judged by their share of them.
const SAME_DURATION: f64 = 0.1;

/// One of the two recordings.
#[derive(Clone, Debug)]
pub struct ComparedRun {
    /// The file.
    pub file: String,
    /// Host name, kernel and RAM.
    pub machine: (String, String, Kib),
    /// Which boot of which machine it is of.
    boot: String,
    /// What it took.
    pub summary: LoadSummary,
    /// What could not be reclaimed, swap included, by the time since the first sample.
    pub sizes: Vec<(Millis, Bytes)>,
}

impl ComparedRun {
    /// After all samples were taken. `None` where there was none.
    #[must_use]
    pub fn of(file: String, summariser: &LoadSummariser) -> Option<Self> {
        let summary = summariser.summary()?;
        let now: &Snapshot = summariser.scene()?.now();
        let host: &Machine = &now.machine;
        let machine = (host.name.to_string(), host.kernel.to_string(), now.memory.total_kib);
        let first = now.clock.monotonic_ms.saturating_sub(summary.over);
        let sizes = summariser.sizes().iter();
        let sizes = sizes.map(|&(at, size)| (at.saturating_sub(first), size)).collect();
        Some(Self { file, machine, boot: host.boot_id.to_string(), summary, sizes })
    }

    /// What it grew by in a minute; 0 where it did not grow steadily. `None` where it was too short to tell.
    fn growth(&self) -> Option<f64> {
        match self.summary.growth {
            GrowthTrend::TooShort => None,
            GrowthTrend::NotSteady => Some(0.0),
            GrowthTrend::Steady(growth) => Some(growth.best * 60.0),
        }
    }
}

/// Two recordings, and how they differ.
#[derive(Clone, Debug)]
pub struct LoadComparison {
    /// The two, in the order in which they were given.
    pub runs: [ComparedRun; 2],
    /// What is compared.
    pub rows: Vec<ComparedRow>,
    /// What keeps them from being comparable.
    pub notes: Vec<String>,
}

impl LoadComparison {
    /// Compares. `same_file`: both are the same file.
    #[must_use]
    pub fn new(runs: [ComparedRun; 2], same_file: bool) -> Self {
        let rows = rows::all(&runs, !differ_in_length(&runs));
        let notes = notes(&runs, same_file);
        Self { runs, rows, notes }
    }

    /// The most important differences as one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let words = |verdict: ComparedVerdict| {
            let rows = self.rows.iter().filter(|row| row.verdict() == Some(verdict));
            let parts: Vec<String> =
                rows.filter_map(ComparedRow::difference_words).take(NAMED).collect();
            match parts.as_slice() {
                [] => None,
                [one] => Some(one.clone()),
                [rest @ .., last] => Some(format!("{} and {last}", rest.join(", "))),
            }
        };
        match (words(ComparedVerdict::Worse), words(ComparedVerdict::Better)) {
            (None, None) => "No difference is larger than its uncertainty.".to_owned(),
            (Some(only), None) | (None, Some(only)) => format!("B {only}."),
            (Some(worse), Some(better)) => format!("B {worse}; but it {better}."),
        }
    }

    /// As one JSON object.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "schema": "doomtop-compare/1",
            "sentence": self.sentence(),
            "runs": self.runs.iter().map(run_json).collect::<Vec<Value>>(),
            "differences": self.rows.iter().map(ComparedRow::json).collect::<Vec<Value>>(),
            "notes": self.notes,
        })
    }
}

/// Whether one is so much longer that totals of the two cannot be compared.
fn differ_in_length([a, b]: &[ComparedRun; 2]) -> bool {
    let (over_a, over_b) = (a.summary.over.0 as f64, b.summary.over.0 as f64);
    (over_a - over_b).abs() > over_a.max(over_b) * SAME_DURATION
}

/// Whether the name of a machine may be the token that `--redact` puts in its place.
fn is_redacted(machine: &str) -> bool {
    let is_hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    machine.strip_prefix("host-").is_some_and(|it| it.len() == 8 && it.chars().all(is_hex))
}

/// What keeps two recordings from being comparable.
fn notes(runs: &[ComparedRun; 2], same_file: bool) -> Vec<String> {
    let [a, b] = runs;
    let mut notes = Vec::new();
    let same_time = a.boot == b.boot && a.summary.unix_ms == b.summary.unix_ms;
    if same_file {
        notes.push("A and B are the same file".to_owned());
    } else if same_time && a.summary.samples == b.summary.samples {
        notes.push("A and B are of the same machine and the same time".to_owned());
    }
    let ((name_a, kernel_a, ram_a), (name_b, kernel_b, ram_b)) = (&a.machine, &b.machine);
    if name_a != name_b && is_redacted(name_a.as_str()) && is_redacted(name_b.as_str()) {
        notes.push(
            "the names of the machines are redacted: they may be of one machine or of two"
                .to_owned(),
        );
    } else if name_a != name_b {
        notes.push(format!("they are of different machines: {name_a} and {name_b}"));
    }
    if kernel_a != kernel_b {
        notes.push(format!("the kernels differ: {kernel_a} and {kernel_b}"));
    }
    // What the firmware takes differs a little from boot to boot.
    if ram_a.0.abs_diff(ram_b.0) > ram_a.0.max(ram_b.0) / 50 {
        let size = |kib: &Kib| crate::columns::human_size(kib.bytes());
        notes.push(format!("the RAM differs: {} and {}", size(ram_a), size(ram_b)));
    }
    let of_runs = [a, b].iter().all(|run| is_of_run(run.summary.scope.as_str()));
    if a.summary.scope != b.summary.scope && !of_runs {
        notes.push(format!("the scopes differ: {} and {}", a.summary.scope, b.summary.scope));
    }
    if a.summary.limit != b.summary.limit {
        let size =
            |it: Option<Bytes>| it.map_or_else(|| "none".to_owned(), crate::columns::human_size);
        notes.push(format!(
            "the limits differ: {} and {}",
            size(a.summary.limit),
            size(b.summary.limit)
        ));
    }
    if differ_in_length(runs) {
        notes.push(
            "the durations differ: times are judged by their share of the test, kills by the hour"
                .to_owned(),
        );
    }
    for (name, run) in [("A", a), ("B", b)] {
        if run.summary.needed_is_least {
            notes.push(format!("{name} may have needed more: a process was killed in it"));
        }
    }
    notes
}

fn run_json(run: &ComparedRun) -> Value {
    let mut object = summary_keys(&run.summary);
    let (machine, kernel, ram) = &run.machine;
    object.insert("file".to_owned(), json!(run.file));
    object.insert("machine".to_owned(), json!(machine));
    object.insert("kernel".to_owned(), json!(kernel));
    object.insert("ram_kib".to_owned(), json!(ram.0));
    object.insert("duration_s".to_owned(), json!(run.summary.over.seconds()));
    Value::Object(object)
}
