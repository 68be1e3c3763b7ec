//! Directories of a cgroup hierarchy: opened one below the other, and listed.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, RawDir, openat};
use rustix::io::Errno;

use crate::sample::file_buffer::FileBuffer;

/// Maximum number of groups that are read; of a larger tree, the rest is not seen.
pub(crate) const GROUPS_MAX: usize = 10_000;

/// What reading works with, kept between looks.
pub(crate) struct CgroupBuffers {
    pub(crate) buffer: FileBuffer,
    /// Room for the names in a directory.
    pub(crate) entries: Vec<u8>,
    /// A group's path, or the path of one of its files below the mount point.
    pub(crate) path: Vec<u8>,
}

impl CgroupBuffers {
    pub(crate) fn new() -> Self {
        Self { buffer: FileBuffer::new(), entries: Vec::with_capacity(32 * 1024), path: Vec::new() }
    }
}

/// Opens a directory below another one; links are not followed.
pub(crate) fn open_dir(parent: impl AsFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty())
}

/// The names of the directories in a directory, sorted; at most `most`. `room` is for listing.
pub(crate) fn children(dir: impl AsFd, room: &mut Vec<u8>, most: usize) -> Vec<CString> {
    let mut names = Vec::new();
    let mut entries = RawDir::new(dir, room.spare_capacity_mut());
    while let Some(Ok(entry)) = entries.next() {
        let maybe = matches!(entry.file_type(), FileType::Directory | FileType::Unknown);
        let name = entry.file_name();
        if maybe && name != c"." && name != c".." {
            if names.len() >= most {
                break;
            }
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    names
}

/// Appends a name to a path without a slash at either end.
pub(crate) fn push(path: &mut Vec<u8>, name: &CStr) {
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name.to_bytes());
}
