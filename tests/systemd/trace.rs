//! What a guest kept: the recording, the journal, and who died when.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A time in which one killer ran. Times are in seconds since the guest booted.
#[derive(Clone, Debug)]
pub struct Round {
    /// The policy by which it kills.
    pub killer: String,
    pub number: u32,
    pub begins: f64,
    pub ends: f64,
}

/// The end of a load: its unit, how systemd calls its result, and when its last command ran.
#[derive(Clone, Debug)]
pub struct LoadEnd {
    pub at: f64,
    pub unit: String,
    pub status: String,
}

/// All of it.
pub struct Trace {
    pub rounds: Vec<Round>,
    pub ends: Vec<LoadEnd>,
    /// When killers wrote that they kill, by their identifier in the journal.
    pub said: BTreeMap<String, Vec<f64>>,
    /// What doomtop says at each sample of the recording.
    pub samples: Vec<Value>,
    /// What `doomtop explain` says of the journal.
    pub explained: Vec<Value>,
    /// Package and version.
    pub versions: BTreeMap<String, String>,
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What doomtop prints, as JSON.
fn doomtop(arguments: &[&str]) -> Vec<Value> {
    let binary = std::env::var("DOOMTOP_JUDGED").ok();
    let binary = binary.unwrap_or_else(|| env!("CARGO_BIN_EXE_doomtop").to_owned());
    let output = Command::new(binary).args(arguments).output().expect("doomtop runs");
    json_lines(&String::from_utf8_lossy(&output.stdout))
}

impl Trace {
    /// Reads what `tests/systemd/inside/killers` wrote.
    pub fn read(directory: &Path) -> Self {
        let file = |name: &str| directory.join(name).to_str().expect("a path").to_owned();
        let text = |name: &str| fs::read_to_string(directory.join(name)).unwrap_or_default();
        let (journal, tape) = (file("journal.json"), file("tape"));
        Self {
            rounds: rounds(&text("rounds")),
            ends: ends(&text("deaths")),
            said: kill_lines(&json_lines(&text("journal.json"))),
            samples: doomtop(&["--json", "--from", &tape]),
            explained: doomtop(&["explain", "--json", &journal]),
            versions: versions(&text("versions")),
        }
    }

    /// The version of the program of a killer.
    pub fn version(&self, killer: &str) -> String {
        let package = program(killer);
        let version = self.versions.get(package).map_or("", String::as_str);
        // Without the revision of the package.
        version.split(['-', '~']).next().unwrap_or_default().to_owned()
    }
}

/// The program that kills by a policy, which is also its identifier in the journal.
pub fn program(killer: &str) -> &str {
    match killer {
        it if it.starts_with("systemd-oomd") => "systemd-oomd",
        it if it.starts_with("earlyoom") => "earlyoom",
        other => other,
    }
}

/// Lines `UPTIME KILLER NUMBER UNIT begins` and `… ends`.
pub fn rounds(text: &str) -> Vec<Round> {
    let mut rounds: Vec<Round> = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [at, killer, number, _, what] = words[..] else { continue };
        let (at, number) = (at.parse().expect("a time"), number.parse().expect("a number"));
        if what == "begins" {
            rounds.push(Round { killer: killer.to_owned(), number, begins: at, ends: f64::MAX });
        } else if let Some(last) = rounds.last_mut() {
            last.ends = at;
        }
    }
    rounds
}

/// Lines `UPTIME UNIT RESULT CODE STATUS`.
pub fn ends(text: &str) -> Vec<LoadEnd> {
    let end = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [at, unit, _, _, status] = words[..] else { return None };
        Some(LoadEnd { at: at.parse().ok()?, unit: unit.to_owned(), status: status.to_owned() })
    };
    text.lines().filter_map(end).collect()
}

/// Lines `PACKAGE VERSION`.
fn versions(text: &str) -> BTreeMap<String, String> {
    let pair = |line: &str| line.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()));
    text.lines().filter_map(pair).collect()
}

/// The times of the lines by which killers say that they kill.
fn kill_lines(journal: &[Value]) -> BTreeMap<String, Vec<f64>> {
    let mut said: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for entry in journal {
        let field = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let (by, text) = (field("SYSLOG_IDENTIFIER"), field("MESSAGE"));
        let is_kill = match by {
            // By a rule of a file, the line of the rule is the only one.
            "systemd-oomd" => {
                text.starts_with("Killed /")
                    || text.starts_with("Marked /")
                    || text.starts_with("Rule '") && text.contains("taking action")
            }
            "earlyoom" => text.starts_with("sending SIG"),
            "nohang" => text.contains("] Sending SIG"),
            _ => false,
        };
        if is_kill {
            let at: f64 = field("__MONOTONIC_TIMESTAMP").parse().expect("microseconds");
            said.entry(by.to_owned()).or_default().push(at / 1e6);
        }
    }
    said
}
