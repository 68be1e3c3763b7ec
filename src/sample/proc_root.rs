//! The proc tree from which everything is read: a directory that is held open, and the proof that
//! it is the live `/proc`.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Dir, Mode, OFlags, PROC_SUPER_MAGIC, fstatfs, openat, readlinkat_raw};
use rustix::io::Errno;
use rustix::process::getpid;

use crate::sample::Unreadable;
use crate::sample::parse;

/// A proc tree: the real `/proc`, or a folder of the same form. System-wide files (`meminfo`,
/// `pressure/memory`, `sys/vm/...`) are read from the same directory.
#[derive(Debug)]
pub struct ProcRoot {
    dir: OwnedFd,
    path: PathBuf,
}

impl ProcRoot {
    /// Opens the directory.
    ///
    /// # Errors
    ///
    /// If it cannot be opened as a directory.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Unreadable> {
        let path = path.as_ref();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(dir) => Ok(Self { dir, path: path.to_owned() }),
            Err(why) => Err(Unreadable { what: path.display().to_string(), why: why.to_string() }),
        }
    }

    /// The path with which it was opened; for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Another descriptor of the directory, with a position of its own for listing.
    pub(crate) fn listing(&self) -> Result<OwnedFd, Unreadable> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        openat(&self.dir, c".", flags, Mode::empty())
            .map_err(|why| self.unreadable("", &why.to_string()))
    }

    /// All pids of the tree, sorted.
    pub(crate) fn pids(&self) -> Result<Vec<i32>, Unreadable> {
        let lost = |why: Errno| self.unreadable("", &why.to_string());
        let entries = Dir::new(self.listing()?).map_err(lost)?.flatten();
        let mut pids: Vec<i32> = entries.filter_map(|it| parse::pid(it.file_name())).collect();
        pids.sort_unstable();
        Ok(pids)
    }

    /// The error of a file in this tree.
    pub(crate) fn unreadable(&self, file: &str, why: &str) -> Unreadable {
        Unreadable { what: self.path.join(file).display().to_string(), why: why.to_owned() }
    }

    /// The root of the filesystem that belongs to this proc tree: the parent of a directory with
    /// the name `proc`, so `/` for the live tree. `None` for any other folder.
    #[must_use]
    pub fn filesystem(&self) -> Option<PathBuf> {
        (self.path.file_name()? == "proc").then(|| self.path.parent().map(Path::to_path_buf))?
    }

    /// The reason why this is not the live tree; `None` if it is.
    fn not_live(&self) -> Option<NotLive> {
        match fstatfs(&self.dir) {
            Ok(stat) if stat.f_type == PROC_SUPER_MAGIC => {}
            _ => return Some(NotLive::OtherFilesystem { path: self.path.clone() }),
        }
        let mut room = [0; 16];
        let own = getpid().as_raw_nonzero().get();
        let linked = readlinkat_raw(&self.dir, c"self", &mut room[..]).ok();
        let pid = linked
            .and_then(|length| std::str::from_utf8(&room[..length]).ok())
            .and_then(|link| link.parse::<i32>().ok());
        (pid != Some(own)).then(|| NotLive::OtherNamespace { path: self.path.clone() })
    }

    /// Whether this is procfs, mounted for the pid namespace of doomtop.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.not_live().is_none()
    }
}

impl AsFd for ProcRoot {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

/// A proc tree that is proven to be live: its pids are those that system calls take. Everything
/// that changes the system requires this type, so a test folder can never reach a process.
#[derive(Debug)]
pub struct LiveRoot(ProcRoot);

impl LiveRoot {
    /// Proves that the directory is procfs, by its magic number, and that its `self` is this
    /// process.
    ///
    /// # Errors
    ///
    /// If either is not the case.
    pub fn prove(root: ProcRoot) -> Result<Self, NotLive> {
        match root.not_live() {
            None => Ok(Self(root)),
            Some(reason) => Err(reason),
        }
    }

    /// The proc tree.
    #[must_use]
    pub fn root(&self) -> &ProcRoot {
        &self.0
    }
}

impl AsFd for LiveRoot {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Why a proc tree is not the live one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotLive {
    /// The directory is not procfs.
    OtherFilesystem {
        /// The directory.
        path: PathBuf,
    },
    /// The directory is procfs of another pid namespace: its `self` is not this process.
    OtherNamespace {
        /// The directory.
        path: PathBuf,
    },
}

impl fmt::Display for NotLive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherFilesystem { path } => {
                write!(f, "{} is not a live proc tree: it is not procfs", path.display())
            }
            Self::OtherNamespace { path } => write!(
                f,
                "{} is the proc tree of another pid namespace: its pids mean other processes",
                path.display()
            ),
        }
    }
}

impl std::error::Error for NotLive {}
