//! What this user may do here, found out once.

use rustix::process::{PidfdFlags, geteuid, getpid, pidfd_open};

use super::root::ProcRoot;
use super::row::{ByPath, Tools};
use crate::model::{Capabilities, Powers};
use crate::units::PageSize;

/// Finds out. Whether memory is locked is for whoever locks it to say.
#[must_use]
pub fn powers(root: &ProcRoot) -> Powers {
    let caps = rustix::thread::capabilities(None).map_or(0, |sets| sets.effective.bits());
    Powers {
        euid: geteuid().as_raw(),
        caps: Capabilities(caps),
        // With hidepid, pid 1 is hidden from everybody but root and the exempt group.
        sees_others: Tools::new(PageSize::default()).stat(&ByPath { root, pid: 1 }).is_ok(),
        pidfd: pidfd_open(getpid(), PidfdFlags::empty()).is_ok(),
        memory_locked: false,
    }
}
