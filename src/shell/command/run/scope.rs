//! A scope of the service manager for the command, and the process that keeps it until doomtop has seen all of it.

use std::ffi::OsString;
use std::io::{PipeReader, PipeWriter, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::effects::own_adj::adj_for_children;
use crate::effects::run_cgroup::RunCgroup;
use crate::effects::run_process::{RunProcess, is_stopped, memory_cgroup};
use crate::intent::CgroupLimits;
use crate::sample::proc_root::LiveRoot;
use crate::shell::child;

/// Maximum time that the service manager may take for a scope.
const SCOPE_PATIENCE: Duration = Duration::from_secs(15);
/// Maximum time for a request to stop a scope. Nothing waits for the stop itself.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// Interval at which that is looked at.
const SCOPE_PACE: Duration = Duration::from_millis(5);

/// What the shell in a scope does first. Its first four arguments are the pid of doomtop, the descriptor of a pipe in it,
/// the option for systemctl that names the manager, and the scope.
///
/// A process stays, so that the cgroup outlives the command and its counters can be read, if it may also after a kill of
/// the whole group, which spares -1000 (`mm/oom_kill.c` `oom_kill_memcg_member`). doomtop ends it. If doomtop is killed
/// itself, the pipe is closed, and the scope is stopped: nobody else would. Where the pipe cannot be opened (`/proc` of
/// a program with file capabilities), it only stays. It is opened before anything else goes on.
const KEEPER_SCRIPT: &str = r#"(pid=$1 fd=$2 manager=$3 scope=$4
{ echo -1000 >/proc/self/oom_score_adj; } 2>/dev/null
exec </dev/null >/dev/null 2>&1
stop() { exec systemctl "$manager" --quiet --no-block stop "$scope"; }
{ { read -r _ <&3; stop; } & } 3<"/proc/$pid/fd/$fd" || {
{ [ -d "/proc/$pid" ] || stop; exec sleep 2147483647; } & })"#;

/// What it does then: it stops until doomtop has seen that the limits are in force, and becomes the command.
const COMMAND_SCRIPT: &str = r#"shift 4; kill -STOP $$; exec "$@""#;

/// The variable that names the directory in which the user's service manager is reached.
const RUNTIME: &str = "XDG_RUNTIME_DIR";

/// The service manager that makes scopes for this user.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ServiceManager {
    /// That of the system, for root.
    System,
    /// The user's own, and the directory in which it is reached.
    User(PathBuf),
}

/// A command that has begun in a scope.
pub(super) struct StartedScope {
    pub(super) child: Child,
    pub(super) cgroup: RunCgroup,
    pub(super) keeper: Option<ScopeKeeper>,
}

/// The process that keeps the cgroup of a scope.
pub(super) struct ScopeKeeper {
    pub(super) pid: i32,
    /// The same, pinned while it was in that cgroup.
    pub(super) process: Option<RunProcess>,
    /// What it reads: closed when doomtop ends, by whatever.
    _alive: (PipeReader, PipeWriter),
}

impl ServiceManager {
    /// Finds it. A user's own is also found without a session (`sudo -u`, cron), if it runs.
    pub(super) fn find() -> Option<Self> {
        if !is_booted() || !in_path("systemd-run") {
            return None;
        }
        if nix::unistd::geteuid().is_root() {
            return Some(Self::System);
        }
        let named = std::env::var_os(RUNTIME).map(PathBuf::from);
        let all = named.into_iter().chain([usual_runtime()]);
        // A socket may be left of one that has ended.
        let runs = |dir: &PathBuf| UnixStream::connect(dir.join("systemd/private")).is_ok();
        all.into_iter().find(runs).map(Self::User)
    }

    /// Why a user has none, where the system has one.
    pub(super) fn missing() -> Option<String> {
        let is_root = nix::unistd::geteuid().is_root();
        (!is_root && is_booted() && Self::find().is_none()).then(|| {
            format!(
                "no service manager runs for this user in {} (a login starts it, or, as root, \
                 loginctl enable-linger USER), and doomtop is in no delegated cgroup of its own",
                usual_runtime().display()
            )
        })
    }

    /// It, in words.
    pub(super) const fn words(&self) -> &'static str {
        match self {
            Self::System => "the service manager",
            Self::User(_) => "the user's service manager",
        }
    }

    /// The option of systemctl(1) and systemd-run(1).
    const fn option(&self) -> &'static str {
        match self {
            Self::System => "--system",
            Self::User(_) => "--user",
        }
    }

    /// A program that asks it.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        if let Self::User(dir) = self {
            command.env(RUNTIME, dir);
        }
        command
    }

    /// What a shell does so that the command has the same environment as doomtop.
    fn environment_to_restore(&self) -> Option<String> {
        let is_added = matches!(self, Self::User(_)) && std::env::var_os(RUNTIME).is_none();
        is_added.then(|| format!("unset {RUNTIME}"))
    }
}

impl ScopeKeeper {
    /// The other process in the scope: the command has not begun, so that there are no more.
    fn find(cgroup: &RunCgroup, shell: i32, alive: (PipeReader, PipeWriter)) -> Option<Self> {
        let members = || cgroup.members().unwrap_or_default();
        let pid = members().into_iter().find(|member| *member != shell);
        let process = pid.and_then(RunProcess::pin);
        let Some(pid) = pid.filter(|pid| members().contains(pid)) else {
            // One that was not found must not think that doomtop is gone.
            std::mem::forget(alive);
            return None;
        };
        Some(Self { pid, process, _alive: alive })
    }
}

/// Whether the machine was booted with systemd (sd_booted(3)).
fn is_booted() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Where the service manager of a user usually is (pam_systemd(8)).
fn usual_runtime() -> PathBuf {
    Path::new("/run/user").join(nix::unistd::geteuid().to_string())
}

fn in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// The arguments of systemd-run (systemd-run(1), systemd.resource-control(5)).
fn scope_arguments(name: &str, manager: &ServiceManager, limits: &CgroupLimits) -> Vec<String> {
    let mut arguments: Vec<String> = ["--quiet", "--scope", "--collect"].map(str::to_owned).into();
    arguments.push(manager.option().to_owned());
    arguments.push(format!("--unit={name}"));
    // As long as doomtop waits itself for what is left.
    arguments.push("--property=TimeoutStopSec=5s".to_owned());
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

/// The shell in the scope, up to the command.
fn shell_arguments(manager: &ServiceManager, name: &str, alive: &PipeReader) -> Vec<String> {
    let adj = adj_for_children().map(|adj| format!("echo {} >/proc/self/oom_score_adj", adj.0));
    // The process that stays has begun before, with what it needs to reach the manager.
    let restore = manager.environment_to_restore();
    let parts = [adj, Some(KEEPER_SCRIPT.to_owned()), restore, Some(COMMAND_SCRIPT.to_owned())];
    let script = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
    let (pid, fd) = (std::process::id().to_string(), alive.as_raw_fd().to_string());
    let scope = format!("{name}.scope");
    ["/bin/sh", "-c", &script, "sh", &pid, &fd, manager.option(), &scope].map(str::to_owned).into()
}

/// Starts the command in a scope.
///
/// # Errors
/// Why there is no scope with these limits. Nothing runs in it then.
pub(super) fn start(
    root: &LiveRoot,
    (name, manager): (&str, &ServiceManager),
    limits: &CgroupLimits,
    command: &[OsString],
    prepare: &dyn Fn(&mut Command),
) -> Result<StartedScope, String> {
    let alive = pipe().map_err(|error| format!("a pipe cannot be made: {error}"))?;
    // The shell in the start script tells of a program that cannot be executed with 126 or 127, as every shell does.
    let mut started = manager.command("systemd-run");
    started.args(scope_arguments(name, manager, limits));
    started.args(shell_arguments(manager, name, &alive.0)).args(command);
    prepare(&mut started);
    let mut child =
        started.spawn().map_err(|error| format!("systemd-run cannot be started: {error}"))?;
    let mut path = None;
    match wait_for_limits(root, &mut child, (name, limits), &mut path) {
        Ok(cgroup) => {
            let pid = i32::try_from(child.id()).unwrap_or_default();
            let keeper = ScopeKeeper::find(&cgroup, pid, alive);
            if let Some(process) = RunProcess::of_child(&child) {
                process.signal(nix::libc::SIGCONT);
            }
            Ok(StartedScope { child, cgroup, keeper })
        }
        Err(why) => {
            // Where it ended by itself it made no scope: one of this name is another's.
            let made_none = matches!(child.try_wait(), Ok(Some(_)));
            child::kill(&mut child);
            match path {
                Some(path) => RunCgroup::end_scope(root, &path),
                None if made_none => {}
                None => stop_unit(name, manager),
            }
            Err(why)
        }
    }
}

/// Asks the service manager to end a scope that was made and not seen.
fn stop_unit(name: &str, manager: &ServiceManager) {
    let mut stop = manager.command("systemctl");
    stop.args([manager.option(), "--no-block", "stop"]).arg(format!("{name}.scope"));
    stop.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Ok(mut child) = stop.spawn()
        && !matches!(child::wait_until(&mut child, Instant::now() + STOP_PATIENCE), Ok(Some(_)))
    {
        child::kill(&mut child);
    }
}

/// Waits until the shell has stopped in its scope, and compares the limits. `seen`: the path of the scope, as soon as
/// it is known.
fn wait_for_limits(
    root: &LiveRoot,
    child: &mut Child,
    (name, limits): (&str, &CgroupLimits),
    seen: &mut Option<String>,
) -> Result<RunCgroup, String> {
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
    RunCgroup::of_service_manager(root, &path, limits)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

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
        let user = ServiceManager::User("/run/user/7".into());
        assert_eq!(
            scope_arguments("doomtop-run-7", &user, &limits).join(" "),
            "--quiet --scope --collect --user --unit=doomtop-run-7 --property=TimeoutStopSec=5s \
             --property=MemoryAccounting=yes --property=Delegate=yes --property=MemoryMax=1048576 \
             --property=MemorySwapMax=0 --"
        );
        let system = scope_arguments("x", &ServiceManager::System, &limits);
        assert!(system.contains(&"--system".to_owned()));
    }

    /// The shell in a scope with a `systemctl` and a `sleep` that write their names and arguments into a pipe.
    struct Script {
        folder: tempfile::TempDir,
        root: LiveRoot,
        said: (PipeReader, PipeWriter),
        alive: (PipeReader, PipeWriter),
    }

    impl Script {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let said = pipe().expect("a pipe");
            let to = format!("/proc/{}/fd/{}", std::process::id(), said.1.as_raw_fd());
            for name in ["systemctl", "sleep"] {
                let file = folder.path().join(name);
                std::fs::write(&file, format!("#!/bin/sh\necho {name} \"$@\" >{to}\n"))
                    .expect("a script");
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
                std::fs::set_permissions(&file, mode).expect("its mode");
            }
            let root = LiveRoot::prove(ProcRoot::open("/proc").expect("/proc")).expect("live");
            Self { folder, root, said, alive: pipe().expect("a pipe") }
        }

        /// Starts it with a command, and waits until it has stopped.
        fn start(&self, arguments: Vec<String>, command: &[&str]) -> (Child, RunProcess) {
            let mut started = Command::new(&arguments[0]);
            started.args(&arguments[1..]).args(command).env("PATH", self.folder.path());
            let mut child = started.spawn().expect("a shell");
            let process = RunProcess::of_child(&child).expect("a pid");
            while !is_stopped(&self.root, process.pid()) {
                assert_eq!(child.try_wait().expect("a child"), None, "it stops first");
                std::thread::yield_now();
            }
            (child, process)
        }

        /// What was run, when nobody can write any more.
        fn said(self) -> String {
            let Self { said: (mut reader, writer), .. } = self;
            let mut line = [0; 200];
            let length = reader.read(&mut line).expect("a line");
            drop(writer);
            String::from_utf8_lossy(&line[..length]).into_owned()
        }
    }

    #[test]
    fn the_shell_stops_and_becomes_the_command_with_its_arguments() {
        let script = Script::new();
        let arguments = shell_arguments(&ServiceManager::System, "s", &script.alive.0);
        let (mut child, process) =
            script.start(arguments, &["/bin/sh", "-c", "[ $# = 2 ] && exit \"$1\"", "sh", "7", ""]);
        process.signal(nix::libc::SIGCONT);
        assert_eq!(child.wait().expect("a child").code(), Some(7));
    }

    #[test]
    fn the_scope_is_stopped_when_doomtop_is_gone() {
        let mut script = Script::new();
        let arguments = shell_arguments(&ServiceManager::System, "s", &script.alive.0);
        let (mut child, process) = script.start(arguments, &["/bin/true"]);
        // What is closed in every case when a process ends.
        script.alive = pipe().expect("a pipe");
        process.signal(nix::libc::SIGCONT);
        assert!(child.wait().expect("a child").success());
        assert_eq!(script.said(), "systemctl --system --quiet --no-block stop s.scope\n");
    }

    #[test]
    fn a_pipe_that_cannot_be_opened_keeps_the_scope() {
        let script = Script::new();
        let mut arguments = shell_arguments(&ServiceManager::System, "s", &script.alive.0);
        arguments[5] = "1000000".to_owned();
        let (mut child, process) = script.start(arguments, &["/bin/true"]);
        process.signal(nix::libc::SIGCONT);
        assert!(child.wait().expect("a child").success());
        assert_eq!(script.said(), "sleep 2147483647\n");
    }

    #[test]
    fn a_doomtop_that_is_gone_already_leaves_no_scope() {
        let script = Script::new();
        let mut arguments = shell_arguments(&ServiceManager::System, "s", &script.alive.0);
        // Above every pid (`PID_MAX_LIMIT`).
        arguments[4] = "5000000".to_owned();
        let (mut child, process) = script.start(arguments, &["/bin/true"]);
        process.signal(nix::libc::SIGCONT);
        assert!(child.wait().expect("a child").success());
        assert_eq!(script.said(), "systemctl --system --quiet --no-block stop s.scope\n");
    }
}
