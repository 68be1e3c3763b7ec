//! What `doomtop doctor` finds of the logs that tell of kills.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::finding::Findings;
use crate::shell::worker::log_sources::{journalctl, log_files};

/// Where the journal is kept (systemd-journald.service(8)).
const JOURNALS: [&str; 2] = ["/var/log/journal", "/run/log/journal"];

/// Looks at the logs.
pub(super) fn sources(found: &mut Findings) {
    let section = "sources";
    let kernel_log = opens(Path::new("/dev/kmsg")).map(|()| "/dev/kmsg is readable".to_owned());
    found.source(
        section,
        "kernel log",
        kernel_log.map_err(|error| format!("/dev/kmsg: {error}")),
        "needed to see the kernel's own reports of kills",
    );
    if let Ok(text) = fs::read_to_string("/proc/sys/kernel/dmesg_restrict") {
        found.fact(section, "dmesg_restrict", text.trim());
    }
    let journal = match journalctl() {
        Some(_) => readable(system_journals(&JOURNALS.map(Path::new)), "no journal of the system"),
        None => Err("there is no journalctl".to_owned()),
    };
    found.source(
        section,
        "journal",
        journal,
        "needed to see kills by systemd-oomd, earlyoom, nohang and oomd",
    );
    found.source(
        section,
        "log files",
        readable(log_files().map(PathBuf::from).collect(), "no log file in /var/log"),
        "needed to see kills by userspace killers where there is no journal",
    );
}

/// Opens a file as the log sources do, without waiting.
fn opens(path: &Path) -> io::Result<()> {
    let flags = nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags).open(path).map(drop)
}

/// The files of the system's journal. A user may always list the directories, and read a journal of their own, in
/// which no killer writes.
fn system_journals(folders: &[&Path]) -> Vec<PathBuf> {
    let entries = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let machines = folders.iter().flat_map(|folder| entries(folder));
    let is_of_system = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("system") && name.ends_with(".journal")
    };
    machines.flat_map(|machine| entries(&machine)).filter(is_of_system).collect()
}

/// The first file that can be read; else why one cannot, and `none` where there is none.
fn readable(files: Vec<PathBuf>, none: &str) -> Result<String, String> {
    let mut why = format!("there is {none}");
    for path in files {
        match opens(&path) {
            Ok(()) => return Ok(format!("{} is readable", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => why = format!("{}: {error}", path.display()),
        }
    }
    Err(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_journal_is_readable_where_a_file_of_the_system_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let machine = folder.path().join("0123456789abcdef");
        fs::create_dir(&machine).expect("a folder");
        let told =
            || readable(system_journals(&[folder.path(), Path::new("/nonexistent")]), "none");
        fs::write(machine.join("user-1000.journal"), "").expect("written");
        assert_eq!(told(), Err("there is none".to_owned()), "that of a user tells of no kill");
        // A loop of links is refused to root as well.
        symlink("system.journal", machine.join("system.journal")).expect("a link");
        let why = told().expect_err("a loop");
        assert!(why.contains("system.journal: Too many levels"), "{why}");
        let archived = machine.join("system@01-02.journal");
        fs::write(&archived, "").expect("written");
        assert_eq!(told(), Ok(format!("{} is readable", archived.display())));
        if rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED: root is refused no file");
            return;
        }
        fs::remove_file(machine.join("system.journal")).expect("removed");
        fs::set_permissions(&archived, fs::Permissions::from_mode(0o000)).expect("a mode");
        assert!(told().is_err_and(|why| why.contains("Permission denied")));
    }
}
