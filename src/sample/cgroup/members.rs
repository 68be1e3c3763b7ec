//! The processes of a version 2 cgroup and of the cgroups below it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, fstatfs};
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, openat};
use rustix::io::Errno;

use crate::model::unescape;
use crate::sample::parse;

/// Mount points of version 2 (`Documentation/admin-guide/cgroup-v2.rst`).
pub(crate) const V2: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/// Maximum length of `cgroup.procs`, in bytes: more than `PID_MAX_LIMIT` pids.
const LIST_MAX: u64 = 1 << 26;
/// Maximum depth of a tree.
const DEPTH_MAX: usize = 64;

const LISTED: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens a directory. Does not follow a link at the end of the path.
pub(crate) fn open(dir: impl AsRef<Path>) -> Result<OwnedFd, Errno> {
    openat(CWD, dir.as_ref(), LISTED, Mode::empty())
}

/// The directory of a cgroup below a mount point. `None` for a path outside of the cgroup
/// namespace, which begins with `/..`.
pub(crate) fn below(mount: &Path, path: &[u8]) -> Option<PathBuf> {
    let names = path.strip_prefix(b"/")?;
    if names.split(|&byte| byte == b'/').any(|name| name == b"..") {
        return None;
    }
    Some(mount.join(OsStr::from_bytes(names)))
}

/// Whether a directory belongs to a version 2 hierarchy, and not to another filesystem that is
/// mounted there.
fn is_v2(dir: &OwnedFd) -> bool {
    fstatfs(dir).is_ok_and(|about| about.filesystem_type() == CGROUP2_SUPER_MAGIC)
}

/// Opens the version 2 directory of a cgroup, by its escaped path ([`crate::model::Text`]).
///
/// # Errors
///
/// ENOENT if there is none.
pub fn v2_dir(path: &str) -> Result<OwnedFd, Errno> {
    let path = unescape(path);
    for mount in V2 {
        let Some(place) = below(Path::new(mount), &path) else { continue };
        // Test the mount point first: below the mount point of another filesystem, the path could
        // be that of another cgroup.
        if !open(mount).is_ok_and(|top| is_v2(&top)) {
            continue;
        }
        match open(place) {
            Ok(dir) if is_v2(&dir) => return Ok(dir),
            Ok(_) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::NOENT)
}

/// The pids of a cgroup and of those below it, sorted. Each process of another pid namespace counts
/// as a 0.
///
/// # Errors
///
/// Why a list could not be read completely: ENODEV if the cgroup was removed, EOPNOTSUPP for a
/// threaded cgroup, EOVERFLOW for a list longer than any can be.
pub fn members(dir: impl AsFd) -> Result<Vec<i32>, Errno> {
    let mut found = Vec::new();
    collect(dir, DEPTH_MAX, &mut found)?;
    found.sort_unstable();
    // The kernel lists a process twice if it left and came back during the read.
    found.dedup_by(|a, b| a == b && *a != 0);
    Ok(found)
}

fn collect(dir: impl AsFd, depth: usize, found: &mut Vec<i32>) -> Result<(), Errno> {
    list(&dir, LIST_MAX, found)?;
    let Some(depth) = depth.checked_sub(1) else { return Err(Errno::NAMETOOLONG) };
    for entry in Dir::read_from(&dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type() != FileType::Directory || name == c"." || name == c".." {
            continue;
        }
        match openat(&dir, name, LISTED, Mode::empty()) {
            Ok(child) => match collect(child, depth, found) {
                // Removed since it was listed: then it had no members.
                Err(Errno::NODEV | Errno::NOENT) => {}
                other => other?,
            },
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// The pids of one list, which must be complete: a process that is left out would be killed without
/// a check.
fn list(dir: impl AsFd, longest: u64, found: &mut Vec<i32>) -> Result<(), Errno> {
    let how = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(openat(dir, "cgroup.procs", how, Mode::empty())?);
    let mut bytes = Vec::new();
    let read = file.take(longest + 1).read_to_end(&mut bytes);
    let read = read.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    if read as u64 > longest {
        return Err(Errno::OVERFLOW);
    }
    for line in bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let pid = parse::unsigned(line).and_then(|pid| i32::try_from(pid).ok());
        found.push(pid.ok_or(Errno::BADMSG)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_the_path_of_a_cgroup_is_opened() {
        for path in ["/../..", "/a/../..", "no path", "/no-such-cgroup", r"/\x2e\x2e/\x2e\x2e"] {
            assert_eq!(v2_dir(path).map(drop), Err(Errno::NOENT), "{path}");
        }
    }

    #[test]
    fn the_members_of_a_tree_are_collected_from_all_groups() {
        let top = tempfile::tempdir().expect("a folder");
        let below = top.path().join("a/b");
        fs::create_dir_all(&below).expect("folders");
        for (place, pids) in
            [(top.path(), "77\n5\n5\n"), (&top.path().join("a"), "0\n"), (&below, "0\n9\n")]
        {
            fs::write(place.join("cgroup.procs"), pids).expect("a list");
        }
        assert_eq!(open(top.path()).and_then(members), Ok(vec![0, 0, 5, 9, 77]));
        fs::remove_file(top.path().join("cgroup.procs")).expect("a list");
        assert_eq!(open(top.path()).and_then(members), Err(Errno::NOENT));
    }

    #[test]
    fn a_list_is_read_whole_or_not_at_all() {
        let top = tempfile::tempdir().expect("a folder");
        let place = top.path().join("cgroup.procs");
        let pids: String = (100_001..=400_000).map(|pid| format!("{pid}\n")).collect();
        assert!(pids.len() > 2 << 20);
        fs::write(&place, &pids).expect("a list");
        let dir = open(top.path()).expect("the folder");
        assert_eq!(members(&dir).map(|it| it.len()), Ok(300_000));
        assert_eq!(list(&dir, 1 << 20, &mut Vec::new()), Err(Errno::OVERFLOW));
        fs::write(&place, "7\nx\n").expect("a list");
        assert_eq!(members(&dir), Err(Errno::BADMSG));
    }
}
