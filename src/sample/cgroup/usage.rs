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

/// The files with the usage of a group: memory; swap (version 2) or memory and swap together
/// (version 1); what reclaim can free.
pub(crate) const fn level_files(hierarchy: Hierarchy) -> [&'static CStr; 3] {
    match hierarchy {
        Hierarchy::V1 => [c"memory.usage_in_bytes", c"memory.memsw.usage_in_bytes", c"memory.stat"],
        Hierarchy::V2 => [c"memory.current", c"memory.swap.current", c"memory.stat"],
    }
}

/// Maximum number of groups whose usage files stay open: they take a sixteenth of the descriptors
/// that doomtop may open, and at most 64.
pub(crate) fn budget() -> usize {
    let soft = getrlimit(Resource::RLIMIT_NOFILE).map_or(256, |(soft, _)| soft);
    usize::try_from(soft / 16).unwrap_or(usize::MAX).min(64) / 3
}

/// A limited group, between two walks over the tree.
pub(crate) struct Limited {
    pub(crate) path: Arc<Text>,
    /// The path of its directory below the mount point.
    pub(crate) relative: Vec<u8>,
    /// The usage files, if they stay open.
    pub(crate) files: Option<[Result<OwnedFd, Errno>; 3]>,
}

impl Limited {
    /// Reads its usage into `group`. Whether the group still exists.
    pub(crate) fn refresh(
        &self,
        mount: &Mount,
        buffers: &mut CgroupBuffers,
        group: &mut Cgroup,
    ) -> bool {
        for (at, name) in level_files(mount.hierarchy).into_iter().enumerate() {
            let CgroupBuffers { buffer, path, .. } = buffers;
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
            // A limited group has the first file as long as it exists.
            if at == 0 && matches!(read, Err(Errno::NOENT | Errno::NODEV)) {
                return false;
            }
            take_level(group, mount.hierarchy, at, read);
        }
        true
    }
}

/// Stores the content of the usage file number `at` of [`level_files`].
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

/// Stores what `memory.stat` contains.
fn take_stat(group: &mut Cgroup, hierarchy: Hierarchy, stat: Reading<MemoryStat>) {
    group.reclaimable = stat.and_then(|stat| stat.reclaimable);
    group.inactive_file = stat.and_then(|stat| stat.inactive_file);
    group.anon = stat.and_then(|stat| stat.anon);
    group.shmem = stat.and_then(|stat| stat.shmem);
    group.refaults = stat.and_then(|stat| stat.refaults);
    if hierarchy == Hierarchy::V2 {
        let incompressible = stat.value().and_then(|stat| stat.zswap_incompressible);
        group.zswap_incompressible = incompressible.map_or(Reading::NotAsked, Reading::Value);
        group.slab_unreclaimable = stat.and_then(|stat| stat.slab_unreclaimable);
        group.pgscan = stat.and_then(|stat| stat.pgscan);
    }
}

/// The content of a file with one number of bytes.
fn bytes(file: &[u8]) -> Option<Bytes> {
    number(file).map(Bytes)
}

/// The content of a file with one number.
pub(crate) fn number(file: &[u8]) -> Option<u64> {
    parse::lone_number("memory.current", file).ok().and_then(|number| u64::try_from(number).ok())
}
