//! Finds out what doomtop may do on this machine.

use rustix::fs::{Access, AtFlags, CWD, accessat, readlinkat};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, geteuid, getpid, pidfd_open};

use crate::model::{Capabilities, Capability, Privileges, SysctlWritable};
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::row::{OpenByPath, RowBuffers};
use crate::units::PageSize;

/// Whether doomtop's capabilities count for the machine. In another user namespace, a process may
/// have CAP_SYS_RESOURCE and still not lower adj, because the kernel requires it in the initial one
/// (`fs/proc/base.c` `__set_oom_adj`, `capable()`). The initial one has a fixed inode,
/// `PROC_USER_INIT_INO` of `include/linux/proc_ns.h`. If the link cannot be read, the namespace
/// counts as the initial one.
fn in_initial_user_namespace() -> bool {
    readlinkat(CWD, "/proc/self/ns/user", Vec::new())
        .map_or(true, |link| link.to_bytes() == format!("user:[{}]", 0xEFFF_FFFD_u32).as_bytes())
}

/// Whether sysctls can be written; asks the kernel, without writing.
fn sysctls_writable(root: &ProcRoot) -> SysctlWritable {
    let file = c"sys/vm/overcommit_memory";
    match accessat(root, file, Access::WRITE_OK, AtFlags::EACCESS) {
        Ok(()) => SysctlWritable::Yes,
        Err(Errno::ROFS) => SysctlWritable::ReadOnly,
        Err(Errno::ACCESS | Errno::PERM) => SysctlWritable::RootOnly,
        Err(_) => SysctlWritable::NotAsked,
    }
}

/// Reads the privileges. `memory_locked` and `protected` stay false: whoever does that sets it.
#[must_use]
pub fn privileges(root: &ProcRoot) -> Privileges {
    let caps = rustix::thread::capabilities(None).map_or(0, |sets| sets.effective.bits());
    let caps = Capabilities(caps);
    Privileges {
        euid: geteuid().as_raw(),
        caps: if in_initial_user_namespace() {
            caps
        } else {
            caps.without(Capability::SysResource)
        },
        // With hidepid, pid 1 is visible only to root and to the exempt group.
        sees_others: RowBuffers::new(PageSize::default())
            .stat(&OpenByPath { root, pid: 1 })
            .is_ok(),
        pidfd: pidfd_open(getpid(), PidfdFlags::empty()).is_ok(),
        memory_locked: false,
        protected: false,
        sysctls_writable: sysctls_writable(root),
    }
}
