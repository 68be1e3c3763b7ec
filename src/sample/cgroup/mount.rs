//! The mount point of the hierarchy that accounts memory, and the paths of the groups below it.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, statat};
use rustix::process::getpid;

use crate::model::Hierarchy;
use crate::sample::cgroup::directory::{CgroupBuffers, GROUPS_MAX, children, open_dir, push};
use crate::sample::file_buffer::FileBuffer;
use crate::sample::parse;
use crate::sample::parse::CgroupMount;
use crate::sample::proc_root::ProcRoot;

/// Maximum number of bytes that are read of the list of mounts.
const MOUNTINFO_MAX: usize = 1 << 20;

/// The mount point of the hierarchy that accounts memory.
pub(crate) struct Mount {
    pub(crate) hierarchy: Hierarchy,
    pub(crate) dir: OwnedFd,
    /// The path of the group at the mount point, as `/proc/PID/cgroup` prints it.
    root: Vec<u8>,
    /// The path from the mount point down to the root of doomtop's cgroup namespace, if the mount
    /// point is above that root and the path could be found.
    namespace: Option<Vec<u8>>,
}

impl Mount {
    /// Finds it among the mounts that doomtop sees.
    pub(crate) fn find(root: &ProcRoot, buffers: &mut CgroupBuffers) -> Option<Self> {
        let mut buffer = FileBuffer::new();
        let (bytes, _) = buffer.read_start(root, c"self/mountinfo", MOUNTINFO_MAX).ok()?;
        let mut mounts: Vec<CgroupMount> = parse::cgroup_mounts(bytes).collect();
        // On a hybrid host, memory is accounted by version 1 or by version 2. Of several mounts of
        // one hierarchy, prefer that of the root of the cgroup namespace, which shows all groups
        // under their plain names.
        mounts.sort_by_key(|mount| (!mount.v1, mount.root != b"/", mount.root.len()));
        mounts.into_iter().find_map(|mount| Self::open(mount, root, buffers))
    }

    /// Opens the mount point and checks that memory is accounted there: another mount may hide it.
    fn open(mount: CgroupMount, proc: &ProcRoot, buffers: &mut CgroupBuffers) -> Option<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(mount.point, flags, Mode::empty()).ok()?;
        let hierarchy = if mount.v1 {
            statat(&dir, c"memory.usage_in_bytes", AtFlags::empty()).ok()?;
            Hierarchy::V1
        } else {
            let controllers = buffers.buffer.read(&dir, c"cgroup.controllers").ok()?;
            parse::has_memory(controllers).then_some(Hierarchy::V2)?
        };
        let mut found = Self { hierarchy, dir, root: mount.root, namespace: None };
        found.namespace = found.find_namespace(proc, buffers);
        Some(found)
    }

    /// Finds the root of the cgroup namespace below a mount point that is shown as `/..` or
    /// `/../..`: it is that many levels down, and contains doomtop in the group that `self/cgroup`
    /// names.
    fn find_namespace(&self, proc: &ProcRoot, buffers: &mut CgroupBuffers) -> Option<Vec<u8>> {
        let mut above = self.root.strip_prefix(b"/")?.split(|&b| b == b'/');
        let levels = above.clone().count();
        if !above.all(|name| name == b"..") {
            return None;
        }
        let own = parse::memory_cgroup(buffers.buffer.read(proc, c"self/cgroup").ok()?)?;
        let own = own.strip_prefix(b"/")?;
        if own.split(|&b| b == b'/').any(|name| name == b"..") {
            return None;
        }
        let mut procs = own.to_vec();
        procs.extend_from_slice(if own.is_empty() { b"cgroup.procs" } else { b"/cgroup.procs" });
        let procs = CString::new(procs).ok()?;
        let mut path = Vec::new();
        let mut left = GROUPS_MAX;
        find_own_group(self.dir.as_fd(), levels, &procs, &mut left, &mut path, buffers)
            .then_some(path)
    }

    /// The hierarchy at this directory, without a namespace.
    #[cfg(test)]
    pub(crate) fn at(dir: &std::path::Path) -> Self {
        let dir = rustix::fs::open(dir, OFlags::RDONLY, Mode::empty()).unwrap();
        Self { hierarchy: Hierarchy::V2, dir, root: b"/".to_vec(), namespace: None }
    }

    /// Writes the path of a group as `/proc/PID/cgroup` prints it. `relative` is its path below the
    /// mount point, without a slash at either end.
    pub(crate) fn path(&self, relative: &[u8], out: &mut Vec<u8>) {
        out.clear();
        let names =
            |path: &'_ [u8]| path.split(|&b| b == b'/').filter(|name| !name.is_empty()).count();
        let common = match &self.namespace {
            None => {
                out.extend_from_slice(self.root.strip_suffix(b"/").unwrap_or(&self.root));
                0
            }
            Some(namespace) => {
                let both = namespace.split(|&b| b == b'/').zip(relative.split(|&b| b == b'/'));
                let common = both.take_while(|(a, b)| a == b).count();
                (common..names(namespace)).for_each(|_| out.extend_from_slice(b"/.."));
                common
            }
        };
        let rest = relative.split(|&b| b == b'/').filter(|name| !name.is_empty()).skip(common);
        for name in rest {
            out.push(b'/');
            out.extend_from_slice(name);
        }
        if out.is_empty() {
            out.push(b'/');
        }
    }

    /// The path below the mount point of the group that `/proc/PID/cgroup` prints so: the opposite of
    /// [`Self::path`]. `None` for a group that is not below the mount point.
    pub(crate) fn relative(&self, path: &[u8]) -> Option<Vec<u8>> {
        let is_up = |name: &&[u8]| *name == b"..";
        let names = |path| <[u8]>::split(path, |&b| b == b'/').filter(|name| !name.is_empty());
        let mut rest = names(path).peekable();
        let mut relative = Vec::new();
        match &self.namespace {
            None => {
                for name in names(&self.root) {
                    rest.next_if(|it| *it == name)?;
                }
            }
            Some(namespace) => {
                let mut own: Vec<&[u8]> = names(namespace).collect();
                while rest.next_if(is_up).is_some() {
                    own.pop()?;
                }
                relative.extend(own);
            }
        }
        relative.extend(rest);
        if relative.iter().any(is_up) {
            return None;
        }
        Some(relative.join(&b'/'))
    }
}

/// Finds the directory `levels` levels down, below which the file `procs` lists doomtop's pid, and
/// leaves its path in `path`. Opens at most `left` directories.
fn find_own_group(
    dir: BorrowedFd<'_>,
    levels: usize,
    procs: &CStr,
    left: &mut usize,
    path: &mut Vec<u8>,
    buffers: &mut CgroupBuffers,
) -> bool {
    let Some(fewer) = left.checked_sub(1) else { return false };
    *left = fewer;
    if levels == 0 {
        let own = getpid().as_raw_nonzero().get().unsigned_abs();
        let read = buffers.buffer.read_start(dir, procs, MOUNTINFO_MAX);
        return read.is_ok_and(|(pids, _)| {
            pids.split(|&b| b == b'\n').any(|pid| parse::unsigned(pid) == Some(u64::from(own)))
        });
    }
    for name in children(dir, &mut buffers.entries, *left) {
        let Ok(child) = open_dir(dir, &name) else { continue };
        let length = path.len();
        push(path, &name);
        if find_own_group(child.as_fd(), levels - 1, procs, left, path, buffers) {
            return true;
        }
        path.truncate(length);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(root: &str, namespace: Option<&str>) -> Mount {
        Mount {
            hierarchy: Hierarchy::V2,
            dir: rustix::fs::open("/", OFlags::RDONLY, Mode::empty()).unwrap(),
            root: root.as_bytes().to_vec(),
            namespace: namespace.map(|path| path.as_bytes().to_vec()),
        }
    }

    #[test]
    fn paths_are_those_that_proc_prints() {
        for (root, namespace, relative, path) in [
            ("/", None, "", "/"),
            ("/", None, "a/b", "/a/b"),
            ("/docker/x", None, "", "/docker/x"),
            ("/docker/x", None, "a", "/docker/x/a"),
            ("/../n4", None, "a", "/../n4/a"),
            ("/../..", None, "", "/../.."),
            ("/../..", None, "a", "/../../a"),
            ("/../..", Some("n2/n3"), "", "/../.."),
            ("/../..", Some("n2/n3"), "n4", "/../../n4"),
            ("/../..", Some("n2/n3"), "n2", "/.."),
            ("/../..", Some("n2/n3"), "n2/n5/a", "/../n5/a"),
            ("/../..", Some("n2/n3"), "n2/n3", "/"),
            ("/../..", Some("n2/n3"), "n2/n3/a", "/a"),
            ("/../..", Some("n2/n3"), "n2/n33", "/../n33"),
        ] {
            let mut out = b"before".to_vec();
            mount(root, namespace).path(relative.as_bytes(), &mut out);
            assert_eq!(mount(root, namespace).relative(&out), Some(relative.as_bytes().to_vec()));
            assert_eq!(String::from_utf8(out).unwrap(), path, "{root} {namespace:?} {relative}");
        }
        for (root, namespace, path) in [
            ("/docker/x", None, "/docker/y"),
            ("/docker/x", None, "/docker"),
            ("/", None, "/a/../b"),
            ("/../..", Some("n2/n3"), "/../../../n1"),
        ] {
            assert_eq!(mount(root, namespace).relative(path.as_bytes()), None, "{path}");
        }
    }
}
