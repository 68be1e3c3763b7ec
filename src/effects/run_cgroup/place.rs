//! Where a cgroup can be made. In version 2, a cgroup either has processes or gives its children the memory
//! controller (`Documentation/admin-guide/cgroup-v2.rst`, "No Internal Process Constraint").

use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, unlinkat};
use rustix::io::Errno;

use super::files::{content, failed, make_held, open_directory, put};
use crate::effects::proc_dir::ProcDir;
use crate::model::Hierarchy;
use crate::sample::cgroup::mount::Mount;
use crate::sample::proc_root::LiveRoot;
use crate::sample::process::lookup::own_cgroup;

/// A cgroup that doomtop moved itself to, so that its own could give its children the memory controller.
struct OwnLeaf {
    /// doomtop's cgroup before.
    dir: OwnedFd,
    name: String,
    _held: OwnedFd,
}

/// Where a cgroup is made.
pub(super) struct Place {
    /// Its parent.
    pub(super) parent: OwnedFd,
    /// The path of the parent, as `/proc/PID/cgroup` prints it.
    path: Vec<u8>,
    leaf: Option<OwnLeaf>,
}

impl Place {
    /// Finds it: of version 1 doomtop's own cgroup, of version 2 one whose children have the memory controller.
    pub(super) fn find(root: &LiveRoot, mount: &Mount, name: &str) -> Result<Self, String> {
        let unknown = || "doomtop's own memory cgroup is not visible here".to_owned();
        let own = own_cgroup().ok_or_else(unknown)?;
        let relative = mount.relative(own.as_bytes()).ok_or_else(unknown)?;
        let dir = open_directory(&mount.dir, &relative)
            .map_err(|errno| format!("cgroup {own}: {}", std::io::Error::from(errno)))?;
        let here = |parent, path: &[u8]| Self { parent, path: path.to_vec(), leaf: None };
        if mount.hierarchy == Hierarchy::V1 || gives_memory(&dir) {
            return Ok(here(dir, own.as_bytes()));
        }
        if let Some((above, path)) = parent_of(mount, &relative)
            && gives_memory(&above)
            && nix::unistd::faccessat(
                &above,
                "cgroup.procs",
                nix::unistd::AccessFlags::W_OK,
                nix::fcntl::AtFlags::AT_EACCESS,
            )
            .is_ok()
        {
            return Ok(here(above, &path));
        }
        Self::with_leaf(root, dir, own.as_bytes(), name)
    }

    /// doomtop's own cgroup, if there is no process of another in it: doomtop moves to one below it, with the programs
    /// that it started for itself. The command has not begun.
    fn with_leaf(root: &LiveRoot, dir: OwnedFd, own: &[u8], name: &str) -> Result<Self, String> {
        let shown = String::from_utf8_lossy(own).into_owned();
        let controllers = content(&dir, "cgroup.controllers").unwrap_or_default();
        if !has_memory(&controllers) {
            return Err(format!("cgroup {shown} does not have the memory controller"));
        }
        let pids = content(&dir, "cgroup.procs").unwrap_or_default();
        let children: Vec<&str> = pids.lines().filter(|&pid| pid != own_pid()).collect();
        if !children.iter().all(|pid| is_own_child(root, pid)) {
            return Err(format!(
                "cgroup {shown} cannot be divided, because there are other processes in it: doomtop \
                 needs a delegated cgroup of its own (systemd-run --user --scope -p Delegate=yes, as \
                 root without --user)"
            ));
        }
        let leaf = format!("{name}-doomtop");
        let held =
            make_held(&dir, &leaf).map_err(|errno| failed(&format!("cgroup {shown}"), errno))?;
        let kept = |dir: &OwnedFd| dir.try_clone().map_err(|error| error.to_string());
        let place = Self {
            parent: kept(&dir)?,
            path: own.to_vec(),
            leaf: Some(OwnLeaf { dir: kept(&dir)?, name: leaf.clone(), _held: held }),
        };
        let entrance = format!("{leaf}/cgroup.procs");
        // One that has ended meanwhile needs not move.
        for pid in children {
            let _ = put(&dir, &entrance, pid);
        }
        let moved = put(&dir, &entrance, "0");
        let enabled = moved.and_then(|()| put(&dir, "cgroup.subtree_control", "+memory"));
        match enabled {
            Ok(()) => Ok(place),
            Err(errno) => {
                place.give_back();
                Err(failed("cgroup.subtree_control", errno))
            }
        }
    }

    /// Makes the directory.
    pub(super) fn make(&self, name: &str) -> Result<OwnedFd, String> {
        make_held(&self.parent, name).map_err(|errno| match errno {
            Errno::EXIST => format!("there is a cgroup {name} already"),
            errno => failed(&format!("cgroup {}", String::from_utf8_lossy(&self.path)), errno),
        })
    }

    /// The path of a cgroup in it.
    pub(super) fn path_of(&self, name: &str) -> Vec<u8> {
        let mut path = self.path.strip_suffix(b"/").unwrap_or(&self.path).to_vec();
        path.push(b'/');
        path.extend_from_slice(name.as_bytes());
        path
    }

    /// Moves doomtop back to where it was. The place must be empty.
    pub(super) fn give_back(&self) {
        let Some(OwnLeaf { dir, name, .. }) = &self.leaf else { return };
        let _ = put(dir, "cgroup.subtree_control", "-memory");
        let inside = content(dir, &format!("{name}/cgroup.procs")).unwrap_or_default();
        for pid in inside.lines().filter(|&pid| pid != own_pid()) {
            let _ = put(dir, "cgroup.procs", pid);
        }
        if put(dir, "cgroup.procs", "0").is_ok() {
            let _ = unlinkat(dir, name.as_str(), AtFlags::REMOVEDIR);
        }
    }
}

fn own_pid() -> String {
    std::process::id().to_string()
}

/// Whether a process was started by doomtop itself.
fn is_own_child(root: &LiveRoot, pid: &str) -> bool {
    let stat = pid.parse().ok().and_then(|pid| ProcDir::open(root, pid).ok()?.stat().ok());
    stat.is_some_and(|stat| stat.parent.to_string() == own_pid())
}

/// Whether the children of a cgroup have the memory controller.
fn gives_memory(dir: &OwnedFd) -> bool {
    content(dir, "cgroup.subtree_control").is_ok_and(|controllers| has_memory(&controllers))
}

fn has_memory(controllers: &str) -> bool {
    controllers.split_whitespace().any(|it| it == "memory")
}

/// The cgroup above, if it is below the mount point, and its path.
fn parent_of(mount: &Mount, relative: &[u8]) -> Option<(OwnedFd, Vec<u8>)> {
    if relative.is_empty() {
        return None;
    }
    let end = relative.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
    let above = relative.get(..end)?;
    let mut path = Vec::new();
    mount.path(above, &mut path);
    // A process cannot be moved out of the cgroup namespace (`kernel/cgroup/cgroup.c`
    // `cgroup_procs_write_permission`).
    if path.split(|&byte| byte == b'/').any(|name| name == b"..") {
        return None;
    }
    Some((open_directory(&mount.dir, above).ok()?, path))
}
