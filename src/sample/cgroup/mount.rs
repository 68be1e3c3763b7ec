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

/// So much of the list of mounts is read, in bytes.
const MOUNTS: usize = 1 << 20;

/// The place where the hierarchy that accounts memory can be seen.
pub(crate) struct Mount {
    pub(crate) hierarchy: Hierarchy,
    pub(crate) dir: OwnedFd,
    /// The path of the group that the mount point shows, as `/proc/PID/cgroup` prints it.
    root: Vec<u8>,
    /// Where below the mount point the root of our cgroup namespace is, if the mount point shows
    /// one above it and it could be found.
    namespace: Option<Vec<u8>>,
}

impl Mount {
    /// Looks for it among the mounts that this process sees.
    pub(crate) fn find(root: &ProcRoot, tools: &mut CgroupBuffers) -> Option<Self> {
        let mut buffer = FileBuffer::new();
        let (bytes, _) = buffer.read_start(root, c"self/mountinfo", MOUNTS).ok()?;
        let mut mounts: Vec<CgroupMount> = parse::cgroup_mounts(bytes).collect();
        // On a hybrid host memory is either here or there. Of several mounts of one hierarchy, that
        // of the namespace's own root shows everything under its plain name.
        mounts.sort_by_key(|mount| (!mount.v1, mount.root != b"/", mount.root.len()));
        mounts.into_iter().find_map(|mount| Self::open(mount, root, tools))
    }

    /// Opens the mount point, and makes sure that memory is accounted there: another mount may
    /// hide it.
    fn open(mount: CgroupMount, proc: &ProcRoot, tools: &mut CgroupBuffers) -> Option<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(mount.point, flags, Mode::empty()).ok()?;
        let hierarchy = if mount.v1 {
            statat(&dir, c"memory.usage_in_bytes", AtFlags::empty()).ok()?;
            Hierarchy::V1
        } else {
            let controllers = tools.buffer.read(&dir, c"cgroup.controllers").ok()?;
            parse::has_memory(controllers).then_some(Hierarchy::V2)?
        };
        let mut found = Self { hierarchy, dir, root: mount.root, namespace: None };
        found.namespace = found.find_namespace(proc, tools);
        Some(found)
    }

    /// Finds the root of our cgroup namespace below a mount point that shows `/..` or `/../..`: so
    /// many levels down, where the group that we are in by our own account holds us.
    fn find_namespace(&self, proc: &ProcRoot, tools: &mut CgroupBuffers) -> Option<Vec<u8>> {
        let mut above = self.root.strip_prefix(b"/")?.split(|&b| b == b'/');
        let levels = above.clone().count();
        if !above.all(|name| name == b"..") {
            return None;
        }
        let own = parse::memory_cgroup(tools.buffer.read(proc, c"self/cgroup").ok()?)?;
        let own = own.strip_prefix(b"/")?;
        if own.split(|&b| b == b'/').any(|name| name == b"..") {
            return None;
        }
        let mut procs = own.to_vec();
        procs.extend_from_slice(if own.is_empty() { b"cgroup.procs" } else { b"/cgroup.procs" });
        let procs = CString::new(procs).ok()?;
        let mut path = Vec::new();
        let mut left = GROUPS_MAX;
        holder(self.dir.as_fd(), levels, &procs, &mut left, &mut path, tools).then_some(path)
    }

    /// Writes the path of the group in this directory below the mount point (without a slash at
    /// either end) as `/proc/PID/cgroup` prints it.
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
}

/// Finds the directory so many levels down below which the file `procs` holds our own pid, and
/// leaves its path in `path`. Looks into `left` directories at most.
fn holder(
    dir: BorrowedFd<'_>,
    levels: usize,
    procs: &CStr,
    left: &mut usize,
    path: &mut Vec<u8>,
    tools: &mut CgroupBuffers,
) -> bool {
    let Some(fewer) = left.checked_sub(1) else { return false };
    *left = fewer;
    if levels == 0 {
        let own = getpid().as_raw_nonzero().get().unsigned_abs();
        let read = tools.buffer.read_start(dir, procs, MOUNTS);
        return read.is_ok_and(|(pids, _)| {
            pids.split(|&b| b == b'\n').any(|pid| parse::unsigned(pid) == Some(u64::from(own)))
        });
    }
    for name in children(dir, &mut tools.entries, *left) {
        let Ok(child) = open_dir(dir, &name) else { continue };
        let length = path.len();
        push(path, &name);
        if holder(child.as_fd(), levels - 1, procs, left, path, tools) {
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
            assert_eq!(String::from_utf8(out).unwrap(), path, "{root} {namespace:?} {relative}");
        }
    }
}
