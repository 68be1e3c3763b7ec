//! The system calls for which no crate has a wrapper. This room has the only unsafe code of doomtop.
//! Two of them are here: integers and one descriptor go in, a number or an errno comes out. [`bpf`]
//! has the third, [`signal_action`] the fourth, [`memory`] two that take a range of addresses, [`heap`]
//! the options of the C library, and [`spawn`] what a child does before its program begins.
//! [`file_limit`] has none: it is here because whoever starts a program needs it.
#![allow(unsafe_code, reason = "no crate wraps these calls, or not safely")]

pub mod bpf;
pub mod file_limit;
pub mod heap;
pub mod memory;
pub mod signal_action;
pub mod spawn;

use std::ffi::{c_int, c_uint, c_ulong};
use std::os::fd::{AsFd, AsRawFd};

use rustix::io::Errno;
use rustix::process::Pid;

/// The pid of a single process. Every number that becomes the target of a signal goes through here: kill(2) takes 0 for
/// the caller's own process group, and negative numbers for other groups or for every process. The kernel itself writes 0
/// into `cgroup.procs` for a process of another pid namespace (`kernel/cgroup/cgroup.c` `cgroup_procs_show`).
#[must_use]
pub fn process_pid(number: i32) -> Option<Pid> {
    if number > 0 { Pid::from_raw(number) } else { None }
}

/// `KCMP_VM` of `include/uapi/linux/kcmp.h`.
const KCMP_VM: c_int = 1;

/// Whether two processes share an address space (`kcmp(2)`). The kernel answers only if the caller
/// may read both with ptrace (`kernel/kcmp.c`, `PTRACE_MODE_READ_REALCREDS`). Two processes without
/// an address space count as sharing one: the caller must rule out zombies and kernel threads.
///
/// # Errors
///
/// EPERM without that right, ENOSYS if the kernel was built without `kcmp`, ESRCH if a process is
/// gone.
pub fn same_memory(one: i32, other: i32) -> Result<bool, Errno> {
    let none: c_ulong = 0;
    // SAFETY: kcmp takes five integers. It does not write to memory of this process and keeps no
    // pointer.
    let order = unsafe { nix::libc::syscall(nix::libc::SYS_kcmp, one, other, KCMP_VM, none, none) };
    // 0 means equal, 1 and 2 an order, 3 unequal without an order.
    if order < 0 { Err(last()) } else { Ok(order == 0) }
}

/// Frees the memory of a dying process at once (`process_mrelease(2)`, 5.15 and later). Takes as
/// long as unmapping takes, and waits for the lock of the address space.
///
/// # Errors
///
/// From `mm/oom_kill.c`: ESRCH if the process has no memory any more, EINVAL if it is not dying or
/// shares its memory with a process that is not dying, EAGAIN if only a part could be freed, EINTR,
/// ENOSYS on an older kernel.
pub fn release_memory(pidfd: impl AsFd) -> Result<(), Errno> {
    let flags: c_uint = 0;
    let pidfd = pidfd.as_fd();
    // SAFETY: process_mrelease takes a descriptor, which is borrowed and therefore open during the
    // call, and flags. It does not write to memory of this process.
    let taken =
        unsafe { nix::libc::syscall(nix::libc::SYS_process_mrelease, pidfd.as_raw_fd(), flags) };
    if taken < 0 { Err(last()) } else { Ok(()) }
}

/// The error of the system call that failed just before.
pub(crate) fn last() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_of_a_group_is_a_pid() {
        for number in [0, -1, -7, i32::MIN] {
            assert_eq!(process_pid(number), None, "{number}");
        }
        assert_eq!(process_pid(7).map(|pid| pid.as_raw_nonzero().get()), Some(7));
    }

    #[test]
    fn a_process_shares_memory_only_with_itself() {
        let own = i32::try_from(std::process::id()).expect("a pid");
        match same_memory(own, own) {
            Ok(same) => assert!(same),
            // A seccomp filter of a container, or a kernel without kcmp.
            Err(errno) => assert!([Errno::NOSYS, Errno::PERM].contains(&errno), "{errno}"),
        }
        assert_eq!(same_memory(own, i32::MAX), Err(Errno::SRCH));
    }

    #[test]
    fn a_descriptor_that_is_not_a_pidfd_is_refused() {
        let file = std::fs::File::open("/dev/null").expect("/dev/null");
        let errno = release_memory(&file).expect_err("no pidfd");
        assert!([Errno::BADF, Errno::NOSYS, Errno::PERM].contains(&errno), "{errno}");
    }
}
