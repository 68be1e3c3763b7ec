//! The loads: processes that leak, that touch more than fits, that read more than fits. Each is this binary run
//! again; it ends with the run.

use std::fs;
use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, set_parent_process_death_signal};

/// The first argument that makes this binary a load.
pub const WORD: &str = "__load";

/// A file larger than the memory, on the disk of the guest.
const LARGE_FILE: &str = "/disk/large";

/// A load, and where the monitors are.
pub struct Scenario {
    pub name: &'static str,
    /// What each process does, how many there are, and its size in MiB.
    processes: &'static [(&'static str, usize, u64)],
    /// The memory cgroup of the load and of the monitors.
    pub group: Option<&'static str>,
}

/// All loads. The guest has 512 MiB.
pub const SCENARIOS: &[Scenario] = &[
    // Where nothing can be swapped, kills follow each other.
    Scenario { name: "kills", processes: &[("leak", 4, 0)], group: None },
    // The machine has zram, or a disk, for swap.
    Scenario { name: "thrash", processes: &[("touch", 4, 160)], group: None },
    Scenario { name: "cache", processes: &[("hold", 1, 330), ("read", 2, 0)], group: None },
    Scenario { name: "small-leaks", processes: &[("leak", 64, 0)], group: None },
    Scenario { name: "crowd", processes: &[("hold", 1000, 0), ("leak", 2, 0)], group: None },
    Scenario { name: "high", processes: &[("touch", 2, 120)], group: Some(GROUP) },
];

/// The memory cgroup with a `memory.high` that the load exceeds.
const GROUP: &str = "/sys/fs/cgroup/survival";

/// The running load, ended on drop.
pub struct Load(Vec<Child>);

impl Load {
    /// Starts it.
    pub fn start(scenario: &Scenario) -> Self {
        let own = std::env::current_exe().expect("its own path");
        let mut children = Vec::new();
        for (kind, count, size) in scenario.processes {
            for _ in 0..*count {
                let started = Command::new(&own)
                    .args([WORD, kind, &size.to_string()])
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .spawn();
                // Where memory is short already, there are enough of them.
                let Ok(child) = started else { break };
                if let Some(group) = scenario.group {
                    let _ = fs::write(format!("{group}/cgroup.procs"), child.id().to_string());
                }
                children.push(child);
            }
        }
        Self(children)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Distance of two pages in bytes.
const PAGE: usize = 4096;

/// A process of a load. A leak begins anew in another process when it was killed.
pub fn live(kind: &str, mib: u64) -> ExitCode {
    set_parent_process_death_signal(Some(Signal::KILL)).expect("ends with the run");
    // Not that of the judge.
    fs::write("/proc/self/oom_score_adj", "0").expect("raised");
    let size = usize::try_from(mib << 20).expect("a size");
    match kind {
        "hold" => {
            let held = filled(size);
            loop {
                thread::park_timeout(Duration::from_secs(3600));
                black_box(&held);
            }
        }
        "touch" => {
            let mut held = filled(size);
            let (pages, mut at) = (size / PAGE, 0_usize);
            loop {
                // A stride that visits every page in no order that reading ahead could guess.
                at = (at + 7_919) % pages.max(1);
                held[at * PAGE] = held[at * PAGE].wrapping_add(1);
            }
        }
        "read" => loop {
            let mut room = vec![0; 1 << 20];
            let mut file = File::open(LARGE_FILE).expect("the disk of the guest");
            while file.read(&mut room).is_ok_and(|count| count > 0) {}
        },
        "leak" => leak(),
        other => panic!("{other} is no load"),
    }
}

/// Memory that does not compress: a byte of each 8 is random enough.
fn filled(size: usize) -> Vec<u8> {
    let mut state = u64::from(std::process::id()) | 1;
    let mut held = Vec::with_capacity(size);
    while held.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        held.extend_from_slice(&state.to_le_bytes());
    }
    held
}

/// A parent that starts a leaking child again each time it was killed.
fn leak() -> ExitCode {
    let own = std::env::current_exe().expect("its own path");
    if std::env::var_os("SURVIVAL_LEAKS").is_none() {
        loop {
            let mut child = Command::new(&own);
            child.args([WORD, "leak", "0"]).env("SURVIVAL_LEAKS", "1").stdin(Stdio::null());
            let _ = child.status();
        }
    }
    let mut held: Vec<Vec<u8>> = Vec::new();
    loop {
        held.push(filled(1 << 20));
        black_box(&held);
        thread::park_timeout(Duration::from_millis(30));
    }
}
