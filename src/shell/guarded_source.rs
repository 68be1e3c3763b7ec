//! The samples of this machine, with care for doomtop itself after each: its memory, and the protection of
//! `--protect`.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::{Errno, pread};

use super::own_memory::OwnMemory;
use super::stdio::complain;
use crate::effects::own_adj::{MAX_RESIDENT, OwnAdj};
use crate::model::{LogLine, Needs, ProcId, Snapshot, Text};
use crate::sample::proc_root::ProcRoot;
use crate::source::{Source, SourceError};
use crate::units::{Bytes, PageSize, Pages};

/// A protected doomtop may have at most this part of the machine's memory, where that is less than
/// [`MAX_RESIDENT`].
const PART_OF_MEMORY: u64 = 8;

/// Where a protection that ends is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProtectionReport {
    /// On the screen, which compares the samples.
    ByScreen,
    /// On standard error.
    OnStandardError,
}

/// A source of live samples.
pub(crate) struct GuardedSource {
    source: Box<dyn Source>,
    memory: OwnMemory,
    own_adj: Option<Arc<OwnAdj>>,
    /// `/proc/self/statm`, kept open.
    statm: Result<OwnedFd, Errno>,
    report: ProtectionReport,
}

impl GuardedSource {
    /// Guards this source of the live tree `root`.
    pub(crate) fn new(
        source: Box<dyn Source>,
        root: &ProcRoot,
        memory: OwnMemory,
        own_adj: Option<Arc<OwnAdj>>,
        report: ProtectionReport,
    ) -> Self {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let statm = openat(root, c"self/statm", flags, Mode::empty());
        Self { source, memory, own_adj, statm, report }
    }

    /// doomtop's own resident memory.
    fn resident(&self, page: PageSize) -> Option<Bytes> {
        let mut room = [0; 96];
        let length = pread(self.statm.as_ref().ok()?, &mut room[..], 0).ok()?;
        resident_pages(&room[..length]).map(|pages| pages.bytes(page))
    }

    /// Ends the protection where doomtop itself takes too much. Returns whether it is protected.
    fn check_protection(&self, sample: &Snapshot) -> bool {
        let Some(own) = self.own_adj.as_ref().filter(|own| own.is_lowered()) else { return false };
        let part = sample.memory.total_kib.bytes().0 / PART_OF_MEMORY;
        let most = Bytes(part).min(MAX_RESIDENT);
        let Some(resident) = self.resident(sample.machine.page_size) else { return true };
        if let Some(adj) = own.restore_above(resident, most)
            && self.report == ProtectionReport::OnStandardError
        {
            complain(&format!(
                "doomtop is no longer protected: it takes {} MiB, more than {} MiB; oom_score_adj is \
                 {adj} again",
                resident.0 >> 20,
                most.0 >> 20
            ));
        }
        own.is_lowered()
    }
}

/// The second number of `/proc/PID/statm`.
fn resident_pages(statm: &[u8]) -> Option<Pages> {
    let text = std::str::from_utf8(statm).ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok().map(Pages)
}

impl Source for GuardedSource {
    fn sample(
        &mut self,
        needs: &Needs,
        spent: Option<Arc<Snapshot>>,
    ) -> Result<Arc<Snapshot>, SourceError> {
        let mut sample = self.source.sample(needs, spent)?;
        let protected = self.check_protection(&sample);
        if let Some(sample) = Arc::get_mut(&mut sample) {
            sample.privileges.protected = protected;
        }
        self.memory.sampled(&sample);
        Ok(sample)
    }

    fn sample_again(&mut self, ids: &[ProcId], snapshot: &mut Snapshot) {
        self.source.sample_again(ids, snapshot);
    }

    fn learn_users(&mut self, users: Arc<BTreeMap<u32, Text>>) {
        self.source.learn_users(users);
    }

    fn add_log(&mut self, lines: Vec<LogLine>) {
        self.source.add_log(lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resident_pages_are_the_second_number_or_nothing() {
        assert_eq!(resident_pages(b"2345 678 90 1 0 2 0\n"), Some(Pages(678)));
        for cut in [&b""[..], b"2345", b"x y", b"\xff 1", b"1 -1"] {
            assert_eq!(resident_pages(cut), None, "{cut:?}");
        }
    }
}
