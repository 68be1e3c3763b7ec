//! What a process holds, from outside.

use std::{fmt, fs};

/// What it holds at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Open descriptors.
    pub files: usize,
    /// Threads.
    pub threads: usize,
    /// `VmRSS`, in KiB.
    pub resident: u64,
    /// `VmData`, in KiB: heap and stacks.
    pub data: u64,
}

impl Held {
    /// What this process holds now.
    pub fn of(pid: u32) -> Self {
        let count = |what: &str| {
            fs::read_dir(format!("/proc/{pid}/{what}")).map_or(0, |entries| entries.count())
        };
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let kib = |name: &str| {
            let mut lines = status.lines();
            let line = lines.find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0)
        };
        let (resident, data) = (kib("VmRSS:"), kib("VmData:"));
        Self { files: count("fd"), threads: count("task"), resident, data }
    }

    /// The most of both.
    pub fn or(self, other: Self) -> Self {
        Self {
            files: self.files.max(other.files),
            threads: self.threads.max(other.threads),
            resident: self.resident.max(other.resident),
            data: self.data.max(other.data),
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, threads, resident, data } = self;
        write!(
            f,
            "{files} descriptors, {threads} threads, resident {resident} KiB, data {data} KiB"
        )
    }
}
