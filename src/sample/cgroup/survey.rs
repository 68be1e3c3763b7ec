//! One walk over the whole tree of memory cgroups.

use std::collections::HashMap;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, statat};
use rustix::io::Errno;

use crate::model::{Cgroup, CgroupEvents, Hierarchy, Limit, Pressure, Reading, Text};
use crate::sample::absence::perhaps;
use crate::sample::cgroup::directory::{CgroupBuffers, children, open_dir, push};
use crate::sample::cgroup::mount::Mount;
use crate::sample::cgroup::usage::{Limited, level_files, number, take_level};
use crate::sample::cgroup::xattrs::marks;
use crate::sample::file_buffer::open;
use crate::sample::parse;
use crate::sample::parse::ParseError;
use crate::units::Bytes;

/// Maximum depth below the mount point.
const DEPTH_MAX: usize = 64;

/// Whether its usage matters in each sample: it has a limit, or its tasks are throttled above some usage.
fn is_watched(group: &Cgroup) -> bool {
    group.is_limited() || group.is_throttled_above()
}

/// Whether a group of version 2 is not the root and its parent does not distribute memory: it has no limit of its own
/// (`Documentation/admin-guide/cgroup-v2.rst`, "Controlling Controllers").
fn is_without_controller(dir: &OwnedFd) -> bool {
    let exists = |name: &CStr| statat(dir, name, AtFlags::SYMLINK_NOFOLLOW);
    exists(c"memory.max").is_err_and(|errno| errno == Errno::NOENT)
        && exists(c"cgroup.events").is_ok()
}

/// A walk over the tree.
pub(crate) struct Survey<'a> {
    pub(crate) mount: &'a Mount,
    pub(crate) most: usize,
    pub(crate) everything: bool,
    pub(crate) with_io: bool,
    pub(crate) list: Vec<Cgroup>,
    pub(crate) limited: &'a mut Vec<Limited>,
    /// How many more groups may keep their files open.
    pub(crate) files_left: usize,
    /// The path of the current group below the mount point.
    pub(crate) relative: Vec<u8>,
    pub(crate) paths: &'a mut HashMap<Box<[u8]>, Arc<Text>>,
    pub(crate) buffers: &'a mut CgroupBuffers,
}

impl Survey<'_> {
    /// Reads the group in this directory and all groups below it.
    pub(crate) fn descend(&mut self, parent: BorrowedFd<'_>, name: &CStr, depth: usize) {
        if self.list.len() >= self.most {
            return;
        }
        let dir = match open_dir(parent, name) {
            Ok(dir) => dir,
            Err(Errno::ACCESS | Errno::PERM) => {
                let (path, limit, usage) = (self.path(), Reading::Denied, Reading::Denied);
                self.list.push(Cgroup { path, limit, usage, ..Cgroup::default() });
                return;
            }
            Err(_) => return,
        };
        let (group, files) = self.group(&dir);
        // A group without these files is not accounted for memory, or is gone by now.
        let there =
            [group.limit.map(|_| ()), group.usage.map(|_| ())].contains(&Reading::Value(()));
        if !there && statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).is_err() {
            return;
        }
        if is_watched(&group) && !self.everything {
            let (path, relative) = (Arc::clone(&group.path), self.relative.clone());
            self.files_left -= usize::from(files.is_some());
            self.limited.push(Limited { path, relative, files });
        }
        self.list.push(group);
        if depth >= DEPTH_MAX {
            return;
        }
        let left = self.most - self.list.len();
        for name in children(&dir, &mut self.buffers.entries, left) {
            let length = self.relative.len();
            push(&mut self.relative, &name);
            self.descend(dir.as_fd(), &name, depth + 1);
            self.relative.truncate(length);
        }
    }

    /// Reads and parses one file of a group.
    fn file<T>(
        &mut self,
        dir: &OwnedFd,
        name: &CStr,
        parse: impl FnOnce(&[u8]) -> Result<T, ParseError>,
    ) -> Reading<T> {
        perhaps(self.buffers.buffer.read(dir, name), |bytes| parse(bytes).ok())
    }

    /// Reads a file with one number of bytes.
    fn bytes(&mut self, dir: &OwnedFd, name: &CStr) -> Reading<Bytes> {
        perhaps(self.buffers.buffer.read(dir, name), number).map(Bytes)
    }

    /// The path of the current group, which shares its text with earlier walks.
    fn path(&mut self) -> Arc<Text> {
        let path = &mut self.buffers.path;
        self.mount.path(&self.relative, path);
        if let Some(text) = self.paths.get(path.as_slice()) {
            return Arc::clone(text);
        }
        let text = Arc::new(Text::new(path));
        self.paths.insert(path.as_slice().into(), Arc::clone(&text));
        text
    }

    /// Reads a group. Returns its usage files, if they are to stay open.
    fn group(&mut self, dir: &OwnedFd) -> (Cgroup, Option<[Result<OwnedFd, Errno>; 3]>) {
        let hierarchy = self.mount.hierarchy;
        let mut group = Cgroup { path: self.path(), ..Cgroup::default() };
        match hierarchy {
            Hierarchy::V1 => {
                group.limit = self.file(dir, c"memory.limit_in_bytes", parse::limit);
                group.memsw_limit = self.file(dir, c"memory.memsw.limit_in_bytes", parse::limit);
            }
            Hierarchy::V2 => {
                group.limit = self.file(dir, c"memory.max", parse::limit);
                if group.limit == Reading::Missing && is_without_controller(dir) {
                    group.limit = Reading::Value(Limit::Max);
                }
                group.high = self.file(dir, c"memory.high", parse::limit);
            }
        }
        let limited = is_watched(&group);
        if !limited && !self.everything {
            return (group, None);
        }
        match hierarchy {
            Hierarchy::V1 => self.read_v1(dir, &mut group),
            Hierarchy::V2 => self.read_v2(dir, &mut group),
        }
        let mut files = level_files(hierarchy).map(|_| Err(Errno::NOENT));
        for (at, name) in level_files(hierarchy).into_iter().enumerate() {
            files[at] = open(dir, name);
            let read = match &files[at] {
                Ok(file) => self.buffers.buffer.again(file),
                Err(errno) => Err(*errno),
            };
            take_level(&mut group, hierarchy, at, read);
        }
        (group, (limited && !self.everything && self.files_left > 0).then_some(files))
    }

    fn read_v1(&mut self, dir: &OwnedFd, group: &mut Cgroup) {
        group.swappiness = perhaps(self.buffers.buffer.read(dir, c"memory.swappiness"), number);
        let control = self.file(dir, c"memory.oom_control", parse::oom_control);
        let or = |absent: Reading<parse::OomControl>| absent.map(|_| false);
        group.oom_kill_disabled = control.value().map_or(or(control), |it| it.kill_disabled);
        if self.everything {
            group.under_oom = control.value().map_or(or(control), |it| it.under_oom);
            group.events.oom_kill = control.value().map_or(control.map(|_| 0), |it| it.kills);
            // Where both limits are the same, charges fail at that of memory and swap.
            let both = perhaps(self.buffers.buffer.read(dir, c"memory.memsw.failcnt"), number);
            let hits = perhaps(self.buffers.buffer.read(dir, c"memory.failcnt"), number);
            group.events.max = hits.map(|hits| hits.saturating_add(both.value().unwrap_or(0)));
            group.peak = self.bytes(dir, c"memory.max_usage_in_bytes");
        }
    }

    fn read_v2(&mut self, dir: &OwnedFd, group: &mut Cgroup) {
        group.swap_limit = self.file(dir, c"memory.swap.max", parse::limit);
        group.oom_group = perhaps(self.buffers.buffer.read(dir, c"memory.oom.group"), number)
            .map(|word| word != 0);
        group.frozen = perhaps(self.buffers.buffer.read(dir, c"cgroup.events"), parse::frozen);
        if self.everything {
            let events = self.file(dir, c"memory.events", parse::memory_events);
            group.events = events.value().unwrap_or_else(|| {
                let none = events.map(|_| 0);
                CgroupEvents {
                    low: none,
                    high: none,
                    max: none,
                    oom: none,
                    oom_kill: none,
                    oom_group_kill: none,
                    sock_throttled: Reading::NotAsked,
                }
            });
            group.peak = self.bytes(dir, c"memory.peak");
            group.xattrs = marks(dir);
            if self.with_io {
                let read = self.buffers.buffer.read(dir, c"io.stat");
                group.io = read.map(parse::io_stat).unwrap_or_default();
            }
            let pressure = self.file(dir, c"memory.pressure", parse::pressure);
            group.pressure = pressure.value().unwrap_or_else(|| {
                let none = pressure.map(|pressure| pressure.some.value().unwrap_or_default());
                Pressure::of_memory(none, none)
            });
            group.pressure =
                group.pressure.with_io(self.file(dir, c"io.pressure", parse::pressure));
        }
    }
}
