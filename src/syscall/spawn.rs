//! A child that is in its cgroup before its program begins.

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

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
