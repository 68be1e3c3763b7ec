//! What the threads of a silent doomtop wait for in the kernel: the innermost functions of each (`proc_pid_stack(5)`).

use std::collections::BTreeMap;
use std::fs;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// Functions of a stack that are kept.
const FRAMES: usize = 9;

/// Looks in a thread of its own: to open files may take long where memory is short.
pub struct Waits {
    asked: SyncSender<(&'static str, u32)>,
    thread: JoinHandle<Vec<String>>,
}

impl Waits {
    pub fn start() -> Self {
        let (asked, asks) = sync_channel(1);
        Self { asked, thread: thread::spawn(move || collected(&asks)) }
    }

    /// Looks at the threads of this process now, or not at all while the look before lasts.
    pub fn look(&self, name: &'static str, pid: u32) {
        let _ = self.asked.try_send((name, pid));
    }

    /// What was seen most often comes first.
    pub fn end(self) -> Vec<String> {
        drop(self.asked);
        self.thread.join().unwrap_or_default()
    }
}

fn collected(asks: &Receiver<(&'static str, u32)>) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (name, pid) in asks {
        let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { continue };
        for task in tasks.flatten() {
            let read = |file: &str| fs::read_to_string(task.path().join(file)).unwrap_or_default();
            let (stat, stack) = (read("stat"), read("stack"));
            let comm = stat.split(['(', ')']).nth(1).unwrap_or("?").to_owned();
            let state = stat.rsplit(") ").next().and_then(|it| it.chars().next()).unwrap_or('?');
            let functions: Vec<&str> = stack
                .lines()
                .filter_map(|line| line.split("] ").nth(1)?.split('+').next())
                .take(FRAMES)
                .collect();
            // A thread that waits for work waits for nobody.
            let idle = ["futex", "poll", "epoll", "nanosleep", "read_wait", "signalfd"];
            let is_idle = state == 'S'
                && functions.iter().any(|it| idle.iter().any(|idle| it.contains(idle)));
            if !is_idle {
                *counts
                    .entry(format!("{name} {comm} {state} {}", functions.join(" < ")))
                    .or_default() += 1;
            }
        }
    }
    let mut lines: Vec<(usize, String)> = counts.into_iter().map(|(line, n)| (n, line)).collect();
    lines.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    lines.into_iter().map(|(count, line)| format!("{count} times: {line}")).collect()
}
