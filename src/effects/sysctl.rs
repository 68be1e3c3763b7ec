//! Writes a sysctl of `/proc/sys/vm`: compare the value, write once, read back.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, PROC_SUPER_MAGIC, fstatfs, openat};
use rustix::io::{Errno, read};

use crate::effects::proc_dir::{refusal, write_once};
use crate::intent::{Outcome, Refusal};
use crate::model::{Sysctl, SysctlWritable};

const READING: &str = "reading it";
const OPENING: &str = "opening it";
const WRITING: &str = "writing it";

/// The present value; refuses if it is not the one that the user saw.
fn unchanged(proc: impl AsFd, sysctl: Sysctl, from: u64) -> Result<u64, Refusal> {
    let before = value(proc, sysctl)?;
    // The user decided on the basis of `from`, and has to decide again.
    if sysctl.effective(before) != from {
        return Err(Refusal::Failed {
            doing: "it changed meanwhile",
            error: format!("was {from}, is {before}; check it and try again"),
        });
    }
    Ok(before)
}

/// Makes every check without writing.
pub(crate) fn check(proc: impl AsFd, sysctl: Sysctl, from: u64) -> Result<(), Refusal> {
    unchanged(&proc, sysctl, from)?;
    open(&proc, sysctl, OFlags::WRONLY).map(drop).map_err(|errno| refused(errno, OPENING))
}

/// Writes the value. The outcome has the value just before and the value that reads back.
pub(crate) fn set(proc: impl AsFd, sysctl: Sysctl, from: u64, to: u64) -> Result<Outcome, Refusal> {
    if to > sysctl.highest() {
        let error = format!("0 to {} can be written, not {to}", sysctl.highest());
        return Err(Refusal::Failed { doing: WRITING, error });
    }
    let before = unchanged(&proc, sysctl, from)?;
    let other = sysctl.zeroes();
    // `None` if this kernel does not have the other sysctl; then it sets nothing to 0.
    let other_before = other.and_then(|other| value(&proc, other).ok());

    let file = open(&proc, sysctl, OFlags::WRONLY).map_err(|errno| refused(errno, OPENING))?;
    // In one write: the kernel takes each write as a whole value.
    write_once(&file, &to.to_string(), WRITING, |errno| match errno {
        Errno::INVAL => {
            let error = format!("this kernel does not accept {to}");
            Refusal::Failed { doing: WRITING, error }
        }
        errno => refused(errno, WRITING),
    })?;

    // The value is written now. No error from here on may read as if nothing was done.
    let now =
        value(&proc, sysctl).map_err(|refusal| Refusal::NotVerified { error: refusal.words() })?;
    if now != to {
        return Err(Refusal::Failed {
            doing: "the kernel took the write",
            error: format!("but it reads back {now}"),
        });
    }
    let other_now = other.and_then(|other| value(&proc, other).ok());
    let zeroed = match (other, other_before, other_now) {
        (Some(other), Some(before), Some(0)) if before != 0 => Some((other, before)),
        _ => None,
    };
    Ok(Outcome::SysctlSet { sysctl, before, now, zeroed })
}

/// Opens the file below the live root. Refuses a file that something else was mounted over.
fn open(proc: impl AsFd, sysctl: Sysctl, how: OFlags) -> Result<OwnedFd, Errno> {
    let path = format!("sys/vm/{}", sysctl.file());
    let file = openat(proc, path, how | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    if fstatfs(&file)?.f_type == PROC_SUPER_MAGIC { Ok(file) } else { Err(Errno::XDEV) }
}

/// The present value.
fn value(proc: impl AsFd, sysctl: Sysctl) -> Result<u64, Refusal> {
    let file = open(proc, sysctl, OFlags::RDONLY).map_err(|errno| refused(errno, READING))?;
    let mut buffer = [0; 32];
    let length = read(&file, &mut buffer).map_err(|errno| refused(errno, READING))?;
    let text = std::str::from_utf8(&buffer[..length]).ok();
    text.and_then(|text| text.trim().parse().ok()).ok_or_else(|| Refusal::Failed {
        doing: READING,
        error: "it does not hold a number".to_owned(),
    })
}

/// An errno as a refusal of a sysctl.
fn refused(errno: Errno, doing: &'static str) -> Refusal {
    let hint = |writable: SysctlWritable| Refusal::NotPermitted {
        hint: writable.hindrance().unwrap_or_default(),
    };
    match errno {
        Errno::ROFS => hint(SysctlWritable::ReadOnly),
        Errno::ACCESS | Errno::PERM => hint(SysctlWritable::RootOnly),
        Errno::NOENT => {
            Refusal::Failed { doing, error: "this kernel has no such sysctl".to_owned() }
        }
        Errno::XDEV => {
            Refusal::Failed { doing, error: "something else is mounted over it".to_owned() }
        }
        errno => refusal(errno, "", doing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errno_becomes_a_refusal() {
        let words = |errno| refused(errno, WRITING).words();
        assert!(words(Errno::ROFS).contains("change it on the host"));
        assert!(words(Errno::ACCESS).contains("machine's root"));
        assert!(words(Errno::PERM).contains("machine's root"));
        assert_eq!(words(Errno::NOENT), "writing it: this kernel has no such sysctl");
        assert_eq!(words(Errno::XDEV), "writing it: something else is mounted over it");
        assert!(
            words(Errno::IO).starts_with("writing it: Input/output error"),
            "{}",
            words(Errno::IO)
        );
    }

    #[test]
    fn a_directory_that_looks_like_proc_is_not_written_to() {
        let dir = tempfile::tempdir().expect("a directory");
        let vm = dir.path().join("sys/vm");
        std::fs::create_dir_all(&vm).expect("directories");
        std::fs::write(vm.join("swappiness"), "60\n").expect("a file");
        let root = std::fs::File::open(dir.path()).expect("the directory");
        let refusal = set(&root, Sysctl::Swappiness, 60, 61).expect_err("not a file of the kernel");
        assert!(refusal.words().contains("mounted over"), "{}", refusal.words());
        assert_eq!(std::fs::read(vm.join("swappiness")).expect("the file"), b"60\n");
    }

    #[test]
    fn a_value_out_of_range_is_not_written() {
        let proc = std::fs::File::open("/proc").expect("/proc");
        for sysctl in Sysctl::ALL {
            let refusal = set(&proc, sysctl, 0, sysctl.highest() + 1).expect_err("too high");
            assert!(refusal.words().contains("can be written"), "{}", refusal.words());
        }
    }
}
