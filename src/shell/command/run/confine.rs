//! Where the command runs: in a memory cgroup that doomtop makes, in a scope of the service manager, or in none.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Command};

use super::scope::{self, ScopeKeeper, ServiceManager, StartedScope};
use crate::effects::own_adj::adj_for_children;
use crate::effects::run_cgroup::{EndSignal, RunCgroup, hierarchy_here};
use crate::effects::run_process::RunProcess;
use crate::effects::run_process::descendants::RunDescendants;
use crate::intent::CgroupLimits;
use crate::model::Hierarchy;
use crate::sample::proc_root::LiveRoot;
use crate::shell::child::{self, command as program};
use crate::syscall::spawn::{NOT_ENTERED, enter_cgroups};

/// Where the command runs.
pub(super) enum Confinement {
    /// In a cgroup that doomtop made.
    Own(RunCgroup),
    /// In a scope that the service manager is to make.
    Scope {
        /// Its name, without the ending.
        name: String,
        /// Which.
        manager: ServiceManager,
    },
    /// In none; why.
    None(String),
}

/// A command that runs.
pub(super) struct StartedCommand {
    pub(super) child: Child,
    /// The child as a process.
    pub(super) process: Option<RunProcess>,
    /// Its cgroup.
    pub(super) cgroup: Option<RunCgroup>,
    /// A process that keeps the cgroup, and does not belong to the command.
    pub(super) keeper: Option<ScopeKeeper>,
    /// Without a cgroup: what descends from the command, where that can be followed.
    pub(super) descendants: Option<RunDescendants>,
}

impl StartedCommand {
    fn new(child: Child, cgroup: Option<RunCgroup>, keeper: Option<ScopeKeeper>) -> Self {
        let process = RunProcess::of_child(&child);
        Self { child, process, cgroup, keeper, descendants: None }
    }

    /// The pid of the keeper.
    pub(super) fn keeper_pid(&self) -> Option<i32> {
        self.keeper.as_ref().map(|it| it.pid)
    }

    /// Signals the command itself.
    pub(super) fn signal(&self, number: i32) {
        if let Some(process) = &self.process {
            process.signal(number);
        }
    }

    /// Ends all of its processes: those of its cgroup, or those that descend from it.
    pub(super) fn end(&self, root: &LiveRoot, how: EndSignal) {
        match (&self.cgroup, &self.descendants) {
            (Some(cgroup), _) => cgroup.signal(root, how, self.keeper_pid()),
            (None, Some(descendants)) => descendants.signal(root, how.number()),
            (None, None) => self.signal(how.number()),
        }
    }

    /// Takes the status of descendants that have exited and belong to nobody else.
    pub(super) fn reap(&self) {
        if let (Some(descendants), Some(command)) = (&self.descendants, &self.process) {
            descendants.reap(command.pid());
        }
    }
}

/// Why a command was not started.
pub(super) enum StartFailure {
    /// Its program cannot be executed.
    NotExecuted(std::io::Error),
    /// The cgroup or its limits are missing.
    NotConfined(String),
}

impl Confinement {
    /// Finds out where the command can run with these limits; a cgroup of doomtop's own is made at once.
    pub(super) fn find(root: &LiveRoot, name: &str, limits: &CgroupLimits) -> Self {
        if is_v2(root)
            && let Some(manager) = ServiceManager::find()
        {
            return Self::Scope { name: name.to_owned(), manager };
        }
        match RunCgroup::create(root, name, limits) {
            Ok(made) => Self::Own(made),
            // More can be done about the manager.
            Err(why) => Self::None(ServiceManager::missing().unwrap_or(why)),
        }
    }

    /// What would be done, as a sentence without its subject.
    pub(super) fn plan(root: &LiveRoot, name: &str) -> String {
        match ServiceManager::find().filter(|_| is_v2(root)) {
            Some(manager) => format!("asks {} for a scope {name}", manager.words()),
            None => format!("makes a memory cgroup {name}"),
        }
    }

    /// Starts the command.
    ///
    /// # Errors
    /// It was not started. A cgroup that was made is removed.
    pub(super) fn start(
        self,
        root: &LiveRoot,
        limits: &CgroupLimits,
        command: &[OsString],
        prepare: &dyn Fn(&mut Command),
    ) -> Result<StartedCommand, StartFailure> {
        let failed = |why| StartFailure::NotConfined(why);
        match self {
            Self::Own(cgroup) => {
                let mut started = plain(command);
                prepare(&mut started);
                let entrance = match cgroup.entrance() {
                    Ok(entrance) => entrance,
                    Err(why) => {
                        let _ = cgroup.remove();
                        return Err(failed(why));
                    }
                };
                enter_cgroups(&mut started, vec![entrance]);
                match started.spawn() {
                    Ok(child) => Ok(StartedCommand::new(child, Some(cgroup), None)),
                    Err(error) => {
                        let why = entering(&error, &cgroup);
                        let _ = cgroup.remove();
                        Err(why.map_or(StartFailure::NotExecuted(error), failed))
                    }
                }
            }
            Self::Scope { name, manager } => {
                let started = scope::start(root, (&name, &manager), limits, command, prepare);
                let StartedScope { child, cgroup, keeper } = started.map_err(failed)?;
                Ok(StartedCommand::new(child, Some(cgroup), keeper))
            }
            Self::None(_) => {
                let mut started = plain(command);
                prepare(&mut started);
                let descendants = RunDescendants::adopt(root, child::helpers);
                let child = started.spawn().map_err(StartFailure::NotExecuted)?;
                Ok(StartedCommand { descendants, ..StartedCommand::new(child, None, None) })
            }
        }
    }
}

/// The command as a program with its arguments, with an `oom_score_adj` of its own where doomtop lowered its own.
fn plain(command: &[OsString]) -> Command {
    let Some((first, rest)) = command.split_first() else { return Command::new("") };
    match adj_for_children() {
        None => {
            let mut plain = Command::new(first);
            plain.args(rest);
            plain
        }
        // The shell takes any bytes; its own arguments are text.
        adj => {
            let mut shell = program("/usr/bin/env", &["--"], adj);
            shell.arg(first).args(rest);
            shell
        }
    }
}

/// Why a child could not enter its cgroup, if it was that.
fn entering(error: &std::io::Error, cgroup: &RunCgroup) -> Option<String> {
    if !cgroup.exists() {
        return Some(format!("cgroup {} has vanished", cgroup.path()));
    }
    (error.raw_os_error() == Some(NOT_ENTERED.raw_os_error())).then(|| {
        format!("the command cannot enter cgroup {}: its cgroup.procs refuses it", cgroup.path())
    })
}

/// Whether memory is accounted by version 2.
fn is_v2(root: &LiveRoot) -> bool {
    hierarchy_here(root) != Some(Hierarchy::V1)
}

/// The interpreter that the first line of a script names: `#!/usr/bin/python3 -u` (execve(2)).
fn interpreter(script: &Path) -> Option<OsString> {
    /// The kernel reads no more of it (`BINPRM_BUF_SIZE`).
    const LINE: u64 = 256;
    let mut start = Vec::new();
    File::open(script).ok()?.take(LINE).read_to_end(&mut start).ok()?;
    let line = start.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let mut words = line.split(|byte| b" \t".contains(byte)).filter(|word| !word.is_empty());
    words.next().map(|word| OsStr::from_bytes(word).to_owned())
}

/// Whether a program can be executed, as far as that can be known before.
///
/// # Errors
/// It is not found, or no program; or the interpreter of the script is not found, which the error says.
pub(super) fn executable(program: &OsStr) -> Result<(), std::io::Error> {
    let check = |path: &Path| {
        let is_directory = path.is_dir();
        let denied = || std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        nix::unistd::access(path, nix::unistd::AccessFlags::X_OK)?;
        if is_directory {
            return Err(denied());
        }
        match interpreter(path).filter(|it| !Path::new(it).exists()) {
            Some(missing) => {
                let what = format!("its interpreter {} (#!) is not found", shown(&missing));
                Err(std::io::Error::new(std::io::ErrorKind::NotFound, what))
            }
            None => Ok(()),
        }
    };
    if program.as_bytes().contains(&b'/') {
        return check(Path::new(program));
    }
    let mut found = Err(std::io::ErrorKind::NotFound.into());
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    for folder in std::env::split_paths(&path).filter(|_| !program.is_empty()) {
        match check(&folder.join(program)) {
            Ok(()) => return Ok(()),
            Err(error)
                if error.kind() == std::io::ErrorKind::PermissionDenied
                    || error.get_ref().is_some() =>
            {
                found = Err(error)
            }
            Err(_) => {}
        }
    }
    found
}

/// The name of a program, for messages.
pub(super) fn shown(program: &OsStr) -> String {
    crate::model::Text::new(program.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn a_program_is_looked_for_as_a_shell_does() {
        let kind = |name: &str| executable(OsStr::new(name)).map_err(|error| error.kind());
        assert_eq!((kind("sh"), kind("/bin/sh")), (Ok(()), Ok(())));
        let missing = Err(std::io::ErrorKind::NotFound);
        assert_eq!(
            (kind("no-such-program"), kind("/no/such"), kind("")),
            (missing, missing, missing)
        );
        assert_eq!(kind("/etc"), Err(std::io::ErrorKind::PermissionDenied));
        assert_eq!(kind("/etc/passwd"), Err(std::io::ErrorKind::PermissionDenied));
        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().join("script");
        for (line, missing) in [("#!/bin/sh -e", false), ("#! /no/such/python3 -u", true)] {
            std::fs::write(&script, format!("{line}\nexit 0\n")).expect("a script");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&script, mode).expect("its mode");
            let found = executable(script.as_os_str()).map_err(|error| error.to_string());
            let what = "its interpreter /no/such/python3 (#!) is not found".to_owned();
            assert_eq!(found, if missing { Err(what) } else { Ok(()) });
        }
    }
}
