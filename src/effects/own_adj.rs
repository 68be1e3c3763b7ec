//! doomtop's own `oom_score_adj` (`--protect`): lowered, so that the kernel kills it last, and restored once
//! doomtop itself takes much memory.

use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::{Errno, pread, pwrite};

use crate::sample::parse;
use crate::sample::proc_root::LiveRoot;
use crate::units::{Adj, Bytes};

/// The value of a protected doomtop. Not -1000: a process with that value is never killed, so that a leak in
/// it takes the machine down.
pub const PROTECTED: Adj = Adj(-999);

/// Maximum resident memory of a protected doomtop.
pub const MAX_RESIDENT: Bytes = Bytes(64 << 20);

/// The value of a process that is started with `adj` while this process has another one; nothing while it has
/// its original one. A child inherits it (`kernel/fork.c` `copy_signal`).
static FOR_CHILDREN: Mutex<Option<Adj>> = Mutex::new(None);

/// The value that a child must be started with, where it must not inherit that of doomtop.
#[must_use]
pub fn adj_for_children() -> Option<Adj> {
    *FOR_CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What came of the wish to be protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnProtection {
    /// doomtop has [`PROTECTED`] from now on, and had this value before.
    On(Adj),
    /// Nothing was changed: it has this value, which protects as much.
    Already(Adj),
    /// Nothing was changed, and why, in one sentence.
    Refused(String),
}

/// doomtop's own `oom_score_adj`, through a file that stays open: opening one allocates, and that is what waits
/// when memory is short.
#[derive(Debug)]
pub struct OwnAdj {
    file: Result<OwnedFd, Errno>,
    /// The value before, while doomtop is protected.
    original: Mutex<Option<Adj>>,
}

impl OwnAdj {
    /// Opens the file of this process.
    #[must_use]
    pub fn open(root: &LiveRoot) -> Self {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        let file = openat(root, c"self/oom_score_adj", flags, Mode::empty());
        Self { file, original: Mutex::new(None) }
    }

    /// Whether it is lowered.
    #[must_use]
    pub fn is_lowered(&self) -> bool {
        self.original.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Lowers it to [`PROTECTED`], and reads it back.
    pub fn lower(&self) -> OwnProtection {
        let mut original = self.original.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match self.read() {
            Ok(before) if before.0 <= PROTECTED.0 => return OwnProtection::Already(before),
            Ok(before) => before,
            Err(errno) => return OwnProtection::Refused(refused(None, errno)),
        };
        // Before the value changes: a child that is started meanwhile gets the original one.
        set_for_children(Some(before));
        let written = self.write(PROTECTED).and_then(|()| self.read());
        match written {
            Ok(PROTECTED) => {
                *original = Some(before);
                OwnProtection::On(before)
            }
            other => {
                set_for_children(None);
                OwnProtection::Refused(refused(Some(before), other.err().unwrap_or(Errno::PERM)))
            }
        }
    }

    /// Restores the original value if doomtop has more resident memory than it may have while it is
    /// protected. Returns that value.
    pub fn restore_above(&self, resident: Bytes, most: Bytes) -> Option<Adj> {
        let mut original = self.original.lock().unwrap_or_else(PoisonError::into_inner);
        let before = (*original).filter(|_| resident > most)?;
        // Raising is always permitted. If it fails all the same, the next sample tries again.
        self.write(before).ok()?;
        *original = None;
        set_for_children(None);
        Some(before)
    }

    fn read(&self) -> Result<Adj, Errno> {
        let mut room = [0; 16];
        let length = pread(self.file.as_ref().map_err(|errno| *errno)?, &mut room[..], 0)?;
        parse::oom_score_adj(&room[..length]).map_err(|_| Errno::INVAL)
    }

    /// In one write, and in plain decimal. Blanks at the end are ignored (`kernel/fs/proc/base.c`
    /// `oom_score_adj_write`, `strstrip`).
    fn write(&self, adj: Adj) -> Result<(), Errno> {
        let text = format!("{:<5}\n", adj.0);
        pwrite(self.file.as_ref().map_err(|errno| *errno)?, text.as_bytes(), 0).map(drop)
    }
}

fn set_for_children(adj: Option<Adj>) {
    *FOR_CHILDREN.lock().unwrap_or_else(PoisonError::into_inner) = adj;
}

/// Why it could not be lowered.
fn refused(stays: Option<Adj>, errno: Errno) -> String {
    let stays = stays.map_or_else(String::new, |adj| format!(" and stays {adj}"));
    match errno {
        Errno::ACCESS | Errno::PERM => {
            format!(
                "doomtop is not protected{stays}: lowering oom_score_adj needs CAP_SYS_RESOURCE"
            )
        }
        errno => {
            let why = std::io::Error::from(errno);
            format!("doomtop is not protected{stays}: its oom_score_adj cannot be written: {why}")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

    use super::*;
    use crate::sample::proc_root::ProcRoot;

    /// A file of a test in place of the kernel's.
    fn of_file(path: &Path) -> OwnAdj {
        let file = fs::File::options().read(true).write(true).open(path).expect("a file");
        OwnAdj { file: Ok(file.into()), original: Mutex::new(None) }
    }

    #[test]
    fn it_is_lowered_told_to_children_and_restored_above_the_bound() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("adj");
        let value = || fs::read_to_string(&path).expect("a value").trim().to_owned();
        fs::write(&path, "200\n").expect("a value");
        let own = of_file(&path);
        assert_eq!((own.is_lowered(), adj_for_children()), (false, None));
        assert_eq!(own.lower(), OwnProtection::On(Adj(200)));
        assert_eq!((value().as_str(), adj_for_children()), ("-999", Some(Adj(200))));
        assert_eq!(own.lower(), OwnProtection::Already(Adj(-999)));
        assert_eq!(own.restore_above(Bytes(9), Bytes(9)), None, "at the bound, not above it");
        assert!(own.is_lowered());
        assert_eq!(own.restore_above(Bytes(10), Bytes(9)), Some(Adj(200)));
        assert_eq!((value().as_str(), adj_for_children()), ("200", None));
        assert_eq!(own.restore_above(Bytes(10), Bytes(9)), None, "once");
        // A process that is never killed anyway is left as it is.
        fs::write(&path, "-1000\n").expect("a value");
        assert_eq!(own.lower(), OwnProtection::Already(Adj(-1000)));
        assert_eq!(value(), "-1000");
        fs::write(&path, "no number\n").expect("a value");
        assert!(matches!(own.lower(), OwnProtection::Refused(why) if why.contains("cannot be")));
    }

    /// In a thread of its own, because the capability is given up.
    #[test]
    fn without_the_right_it_is_refused_in_one_sentence_and_nothing_changes() {
        let refused = std::thread::spawn(|| {
            let mut sets = capabilities(None).expect("capabilities");
            sets.effective.remove(CapabilitySet::SYS_RESOURCE);
            set_capabilities(None, sets).expect("fewer capabilities");
            let root = LiveRoot::prove(ProcRoot::open("/proc").expect("/proc")).expect("live");
            let own = OwnAdj::open(&root);
            let before = own.read().expect("a value");
            let came = own.lower();
            (before, came, own.read().expect("a value"), own.is_lowered())
        });
        let (before, came, after, lowered) = refused.join().expect("the thread");
        if let OwnProtection::On(_) | OwnProtection::Already(_) = came {
            println!("skipped: a privileged parent allowed this process to lower its adj");
            return;
        }
        let sentence = format!(
            "doomtop is not protected and stays {before}: lowering oom_score_adj needs CAP_SYS_RESOURCE"
        );
        assert_eq!(came, OwnProtection::Refused(sentence));
        assert_eq!((after, lowered), (before, false));
    }
}
