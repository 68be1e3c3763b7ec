//! Turning a switch of `/proc/sys/vm`: look, write once, read back.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, PROC_SUPER_MAGIC, fstatfs, openat};
use rustix::io::{Errno, read};

use crate::effects::proc_dir::{refusal, write_once};
use crate::intent::{Outcome, Refusal};
use crate::model::{Sysctl, SysctlWritable};

const READING: &str = "reading it";
const OPENING: &str = "opening it";
const WRITING: &str = "writing it";

/// The present value, where it is the one the user saw.
fn seen(proc: impl AsFd, knob: Sysctl, from: u64) -> Result<u64, Refusal> {
    let before = value(proc, knob)?;
    // The user decided with another value in view, so the decision is the user's again.
    if knob.effective(before) != from {
        return Err(Refusal::Failed {
            doing: "it changed meanwhile",
            error: format!("was {from}, is {before}; look again"),
        });
    }
    Ok(before)
}

/// Does everything but writing.
pub(crate) fn rehearse(proc: impl AsFd, knob: Sysctl, from: u64) -> Result<(), Refusal> {
    seen(&proc, knob, from)?;
    open(&proc, knob, OFlags::WRONLY).map(drop).map_err(|errno| refused(errno, OPENING))
}

/// Turns it; gives what it was just before and what reads back.
pub(crate) fn set(proc: impl AsFd, knob: Sysctl, from: u64, to: u64) -> Result<Outcome, Refusal> {
    if to > knob.highest() {
        let error = format!("0 to {} can be written, not {to}", knob.highest());
        return Err(Refusal::Failed { doing: WRITING, error });
    }
    let before = seen(&proc, knob, from)?;
    let other = knob.zeroes();
    // A kernel without the other one zeroes nothing.
    let other_before = other.and_then(|other| value(&proc, other).ok());

    let file = open(&proc, knob, OFlags::WRONLY).map_err(|errno| refused(errno, OPENING))?;
    // In one write: the kernel takes each as a whole value.
    write_once(&file, &to.to_string(), WRITING, |errno| match errno {
        Errno::INVAL => {
            let error = format!("this kernel does not take {to}");
            Refusal::Failed { doing: WRITING, error }
        }
        errno => refused(errno, WRITING),
    })?;

    // From here on it is done, and whatever fails must not sound as if it were not.
    let now =
        value(&proc, knob).map_err(|refusal| Refusal::NotProved { error: refusal.words() })?;
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
    Ok(Outcome::KnobSet { knob, before, now, zeroed })
}

/// Opens the file below the live root. What is mounted over it is not the kernel's.
fn open(proc: impl AsFd, knob: Sysctl, how: OFlags) -> Result<OwnedFd, Errno> {
    let path = format!("sys/vm/{}", knob.file());
    let file = openat(proc, path, how | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    if fstatfs(&file)?.f_type == PROC_SUPER_MAGIC { Ok(file) } else { Err(Errno::XDEV) }
}

/// The present value.
fn value(proc: impl AsFd, knob: Sysctl) -> Result<u64, Refusal> {
    let file = open(proc, knob, OFlags::RDONLY).map_err(|errno| refused(errno, READING))?;
    let mut room = [0; 32];
    let taken = read(&file, &mut room).map_err(|errno| refused(errno, READING))?;
    let text = std::str::from_utf8(&room[..taken]).ok();
    text.and_then(|text| text.trim().parse().ok()).ok_or_else(|| Refusal::Failed {
        doing: READING,
        error: "it holds no number that doomtop knows".to_owned(),
    })
}

/// An errno in the words of a switch.
fn refused(errno: Errno, doing: &'static str) -> Refusal {
    let hint = |turns: SysctlWritable| Refusal::NotPermitted {
        hint: turns.hindrance().unwrap_or_default(),
    };
    match errno {
        Errno::ROFS => hint(SysctlWritable::ReadOnly),
        Errno::ACCESS | Errno::PERM => hint(SysctlWritable::RootOnly),
        Errno::NOENT => {
            Refusal::Failed { doing, error: "this kernel has no such switch".to_owned() }
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
    fn an_errno_becomes_what_the_user_can_use() {
        let words = |errno| refused(errno, WRITING).words();
        assert!(words(Errno::ROFS).contains("turn it on the host"));
        assert!(words(Errno::ACCESS).contains("machine's root"));
        assert!(words(Errno::PERM).contains("machine's root"));
        assert_eq!(words(Errno::NOENT), "writing it: this kernel has no such switch");
        assert_eq!(words(Errno::XDEV), "writing it: something else is mounted over it");
        assert!(
            words(Errno::IO).starts_with("writing it: Input/output error"),
            "{}",
            words(Errno::IO)
        );
    }

    #[test]
    fn a_folder_that_looks_like_proc_is_not_written_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let vm = folder.path().join("sys/vm");
        std::fs::create_dir_all(&vm).expect("folders");
        std::fs::write(vm.join("swappiness"), "60\n").expect("a file");
        let root = std::fs::File::open(folder.path()).expect("the folder");
        let refusal = set(&root, Sysctl::Swappiness, 60, 61).expect_err("not the kernel's");
        assert!(refusal.words().contains("mounted over"), "{}", refusal.words());
        assert_eq!(std::fs::read(vm.join("swappiness")).expect("the file"), b"60\n");
    }

    #[test]
    fn what_no_machine_has_is_not_tried() {
        let proc = std::fs::File::open("/proc").expect("/proc");
        for knob in Sysctl::ALL {
            let refusal = set(&proc, knob, 0, knob.highest() + 1).expect_err("too high");
            assert!(refusal.words().contains("can be written"), "{}", refusal.words());
        }
    }
}
