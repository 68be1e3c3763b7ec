//! Lookups that may block, for a worker thread: command lines (on a process that is stuck in the
//! kernel) and user names (on a directory server). No ranking waits for them.

use std::collections::BTreeMap;

use rustix::io::Errno;

use crate::model::{ProcId, Text};
use crate::sample::file_buffer::{FileBuffer, ProcPath};
use crate::sample::parse;
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::row::RowBuffers;
use crate::sample::regular_file::plain_file;
use crate::units::PageSize;

/// Maximum number of bytes that are read of a command line. A process may have 2 MiB of arguments,
/// and ten thousand processes may do so to exhaust the memory of a monitor.
pub const COMMAND_LINE_MAX: usize = 4096;

/// Reads a command line; if it was cut off, it ends with `…`.
pub(crate) fn line(root: &ProcRoot, pid: i32, buffer: &mut FileBuffer) -> Result<Text, Errno> {
    let (bytes, cut) =
        buffer.read_start(root, ProcPath::of(pid, "cmdline").as_c_str(), COMMAND_LINE_MAX)?;
    if !cut {
        return Ok(Text::command_line(bytes));
    }
    // Do not cut inside a UTF-8 character.
    let whole = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        _ => bytes,
    };
    Ok(Text::command_line(&[whole, "…".as_bytes()].concat()))
}

/// The command line of a process, cut off after [`COMMAND_LINE_MAX`] bytes, with blanks between the
/// arguments; empty for a kernel thread. `None` if the process is gone, if another one has its pid,
/// or if reading is not allowed.
#[must_use]
pub fn command_line(root: &ProcRoot, id: ProcId) -> Option<Text> {
    let mut buffers = RowBuffers::new(PageSize::default());
    let mut buffer = FileBuffer::new();
    if !buffers.still_there(root, id) {
        return None;
    }
    let line = line(root, id.pid, &mut buffer).ok()?;
    buffers.still_there(root, id).then_some(line)
}

/// The process of doomtop in this tree. `None` in a tree of another pid namespace.
#[must_use]
pub fn own_id(root: &ProcRoot) -> Option<ProcId> {
    let pid = i32::try_from(std::process::id()).ok()?;
    let mut buffer = FileBuffer::new();
    let stat = buffer.read(root, ProcPath::of(pid, "stat").as_c_str()).ok()?;
    let stat = parse::stat(stat).ok()?;
    Some(ProcId { pid: stat.pid, born: stat.born })
}

/// The path of the memory cgroup of doomtop itself.
#[must_use]
pub fn own_cgroup() -> Option<String> {
    let bytes = std::fs::read("/proc/self/cgroup").ok()?;
    String::from_utf8(crate::sample::parse::memory_cgroup(&bytes)?.to_vec()).ok()
}

/// Maximum number of bytes that are read of a list of users.
const PASSWD_MAX: u64 = 1 << 24;

/// The names of all users, by uid: those that this system lists or, for a proc tree of another one, those of the
/// `etc/passwd` that belongs to it. None if there is no such file: names of this system could be wrong there.
#[must_use]
pub fn user_names(root: &ProcRoot) -> BTreeMap<u32, Text> {
    if !root.is_live() {
        let file = root.filesystem().map(|files| files.join("etc/passwd"));
        let bytes = file.and_then(|file| plain_file(&file, PASSWD_MAX));
        return bytes.map_or_else(BTreeMap::new, |bytes| parse::passwd(&bytes));
    }
    let Ok(users) = sysinfo::Users::new_with_refreshed_list() else {
        return BTreeMap::new();
    };
    let mut names = BTreeMap::new();
    for user in &users {
        // If two names share a uid, buffers show the one that is listed first.
        names.entry(**user.id()).or_insert_with(|| Text::new(user.name().as_bytes()));
    }
    names
}
