//! What a process runs and where: two links, and its environment. Read only where an installed killer
//! has rules on them, after the walk, because an environment may stall like a command line.

use std::ffi::CStr;

use rustix::fs::readlinkat;
use rustix::io::Errno;

use super::file::{Absence, Buffer, Path};
use super::root::ProcRoot;
use super::row::reading;
use crate::model::{LooksAt, Reading, Text, Whereabouts};

/// So many bytes of an environment are read.
pub const LONGEST: usize = 4096;

/// Where a link leads, as it is written.
fn link(root: &ProcRoot, path: &CStr) -> Reading<Text> {
    let read = readlinkat(root, path, Vec::new()).map_err(Absence::from);
    reading(read.map(|target| Text::new(target.to_bytes())))
}

/// The start of an environment, as `nohang` sees it: blanks for its NULs.
fn environ(root: &ProcRoot, pid: i32, buffer: &mut Buffer) -> Result<Text, Errno> {
    let (bytes, _) = buffer.read_start(root, Path::of(pid, "environ").as_c_str(), LONGEST)?;
    let spaced: Vec<u8> = bytes.iter().map(|&b| if b == 0 { b' ' } else { b }).collect();
    Ok(Text::new(spaced.trim_ascii()))
}

/// Reads what is looked at of a process.
pub(super) fn whereabouts(
    root: &ProcRoot,
    pid: i32,
    looks_at: LooksAt,
    buffer: &mut Buffer,
) -> Whereabouts {
    let mut found = Whereabouts::default();
    if looks_at.exe {
        found.exe = link(root, Path::of(pid, "exe").as_c_str());
    }
    if looks_at.cwd {
        found.cwd = link(root, Path::of(pid, "cwd").as_c_str());
    }
    if looks_at.environ {
        found.environ = reading(environ(root, pid, buffer).map_err(Absence::from));
    }
    found
}
