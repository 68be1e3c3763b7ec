//! The opened directory of a process tree, and the proof that it is this machine's own.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, PROC_SUPER_MAGIC, fstatfs, open, readlinkat};

/// The opened directory of a process tree: the machine's own `/proc`, or a copy of one.
#[derive(Debug)]
pub struct ProcRoot {
    dir: OwnedFd,
}

impl ProcRoot {
    /// Opens the directory.
    ///
    /// # Errors
    /// What `open(2)` says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { dir: open(path, how, Mode::empty())? })
    }
}

impl AsFd for ProcRoot {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

/// A process tree that was proven to be this machine's own.
#[derive(Debug)]
pub struct LiveRoot(ProcRoot);

impl LiveRoot {
    /// Proves it: the filesystem is procfs by its magic, and `self` is this process.
    ///
    /// # Errors
    /// [`NotLive`] when it is anything else.
    pub fn prove(root: ProcRoot) -> Result<Self, NotLive> {
        let procfs = fstatfs(&root).is_ok_and(|fs| fs.f_type == PROC_SUPER_MAGIC);
        let own = std::process::id().to_string();
        let ours =
            readlinkat(&root, "self", Vec::new()).is_ok_and(|to| to.to_bytes() == own.as_bytes());
        if procfs && ours { Ok(Self(root)) } else { Err(NotLive) }
    }
}

impl AsFd for LiveRoot {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The process tree is not the one of this machine and this pid namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLive;

impl fmt::Display for NotLive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the live /proc of this machine")
    }
}

impl std::error::Error for NotLive {}
