//! What may block, for the slow reader: command lines (on a process stuck in the kernel) and user
//! names (on a directory server). Never on the way to a ranking.

use std::collections::BTreeMap;

use super::file::{Buffer, Path};
use super::root::ProcRoot;
use super::row::Tools;
use crate::model::{ProcId, Text};
use crate::units::PageSize;

/// The command line of a process, arguments joined by spaces; empty for a kernel thread. `None`
/// when the process is gone or another one has its pid, or when it may not be read.
#[must_use]
pub fn command_line(root: &ProcRoot, id: ProcId) -> Option<Text> {
    let mut tools = Tools::new(PageSize::default());
    let mut buffer = Buffer::new();
    if !tools.still_there(root, id) {
        return None;
    }
    let bytes = buffer.read_to_end(root, Path::of(id.pid, "cmdline").as_c_str()).ok()?;
    tools.still_there(root, id).then(|| Text::command_line(bytes))
}

/// doomtop itself, as this tree shows it. `None` in a tree of another pid namespace.
#[must_use]
pub fn own_id(root: &ProcRoot) -> Option<ProcId> {
    let pid = i32::try_from(std::process::id()).ok()?;
    let mut buffer = Buffer::new();
    let stat = buffer.read_to_end(root, Path::of(pid, "stat").as_c_str()).ok()?;
    let stat = super::parse::stat(stat).ok()?;
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
