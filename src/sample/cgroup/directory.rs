//! Directories of a cgroup hierarchy: opening and listing them.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, RawDir, SeekFrom, openat, seek};
use rustix::io::Errno;

use crate::sample::file_buffer::FileBuffer;

/// Maximum number of groups that are read; of a larger tree, the rest is not seen.
pub(crate) const GROUPS_MAX: usize = 10_000;

/// Buffers that are reused between samples.
pub(crate) struct CgroupBuffers {
    pub(crate) buffer: FileBuffer,
    /// For the entries of a directory.
    pub(crate) entries: Vec<u8>,
    /// For the path of a group, or of one of its files below the mount point.
    pub(crate) path: Vec<u8>,
}

impl CgroupBuffers {
    pub(crate) fn new() -> Self {
        Self { buffer: FileBuffer::new(), entries: Vec::with_capacity(32 * 1024), path: Vec::new() }
    }
}

/// Opens a directory below another one. Does not follow links.
pub(crate) fn open_dir(parent: impl AsFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty())
}

/// The names of at most `most` subdirectories, sorted. `room` is a buffer for the entries.
pub(crate) fn children(dir: impl AsFd, room: &mut Vec<u8>, most: usize) -> Vec<CString> {
    let mut names = Vec::new();
    // A descriptor that was listed before stands at the end.
    if seek(&dir, SeekFrom::Start(0)).is_err() {
        return names;
    }
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

/// Appends a name to a path that has no slash at either end.
pub(crate) fn push(path: &mut Vec<u8>, name: &CStr) {
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name.to_bytes());
}
