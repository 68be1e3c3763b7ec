//! The freezers of both cgroup versions: the cgroups of a process in them, and whether one is
//! frozen.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use crate::model::{FrozenBy, Hierarchy, Text};
use crate::sample::cgroup::members::{V2, below, members, open};
use crate::sample::file_buffer::FileBuffer;

/// Mount points of hierarchies that can freeze (`Documentation/admin-guide/cgroup-v2.rst`,
/// `cgroup-v1/freezer-subsystem.rst`).
const MOUNTS: [(Hierarchy, &str); 3] =
    [(Hierarchy::V2, V2[0]), (Hierarchy::V2, V2[1]), (Hierarchy::V1, "/sys/fs/cgroup/freezer")];

/// Maximum number of bytes that are read of a file.
const FILE_MAX: usize = 4096;

/// A cgroup in a hierarchy that can freeze.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freezer {
    /// The cgroup version.
    pub hierarchy: Hierarchy,
    /// The path, as `/proc/PID/cgroup` prints it.
    pub path: Text,
    /// The directory.
    pub dir: PathBuf,
}

impl Freezer {
    /// The file that freezes and thaws, and the value that thaws.
    #[must_use]
    pub const fn switch(&self) -> (&'static str, &'static str) {
        match self.hierarchy {
            Hierarchy::V1 => ("freezer.state", "THAWED"),
            Hierarchy::V2 => ("cgroup.freeze", "0"),
        }
    }

    /// Whether it is frozen now, by itself or by an ancestor.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        match self.hierarchy {
            Hierarchy::V1 => self.says("freezer.state", &["FROZEN", "FREEZING"]),
            Hierarchy::V2 => self.says("cgroup.events", &["frozen 1"]),
        }
    }

    /// Whether it was frozen itself, not an ancestor.
    #[must_use]
    pub fn is_own(&self) -> bool {
        let file = match self.hierarchy {
            Hierarchy::V1 => "freezer.self_freezing",
            Hierarchy::V2 => "cgroup.freeze",
        };
        self.says(file, &["1"])
    }

    /// The facts for the details of a process, if it is frozen.
    #[must_use]
    pub fn frozen(&self) -> Option<FrozenBy> {
        self.is_frozen().then(|| FrozenBy {
            hierarchy: self.hierarchy,
            path: self.path.clone(),
            own: self.is_own(),
            others: open(&self.dir)
                .and_then(members)
                .map_or(0, |members| members.len().saturating_sub(1)),
        })
    }

    /// Opens one of its files for writing.
    ///
    /// # Errors
    ///
    /// The error of the kernel.
    pub fn writable(&self, file: &str) -> Result<OwnedFd, Errno> {
        openat(open(&self.dir)?, file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
    }

    fn says(&self, file: &str, words: &[&str]) -> bool {
        let read = open(&self.dir).and_then(|dir| start_of_file(&dir, file, FILE_MAX));
        read.is_ok_and(|bytes| {
            bytes
                .split(|&byte| byte == b'\n')
                .any(|line| words.iter().any(|word| word.as_bytes() == line))
        })
    }
}

/// The cgroups of a process, from its `/proc/PID/cgroup`, in the hierarchies that can freeze.
#[must_use]
pub fn freezers(cgroups: &[u8]) -> Vec<Freezer> {
    let mut found = Vec::new();
    for line in cgroups.split(|&byte| byte == b'\n') {
        // `N:controllers:/path`, and `0::/path` for version 2.
        let mut parts = line.splitn(3, |&byte| byte == b':');
        let (Some(number), Some(controllers), Some(path)) =
            (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let hierarchy = match (number, controllers) {
            (b"0", b"") => Hierarchy::V2,
            (_, b"freezer") => Hierarchy::V1,
            _ => continue,
        };
        for (_, mount) in MOUNTS.iter().filter(|(version, _)| *version == hierarchy) {
            if let Some(dir) = below(Path::new(mount), path) {
                found.push(Freezer { hierarchy, path: Text::new(path), dir });
            }
        }
    }
    found
}

/// The first `most` bytes of a file.
fn start_of_file(dir: impl AsFd, name: &str, most: usize) -> Result<Vec<u8>, Errno> {
    let name = std::ffi::CString::new(name).map_err(|_| Errno::INVAL)?;
    let mut buffer = FileBuffer::new();
    buffer.read_start(dir, &name, most).map(|(bytes, _)| bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leaves_the_hierarchy_is_not_followed() {
        assert_eq!(freezers(b"0::/../../etc\n1:freezer:/../x\n\ngarbage\n7:memory:/a\n"), []);
    }

    #[test]
    fn both_versions_are_found_under_their_names() {
        let found = freezers(b"6:freezer:/a/b\n4:memory:/m\n0::/u:x\n");
        let places: Vec<_> = found.iter().map(|it| it.dir.to_str().unwrap_or_default()).collect();
        assert_eq!(
            places,
            ["/sys/fs/cgroup/freezer/a/b", "/sys/fs/cgroup/u:x", "/sys/fs/cgroup/unified/u:x"]
        );
        assert_eq!(found[1].path.as_str(), "/u:x");
    }
}
