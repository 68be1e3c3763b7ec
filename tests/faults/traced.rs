//! The traced binary, and the faults that are injected.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::act;

/// A child process that is killed and reaped in any case.
struct OwnChild(Child);

impl OwnChild {
    fn sleeping() -> Self {
        Self(Command::new("sleep").arg("1000").spawn().expect("sleep runs"))
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).expect("a pid")
    }

    fn adj(&self) -> Option<i16> {
        let text = fs::read_to_string(format!("/proc/{}/oom_score_adj", self.0.id())).ok()?;
        text.trim().parse().ok()
    }

    fn born(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).expect("its stat");
        let (_, rest) = stat.rsplit_once(')').expect("a name");
        rest.split_ascii_whitespace().nth(19).and_then(|it| it.parse().ok()).expect("a tick")
    }

    fn lives(&mut self) -> bool {
        self.0.try_wait().expect("a child").is_none()
    }

    /// Waits for its end.
    fn ends(&mut self) {
        self.0.wait().expect("an own child");
    }

    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for OwnChild {
    fn drop(&mut self) {
        self.end();
    }
}

/// What is injected at one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing.
    None,
    /// The call is not made and fails with this errno.
    Errno(i32),
    /// The write takes one byte less.
    Short,
    /// The process exits right before the call.
    Gone,
    /// The process exits right before the call, and another one gets its pid.
    Replaced,
}

/// Result of one run.
#[derive(Debug)]
struct Trial {
    /// Numbers of the system calls of the act.
    steps: Vec<u64>,
    /// Standard output.
    said: String,
    /// Standard error.
    complained: String,
    /// How the program ended.
    status: WaitStatus,
    /// Whether a write other than output was really made.
    wrote: bool,
    /// Whether the run came to the step of the fault: the number of polls at the end varies.
    injected: bool,
}

impl Trial {
    fn code(&self) -> Option<i32> {
        match self.status {
            WaitStatus::Exited(_, code) => Some(code),
            _ => None,
        }
    }
}

/// System calls whose result the effects depend on. Memory, locks, clocks and close are left out.
const STEPS: &[i64] = &[
    libc::SYS_openat,
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_readlinkat,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kill,
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_getpriority,
    libc::SYS_setpriority,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setattr,
    libc::SYS_process_mrelease,
    libc::SYS_kcmp,
];

/// Maximum number of steps of one act: after the signal the effects only wait.
const MAX_STEPS: usize = 60;

fn is_step(nr: u64, first: u64) -> bool {
    let output = nr == libc::SYS_write as u64 && (first == 1 || first == 2);
    !output && STEPS.iter().any(|&step| step as u64 == nr)
}

/// A string in the traced process.
fn text_at(pid: Pid, address: u64) -> Vec<u8> {
    let mut text = Vec::new();
    for at in (address..).step_by(8).take(16) {
        let Ok(word) = ptrace::read(pid, at as ptrace::AddressType) else { break };
        for byte in word.to_ne_bytes() {
            if byte == 0 {
                return text;
            }
            text.push(byte);
        }
    }
    text
}

/// Runs doomtop on the child, with a fault at the nth step of the act.
fn run(act: &[&str], target: &mut OwnChild, fault: Fault, nth: usize) -> Trial {
    let pid = target.pid().to_string();
    let act: Vec<&str> = act.iter().copied().chain([pid.as_str()]).collect();
    trace(Path::new(env!("CARGO_BIN_EXE_doomtop")), &act, &pid, target, fault, nth)
}

/// Runs this program for an act without a command. The act begins when the file `begin` is opened.
fn run_own(act: &[&str], begin: &str, target: &mut OwnChild, fault: Fault, nth: usize) -> Trial {
    let itself = std::env::current_exe().expect("this program");
    let act: Vec<&str> = [act::ACT].into_iter().chain(act.iter().copied()).collect();
    trace(&itself, &act, begin, target, fault, nth)
}

/// Runs a program traced, with a fault at the nth step after it has opened `begin`.
fn trace(
    program: &Path,
    arguments: &[&str],
    begin: &str,
    target: &mut OwnChild,
    fault: Fault,
    nth: usize,
) -> Trial {
    let dir = tempfile::tempdir().expect("a directory");
    let [out, err] = ["out", "err"].map(|name| dir.path().join(name));
    // It waits until it is traced.
    let mut traced = Command::new("sh")
        .args(["-c", "read x; exec \"$@\"", "sh"])
        .arg(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(fs::File::create(&out).expect("a file"))
        .stderr(fs::File::create(&err).expect("a file"))
        .spawn()
        .expect("a shell runs");
    let pid = Pid::from_raw(i32::try_from(traced.id()).expect("a pid"));
    ptrace::seize(pid, Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_EXITKILL)
        .expect("a child can be traced");
    ptrace::interrupt(pid).expect("it stops");
    let mut go = traced.stdin.take();

    let mut steps = Vec::new();
    let (mut begun, mut wrote, mut injected) = (false, false, false);
    let mut result: Option<i64> = None;
    let status = loop {
        let status = waitpid(pid, Some(WaitPidFlag::__WALL)).expect("a traced child");
        let mut deliver = None;
        match status {
            WaitStatus::Exited(..) | WaitStatus::Signaled(..) => break status,
            WaitStatus::PtraceSyscall(_) => {
                let mut regs = ptrace::getregs(pid).expect("its registers");
                let entry = regs.rax as i64 == -i64::from(libc::ENOSYS);
                let nr = regs.orig_rax;
                if let Some(value) = result.take() {
                    regs.rax = value as u64;
                    ptrace::setregs(pid, regs).expect("a result");
                } else if entry {
                    let opens =
                        nr == libc::SYS_openat as u64 && text_at(pid, regs.rsi) == begin.as_bytes();
                    let pins = nr == libc::SYS_pidfd_open as u64 && regs.rdi == target.pid() as u64;
                    begun |= opens || pins;
                    if begun && steps.len() < MAX_STEPS && is_step(nr, regs.rdi) {
                        if steps.len() == nth {
                            let length = regs.rdx as i64;
                            result = inject(fault, target, length);
                            injected = true;
                        }
                        steps.push(nr);
                    }
                    let output = regs.rdi == 1 || regs.rdi == 2;
                    wrote |= begun && nr == libc::SYS_write as u64 && !output && result.is_none();
                    if result.is_some() {
                        regs.orig_rax = u64::MAX;
                        ptrace::setregs(pid, regs).expect("no call");
                    }
                }
            }
            WaitStatus::Stopped(_, signal) => deliver = Some(signal),
            _ => {
                if let Some(mut pipe) = go.take() {
                    pipe.write_all(b"\n").expect("it reads");
                }
            }
        }
        // It may have been killed meanwhile; then the next wait reports that.
        let _ = ptrace::syscall(pid, deliver);
    };
    // It was reaped above; this only cleans up.
    let _ = traced.wait();
    let read = |path: &Path| fs::read_to_string(path).expect("text");
    Trial { steps, said: read(&out), complained: read(&err), status, wrote, injected }
}

/// Injects the fault. Returns the result of the call if the call is not to be made.
fn inject(fault: Fault, target: &mut OwnChild, length: i64) -> Option<i64> {
    match fault {
        Fault::None => None,
        Fault::Errno(errno) => Some(-i64::from(errno)),
        Fault::Short => Some(length - 1),
        Fault::Gone => {
            target.end();
            None
        }
        Fault::Replaced => {
            replace(target);
            None
        }
    }
}

/// Replaces the child by another one with the same pid. Only possible in a pid namespace of our own.
fn replace(target: &mut OwnChild) {
    let (pid, born) = (target.pid(), target.born());
    target.end();
    for _ in 0..100_000 {
        fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).expect("the next pid");
        let next = OwnChild::sleeping();
        // Two processes with the same start tick could not be told apart.
        if next.pid() == pid && next.born() != born {
            *target = next;
            return;
        }
    }
    panic!("the pid never came back");
}

const ERRNOS: &[i32] = &[
    libc::EACCES,
    libc::EPERM,
    libc::EINVAL,
    libc::ESRCH,
    libc::ENOENT,
    libc::EIO,
    libc::EMFILE,
    libc::ENOMEM,
    libc::EINTR,
];

const SET: &[&str] = &["set", "--adj", "300"];
/// A killed child is gone much sooner, however busy the machine is.
const KILL: &[&str] = &["sacrifice", "--signal", "kill", "--wait", "300"];

/// The steps of an act without a fault.
fn undisturbed(act: &[&str]) -> Vec<u64> {
    let mut child = OwnChild::sleeping();
    let trial = run(act, &mut child, Fault::None, usize::MAX);
    assert_eq!(trial.code(), Some(0), "{trial:?}");
    assert!(trial.steps.len() > 4, "{trial:?}");
    trial.steps
}

/// Every fault at every step.
fn faults(steps: &[u64]) -> Vec<(usize, Fault)> {
    let mut all = Vec::new();
    for (nth, &nr) in steps.iter().enumerate() {
        all.extend(ERRNOS.iter().map(|&errno| (nth, Fault::Errno(errno))));
        if nr == libc::SYS_write as u64 {
            all.push((nth, Fault::Short));
        }
    }
    all
}

/// Checks that the program ended by itself with a documented status and a message.
fn ended_well(trial: &Trial, context: &str) {
    let code = trial.code();
    assert!(matches!(code, Some(0 | 4 | 5)), "{context}: {trial:?}");
    assert!(!trial.said.is_empty(), "{context}: {trial:?}");
    assert!(trial.complained.is_empty(), "{context}: {trial:?}");
}

fn a_write_of_adj_is_reported_truthfully_under_every_fault() {
    let steps = undisturbed(SET);
    let mut bystander = OwnChild::sleeping();
    let all = faults(&steps);
    assert!(all.iter().any(|(_, fault)| *fault == Fault::Short), "the write is among {steps:?}");
    for (nth, fault) in all {
        let mut child = OwnChild::sleeping();
        let trial = run(SET, &mut child, fault, nth);
        let context = format!("{fault:?} at step {nth} (call {}) of set", steps[nth]);
        ended_well(&trial, &context);
        let said = &trial.said;
        match (trial.code(), child.adj()) {
            (Some(0), Some(300)) => assert!(said.contains("set: +0 -> +300"), "{context}: {said}"),
            (Some(4), Some(0)) => {
                assert!(!said.contains("was written"), "{context}: {said}");
            }
            // The value was written but could not be verified: the message says so.
            (Some(4), Some(300)) => {
                let means_gone = matches!(fault, Fault::Errno(libc::ESRCH | libc::ENOENT));
                let gone = means_gone && said.contains("already gone");
                assert!(gone || said.contains("was written"), "{context}: {said}");
            }
            other => panic!("{context}: {other:?}: {said}"),
        }
    }
    assert_eq!((bystander.adj(), bystander.lives()), (Some(0), true));
}

fn a_signal_is_reported_truthfully_under_every_fault() {
    let steps = undisturbed(KILL);
    let mut bystander = OwnChild::sleeping();
    for (nth, fault) in faults(&steps) {
        let mut child = OwnChild::sleeping();
        let trial = run(KILL, &mut child, fault, nth);
        let context = format!("{fault:?} at step {nth} (call {}) of sacrifice", steps[nth]);
        ended_well(&trial, &context);
        let sent = trial.said.contains("sent SIGKILL");
        if sent {
            child.ends();
        }
        assert_eq!(sent, !child.lives(), "{context}: {}", trial.said);
        // The injected errno meant that the process is gone, and nothing contradicted it.
        let gone = trial.said.contains("already gone");
        assert_eq!(sent || gone, trial.code() != Some(4), "{context}: {}", trial.said);
    }
    assert!(bystander.lives());
}

fn a_process_that_exits_between_two_steps_is_gone() {
    for act in [SET, KILL] {
        for nth in 0..undisturbed(act).len() {
            let mut child = OwnChild::sleeping();
            let trial = run(act, &mut child, Fault::Gone, nth);
            let context = format!("gone at step {nth} of {}", act[0]);
            ended_well(&trial, &context);
            let said = &trial.said;
            let words = ["already gone", "gone after", "set: +0 -> +300", "was written"];
            assert!(words.iter().any(|words| said.contains(words)), "{context}: {said}");
        }
    }
}

fn a_process_that_gets_the_pid_between_two_steps_is_not_hit() {
    let unshare = |program: &Path| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]);
        command.arg("--kill-child").arg(program).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    if !unshare(Path::new("true")).status().is_ok_and(|status| status.success()) {
        println!("skipped: no pid namespace can be made here");
        return;
    }
    let itself = std::env::current_exe().expect("this test");
    let output = unshare(&itself).arg(INSIDE).output().expect("the test inside");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The argument of the part that runs in a pid namespace of its own.
pub const INSIDE: &str = "__inside";

/// Runs that part.
pub fn inside() -> ExitCode {
    replaced_pid();
    ExitCode::SUCCESS
}

fn a_sysctl_is_reported_truthfully_under_every_fault() {
    let act = [act::SYSCTL];
    let begin = "sys/vm/swappiness";
    let mut bystander = OwnChild::sleeping();
    let whole = run_own(&act, begin, &mut bystander, Fault::None, usize::MAX);
    if whole.code() != Some(0) {
        println!("skipped: no vm sysctl can be written here: {}", whole.said.trim());
        return;
    }
    assert!(whole.wrote && whole.steps.len() > 4, "{whole:?}");
    for (nth, fault) in faults(&whole.steps) {
        let trial = run_own(&act, begin, &mut bystander, fault, nth);
        let context = format!("{fault:?} at step {nth} of {:?}: {}", whole.steps, trial.said);
        ended_well(&trial, &context);
        let reported = trial.code() == Some(0)
            || ["it was written", "took the write"].iter().any(|it| trial.said.contains(it));
        assert_eq!(reported, trial.wrote, "{context}");
    }
}

/// A cgroup of our own, removed in any case.
struct Group(std::path::PathBuf);

impl Group {
    fn new() -> Option<Self> {
        let unified = "/sys/fs/cgroup/unified";
        let mount = if Path::new(unified).exists() { unified } else { "/sys/fs/cgroup" };
        let path = Path::new(mount).join(format!("doomtop-faults-{}", std::process::id()));
        let group = Self(path);
        let made = fs::create_dir(&group.0).is_ok() && group.0.join("cgroup.kill").exists();
        made.then_some(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

fn a_cgroup_kill_is_reported_truthfully_under_every_fault() {
    let Some(group) = Group::new() else {
        println!("skipped: no cgroup with cgroup.kill can be made here");
        return;
    };
    let path = format!("/{}", group.0.file_name().expect("a name").to_string_lossy());
    let begin = group.0.to_string_lossy().into_owned();
    let mut bystander = OwnChild::sleeping();
    let trial = |fault, nth| {
        let mut child = OwnChild::sleeping();
        fs::write(group.0.join("cgroup.procs"), child.pid().to_string()).expect("it joins");
        let (pid, born) = (child.pid().to_string(), child.born().to_string());
        let act = [act::CGROUP, &path, &pid, &born];
        let trial = run_own(&act, &begin, &mut child, fault, nth);
        (trial, child)
    };
    let (whole, mut child) = trial(Fault::None, usize::MAX);
    assert_eq!((whole.code(), child.lives()), (Some(0), false), "{whole:?}");
    assert!(whole.wrote && whole.steps.len() > 4, "{whole:?}");
    for (nth, fault) in faults(&whole.steps) {
        let (trial, mut child) = trial(fault, nth);
        let context = format!("{fault:?} at step {nth} of {:?}: {}", whole.steps, trial.said);
        ended_well(&trial, &context);
        assert_eq!(trial.code() == Some(0), !child.lives(), "{context}");
    }
    assert!(bystander.lives());
}

/// Runs every test, all in parallel.
pub fn all() -> ExitCode {
    let tests: [(&str, fn()); 6] = [
        (
            "a write of adj is reported truthfully under every fault",
            a_write_of_adj_is_reported_truthfully_under_every_fault,
        ),
        (
            "a signal is reported truthfully under every fault",
            a_signal_is_reported_truthfully_under_every_fault,
        ),
        (
            "a process that exits between two steps is gone",
            a_process_that_exits_between_two_steps_is_gone,
        ),
        (
            "a process that gets the pid between two steps is not hit",
            a_process_that_gets_the_pid_between_two_steps_is_not_hit,
        ),
        (
            "a sysctl is reported truthfully under every fault",
            a_sysctl_is_reported_truthfully_under_every_fault,
        ),
        (
            "a cgroup kill is reported truthfully under every fault",
            a_cgroup_kill_is_reported_truthfully_under_every_fault,
        ),
    ];
    let running = tests.map(|(name, test)| (name, std::thread::spawn(test)));
    let mut failed = 0;
    for (name, thread) in running {
        let passed = thread.join().is_ok();
        println!("{name}: {}", if passed { "ok" } else { "FAILED" });
        failed += usize::from(!passed);
    }
    println!("faults: {} of {} passed", tests.len() - failed, tests.len());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn replaced_pid() {
    if fs::write("/proc/sys/kernel/ns_last_pid", std::process::id().to_string()).is_err() {
        eprintln!("skipped: the next pid cannot be chosen here");
        return;
    }
    for act in [SET, KILL] {
        for nth in 0..undisturbed(act).len() {
            let mut child = OwnChild::sleeping();
            let trial = run(act, &mut child, Fault::Replaced, nth);
            let context = format!("pid reused at step {nth} of {}: {}", act[0], trial.said);
            ended_well(&trial, &context);
            if trial.injected {
                assert!(child.lives(), "{context}");
                assert_eq!(child.adj(), Some(0), "{context}");
            }
        }
    }
}
