//! The files of one cgroup: limits are written once and read back.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, flock, fstat, mkdirat, openat, statat};
use rustix::io::{Errno, read, write};

use crate::intent::CgroupLimits;
use crate::model::Hierarchy;
use crate::units::Bytes;

/// Maximum length of a file with one number, or with a list of controllers.
const MAX_FILE: usize = 4096;
/// The largest page size of any machine, in bytes.
const MAX_PAGE: u64 = 64 << 10;

/// Opens a directory below another one. Does not follow a link at its end.
pub(super) fn open_directory(dir: impl AsFd, relative: &[u8]) -> Result<OwnedFd, Errno> {
    let path = if relative.is_empty() { b"." } else { relative };
    let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(dir, path, how, Mode::empty())
}

/// Attempts to make a cgroup that another doomtop takes for a stale one before it is held.
const ATTEMPTS: usize = 8;

/// Makes a cgroup and holds it: as long as the descriptor (or a copy of it) is open, it has a lock (`flock(2)`), by
/// which others see that it is in use.
///
/// # Errors
/// EEXIST: there is one of this name. Others as of `mkdirat(2)` and `openat(2)`.
pub(super) fn make_held(parent: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    for _ in 0..ATTEMPTS {
        mkdirat(parent, name, Mode::from_raw_mode(0o755))?;
        let dir = match open_directory(parent, name.as_bytes()) {
            Err(Errno::NOENT) => continue,
            dir => dir?,
        };
        let held = flock(&dir, FlockOperation::NonBlockingLockShared);
        let is_there = || -> Result<bool, Errno> {
            let (made, found) = (fstat(&dir)?, statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?);
            Ok((made.st_dev, made.st_ino) == (found.st_dev, found.st_ino))
        };
        if held.is_ok() && is_there() == Ok(true) {
            return Ok(dir);
        }
    }
    Err(Errno::BUSY)
}

/// The content of a small file, without the end of its line.
pub(super) fn content(dir: impl AsFd, name: &str) -> Result<String, Errno> {
    let file = openat(dir, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut buffer = [0; MAX_FILE];
    let length = read(&file, &mut buffer)?;
    let bytes = buffer.get(..length).unwrap_or_default();
    Ok(String::from_utf8_lossy(bytes).trim_end().to_owned())
}

/// Writes a value in one write.
pub(super) fn put(dir: impl AsFd, name: &str, value: &str) -> Result<(), Errno> {
    let file = openat(dir, name, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    let written = write(&file, value.as_bytes())?;
    if written == value.len() { Ok(()) } else { Err(Errno::IO) }
}

/// `cgroup.procs`, open for writing.
pub(super) fn procs_file(dir: impl AsFd) -> Result<OwnedFd, String> {
    openat(dir, "cgroup.procs", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| failed("cgroup.procs", errno))
}

/// What went wrong with a file.
pub(super) fn failed(name: &str, errno: Errno) -> String {
    match errno {
        Errno::ACCESS | Errno::PERM | Errno::ROFS => {
            format!("{name} cannot be written: that needs root, or a cgroup that was delegated")
        }
        errno => format!("{name}: {}", std::io::Error::from(errno)),
    }
}

/// A limit as a file, its value, and what it is for.
struct LimitFile {
    name: &'static str,
    value: Bytes,
    what: &'static str,
}

/// The files of the limits, in the order in which they are written.
fn limit_files(hierarchy: Hierarchy, limits: &CgroupLimits) -> Result<Vec<LimitFile>, String> {
    let mut files = Vec::new();
    let mut add = |name, value: Option<Bytes>, what| {
        files.extend(value.map(|value| LimitFile { name, value, what }));
    };
    match hierarchy {
        Hierarchy::V2 => {
            add("memory.max", limits.memory, "a limit of memory");
            add("memory.swap.max", limits.swap, "a limit of swap");
            add("memory.high", limits.high, "--high");
        }
        Hierarchy::V1 => {
            if limits.high.is_some() || limits.group {
                return Err("--high and --group need cgroup version 2; memory is accounted by \
                            version 1 here"
                    .to_owned());
            }
            add("memory.limit_in_bytes", limits.memory, "a limit of memory");
            let both = match (limits.memory, limits.swap) {
                (Some(memory), Some(swap)) => Some(memory + swap),
                (None, Some(_)) => {
                    return Err("--swap needs --limit: version 1 limits memory and swap together"
                        .to_owned());
                }
                _ => None,
            };
            add("memory.memsw.limit_in_bytes", both, "a limit of swap");
        }
    }
    Ok(files)
}

/// Writes the limits and reads them back.
pub(super) fn write_limits(
    dir: &OwnedFd,
    hierarchy: Hierarchy,
    limits: &CgroupLimits,
) -> Result<(), String> {
    for LimitFile { name, value, what } in limit_files(hierarchy, limits)? {
        put(dir, name, &value.0.to_string()).map_err(|errno| match errno {
            Errno::NOENT => missing(name, what),
            errno => failed(name, errno),
        })?;
    }
    if limits.group {
        put(dir, "memory.oom.group", "1").map_err(|errno| match errno {
            Errno::NOENT => missing("memory.oom.group", "--group"),
            errno => failed("memory.oom.group", errno),
        })?;
    }
    check_limits(dir, hierarchy, limits)
}

fn missing(name: &str, what: &str) -> String {
    let hint = match name {
        "memory.memsw.limit_in_bytes" => " (boot with swapaccount=1)",
        _ => "",
    };
    format!("{what} cannot be set: this kernel has no {name}{hint}")
}

/// Whether the limits are in force.
pub(super) fn check_limits(
    dir: &OwnedFd,
    hierarchy: Hierarchy,
    limits: &CgroupLimits,
) -> Result<(), String> {
    for LimitFile { name, value, .. } in limit_files(hierarchy, limits)? {
        let found = content(dir, name).map_err(|errno| failed(name, errno))?;
        if !is_value(&found, value) {
            return Err(format!("{name} should be {} and is {found}", value.0));
        }
    }
    let group = limits.group.then(|| content(dir, "memory.oom.group"));
    match group {
        Some(Ok(found)) if found != "1" => {
            Err(format!("memory.oom.group should be 1 and is {found}"))
        }
        Some(Err(errno)) => Err(failed("memory.oom.group", errno)),
        _ => Ok(()),
    }
}

/// Whether a limit reads back as it was written: the kernel rounds to whole pages.
fn is_value(found: &str, value: Bytes) -> bool {
    found.parse::<u64>().is_ok_and(|found| found.abs_diff(value.0) < MAX_PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(
        hierarchy: Hierarchy,
        limits: CgroupLimits,
    ) -> Result<Vec<(&'static str, u64)>, String> {
        Ok(limit_files(hierarchy, &limits)?.iter().map(|it| (it.name, it.value.0)).collect())
    }

    fn limits(memory: Option<u64>, swap: Option<u64>) -> CgroupLimits {
        CgroupLimits { memory: memory.map(Bytes), swap: swap.map(Bytes), ..CgroupLimits::default() }
    }

    #[test]
    fn version_1_limits_memory_and_swap_together() {
        let both = names(Hierarchy::V1, limits(Some(100), Some(20))).expect("files");
        assert_eq!(both, [("memory.limit_in_bytes", 100), ("memory.memsw.limit_in_bytes", 120)]);
        let memory = names(Hierarchy::V1, limits(Some(100), None)).expect("files");
        assert_eq!(memory, [("memory.limit_in_bytes", 100)]);
        assert!(names(Hierarchy::V1, limits(None, Some(0))).is_err());
        let high = CgroupLimits { high: Some(Bytes(9)), ..limits(Some(100), None) };
        assert!(names(Hierarchy::V1, high).is_err_and(|why| why.contains("version 2")));
        let both = names(Hierarchy::V2, CgroupLimits { swap: Some(Bytes(0)), ..high });
        let v2 = [("memory.max", 100), ("memory.swap.max", 0), ("memory.high", 9)];
        assert_eq!(both.expect("files"), v2);
    }

    #[test]
    fn a_limit_reads_back_in_whole_pages() {
        assert!(is_value("8192", Bytes(8192)) && is_value("8192", Bytes(9000)));
        assert!(!is_value("max", Bytes(8192)) && !is_value("1048576", Bytes(8192)));
    }

    #[test]
    fn limits_are_written_and_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = open_directory(std::fs::File::open(folder.path()).expect("it"), b"").expect("it");
        let wanted = CgroupLimits { group: true, ..limits(Some(1 << 20), None) };
        let refused = write_limits(&dir, Hierarchy::V2, &wanted).expect_err("no file");
        assert!(refused.contains("no memory.max"), "{refused}");
        for name in ["memory.max", "memory.oom.group"] {
            std::fs::write(folder.path().join(name), "").expect("a file");
        }
        write_limits(&dir, Hierarchy::V2, &wanted).expect("written");
        let read = std::fs::read_to_string(folder.path().join("memory.max")).expect("a limit");
        assert_eq!(read, "1048576");
        std::fs::write(folder.path().join("memory.max"), "max").expect("a file");
        let refused = check_limits(&dir, Hierarchy::V2, &wanted).expect_err("not in force");
        assert_eq!(refused, "memory.max should be 1048576 and is max");
    }
}
