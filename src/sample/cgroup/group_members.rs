//! Which processes are in which memory cgroup, by the lists of the groups: one file a group instead of one a process.

use std::ffi::CStr;
use std::sync::Arc;

use rustix::io::Errno;

use crate::model::{Cgroup, Text, is_within, unescape};
use crate::sample::cgroup::directory::{CgroupBuffers, push};
use crate::sample::cgroup::mount::Mount;
use crate::sample::parse;

/// Maximum number of bytes of a list that are read; the rest is not known.
const LIST_MAX: usize = 1 << 20;

/// The list of the processes of a group (`kernel/cgroup/cgroup.c` and `cgroup-v1.c`).
const LIST: &CStr = c"cgroup.procs";

/// The processes that exactly one group lists.
///
/// Of any other process, its own file must be asked: one with threads in several groups of version 1, one in a threaded
/// group of version 2, one in a group that was not there when the groups were read, one that has exited.
#[derive(Debug, Default)]
pub struct GroupMembers {
    /// Pids with the place of their group in `paths`, sorted.
    pids: Vec<(i32, u32)>,
    paths: Vec<Arc<Text>>,
}

impl GroupMembers {
    /// The path of the group that lists this process.
    #[must_use]
    pub fn group_of(&self, pid: i32) -> Option<&Arc<Text>> {
        let first = self.pids.partition_point(|listed| listed.0 < pid);
        let is_listed = |at: usize| self.pids.get(at).filter(|listed| listed.0 == pid);
        let &(_, group) = is_listed(first)?;
        if is_listed(first + 1).is_some() {
            return None;
        }
        self.paths.get(group as usize)
    }

    /// Forgets all of them, and keeps their memory.
    pub fn clear(&mut self) {
        self.pids.clear();
        self.paths.clear();
    }

    /// Reads the lists of these groups, which are in the order of the tree.
    pub(crate) fn read(&mut self, mount: &Mount, groups: &[Cgroup], buffers: &mut CgroupBuffers) {
        self.clear();
        for group in groups {
            let Some(mut path) = mount.relative(&unescape(group.path.as_str())) else { continue };
            push(&mut path, LIST);
            let Ok(path) = std::ffi::CString::new(path) else { continue };
            match buffers.buffer.read_start(&mount.dir, &path, LIST_MAX) {
                Ok((bytes, _)) => self.take(group, bytes),
                // A threaded group.
                Err(Errno::OPNOTSUPP) => self.distrust_above(group.path.as_str()),
                Err(_) => {}
            }
        }
        self.pids.sort_unstable();
        self.pids.dedup();
    }

    /// Forgets the lists of the groups above a threaded group: that of the nearest one that is not threaded names its
    /// processes, too (`Documentation/admin-guide/cgroup-v2.rst`, "Threads").
    fn distrust_above(&mut self, threaded: &str) {
        let paths = &self.paths;
        let is_above = |at: u32| {
            paths.get(at as usize).is_some_and(|above| is_within(threaded, above.as_str()))
        };
        self.pids.retain(|&(_, at)| !is_above(at));
    }

    /// Takes the list of a group; a last line without an end may be a part of a pid.
    fn take(&mut self, group: &Cgroup, bytes: &[u8]) {
        let Some(end) = bytes.iter().rposition(|&byte| byte == b'\n') else { return };
        let Ok(place) = u32::try_from(self.paths.len()) else { return };
        let pids = bytes[..end].split(|&byte| byte == b'\n').filter_map(parse::unsigned);
        let pids = pids.filter_map(|pid| i32::try_from(pid).ok());
        // 0 is a process of another pid namespace.
        self.pids.extend(pids.filter(|&pid| pid > 0).map(|pid| (pid, place)));
        self.paths.push(Arc::clone(&group.path));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn members(top: &Path, groups: &[&str]) -> GroupMembers {
        let groups: Vec<Cgroup> = groups
            .iter()
            .map(|path| Cgroup { path: Arc::new(Text::new(path.as_bytes())), ..Cgroup::default() })
            .collect();
        let mut members = GroupMembers::default();
        members.read(&Mount::at(top), &groups, &mut CgroupBuffers::new());
        members
    }

    fn list(top: &Path, group: &str, pids: &str) {
        let folder = top.join(group);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("cgroup.procs"), pids).unwrap();
    }

    #[test]
    fn a_process_is_in_the_group_that_lists_it() {
        let top = tempfile::tempdir().unwrap();
        list(top.path(), "", "1\n7\n");
        list(top.path(), "app", "0\n30\n20\n20\n");
        list(top.path(), r"app/we b", "40\n");
        let members = members(top.path(), &["/", "/app", "/app/we b", "/gone"]);
        let group = |pid| members.group_of(pid).map(|path| path.as_str());
        assert_eq!([1, 7, 20, 30].map(group), ["/", "/", "/app", "/app"].map(Some));
        assert_eq!([40, 2, 0].map(group), [Some("/app/we b"), None, None]);
    }

    #[test]
    fn whoever_several_groups_list_must_be_asked() {
        let top = tempfile::tempdir().unwrap();
        list(top.path(), "a", "5\n6\n");
        list(top.path(), "b", "6\n7\n");
        let members = members(top.path(), &["/a", "/b"]);
        assert_eq!([5, 6, 7].map(|pid| members.group_of(pid).is_some()), [true, false, true]);
    }

    #[test]
    fn whoever_may_be_in_a_threaded_group_must_be_asked() {
        let top = tempfile::tempdir().unwrap();
        for (group, pids) in [("", "1\n"), ("a", "5\n"), ("a/b", "6\n"), ("ab", "7\n")] {
            list(top.path(), group, pids);
        }
        let mut members = members(top.path(), &["/", "/a", "/a/b", "/ab"]);
        members.distrust_above("/a/threaded");
        let known = [1, 5, 6, 7].map(|pid| members.group_of(pid).is_some());
        assert_eq!(known, [false, false, true, true]);
    }

    #[test]
    fn the_cut_end_of_a_list_is_no_pid() {
        let top = tempfile::tempdir().unwrap();
        let pids: String = (100_000..400_000).map(|pid| format!("{pid}\n")).collect();
        list(top.path(), "a", &pids[..LIST_MAX + 3]);
        let members = members(top.path(), &["/a"]);
        let known = LIST_MAX / 7;
        assert_eq!(members.pids.len(), known);
        assert!(members.group_of(100_000 + i32::try_from(known).unwrap()).is_none());
        list(top.path(), "b", "12");
        assert!(super::tests::members(top.path(), &["/b"]).group_of(12).is_none());
    }
}
