//! The two system calls that no crate wraps, and with them the only unsafe code of the house: numbers
//! and one descriptor in, an answer or an errno out.
#![allow(unsafe_code, reason = "kcmp(2) and process_mrelease(2) can only be had by syscall(2)")]

use std::ffi::{c_int, c_uint, c_ulong};
use std::os::fd::{AsFd, AsRawFd};

use rustix::io::Errno;

/// `KCMP_VM` of `include/uapi/linux/kcmp.h`.
const KCMP_VM: c_int = 1;

/// Whether two processes live in one address space (`kcmp(2)`). The kernel tells only whoever might
/// trace both (`kernel/kcmp.c`, `PTRACE_MODE_READ_REALCREDS`). Two without any address space count as
/// one: that neither is a zombie or a kernel thread is for the caller to see to.
///
/// # Errors
/// EPERM without the right, ENOSYS where the kernel was built without it, ESRCH.
pub fn same_memory(one: i32, other: i32) -> Result<bool, Errno> {
    let none: c_ulong = 0;
    // SAFETY: kcmp takes five integers, writes to no memory of ours and keeps nothing.
    let order = unsafe { nix::libc::syscall(nix::libc::SYS_kcmp, one, other, KCMP_VM, none, none) };
    // 0 equal, 1 and 2 an order, 3 unequal without one.
    if order < 0 { Err(last()) } else { Ok(order == 0) }
}

/// Takes the memory of a dying process back at once (`process_mrelease(2)`, 5.15 and later). May take
/// as long as unmapping takes, and waits for a lock.
///
/// # Errors
/// `mm/oom_kill.c`: ESRCH it has no memory any more, EINVAL it is not dying or somebody who is
/// not lives in its memory, EAGAIN only a part could be had, EINTR, ENOSYS an older kernel.
pub fn release_memory(pidfd: impl AsFd) -> Result<(), Errno> {
    let flags: c_uint = 0;
    let pidfd = pidfd.as_fd();
    // SAFETY: process_mrelease takes a descriptor, which is borrowed and so open for the whole call,
    // and flags; it writes to no memory of ours.
    let taken =
        unsafe { nix::libc::syscall(nix::libc::SYS_process_mrelease, pidfd.as_raw_fd(), flags) };
    if taken < 0 { Err(last()) } else { Ok(()) }
}

/// Why the call before this line failed.
fn last() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_lives_in_its_own_memory_and_nobody_else_does() {
        let own = i32::try_from(std::process::id()).expect("a pid");
        match same_memory(own, own) {
            Ok(same) => assert!(same),
            // A container's filter of system calls, or a kernel without it.
            Err(errno) => assert!([Errno::NOSYS, Errno::PERM].contains(&errno), "{errno}"),
        }
        assert_eq!(same_memory(own, i32::MAX), Err(Errno::SRCH));
    }

    #[test]
    fn what_is_no_pidfd_is_refused() {
        let file = std::fs::File::open("/dev/null").expect("/dev/null");
        let errno = release_memory(&file).expect_err("no pidfd");
        assert!([Errno::BADF, Errno::NOSYS, Errno::PERM].contains(&errno), "{errno}");
    }
}
