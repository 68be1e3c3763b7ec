//! What may block, for the slow reader: command lines (on a process stuck in the kernel) and user
//! names (on a directory server). Never on the way to a ranking.

use std::collections::BTreeMap;

use rustix::io::Errno;

use crate::model::{ProcId, Text};
use crate::sample::file_buffer::{FileBuffer, ProcPath};
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::row::RowBuffers;
use crate::units::PageSize;

/// So many bytes of a command line are read. Longer ones serve only to fill somebody's memory:
/// a process may write 2 MiB there, and ten thousand of them may.
pub const LONGEST: usize = 4096;

/// Reads a command line; what was cut off shows as `…` at its end.
pub(crate) fn line(root: &ProcRoot, pid: i32, buffer: &mut FileBuffer) -> Result<Text, Errno> {
    let (bytes, cut) = buffer.read_start(root, ProcPath::of(pid, "cmdline").as_c_str(), LONGEST)?;
    if !cut {
        return Ok(Text::command_line(bytes));
    }
    // Not in the middle of a character, if these are characters.
    let whole = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        _ => bytes,
    };
    Ok(Text::command_line(&[whole, "…".as_bytes()].concat()))
}

/// The command line of a process, its first [`LONGEST`] bytes, arguments joined by spaces; empty for a kernel thread. `None`
/// when the process is gone or another one has its pid, or when it may not be read.
#[must_use]
pub fn command_line(root: &ProcRoot, id: ProcId) -> Option<Text> {
    let mut tools = RowBuffers::new(PageSize::default());
    let mut buffer = FileBuffer::new();
    if !tools.still_there(root, id) {
        return None;
    }
    let line = line(root, id.pid, &mut buffer).ok()?;
    tools.still_there(root, id).then_some(line)
}

/// doomtop itself, as this tree shows it. `None` in a tree of another pid namespace.
#[must_use]
pub fn own_id(root: &ProcRoot) -> Option<ProcId> {
    let pid = i32::try_from(std::process::id()).ok()?;
    let mut buffer = FileBuffer::new();
    let stat = buffer.read(root, ProcPath::of(pid, "stat").as_c_str()).ok()?;
    let stat = crate::sample::parse::stat(stat).ok()?;
    Some(ProcId { pid: stat.pid, born: stat.born })
}

/// The names of all users that the system lists, by id.
#[must_use]
pub fn user_names() -> BTreeMap<u32, Text> {
    let Ok(users) = sysinfo::Users::new_with_refreshed_list() else {
        return BTreeMap::new();
    };
    let mut names = BTreeMap::new();
    for user in &users {
        // Where two names share an id, the first one listed is the one that tools show.
        names.entry(**user.id()).or_insert_with(|| Text::new(user.name().as_bytes()));
    }
    names
}
