//! Resources of a process, read from outside.

use std::path::{Path, PathBuf};
use std::{fmt, fs};

/// Resources of a process at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Open descriptors, without those for files of the sampled processes.
    pub files: usize,
    /// Open files of processes that have exited. Those of the top candidates stay open only while they run.
    pub stale: usize,
    /// Threads.
    pub threads: usize,
    /// `VmRSS`, in KiB.
    pub resident: u64,
    /// `VmData`, in KiB: heap and stacks.
    pub data: u64,
}

impl Resources {
    /// Resources of this process now.
    pub fn of(pid: u32) -> Self {
        let of = pid;
        let listed = |what: &str| fs::read_dir(format!("/proc/{pid}/{what}")).into_iter().flatten();
        // `/proc/PID/stat` and the like.
        let owner = |file: &PathBuf| {
            let file = file.to_string_lossy().into_owned();
            let (pid, _) = file.strip_prefix("/proc/")?.split_once('/')?;
            pid.parse::<u32>().ok().filter(|other| *other != of)
        };
        let open = listed("fd").flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
        let (watched, files): (Vec<_>, Vec<_>) = open.partition(|file| owner(file).is_some());
        let gone = |pid: u32| !Path::new(&format!("/proc/{pid}")).exists();
        let stale = watched.iter().filter_map(owner).filter(|&pid| gone(pid)).count();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let kib = |name: &str| {
            let mut lines = status.lines();
            let line = lines.find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0)
        };
        let (resident, data) = (kib("VmRSS:"), kib("VmData:"));
        Self { files: files.len(), stale, threads: listed("task").count(), resident, data }
    }

    /// The maximum of both, number by number.
    pub fn max(self, other: Self) -> Self {
        Self {
            files: self.files.max(other.files),
            stale: self.stale.max(other.stale),
            threads: self.threads.max(other.threads),
            resident: self.resident.max(other.resident),
            data: self.data.max(other.data),
        }
    }
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, stale, threads, resident, data } = self;
        write!(
            f,
            "{files} descriptors, {stale} of exited processes, {threads} threads, resident {resident} KiB, data {data} KiB"
        )
    }
}
