//! What this user may do here, found out once.

use rustix::fs::{Access, AtFlags, CWD, accessat, readlinkat};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, geteuid, getpid, pidfd_open};

use crate::model::{Capabilities, Capability, Privileges, SysctlWritable};
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::row::{OpenByPath, RowBuffers};
use crate::units::PageSize;

/// Whether our capabilities are those of the machine. In a user namespace of its own a process may
/// hold CAP_SYS_RESOURCE and still not lower adj: the kernel asks for it in the initial one
/// (`fs/proc/base.c` `__set_oom_adj`, `capable()`). That one has a fixed inode:
/// `PROC_USER_INIT_INO` of `include/linux/proc_ns.h`. Where it cannot be told, it counts as such.
fn in_initial_user_namespace() -> bool {
    readlinkat(CWD, "/proc/self/ns/user", Vec::new())
        .map_or(true, |link| link.to_bytes() == format!("user:[{}]", 0xEFFF_FFFD_u32).as_bytes())
}

/// Whether the kernel's switches can be turned: asked, not tried.
fn sysctls_writable(root: &ProcRoot) -> SysctlWritable {
    let file = c"sys/vm/overcommit_memory";
    match accessat(root, file, Access::WRITE_OK, AtFlags::EACCESS) {
        Ok(()) => SysctlWritable::Yes,
        Err(Errno::ROFS) => SysctlWritable::ReadOnly,
        Err(Errno::ACCESS | Errno::PERM) => SysctlWritable::RootOnly,
        Err(_) => SysctlWritable::NotAsked,
    }
}

/// Finds out. Whether memory is locked is for whoever locks it to say.
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
        // With hidepid, pid 1 is hidden from everybody but root and the exempt group.
        sees_others: RowBuffers::new(PageSize::default())
            .stat(&OpenByPath { root, pid: 1 })
            .is_ok(),
        pidfd: pidfd_open(getpid(), PidfdFlags::empty()).is_ok(),
        memory_locked: false,
        sysctls_writable: sysctls_writable(root),
    }
}
