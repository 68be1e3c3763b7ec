//! A memory cgroup that doomtop makes for a command: created, limited, read back, emptied and removed. One that it
//! did not make is never changed.

mod files;
mod leftover;
mod place;

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FlockOperation, flock, unlinkat};
use rustix::io::Errno;
use rustix::process::{Signal, kill_process};

use self::files::{check_limits, content, failed, open_directory, procs_file, put, write_limits};
pub use self::leftover::EndSignal;
use self::place::Place;
use crate::intent::CgroupLimits;
use crate::model::{Hierarchy, Text};
use crate::sample::cgroup::directory::{CgroupBuffers, children};
use crate::sample::cgroup::members;
use crate::sample::cgroup::mount::Mount;
use crate::sample::proc_root::LiveRoot;
use crate::syscall::process_pid;
use crate::units::Bytes;

/// For how long the removal waits for processes that are on their way out.
const REMOVAL: Duration = Duration::from_secs(2);
/// Interval of these attempts.
const RETRY: Duration = Duration::from_millis(20);
/// Maximum depth of cgroups that the command made in its own.
const DEPTH_MAX: usize = 64;
/// Maximum number of cgroups that are removed at one level.
const CHILDREN_MAX: usize = 10_000;

/// Who removes the cgroup.
enum Maker {
    /// doomtop, in this place.
    Own(Place),
    /// The service manager, when its last process has exited.
    ServiceManager,
}

/// The memory cgroup of a command.
pub struct RunCgroup {
    hierarchy: Hierarchy,
    dir: OwnedFd,
    name: String,
    path: Arc<Text>,
    maker: Maker,
    /// Nothing of it is to be removed any more.
    is_done: bool,
}

impl RunCgroup {
    /// Creates a cgroup of this name with these limits: of version 1 below doomtop's own, of version 2 where the
    /// memory controller can be used. The limits are read back.
    ///
    /// # Errors
    /// What is missing, in one sentence. Nothing stays behind.
    pub fn create(root: &LiveRoot, name: &str, limits: &CgroupLimits) -> Result<Self, String> {
        let mount = find_mount(root)?;
        let place = Place::find(root, &mount, name)?;
        remove_stale(&place.parent, mount.hierarchy, name);
        let dir = match place.make(name) {
            Ok(dir) => dir,
            Err(why) => {
                place.give_back();
                return Err(why);
            }
        };
        let path = Arc::new(Text::new(&place.path_of(name)));
        let (hierarchy, name) = (mount.hierarchy, name.to_owned());
        let made = Self { hierarchy, dir, name, path, maker: Maker::Own(place), is_done: false };
        match write_limits(&made.dir, hierarchy, limits) {
            Ok(()) => Ok(made),
            Err(why) => {
                let _ = made.remove();
                Err(why)
            }
        }
    }

    /// The cgroup that the service manager made at this path, if it has these limits.
    ///
    /// # Errors
    /// What is missing, in one sentence.
    pub fn of_service_manager(
        root: &LiveRoot,
        path: &str,
        limits: &CgroupLimits,
    ) -> Result<Self, String> {
        let made = Self::open_scope(root, path)?;
        let Self { dir, hierarchy, .. } = &made;
        if limits.group {
            put(dir, "memory.oom.group", "1").map_err(|errno| failed("memory.oom.group", errno))?;
        }
        check_limits(dir, *hierarchy, limits)?;
        Ok(made)
    }

    /// Kills every process in the cgroup that the service manager made at this path.
    pub fn end_scope(root: &LiveRoot, path: &str) {
        if let Ok(scope) = Self::open_scope(root, path) {
            scope.signal(root, EndSignal::Kill, None);
        }
    }

    fn open_scope(root: &LiveRoot, path: &str) -> Result<Self, String> {
        let mount = find_mount(root)?;
        let hierarchy = mount.hierarchy;
        let gone = || format!("{path}: the service manager's cgroup is not below the mount point");
        let relative = mount.relative(path.as_bytes()).ok_or_else(gone)?;
        let dir = open_directory(&mount.dir, &relative)
            .map_err(|errno| format!("{path}: {}", std::io::Error::from(errno)))?;
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let path = Arc::new(Text::new(path.as_bytes()));
        Ok(Self { hierarchy, dir, name, path, maker: Maker::ServiceManager, is_done: true })
    }

    /// Its path, as `/proc/PID/cgroup` prints it.
    #[must_use]
    pub const fn path(&self) -> &Arc<Text> {
        &self.path
    }

    /// Its version.
    #[must_use]
    pub const fn hierarchy(&self) -> Hierarchy {
        self.hierarchy
    }

    /// The file that a process writes itself to in order to enter.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub fn entrance(&self) -> Result<OwnedFd, String> {
        procs_file(&self.dir)
    }

    /// The pids in it and below.
    ///
    /// # Errors
    /// Why they cannot be listed. ENODEV or ENOENT: it is gone.
    pub fn members(&self) -> Result<Vec<i32>, Errno> {
        members::members(&self.dir)
    }

    /// The processes in it and below that the OOM killer killed, by its own counter; `None` where the kernel does not
    /// count them. Version 1 does not count those of cgroups below.
    #[must_use]
    pub fn kills(&self) -> Option<u64> {
        let name = match self.hierarchy {
            Hierarchy::V1 => "memory.oom_control",
            Hierarchy::V2 => "memory.events",
        };
        let text = content(&self.dir, name).ok()?;
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
    }

    /// Its highest usage so far; `None` where the kernel does not tell (version 2 before 5.19).
    #[must_use]
    pub fn peak(&self) -> Option<Bytes> {
        let name = match self.hierarchy {
            Hierarchy::V1 => "memory.max_usage_in_bytes",
            Hierarchy::V2 => "memory.peak",
        };
        content(&self.dir, name).ok()?.parse().ok().map(Bytes)
    }

    /// Whether it still exists.
    #[must_use]
    pub fn exists(&self) -> bool {
        !matches!(self.members(), Err(Errno::NODEV | Errno::NOENT))
    }

    /// Sends a signal to every process in it and below. Each is pinned first, and compared: only one that is still
    /// in this cgroup is signalled. `spared` does not get SIGTERM.
    pub fn signal(&self, root: &LiveRoot, signal: EndSignal, spared: Option<i32>) {
        let place = (&self.dir, self.path.as_str(), self.hierarchy);
        leftover::signal(root, place, signal, spared);
    }

    /// Kills one process, if it is in it.
    pub fn end_member(&self, pid: i32) {
        if self.members().unwrap_or_default().contains(&pid)
            && let Some(pid) = process_pid(pid)
        {
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    /// Whether it stays when its last process has exited: the service manager removes its own.
    #[must_use]
    pub const fn stays(&self) -> bool {
        matches!(self.maker, Maker::Own(_))
    }

    /// Leaves it as it is, with its limits and the processes in it, and doomtop in the cgroup that it moved to.
    pub fn keep(mut self) {
        self.is_done = true;
    }

    /// Removes the cgroups below, which the command made, once no process is in them.
    fn remove_below(&self) {
        if !is_populated(&self.dir, self.hierarchy) {
            remove_children(&self.dir, DEPTH_MAX);
        }
    }

    /// Removes it with the empty cgroups below it. Processes in it are waited for, and never moved.
    ///
    /// # Errors
    /// Why it is still there.
    pub fn remove(mut self) -> Result<(), String> {
        let Maker::Own(place) = &self.maker else { return Ok(()) };
        let end = Instant::now() + REMOVAL;
        loop {
            self.remove_below();
            let removed = unlinkat(&place.parent, self.name.as_str(), AtFlags::REMOVEDIR);
            match removed {
                Ok(()) | Err(Errno::NOENT | Errno::NODEV) => {
                    place.give_back();
                    self.is_done = true;
                    return Ok(());
                }
                Err(Errno::BUSY) if Instant::now() < end => std::thread::sleep(RETRY),
                Err(errno) => {
                    let error = std::io::Error::from(errno);
                    return Err(format!("cgroup {} was not removed: {error}", self.path));
                }
            }
        }
    }
}

impl Drop for RunCgroup {
    /// Nothing is left behind where it was not removed before, unless there are processes in it.
    fn drop(&mut self) {
        let Maker::Own(place) = &self.maker else { return };
        if self.is_done {
            return;
        }
        self.remove_below();
        let removed = unlinkat(&place.parent, self.name.as_str(), AtFlags::REMOVEDIR);
        if matches!(removed, Ok(()) | Err(Errno::NOENT | Errno::NODEV)) {
            place.give_back();
        }
    }
}

/// The version of the hierarchy that accounts memory here; `None` where none is mounted.
#[must_use]
pub fn hierarchy_here(root: &LiveRoot) -> Option<Hierarchy> {
    find_mount(root).ok().map(|mount| mount.hierarchy)
}

/// The hierarchy that accounts memory.
fn find_mount(root: &LiveRoot) -> Result<Mount, String> {
    Mount::find(root.root(), &mut CgroupBuffers::new())
        .ok_or_else(|| "no memory cgroup hierarchy is mounted here".to_owned())
}

/// Whether a process is in a cgroup or below.
fn is_populated(dir: &OwnedFd, hierarchy: Hierarchy) -> bool {
    match hierarchy {
        Hierarchy::V2 => content(dir, "cgroup.events")
            .is_ok_and(|text| text.lines().any(|line| line == "populated 1")),
        Hierarchy::V1 => members::members(dir).is_ok_and(|members| !members.is_empty()),
    }
}

/// Removes what another doomtop could not, because it was killed, or was to leave it (`--leave`): empty cgroups whose
/// names begin like `name` up to the pid, and which no doomtop holds ([`files::make_held`]). The pid in the name says nothing: it
/// may be of another pid namespace, or have been given anew.
fn remove_stale(parent: &OwnedFd, hierarchy: Hierarchy, name: &str) {
    let Some((start, _)) = name.split_once(&std::process::id().to_string()) else { return };
    for name in children(parent, &mut Vec::with_capacity(4096), CHILDREN_MAX) {
        let rest = name.to_str().ok().and_then(|name| name.strip_prefix(start));
        let pid = rest.and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if pid.is_none() {
            continue;
        }
        let Ok(dir) = open_directory(parent, name.to_bytes()) else { continue };
        let is_free = flock(&dir, FlockOperation::NonBlockingLockExclusive).is_ok();
        if is_free && !is_populated(&dir, hierarchy) {
            remove_children(&dir, DEPTH_MAX);
            let _ = unlinkat(parent, &name, AtFlags::REMOVEDIR);
        }
    }
}

/// Removes the empty cgroups below, the deepest first.
fn remove_children(dir: &OwnedFd, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    for name in children(dir, &mut Vec::with_capacity(4096), CHILDREN_MAX) {
        if let Ok(child) = crate::sample::cgroup::directory::open_dir(dir.as_fd(), &name) {
            remove_children(&child, depth);
        }
        let _ = unlinkat(dir, &name, AtFlags::REMOVEDIR);
    }
}

#[cfg(test)]
mod tests {
    use super::files::make_held;
    use super::*;

    #[test]
    fn what_a_doomtop_holds_is_not_stale_whatever_its_pid() {
        let folder = tempfile::tempdir().expect("a folder");
        let parent = OwnedFd::from(std::fs::File::open(folder.path()).expect("it"));
        let own = format!("doomtop-run-{}", std::process::id());
        let held = make_held(&parent, "doomtop-run-999999999").expect("a cgroup");
        let also_own = make_held(&parent, &format!("{own}-doomtop")).expect("a cgroup");
        // Process 1 lives, and holds nothing here.
        for name in ["doomtop-run-1/inner", "doomtop-run-2-3", "doomtop-run-x", "another-1"] {
            std::fs::create_dir_all(folder.path().join(name)).expect("a folder");
        }
        remove_stale(&parent, Hierarchy::V2, &own);
        let left = || {
            let names = std::fs::read_dir(folder.path()).expect("names");
            let mut names: Vec<_> = names.map(|it| it.expect("a name").file_name()).collect();
            names.sort();
            names
        };
        let own_leaf = format!("{own}-doomtop");
        let mut stays = ["another-1", "doomtop-run-999999999", own_leaf.as_str(), "doomtop-run-x"];
        stays.sort_unstable();
        assert_eq!(left(), stays);
        drop((held, also_own));
        remove_stale(&parent, Hierarchy::V2, &own);
        assert_eq!(left(), ["another-1", "doomtop-run-x"], "nobody holds them any more");
    }
}
