//! doomtop's own memory: what keeps it running while memory is short.
//!
//! Its program is in memory from the start, so that no key waits for a disk. Its memory is locked as far as it
//! may be. And a reserve of the heap, filled after each sample while memory is left, serves the allocations
//! of the screen and of the input while it is not.

use std::ops::Range;
use std::path::Path;

use procfs::process::{MMPermissions, MMapPath, MemoryMap, Process};
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, getrlimit};

use crate::model::{Capability, Privileges, Snapshot};
use crate::syscall::heap::HeapReserve;
use crate::syscall::memory;
use crate::units::Bytes;

/// Size of the reserve, in bytes: several times what a sample, its ranking and its picture allocate for a
/// hundred processes.
const RESERVE: Bytes = Bytes(1 << 20);

/// Minimum size, in bytes.
const MIN_RESERVE: Bytes = Bytes(256 << 10);

/// A reserve takes at most this part of the limit of doomtop's own cgroup: it must not make doomtop the
/// largest process there.
const PART_OF_LIMIT: u64 = 64;

/// Where less than this part of the limit of a cgroup is left, the reserve is not filled.
const SHORT_PART: u64 = 8;

/// doomtop's own memory.
pub(crate) struct OwnMemory {
    reserve: HeapReserve,
    /// The path of doomtop's own memory cgroup, where it is known.
    cgroup: Option<String>,
}

impl OwnMemory {
    /// Locks it, as far as `privileges` allow, and brings the program into memory. Returns whether all of it
    /// is locked.
    pub(crate) fn prepare(privileges: &Privileges, cgroup: Option<String>) -> (Self, bool) {
        let reserve = HeapReserve::new(size(None));
        reserve.fill();
        let limit = getrlimit(Resource::Memlock).current;
        let unlimited = limit.is_none() || privileges.caps.has(Capability::IpcLock);
        // On fault only: thread stacks and unused heap must not be populated (mlockall(2)).
        let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
        let locked = unlimited && mlockall(flags).is_ok();
        let maps = Process::myself().and_then(|own| own.maps());
        let maps = maps.map_or_else(|_| Vec::new(), |maps| maps.0);
        let program = std::env::current_exe().unwrap_or_default();
        for range in maps.iter().filter(|map| is_of(map, &program)).filter_map(range) {
            // Without it, the pages are read when they are needed.
            let _ = memory::populate_readable(range);
        }
        if !locked {
            // Within a limit, locking all would make later allocations fail.
            for range in within(limit.unwrap_or(u64::MAX), parts(&maps, &program)) {
                let _ = memory::lock(range);
            }
        }
        (Self { reserve, cgroup }, locked)
    }

    /// Fills the reserve for the time until the next sample, while memory is left.
    pub(crate) fn sampled(&mut self, sample: &Snapshot) {
        let groups = || self.cgroup.iter().flat_map(|path| sample.cgroups.upwards(path));
        let limit = groups().filter_map(|group| group.effective_limit()).min();
        let full = groups().any(|group| {
            let used = group.used().value().zip(group.effective_limit());
            used.is_some_and(|(used, limit)| used.0 > limit.0 - limit.0 / SHORT_PART)
        });
        self.reserve.resize(size(limit));
        if !full && !sample.memory.is_short() {
            self.reserve.fill();
        }
    }
}

/// The size of the reserve in a cgroup with this limit, in bytes.
fn size(limit: Option<Bytes>) -> usize {
    let size =
        limit.map_or(RESERVE, |limit| Bytes(limit.0 / PART_OF_LIMIT).clamp(MIN_RESERVE, RESERVE));
    usize::try_from(size.0).unwrap_or(0)
}

/// Whether a mapping is one of the program's file.
fn is_of(map: &MemoryMap, program: &Path) -> bool {
    map.perms.contains(MMPermissions::READ)
        && matches!(&map.pathname, MMapPath::Path(path) if path == program)
}

fn range(map: &MemoryMap) -> Option<Range<usize>> {
    let (begin, end) = map.address;
    Some(usize::try_from(begin).ok()?..usize::try_from(end).ok()?)
}

/// What is worth locking, the most important first: the heap with its reserve, the program's data, its code,
/// its constants.
fn parts(maps: &[MemoryMap], program: &Path) -> Vec<Range<usize>> {
    let order = |map: &MemoryMap| match map.pathname {
        MMapPath::Heap => Some(0),
        _ if !is_of(map, program) => None,
        _ if map.perms.contains(MMPermissions::WRITE) => Some(1),
        _ if map.perms.contains(MMPermissions::EXECUTE) => Some(2),
        _ => Some(3),
    };
    let mut parts: Vec<(u8, Range<usize>)> =
        maps.iter().filter_map(|map| Some((order(map)?, range(map)?))).collect();
    parts.sort_by_key(|(order, _)| *order);
    parts.into_iter().map(|(_, range)| range).collect()
}

/// Those of the ranges that fit into so many bytes together, in their order.
fn within(limit: u64, ranges: Vec<Range<usize>>) -> impl Iterator<Item = Range<usize>> {
    let mut left = limit;
    ranges.into_iter().filter(move |range| {
        let length = u64::try_from(range.len()).unwrap_or(u64::MAX);
        let fits = length <= left;
        if fits {
            left -= length;
        }
        fits
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Cgroup, Cgroups, Limit, Reading, Text};

    #[test]
    fn what_fits_the_limit_is_locked_the_most_important_first() {
        let program = Path::new("/bin/doomtop");
        let map = |address, perms, pathname| MemoryMap {
            address,
            perms,
            offset: 0,
            dev: (0, 0),
            inode: 0,
            pathname,
            extension: procfs::process::MMapExtension::default(),
        };
        let (r, w, x) = (MMPermissions::READ, MMPermissions::WRITE, MMPermissions::EXECUTE);
        let own = || MMapPath::Path(program.to_owned());
        let maps = [
            map((0, 10), r, own()),
            map((20, 50), r | x, own()),
            map((60, 65), r | w, own()),
            map((70, 80), r | w, MMapPath::Heap),
            map((90, 99), r | x, MMapPath::Path("/lib/libc.so".into())),
        ];
        let parts = parts(&maps, program);
        assert_eq!(parts, [70..80, 60..65, 20..50, 0..10]);
        let locked = |limit| within(limit, parts.clone()).collect::<Vec<_>>();
        assert!(locked(0).is_empty());
        assert_eq!(locked(30), [70..80, 60..65, 0..10], "the code does not fit");
        assert_eq!(locked(55), [70..80, 60..65, 20..50, 0..10]);
    }

    #[test]
    fn the_reserve_follows_the_limit_of_the_own_cgroup() {
        let mib = |mib: u64| Some(Bytes(mib << 20));
        let sizes = [None, mib(8), mib(32), mib(64), mib(1 << 20)].map(size);
        assert_eq!(sizes, [1 << 20, 256 << 10, 512 << 10, 1 << 20, 1 << 20]);
    }

    #[test]
    fn own_memory_is_prepared_and_the_reserve_filled() {
        let (mut own, _) = OwnMemory::prepare(&Privileges::default(), Some("/a/b".to_owned()));
        let group = |path: &str, limit| Cgroup {
            path: Arc::new(Text::new(path.as_bytes())),
            limit: Reading::Value(Limit::At(Bytes(limit))),
            usage: Reading::Value(Bytes(1)),
            ..Cgroup::default()
        };
        let list = vec![group("/a", 20 << 20), group("/a/b", 64 << 20)];
        let cgroups = Arc::new(Cgroups { list, ..Cgroups::default() });
        own.sampled(&Snapshot { cgroups, ..Snapshot::default() });
    }
}
