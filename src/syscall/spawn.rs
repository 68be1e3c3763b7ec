//! What a child does before its program begins: it enters its cgroup, or ties its life to its parent's.

use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The error of a child that could not enter its cgroup: `execve(2)` has none of this number.
pub const NOT_ENTERED: rustix::io::Errno = rustix::io::Errno::NOLINK;

/// Lets the child of a command enter a cgroup before its program is executed: it writes itself to each of these
/// `cgroup.procs` files. If that fails, the program is not executed, and spawning fails with [`NOT_ENTERED`].
pub fn enter_cgroups(command: &mut Command, procs: Vec<OwnedFd>) {
    let enter = move || {
        for file in &procs {
            // "0" is the process that writes (`kernel/cgroup/cgroup.c` `cgroup_procs_write_start`).
            rustix::io::write(file, b"0").map_err(|_| NOT_ENTERED)?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure only makes system calls: it neither allocates nor locks, and takes
    // nothing but descriptors that it owns (`signal-safety(7)`).
    unsafe {
        command.pre_exec(enter);
    }
}

/// Lets the kernel kill the child of a command as soon as the thread ends that starts it, however it ends
/// (`PR_SET_PDEATHSIG(2const)`): also with SIGKILL. A program that changes its rights as it is executed is free again.
pub fn end_with_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    let tie = move || {
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        // A parent that ended before that gives no signal.
        if rustix::process::getppid() == Some(parent) {
            Ok(())
        } else {
            Err(rustix::io::Errno::SRCH.into())
        }
    };
    // SAFETY: as above. The closure makes two system calls, and owns nothing but a number.
    unsafe {
        command.pre_exec(tie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::process::Stdio;

    #[test]
    fn a_child_ends_with_the_thread_that_started_it() {
        let mut command = Command::new("sleep");
        command.arg("1000").stdin(Stdio::null());
        end_with_parent(&mut command);
        let started = std::thread::spawn(move || command.spawn().expect("sleep runs"));
        let mut child = started.join().expect("a child");
        let signal = std::os::unix::process::ExitStatusExt::signal(&child.wait().expect("its end"));
        assert_eq!(signal, Some(nix::libc::SIGKILL));
    }

    #[test]
    fn the_child_writes_before_its_program_runs() {
        let folder = tempfile::tempdir().expect("a folder");
        let procs = folder.path().join("cgroup.procs");
        let file = File::create(&procs).expect("a file");
        let mut command = Command::new("cat");
        command.arg(&procs);
        enter_cgroups(&mut command, vec![file.into()]);
        assert_eq!(command.output().expect("an output").stdout, b"0");
    }

    #[test]
    fn a_child_that_cannot_enter_runs_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let (procs, made) = (folder.path().join("procs"), folder.path().join("made"));
        File::create(&procs).expect("a file");
        let closed = File::open(&procs).expect("a file that cannot be written");
        let mut command = Command::new("touch");
        command.arg(&made);
        enter_cgroups(&mut command, vec![closed.into()]);
        let error = command.spawn().expect_err("not entered").raw_os_error();
        assert_eq!(error, Some(NOT_ENTERED.raw_os_error()));
        assert!(!made.exists());
    }
}
