//! A thread that lives on after the main thread of its process has exited: `/proc/PID` then shows the state of
//! the main thread, without memory and, in version 1 of cgroups, in the root cgroup (`kernel/cgroup/cgroup.c`
//! `proc_cgroup_show`), although the kernel judges the process as before.

use rustix::fs::RawDir;
use rustix::io::Errno;

use crate::sample::file_buffer::{FileBuffer, ProcPath, open};
use crate::sample::parse;
use crate::sample::parse::Stat;
use crate::sample::proc_root::ProcRoot;

/// Maximum length of a list of thread ids that is read at once, in bytes.
const ENTRIES: usize = 8 * 1024;

/// Whether the main thread has exited while other threads may live on.
pub(crate) const fn lost_its_leader(stat: &Stat) -> bool {
    stat.state.is_zombie() && stat.threads > 1
}

/// The id and the `stat` of a thread that still has the memory, of a process whose main thread has exited.
/// `entries` is room for the names of threads.
pub(crate) fn living_thread(
    root: &ProcRoot,
    pid: i32,
    buffer: &mut FileBuffer,
    entries: &mut Vec<u8>,
) -> Option<(i32, Stat)> {
    let folder = open(root, ProcPath::of(pid, "task").as_c_str()).ok()?;
    let mut names = RawDir::new(folder, entries.spare_capacity_mut());
    while let Some(Ok(name)) = names.next() {
        let Some(tid) = parse::pid(name.file_name()).filter(|&tid| tid != pid) else { continue };
        let path = ProcPath::of_thread(pid, tid, "stat");
        let Ok(Ok(stat)) = buffer.read(root, path.as_c_str()).map(parse::stat) else { continue };
        if stat.vsize.0 > 0 {
            return Some((tid, stat));
        }
    }
    None
}

/// The `cgroup` file of a process; that of a living thread if the main thread has exited.
///
/// # Errors
///
/// Those of reading it.
pub(crate) fn cgroups<'b>(
    root: &ProcRoot,
    pid: i32,
    buffer: &'b mut FileBuffer,
) -> Result<&'b [u8], Errno> {
    let own = ProcPath::of(pid, "cgroup");
    let bytes = buffer.read(root, own.as_c_str())?;
    // Only the root cgroup is doubtful: every other spares reading `stat`.
    if parse::memory_cgroup(bytes) != Some(b"/") {
        let length = bytes.len();
        return Ok(buffer.start(length));
    }
    let stat = buffer.read(root, ProcPath::of(pid, "stat").as_c_str()).map(parse::stat);
    let lost = stat.is_ok_and(|stat| stat.is_ok_and(|stat| lost_its_leader(&stat)));
    let mut entries = Vec::with_capacity(if lost { ENTRIES } else { 0 });
    let thread = if lost { living_thread(root, pid, buffer, &mut entries) } else { None };
    let path = thread.map_or(own, |(tid, _)| ProcPath::of_thread(pid, tid, "cgroup"));
    buffer.read(root, path.as_c_str())
}
