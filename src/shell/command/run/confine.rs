//! Where the command runs: in a memory cgroup that doomtop makes, in a scope of the service manager, or in none.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::effects::own_adj::adj_for_children;
use crate::effects::run_cgroup::{EndSignal, RunCgroup, hierarchy_here};
use crate::effects::run_process::descendants::RunDescendants;
use crate::effects::run_process::{RunProcess, is_stopped, memory_cgroup};
use crate::intent::CgroupLimits;
use crate::model::Hierarchy;
use crate::sample::proc_root::LiveRoot;
use crate::shell::child::{self, command as program};
use crate::syscall::spawn::{NOT_ENTERED, enter_cgroups};

/// Maximum time that the service manager may take for a scope.
const SCOPE_PATIENCE: Duration = Duration::from_secs(15);
/// Interval at which that is looked at.
const SCOPE_PACE: Duration = Duration::from_millis(5);

/// What the shell in a scope does: a process stays, so that the cgroup outlives the command and its counters can be
/// read, if it may also after a kill of the whole group, which spares -1000 (`mm/oom_kill.c` `oom_kill_memcg_member`);
/// then it stops until doomtop has seen that the limits are in force, and becomes the command.
const START_SCRIPT: &str = r#"({ echo -1000 >/proc/self/oom_score_adj; } 2>/dev/null
sleep 2147483647 </dev/null >/dev/null 2>&1 &); kill -STOP $$; exec "$@""#;

/// Where the command runs.
pub(super) enum Confinement {
    /// In a cgroup that doomtop made.
    Own(RunCgroup),
    /// In a scope that the service manager is to make.
    Scope {
        /// Its name, without the ending.
        name: String,
        /// Of which manager.
        user: bool,
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

/// The process that keeps the cgroup of a scope.
pub(super) struct ScopeKeeper {
    pub(super) pid: i32,
    /// The same, pinned while it was in that cgroup.
    pub(super) process: Option<RunProcess>,
}

impl ScopeKeeper {
    /// The other process in the start script: the command has not begun, so that there are no more.
    fn find(cgroup: &RunCgroup, shell: i32) -> Option<Self> {
        let members = || cgroup.members().unwrap_or_default();
        let pid = members().into_iter().find(|member| *member != shell)?;
        let process = RunProcess::pin(pid);
        members().contains(&pid).then_some(Self { pid, process })
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
            && let Some(user) = service_manager()
        {
            return Self::Scope { name: name.to_owned(), user };
        }
        match RunCgroup::create(root, name, limits) {
            Ok(made) => Self::Own(made),
            Err(why) => Self::None(why),
        }
    }

    /// What would be done, as a sentence without its subject.
    pub(super) fn plan(root: &LiveRoot, name: &str) -> String {
        match service_manager().filter(|_| is_v2(root)) {
            Some(true) => format!("asks the user's service manager for a scope {name}"),
            Some(false) => format!("asks the service manager for a scope {name}"),
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
            Self::Scope { name, user } => scope(root, (&name, user), limits, command, prepare),
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

/// The service manager that makes scopes for this user, if there is one: whether it is the user's own.
fn service_manager() -> Option<bool> {
    if !Path::new("/run/systemd/system").is_dir() || !in_path("systemd-run") {
        return None;
    }
    let is_root = nix::unistd::geteuid().is_root();
    let has_own = std::env::var_os("XDG_RUNTIME_DIR")
        .is_some_and(|dir| Path::new(&dir).join("systemd/private").exists());
    if is_root { Some(false) } else { has_own.then_some(true) }
}

fn in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// The arguments of systemd-run (systemd-run(1), systemd.resource-control(5)).
fn scope_arguments(name: &str, user: bool, limits: &CgroupLimits) -> Vec<String> {
    let mut arguments: Vec<String> = ["--quiet", "--scope", "--collect"].map(str::to_owned).into();
    arguments.extend(user.then(|| "--user".to_owned()));
    arguments.push(format!("--unit={name}"));
    arguments.push("--property=MemoryAccounting=yes".to_owned());
    // Otherwise a kill in the scope makes the service manager stop all of it (OOMPolicy= of systemd.scope(5), 253 and
    // later): it leaves what is delegated alone.
    arguments.push("--property=Delegate=yes".to_owned());
    let properties =
        [("MemoryMax", limits.memory), ("MemorySwapMax", limits.swap), ("MemoryHigh", limits.high)];
    for (property, value) in properties {
        arguments.extend(value.map(|value| format!("--property={property}={}", value.0)));
    }
    arguments.push("--".to_owned());
    arguments
}

/// Starts the command in a scope of the service manager, by the start script.
fn scope(
    root: &LiveRoot,
    (name, user): (&str, bool),
    limits: &CgroupLimits,
    command: &[OsString],
    prepare: &dyn Fn(&mut Command),
) -> Result<StartedCommand, StartFailure> {
    // The shell in the start script tells of a program that cannot be executed with 126 or 127, as every shell does.
    let mut started = Command::new("systemd-run");
    started.args(scope_arguments(name, user, limits));
    let adj = adj_for_children().map(|adj| format!("echo {} >/proc/self/oom_score_adj; ", adj.0));
    let script = adj.unwrap_or_default() + START_SCRIPT;
    started.args(["/bin/sh", "-c", &script, "sh"]).args(command);
    prepare(&mut started);
    let mut child = started.spawn().map_err(|error| {
        StartFailure::NotConfined(format!("systemd-run cannot be started: {error}"))
    })?;
    let mut path = None;
    match wait_for_limits(root, &mut child, (name, limits), &mut path) {
        Ok((cgroup, keeper)) => {
            let started = StartedCommand::new(child, Some(cgroup), keeper);
            started.signal(nix::libc::SIGCONT);
            Ok(started)
        }
        Err(why) => {
            let _ = child.kill();
            let _ = child.wait();
            match path {
                Some(path) => RunCgroup::end_scope(root, &path),
                None => stop_unit(name, user),
            }
            Err(StartFailure::NotConfined(why))
        }
    }
}

/// Asks the service manager to end a scope that was made and not seen.
fn stop_unit(name: &str, user: bool) {
    let mut stop = Command::new("systemctl");
    stop.args(user.then_some("--user")).args(["--no-block", "stop"]).arg(format!("{name}.scope"));
    stop.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let _ = stop.status();
}

/// Waits until the shell has stopped in its scope, and compares the limits. `seen`: the path of the scope, as soon as
/// it is known.
fn wait_for_limits(
    root: &LiveRoot,
    child: &mut Child,
    (name, limits): (&str, &CgroupLimits),
    seen: &mut Option<String>,
) -> Result<(RunCgroup, Option<ScopeKeeper>), String> {
    let end = Instant::now() + SCOPE_PATIENCE;
    let pid = i32::try_from(child.id()).unwrap_or_default();
    let path = loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("the service manager made no scope {name}: systemd-run {status}"));
        }
        let path = memory_cgroup(root, pid).map(|path| path.as_str().to_owned());
        if let Some(path) = path.filter(|path| path.ends_with(&format!("/{name}.scope"))) {
            *seen = Some(path.clone());
            if is_stopped(root, pid) {
                break path;
            }
        }
        if Instant::now() >= end {
            return Err(format!("the service manager made no scope {name} in 15 seconds"));
        }
        std::thread::sleep(SCOPE_PACE);
    };
    let cgroup = RunCgroup::of_service_manager(root, &path, limits)?;
    let keeper = ScopeKeeper::find(&cgroup, pid);
    Ok((cgroup, keeper))
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
    use crate::sample::proc_root::ProcRoot;
    use crate::units::Bytes;

    #[test]
    fn a_scope_gets_the_limits_as_properties() {
        let limits = CgroupLimits {
            memory: Some(Bytes(1 << 20)),
            swap: Some(Bytes(0)),
            ..CgroupLimits::default()
        };
        let arguments = scope_arguments("doomtop-run-7", true, &limits);
        assert_eq!(
            arguments.join(" "),
            "--quiet --scope --collect --user --unit=doomtop-run-7 \
             --property=MemoryAccounting=yes --property=Delegate=yes --property=MemoryMax=1048576 \
             --property=MemorySwapMax=0 --"
        );
        assert!(!scope_arguments("x", false, &limits).contains(&"--user".to_owned()));
    }

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

    #[test]
    fn the_gate_stops_and_becomes_the_command_with_its_arguments() {
        // A sleep that does not stay.
        let folder = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink("/bin/true", folder.path().join("sleep")).expect("a link");
        let path = format!("{}:/usr/bin:/bin", folder.path().display());
        let mut child = Command::new("/bin/sh")
            .args(["-c", START_SCRIPT, "sh", "sh", "-c", "exit \"$1\"", "sh", "7"])
            .env("PATH", path)
            .spawn()
            .expect("a shell");
        let root = LiveRoot::prove(ProcRoot::open("/proc").expect("/proc")).expect("live");
        let process = RunProcess::of_child(&child).expect("a pid");
        while !is_stopped(&root, process.pid()) {
            assert_eq!(child.try_wait().expect("a child"), None, "it stops first");
            std::thread::yield_now();
        }
        process.signal(nix::libc::SIGCONT);
        assert_eq!(child.wait().expect("a child").code(), Some(7));
    }
}
