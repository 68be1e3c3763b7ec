//! The memory cgroups: their hierarchy found among the mounts, its tree gone over, and between such
//! walks only how full the limited ones are.
//!
//! Everything is opened relative to the directory of the mount. Opening may stall when memory is
//! gone, so this runs beside the walk over the processes; the files that tell how full the first
//! limited groups are stay open between looks.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use nix::sys::resource::{Resource, getrlimit};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, openat, statat};
use rustix::io::Errno;
use rustix::process::getpid;

use crate::model::{
    Cgroup, CgroupEvents, CgroupNeeds, Cgroups, Hierarchy, OomdXattrs, Pressure, Reading, Text,
    is_within, tree_order,
};
use crate::sample::file_buffer::{FileBuffer, open};
use crate::sample::machine::system::perhaps;
use crate::sample::parse;
use crate::sample::parse::{CgroupMount, MemoryStat, ParseError};
use crate::sample::proc_root::ProcRoot;
use crate::units::{Bytes, Millis};

/// Where only walls are needed, every so many looks go over the whole tree.
pub const SURVEY: u32 = 8;

/// So many groups are read at most; the rest of a bigger tree is not seen.
const MOST: usize = 10_000;

/// So many levels below the mount point are gone down.
const DEEPEST: usize = 64;

/// So much of the list of mounts is read, in bytes.
const MOUNTS: usize = 1 << 20;

/// What tells how full a group is, by hierarchy: memory, then swap (version 2) or memory and swap
/// together (version 1), then what can be reclaimed.
const fn level_files(hierarchy: Hierarchy) -> [&'static CStr; 3] {
    match hierarchy {
        Hierarchy::V1 => [c"memory.usage_in_bytes", c"memory.memsw.usage_in_bytes", c"memory.stat"],
        Hierarchy::V2 => [c"memory.current", c"memory.swap.current", c"memory.stat"],
    }
}

/// How many groups may have these files kept open: a sixteenth of the descriptors that this process
/// may open, and at most 64 descriptors.
fn budget() -> usize {
    let soft = getrlimit(Resource::RLIMIT_NOFILE).map_or(256, |(soft, _)| soft);
    usize::try_from(soft / 16).unwrap_or(usize::MAX).min(64) / 3
}

/// Opens a directory below another one; links are not followed.
fn open_dir(parent: impl AsFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty())
}

/// The names of the directories in a directory, sorted; at most `most`. `room` is for listing.
fn children(dir: impl AsFd, room: &mut Vec<u8>, most: usize) -> Vec<CString> {
    let mut names = Vec::new();
    let mut entries = RawDir::new(dir, room.spare_capacity_mut());
    while let Some(Ok(entry)) = entries.next() {
        let maybe = matches!(entry.file_type(), FileType::Directory | FileType::Unknown);
        let name = entry.file_name();
        if maybe && name != c"." && name != c".." {
            if names.len() >= most {
                break;
            }
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    names
}

/// What reading works with, kept between looks.
struct Tools {
    buffer: FileBuffer,
    /// Room for the names in a directory.
    entries: Vec<u8>,
    /// A group's path, or the path of one of its files below the mount point.
    path: Vec<u8>,
}

/// The place where the hierarchy that accounts memory can be seen.
struct Mount {
    hierarchy: Hierarchy,
    dir: OwnedFd,
    /// The path of the group that the mount point shows, as `/proc/PID/cgroup` prints it.
    root: Vec<u8>,
    /// Where below the mount point the root of our cgroup namespace is, if the mount point shows
    /// one above it and it could be found.
    namespace: Option<Vec<u8>>,
}

impl Mount {
    /// Looks for it among the mounts that this process sees.
    fn find(root: &ProcRoot, tools: &mut Tools) -> Option<Self> {
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
    fn open(mount: CgroupMount, proc: &ProcRoot, tools: &mut Tools) -> Option<Self> {
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
    fn find_namespace(&self, proc: &ProcRoot, tools: &mut Tools) -> Option<Vec<u8>> {
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
        let mut left = MOST;
        holder(self.dir.as_fd(), levels, &procs, &mut left, &mut path, tools).then_some(path)
    }

    /// Writes the path of the group in this directory below the mount point (without a slash at
    /// either end) as `/proc/PID/cgroup` prints it.
    fn path(&self, relative: &[u8], out: &mut Vec<u8>) {
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
    tools: &mut Tools,
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

/// Appends a name to a path without a slash at either end.
fn push(path: &mut Vec<u8>, name: &CStr) {
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name.to_bytes());
}

/// A limited group between walks over the tree.
struct Limited {
    path: Arc<Text>,
    /// Its directory below the mount point.
    relative: Vec<u8>,
    /// The files that tell how full it is, if they are kept open.
    files: Option<[Result<OwnedFd, Errno>; 3]>,
}

impl Limited {
    /// Reads how full it is into its group. Whether it is still there.
    fn refresh(&self, mount: &Mount, tools: &mut Tools, group: &mut Cgroup) -> bool {
        for (at, name) in level_files(mount.hierarchy).into_iter().enumerate() {
            let Tools { buffer, path, .. } = tools;
            let read = match &self.files {
                Some(files) => match &files[at] {
                    Ok(file) => buffer.again(file),
                    Err(errno) => Err(*errno),
                },
                None => {
                    path.clear();
                    path.extend_from_slice(&self.relative);
                    push(path, name);
                    path.push(0);
                    CStr::from_bytes_until_nul(path)
                        .map_err(|_| Errno::NOENT)
                        .and_then(|path| buffer.read(&mount.dir, path))
                }
            };
            // A limited group has the first of them as long as it lives.
            if at == 0 && matches!(read, Err(Errno::NOENT | Errno::NODEV)) {
                return false;
            }
            take_level(group, mount.hierarchy, at, read);
        }
        true
    }
}

/// Takes what one of [`level_files`] tells.
fn take_level(group: &mut Cgroup, hierarchy: Hierarchy, at: usize, read: Result<&[u8], Errno>) {
    match (at, hierarchy) {
        (0, _) => group.usage = perhaps(read, bytes),
        (1, Hierarchy::V1) => group.memsw_usage = perhaps(read, bytes),
        (1, Hierarchy::V2) => group.swap_usage = perhaps(read, bytes),
        _ => {
            take_stat(group, hierarchy, perhaps(read, |it| parse::memory_stat(it, hierarchy).ok()))
        }
    }
}

/// Whether a cgroup has an extended attribute, and a true one (systemd's `parse_boolean`).
fn marked(dir: &OwnedFd, name: &CStr) -> bool {
    let mut room = [0; 8];
    let Ok(length) = rustix::fs::fgetxattr(dir, name, &mut room[..]) else { return false };
    let value = room[..length].trim_ascii().to_ascii_lowercase();
    [&b"1"[..], b"yes", b"y", b"true", b"t", b"on"].contains(&value.as_slice())
}

/// How a cgroup is marked, if it is.
fn marks(dir: &OwnedFd) -> Option<OomdXattrs> {
    let marks = OomdXattrs {
        avoid: marked(dir, c"user.oomd_avoid") || marked(dir, c"trusted.oomd_avoid"),
        omit: marked(dir, c"user.oomd_omit"),
        prefer: marked(dir, c"user.oomd_prefer") || marked(dir, c"trusted.oomd_prefer"),
        owner: 0,
    };
    let any = marks.avoid || marks.omit || marks.prefer;
    // Whose mark it is decides whether it counts: unknown counts as nobody's.
    any.then(|| OomdXattrs {
        owner: rustix::fs::fstat(dir).map_or(u32::MAX, |stat| stat.st_uid),
        ..marks
    })
}

/// A file of one number of bytes.
fn bytes(file: &[u8]) -> Option<Bytes> {
    number(file).map(Bytes)
}

/// A file of one number.
fn number(file: &[u8]) -> Option<u64> {
    parse::lone_number("memory.current", file).ok().and_then(|number| u64::try_from(number).ok())
}

/// Reads the memory cgroups as far as they are needed.
pub struct CgroupReader {
    root: Arc<ProcRoot>,
    /// So many groups are read at most.
    most: usize,
    mount: Option<Mount>,
    /// Looks that needed the mount and did not have it.
    missed: u32,
    last: Arc<Cgroups>,
    /// What the last look needed.
    needed: CgroupNeeds,
    /// Looks since the whole tree was gone over.
    since: u32,
    /// Those whose level is read at every look for walls.
    limited: Vec<Limited>,
    paths: HashMap<Box<[u8]>, Arc<Text>>,
    tools: Tools,
    /// A killer weighs what cgroups do on devices.
    with_io: bool,
}

impl CgroupReader {
    /// A reader that knows nothing yet.
    #[must_use]
    pub fn new(root: Arc<ProcRoot>) -> Self {
        Self {
            root,
            most: MOST,
            mount: None,
            missed: 0,
            last: Arc::default(),
            needed: CgroupNeeds::Nothing,
            since: 0,
            limited: Vec::new(),
            paths: HashMap::new(),
            tools: Tools {
                buffer: FileBuffer::new(),
                entries: Vec::with_capacity(32 * 1024),
                path: Vec::new(),
            },
            with_io: false,
        }
    }

    /// Whether what cgroups do on devices is read too, where everything is.
    pub fn watch_io(&mut self, with_io: bool) {
        self.with_io = with_io;
    }

    /// What was read last. As long as nothing is read again, it is the same.
    #[must_use]
    pub fn last(&self) -> &Arc<Cgroups> {
        &self.last
    }

    /// Brings what is needed up to date; `now` is on the snapshot's monotonic clock.
    pub fn read(&mut self, needs: CgroupNeeds, now: Millis) {
        match needs {
            CgroupNeeds::Nothing if self.needed == CgroupNeeds::Nothing => {}
            CgroupNeeds::Nothing => {
                self.limited.clear();
                self.last = Arc::default();
                self.paths.clear();
            }
            CgroupNeeds::Walls if self.needed == needs && self.since + 1 < SURVEY => {
                self.since += 1;
                self.refresh(now);
            }
            CgroupNeeds::Walls | CgroupNeeds::Everything => {
                self.since = 0;
                self.survey(needs, now);
            }
        }
        self.needed = needs;
    }

    /// Goes over the whole tree.
    fn survey(&mut self, needs: CgroupNeeds, now: Millis) {
        self.limited.clear();
        if self.mount.is_none() && self.missed.is_multiple_of(SURVEY) {
            self.mount = Mount::find(&self.root, &mut self.tools);
        }
        let Some(mount) = &self.mount else {
            self.missed = self.missed.wrapping_add(1);
            if self.last.hierarchy != Reading::Missing {
                let hierarchy = Reading::Missing;
                self.last = Arc::new(Cgroups { hierarchy, read_ms: now, list: Vec::new() });
            }
            return;
        };
        let mut survey = Survey {
            mount,
            most: self.most,
            everything: needs == CgroupNeeds::Everything,
            with_io: self.with_io,
            list: Vec::with_capacity(self.last.list.len()),
            limited: &mut self.limited,
            keep: budget(),
            relative: Vec::new(),
            paths: &mut self.paths,
            tools: &mut self.tools,
        };
        survey.descend(mount.dir.as_fd(), c".", 0);
        let mut list = survey.list;
        // By the paths as they are shown: escapes and `..` may stand elsewhere than the names.
        let order = |a: &Cgroup, b: &Cgroup| tree_order(a.path.as_str(), b.path.as_str());
        if !list.is_sorted_by(|a, b| order(a, b).is_lt()) {
            list.sort_by(order);
        }
        self.last =
            Arc::new(Cgroups { hierarchy: Reading::Value(mount.hierarchy), read_ms: now, list });
        self.paths.retain(|_, path| Arc::strong_count(path) > 1);
    }

    /// Reads how full the limited groups are. Those that are gone disappear.
    fn refresh(&mut self, now: Millis) {
        let Some(mount) = self.mount.as_ref().filter(|_| !self.limited.is_empty()) else { return };
        let cgroups = Arc::make_mut(&mut self.last);
        cgroups.read_ms = now;
        let tools = &mut self.tools;
        let list = &mut cgroups.list;
        self.limited.retain(|limited| {
            let path = limited.path.as_str();
            let at = list.binary_search_by(|group| tree_order(group.path.as_str(), path));
            let Ok(at) = at else { return false };
            let there = limited.refresh(mount, tools, &mut list[at]);
            if !there {
                list.retain(|group| !is_within(group.path.as_str(), path));
            }
            there
        });
    }
}

/// Takes what `memory.stat` tells.
fn take_stat(group: &mut Cgroup, hierarchy: Hierarchy, stat: Reading<MemoryStat>) {
    fn part<T>(stat: Reading<MemoryStat>, of: impl FnOnce(MemoryStat) -> Option<T>) -> Reading<T> {
        match stat {
            Reading::Value(stat) => of(stat).map_or(Reading::Missing, Reading::Value),
            Reading::Denied => Reading::Denied,
            Reading::Missing => Reading::Missing,
            Reading::NotAsked => Reading::NotAsked,
        }
    }
    group.reclaimable = part(stat, |stat| stat.reclaimable);
    group.inactive_file = part(stat, |stat| stat.inactive_file);
    if hierarchy == Hierarchy::V2 {
        group.pgscan = part(stat, |stat| stat.pgscan);
    }
}

/// One walk over the tree.
struct Survey<'a> {
    mount: &'a Mount,
    most: usize,
    everything: bool,
    with_io: bool,
    list: Vec<Cgroup>,
    limited: &'a mut Vec<Limited>,
    /// So many more groups may have their files kept open.
    keep: usize,
    /// Where the walk is, below the mount point.
    relative: Vec<u8>,
    paths: &'a mut HashMap<Box<[u8]>, Arc<Text>>,
    tools: &'a mut Tools,
}

impl Survey<'_> {
    /// Reads the group in this directory and all below.
    fn descend(&mut self, parent: BorrowedFd<'_>, name: &CStr, depth: usize) {
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
        // A group without any such file is one that memory is not accounted for, or gone by now.
        let there =
            [group.limit.map(|_| ()), group.usage.map(|_| ())].contains(&Reading::Value(()));
        if !there && statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).is_err() {
            return;
        }
        if group.is_limited() && !self.everything {
            let (path, relative) = (Arc::clone(&group.path), self.relative.clone());
            self.keep -= usize::from(files.is_some());
            self.limited.push(Limited { path, relative, files });
        }
        self.list.push(group);
        if depth >= DEEPEST {
            return;
        }
        let left = self.most - self.list.len();
        for name in children(&dir, &mut self.tools.entries, left) {
            let length = self.relative.len();
            push(&mut self.relative, &name);
            self.descend(dir.as_fd(), &name, depth + 1);
            self.relative.truncate(length);
        }
    }

    /// Reads one file of a group.
    fn ask<T>(
        &mut self,
        dir: &OwnedFd,
        name: &CStr,
        parse: impl FnOnce(&[u8]) -> Result<T, ParseError>,
    ) -> Reading<T> {
        perhaps(self.tools.buffer.read(dir, name), |bytes| parse(bytes).ok())
    }

    /// The path, sharing the text with earlier walks.
    fn path(&mut self) -> Arc<Text> {
        let path = &mut self.tools.path;
        self.mount.path(&self.relative, path);
        if let Some(text) = self.paths.get(path.as_slice()) {
            return Arc::clone(text);
        }
        let text = Arc::new(Text::new(path));
        self.paths.insert(path.as_slice().into(), Arc::clone(&text));
        text
    }

    /// Reads one group, and gives the files that tell how full it is if they are to stay open.
    fn group(&mut self, dir: &OwnedFd) -> (Cgroup, Option<[Result<OwnedFd, Errno>; 3]>) {
        let hierarchy = self.mount.hierarchy;
        let mut group = Cgroup { path: self.path(), ..Cgroup::default() };
        match hierarchy {
            Hierarchy::V1 => {
                group.limit = self.ask(dir, c"memory.limit_in_bytes", parse::limit);
                group.memsw_limit = self.ask(dir, c"memory.memsw.limit_in_bytes", parse::limit);
            }
            Hierarchy::V2 => group.limit = self.ask(dir, c"memory.max", parse::limit),
        }
        let limited = group.is_limited();
        if !limited && !self.everything {
            return (group, None);
        }
        match hierarchy {
            Hierarchy::V1 => self.more_of_v1(dir, &mut group),
            Hierarchy::V2 => self.more_of_v2(dir, &mut group),
        }
        let mut files = level_files(hierarchy).map(|_| Err(Errno::NOENT));
        for (at, name) in level_files(hierarchy).into_iter().enumerate() {
            // The rest of it than what can be reclaimed is told by version 2 only.
            if at == 2 && !limited && hierarchy == Hierarchy::V1 {
                break;
            }
            files[at] = open(dir, name);
            let read = match &files[at] {
                Ok(file) => self.tools.buffer.again(file),
                Err(errno) => Err(*errno),
            };
            take_level(&mut group, hierarchy, at, read);
        }
        if !limited {
            group.reclaimable = Reading::NotAsked; // it matters under a wall
        }
        (group, (limited && !self.everything && self.keep > 0).then_some(files))
    }

    fn more_of_v1(&mut self, dir: &OwnedFd, group: &mut Cgroup) {
        group.swappiness = perhaps(self.tools.buffer.read(dir, c"memory.swappiness"), number);
        let control = self.ask(dir, c"memory.oom_control", parse::oom_control);
        let or = |absent: Reading<parse::OomControl>| absent.map(|_| false);
        group.oom_kill_disabled = control.value().map_or(or(control), |told| told.kill_disabled);
        if self.everything {
            group.under_oom = control.value().map_or(or(control), |told| told.under_oom);
            group.events.oom_kill = control.value().map_or(control.map(|_| 0), |told| told.kills);
            group.events.max = perhaps(self.tools.buffer.read(dir, c"memory.failcnt"), number);
        }
    }

    fn more_of_v2(&mut self, dir: &OwnedFd, group: &mut Cgroup) {
        group.high = self.ask(dir, c"memory.high", parse::limit);
        group.swap_limit = self.ask(dir, c"memory.swap.max", parse::limit);
        group.oom_group =
            perhaps(self.tools.buffer.read(dir, c"memory.oom.group"), number).map(|word| word != 0);
        if self.everything {
            let events = self.ask(dir, c"memory.events", parse::memory_events);
            group.events = events.value().unwrap_or_else(|| {
                let none = events.map(|_| 0);
                CgroupEvents {
                    low: none,
                    high: none,
                    max: none,
                    oom: none,
                    oom_kill: none,
                    oom_group_kill: none,
                }
            });
            group.marks = marks(dir);
            if self.with_io {
                let read = self.tools.buffer.read(dir, c"io.stat");
                group.io = read.map(parse::io_stat).unwrap_or_default();
            }
            let pressure = self.ask(dir, c"memory.pressure", parse::pressure);
            group.pressure = pressure.value().unwrap_or_else(|| {
                let none = pressure.map(|pressure| pressure.some.value().unwrap_or_default());
                Pressure::of_memory(none, none)
            });
            group.pressure = group.pressure.with_io(self.ask(dir, c"io.pressure", parse::pressure));
        }
    }
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

    #[test]
    fn marks_are_read_from_extended_attributes() {
        let folder = tempfile::TempDir::new().unwrap();
        let dir = rustix::fs::open(folder.path(), OFlags::RDONLY, Mode::empty()).unwrap();
        assert_eq!(marks(&dir), None);
        let set = |name: &CStr, value: &[u8]| {
            rustix::fs::fsetxattr(&dir, name, value, rustix::fs::XattrFlags::empty()).is_ok()
        };
        if !set(c"user.oomd_avoid", b"no") {
            eprintln!("SKIPPED: no extended attributes here");
            return;
        }
        assert_eq!(marks(&dir), None, "a mark that says no");
        assert!(set(c"user.oomd_omit", b"1\n") && set(c"user.oomd_prefer", b"far too long"));
        let read = marks(&dir).unwrap();
        assert!(read.omit && !read.avoid && !read.prefer);
        assert_eq!(read.owner, rustix::process::geteuid().as_raw());
    }

    #[test]
    fn a_huge_tree_is_read_in_part() {
        let folder = tempfile::TempDir::new().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("self")).unwrap();
        let line = format!("1 2 0:3 / {} rw - cgroup2 - rw\n", root.display());
        std::fs::write(root.join("self/mountinfo"), line).unwrap();
        std::fs::write(root.join("cgroup.controllers"), "memory\n").unwrap();
        for number in 0..40 {
            std::fs::create_dir_all(root.join(format!("a/{number}/x"))).unwrap();
        }
        let mut reader = CgroupReader::new(Arc::new(ProcRoot::open(root).unwrap()));
        for (most, read) in [(1, 1), (2, 2), (20, 20), (MOST, 1 + 1 + 40 + 40 + 1)] {
            reader.most = most;
            reader.read(CgroupNeeds::Everything, Millis(1));
            let list = &reader.last().list;
            assert_eq!(list.len(), read);
            let order = |a: &Cgroup, b: &Cgroup| tree_order(a.path.as_str(), b.path.as_str());
            assert!(list.is_sorted_by(|a, b| order(a, b).is_lt()));
        }
    }
}
