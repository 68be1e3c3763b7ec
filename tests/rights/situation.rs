//! Makes the situations in which doomtop may run: users, capabilities, namespaces.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::{env, fs};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use rustix::thread::{CapabilitySet, capabilities, remove_capability_from_bounding_set};

use crate::probe;

/// The argument that runs [`enter`].
pub const ENTER: &str = "__enter";

/// User ids of an ordinary user and of another one.
const USER: u32 = 65_534;
const OTHER: u32 = 65_533;

/// The privileges with which doomtop runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Situation {
    /// An ordinary user.
    Nobody,
    /// Root as in some containers and virtual machines.
    RootWithoutResource,
    /// Root with all capabilities.
    Root,
    /// Root in a container as Docker makes it: namespaces, fourteen capabilities, `/proc/sys` read-only.
    Container,
}

/// The capabilities of root in a Docker container (moby `oci/caps/defaults.go`).
const CONTAINER_CAPS: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::AUDIT_WRITE);

/// A child process that is killed and reaped in any case.
struct OwnChild(Child);

impl Drop for OwnChild {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Situation {
    pub const ALL: [Self; 4] =
        [Self::Nobody, Self::RootWithoutResource, Self::Root, Self::Container];

    pub fn name(self) -> &'static str {
        match self {
            Self::Nobody => "an ordinary user",
            Self::RootWithoutResource => "root without CAP_SYS_RESOURCE",
            Self::Root => "root",
            Self::Container => "root in a container",
        }
    }

    /// Why the situation cannot be made here.
    pub fn missing(self) -> Option<&'static str> {
        let has = capabilities(None).map(|sets| sets.effective).unwrap_or(CapabilitySet::empty());
        if !has.contains(CapabilitySet::SETUID | CapabilitySet::SETPCAP) {
            return Some("only root can make it");
        }
        let lacks = self == Self::Root && !has.contains(CapabilitySet::SYS_RESOURCE);
        lacks.then_some("root here lacks CAP_SYS_RESOURCE")
    }

    /// Runs the prober in this situation and returns its results.
    pub fn column(self) -> Result<BTreeMap<String, String>, String> {
        let itself = env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(itself);
        command.args([ENTER, self.name()]).stdin(Stdio::null());
        let output = command.output().map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let column = text.lines().find_map(|line| line.strip_prefix("COLUMN "));
        let column = column.and_then(|line| serde_json::from_str(line).ok());
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        column.ok_or_else(|| format!("{}: {text}{complaint}", output.status))
    }
}

fn fail(what: &str, error: impl std::fmt::Display) -> ExitCode {
    println!("{what}: {error}");
    ExitCode::FAILURE
}

/// Makes the situation for this process and runs the prober in it.
pub fn enter(arguments: &[String]) -> ExitCode {
    let inside = arguments.get(1).is_some_and(|word| word == "inside");
    let wanted = arguments.first().map(String::as_str).unwrap_or_default();
    let Some(situation) = Situation::ALL.into_iter().find(|it| it.name() == wanted) else {
        return fail(wanted, "no such situation");
    };
    let itself = match env::current_exe() {
        Ok(itself) => itself,
        Err(error) => return fail("this program", error),
    };
    if situation == Situation::Container && !inside {
        let spaces = CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS;
        if let Err(errno) = unshare(spaces) {
            return fail("a namespace", errno);
        }
        // The next child is pid 1 of the new namespace.
        let status = Command::new(itself).args([ENTER, wanted, "inside"]).status();
        return match status {
            Ok(status) if status.success() => ExitCode::SUCCESS,
            Ok(status) => fail("inside", status),
            Err(error) => fail("inside", error),
        };
    }
    if situation == Situation::Container
        && let Err(errno) = contain()
    {
        return fail("mounting", errno);
    }
    let kept = match situation {
        Situation::Nobody | Situation::Root => CapabilitySet::all(),
        Situation::RootWithoutResource => {
            CapabilitySet::all().difference(CapabilitySet::SYS_RESOURCE)
        }
        Situation::Container => CONTAINER_CAPS,
    };
    for dropped in CapabilitySet::all().difference(kept).iter() {
        // An error means that this kernel does not know the capability.
        let _ = remove_capability_from_bounding_set(dropped);
    }
    // At exec(2) the bounding set limits the capabilities of root, also those of the children.
    let user = if situation == Situation::Nobody { USER } else { 0 };
    let sleeper = |user: u32| {
        let mut command = Command::new(&itself);
        command.arg(probe::SLEEP).uid(user).gid(user).stdin(Stdio::piped()).spawn().map(OwnChild)
    };
    let (own, other) = match (sleeper(user), sleeper(OTHER)) {
        (Ok(own), Ok(other)) => (own, other),
        (Err(error), _) | (_, Err(error)) => return fail("a child", error),
    };
    let mut command = Command::new(&itself);
    command.arg(probe::PROBE).env(probe::OWN, own.0.id().to_string());
    command.env(probe::OTHER, other.0.id().to_string()).uid(user).gid(user);
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => fail("the prober", status),
        Err(error) => fail("the prober", error),
    }
}

/// Mounts a `/proc` for the new namespace, with `/proc/sys` read-only, as in a container.
fn contain() -> nix::Result<()> {
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), none)?;
    mount(Some("/proc/sys"), "/proc/sys", none, MsFlags::MS_BIND, none)?;
    let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    mount(none, "/proc/sys", none, read_only, none)?;
    debug_assert!(fs::metadata("/proc/self").is_ok());
    Ok(())
}
