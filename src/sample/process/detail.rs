//! Reads the details of one process before it is signalled or killed. Each part may block (on a
//! lock of its memory, on a disk), so this belongs on a thread of its own.

use std::ffi::CStr;

use rustix::io::Errno;

use crate::model::{MemoryBreakdown, MemorySharers, ProcId, Process, ProcessDetail, Reading};
use crate::sample::cgroup::freezer;
use crate::sample::file_buffer::{FileBuffer, ProcPath};
use crate::sample::parse;
use crate::sample::parse::Stat;
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::living_thread::cgroups;
use crate::sample::process::unit;
use crate::syscall;

/// Maximum number of bytes that are read of a file.
const FILE_MAX: usize = 1 << 16;

/// Reads the details. `None` if the process is gone or another one has its pid.
#[must_use]
pub fn detail(root: &ProcRoot, who: ProcId) -> Option<ProcessDetail> {
    let mut buffer = FileBuffer::new();
    let stat = stat(root, who.pid, &mut buffer).filter(|stat| stat.born == who.born)?;
    let cgroups = cgroups(root, who.pid, &mut buffer).map(<[u8]>::to_vec).unwrap_or_default();
    let unit = root.filesystem().and_then(|files| {
        let parent =
            crate::sample::process::detail::stat(root, stat.parent, &mut buffer).map(|it| it.comm);
        unit::unit(&files, &cgroups, (stat.parent, parent.as_ref()))
    });
    // Only in the live tree do cgroup paths and pids belong to this system.
    let live = root.is_live();
    let frozen = || freezer::freezers(&cgroups).iter().find_map(freezer::Freezer::frozen);
    let found = ProcessDetail {
        who,
        breakdown: read_breakdown(root, who.pid, &mut buffer),
        sharers: if live { sharers(root, who, &stat, &mut buffer) } else { Reading::NotAsked },
        frozen: live.then(frozen).flatten(),
        unit,
    };
    still_there(root, who, &mut buffer).then_some(found)
}

/// Reads what the memory of a process consists of. `None` if it is gone or another one has its pid.
#[must_use]
pub fn breakdown(root: &ProcRoot, who: ProcId) -> Option<Reading<MemoryBreakdown>> {
    let mut buffer = FileBuffer::new();
    let found =
        still_there(root, who, &mut buffer).then(|| read_breakdown(root, who.pid, &mut buffer))?;
    still_there(root, who, &mut buffer).then_some(found)
}

fn read(root: &ProcRoot, pid: i32, file: &str, buffer: &mut FileBuffer) -> Result<Vec<u8>, Errno> {
    let path = ProcPath::of(pid, file);
    let path: &CStr = path.as_c_str();
    buffer.read_start(root, path, FILE_MAX).map(|(bytes, _)| bytes.to_vec())
}

fn stat(root: &ProcRoot, pid: i32, buffer: &mut FileBuffer) -> Option<Stat> {
    parse::stat(&read(root, pid, "stat", buffer).ok()?).ok()
}

fn still_there(root: &ProcRoot, who: ProcId, buffer: &mut FileBuffer) -> bool {
    stat(root, who.pid, buffer).is_some_and(|stat| stat.born == who.born)
}

fn read_breakdown(root: &ProcRoot, pid: i32, buffer: &mut FileBuffer) -> Reading<MemoryBreakdown> {
    match read(root, pid, "smaps_rollup", buffer) {
        Ok(bytes) => parse::smaps_rollup(&bytes).map_or(Reading::Missing, Reading::Value),
        Err(Errno::ACCESS | Errno::PERM) => Reading::Denied,
        // A kernel before 4.14, or a process without memory.
        Err(_) => Reading::Missing,
    }
}

/// Whether a process has an address space. `kcmp` reports two processes without one as equal.
fn has_memory(stat: &Stat) -> bool {
    stat.vsize.0 > 0 && stat.flags & Process::PF_KTHREAD == 0
}

fn sharers(
    root: &ProcRoot,
    who: ProcId,
    own: &Stat,
    buffer: &mut FileBuffer,
) -> Reading<MemorySharers> {
    if !has_memory(own) {
        return Reading::Missing;
    }
    // Comparing the process with itself shows whether the kernel answers at all.
    match syscall::same_memory(who.pid, who.pid) {
        Ok(_) => {}
        Err(Errno::PERM | Errno::ACCESS) => return Reading::Denied,
        Err(_) => return Reading::Missing,
    }
    let mut found = MemorySharers::default();
    let pids = root.pids().unwrap_or_default();
    for pid in pids.into_iter().filter(|&pid| pid != who.pid) {
        match syscall::same_memory(who.pid, pid) {
            Ok(false) => {}
            Ok(true) => {
                let again = || syscall::same_memory(who.pid, pid) == Ok(true);
                let other = sharer(|| stat(root, pid, buffer).filter(has_memory), again);
                found.found.extend(
                    other.map(|stat| (ProcId { pid: stat.pid, born: stat.born }, stat.comm)),
                );
            }
            Err(Errno::PERM | Errno::ACCESS) => found.unknown += 1,
            Err(_) => {}
        }
    }
    Reading::Value(found)
}

/// The `stat` of a process that was said to share the memory. Asks the kernel again between two
/// reads of `stat`, because another process may have had the pid at the first answer.
fn sharer(mut sample: impl FnMut() -> Option<Stat>, shares: impl FnOnce() -> bool) -> Option<Stat> {
    let before = sample()?;
    let after = shares().then(sample)??;
    (after.born == before.born).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Ticks;

    #[test]
    fn a_reused_pid_shares_no_memory() {
        let line = b"9 (x) S 7 8 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 4242 8192 2 \n";
        let born = |born| Stat { born: Ticks(born), ..parse::stat(line).expect("a stat line") };
        let proven = |samples: [Option<Stat>; 2], shares| {
            let mut samples = samples.into_iter();
            sharer(|| samples.next().flatten(), || shares).map(|stat| stat.born.0)
        };
        assert_eq!(proven([Some(born(5)), Some(born(5))], true), Some(5));
        assert_eq!(proven([Some(born(5)), Some(born(6))], true), None, "another one by now");
        assert_eq!(proven([Some(born(6)), Some(born(6))], false), None, "another one before");
        assert_eq!(proven([Some(born(5)), None], true), None);
        assert_eq!(proven([None, Some(born(5))], true), None);
    }
}
