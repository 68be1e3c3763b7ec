//! The usage of one memory cgroup: memory, swap, and what reclaim can free.

use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::sys::resource::{Resource, getrlimit};
use rustix::io::Errno;

use crate::model::{Cgroup, Hierarchy, Reading, Text};
use crate::sample::absence::perhaps;
use crate::sample::cgroup::directory::{CgroupBuffers, push};
use crate::sample::cgroup::mount::Mount;
use crate::sample::parse;
use crate::sample::parse::MemoryStat;
use crate::units::Bytes;

/// What tells how full a group is, by hierarchy: memory, then swap (version 2) or memory and swap
/// together (version 1), then what can be reclaimed.
pub(crate) const fn level_files(hierarchy: Hierarchy) -> [&'static CStr; 3] {
    match hierarchy {
        Hierarchy::V1 => [c"memory.usage_in_bytes", c"memory.memsw.usage_in_bytes", c"memory.stat"],
        Hierarchy::V2 => [c"memory.current", c"memory.swap.current", c"memory.stat"],
    }
}

/// How many groups may have these files kept open: a sixteenth of the descriptors that this process
/// may open, and at most 64 descriptors.
pub(crate) fn budget() -> usize {
    let soft = getrlimit(Resource::RLIMIT_NOFILE).map_or(256, |(soft, _)| soft);
    usize::try_from(soft / 16).unwrap_or(usize::MAX).min(64) / 3
}

/// A limited group between walks over the tree.
pub(crate) struct Limited {
    pub(crate) path: Arc<Text>,
    /// Its directory below the mount point.
    pub(crate) relative: Vec<u8>,
    /// The files that tell how full it is, if they are kept open.
    pub(crate) files: Option<[Result<OwnedFd, Errno>; 3]>,
}

impl Limited {
    /// Reads how full it is into its group. Whether it is still there.
    pub(crate) fn refresh(
        &self,
        mount: &Mount,
        tools: &mut CgroupBuffers,
        group: &mut Cgroup,
    ) -> bool {
        for (at, name) in level_files(mount.hierarchy).into_iter().enumerate() {
            let CgroupBuffers { buffer, path, .. } = tools;
            let read = match &self.files {
                Some(files) => match &files[at] {
                    Ok(file) => buffer.again(file),
                    Err(errno) => Err(*errno),
                },
                None => {
                    path.clear();
                    path.extend_from_slice(&self.relative);
                    push(path, name);
                    path.push(0);
                    CStr::from_bytes_until_nul(path)
                        .map_err(|_| Errno::NOENT)
                        .and_then(|path| buffer.read(&mount.dir, path))
                }
            };
            // A limited group has the first of them as long as it lives.
            if at == 0 && matches!(read, Err(Errno::NOENT | Errno::NODEV)) {
                return false;
            }
            take_level(group, mount.hierarchy, at, read);
        }
        true
    }
}

/// Takes what one of [`level_files`] tells.
pub(crate) fn take_level(
    group: &mut Cgroup,
    hierarchy: Hierarchy,
    at: usize,
    read: Result<&[u8], Errno>,
) {
    match (at, hierarchy) {
        (0, _) => group.usage = perhaps(read, bytes),
        (1, Hierarchy::V1) => group.memsw_usage = perhaps(read, bytes),
        (1, Hierarchy::V2) => group.swap_usage = perhaps(read, bytes),
        _ => {
            take_stat(group, hierarchy, perhaps(read, |it| parse::memory_stat(it, hierarchy).ok()))
        }
    }
}

/// Takes what `memory.stat` tells.
fn take_stat(group: &mut Cgroup, hierarchy: Hierarchy, stat: Reading<MemoryStat>) {
    fn part<T>(stat: Reading<MemoryStat>, of: impl FnOnce(MemoryStat) -> Option<T>) -> Reading<T> {
        match stat {
            Reading::Value(stat) => of(stat).map_or(Reading::Missing, Reading::Value),
            Reading::Denied => Reading::Denied,
            Reading::Missing => Reading::Missing,
            Reading::NotAsked => Reading::NotAsked,
        }
    }
    group.reclaimable = part(stat, |stat| stat.reclaimable);
    group.inactive_file = part(stat, |stat| stat.inactive_file);
    if hierarchy == Hierarchy::V2 {
        group.pgscan = part(stat, |stat| stat.pgscan);
    }
}

/// A file of one number of bytes.
fn bytes(file: &[u8]) -> Option<Bytes> {
    number(file).map(Bytes)
}

/// A file of one number.
pub(crate) fn number(file: &[u8]) -> Option<u64> {
    parse::lone_number("memory.current", file).ok().and_then(|number| u64::try_from(number).ok())
}
