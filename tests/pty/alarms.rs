//! The real binary's alarms: the bell, the command, and the screen that wakes when tasks wait for memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::terminal::{DEADLINE, Terminal};

/// What a command that appends to this file has written.
fn written(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

#[test]
fn an_alarm_rings_the_bell_and_runs_its_command_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ran");
    let command =
        format!("echo \"$DOOMTOP_ALARM $DOOMTOP_UNIT $DOOMTOP_LIMIT.\" >> {}", file.display());
    let arguments = ["--alarm", "available<100%", "--bell", "--on-alarm", &command, "--read-only"];
    let mut terminal = Terminal::run(100, 30, &arguments);
    terminal.wait_for("the alarm", |text| text.contains("! available"));
    terminal.wait_until("the bell", |it| it.bells() > 0);
    terminal.wait_until("the command", |_| written(&file).ends_with('\n'));
    terminal.wait_for_looks(3);
    assert_eq!(terminal.bells(), 1);
    assert_eq!(written(&file), "available<100% % .\n");
    assert_eq!(terminal.quit(), 0);
    terminal.assert_restored();
}

#[test]
fn an_alarm_that_is_not_crossed_does_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ran");
    let command = format!("echo x >> {}", file.display());
    let arguments = ["--alarm", "available<1K", "--bell", "--on-alarm", &command];
    let mut terminal = Terminal::run(100, 30, &arguments);
    terminal.wait_for("the count", |text| text.contains("1 alarm set"));
    terminal.wait_for_looks(3);
    assert_eq!((terminal.bells(), written(&file).as_str()), (0, ""));
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn a_command_that_fails_is_told_and_its_output_goes_nowhere() {
    let command = "echo torn; echo torn >&2; cat; exit 3";
    let mut terminal =
        Terminal::run(100, 30, &["--alarm", "available<100%", "--on-alarm", command]);
    terminal.wait_for("the word", |text| {
        assert!(!text.contains("torn"), "{text}");
        text.contains("available<100%: the command ended with status 3")
    });
    assert_eq!(terminal.bells(), 0, "it was not asked for");
    assert_eq!(terminal.quit(), 0);
}

/// A memory cgroup of our own, with a limit, and somebody in it who reads more than fits.
struct Stall {
    cgroup: PathBuf,
    file: PathBuf,
    child: Option<Child>,
}

impl Stall {
    /// Makes it, where that is permitted.
    fn make() -> Result<Self, String> {
        fs::read("/proc/pressure/memory").map_err(|error| format!("no PSI: {error}"))?;
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let of = |line: &str| line.rsplit(':').next().map(|path| path.trim_matches('/').to_owned());
        let first = own.lines().find(|line| line.contains(":memory:")).and_then(of);
        let second = own.lines().find(|line| line.starts_with("0::")).and_then(of);
        let places = [
            first.map(|path| {
                (Path::new("/sys/fs/cgroup/memory").join(path), "memory.limit_in_bytes")
            }),
            second.map(|path| (Path::new("/sys/fs/cgroup").join(path), "memory.max")),
        ];
        let name = format!("doomtop-pressure-{}", std::process::id());
        for (above, limit) in places.into_iter().flatten() {
            let cgroup = above.join(&name);
            if fs::create_dir(&cgroup).is_err() {
                continue;
            }
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
            let stall = Self { cgroup, file, child: None };
            if fs::write(stall.cgroup.join(limit), "33554432").is_ok() {
                return Ok(stall);
            }
        }
        Err("no memory cgroup of our own can be made here".to_owned())
    }

    /// Begins; every page that it reads throws out another one.
    fn begin(&mut self) {
        let script = "echo $$ > \"$1/cgroup.procs\" && dd if=/dev/zero of=\"$2\" bs=1M count=150 && \
                      while :; do cat \"$2\"; done";
        let mut command = Command::new("timeout");
        command.args(["600", "sh", "-c", script, "sh"]).arg(&self.cgroup).arg(&self.file);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().expect("a reader"));
    }
}

impl Drop for Stall {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // timeout(1) passes it on to the reader.
            let pid = nix::unistd::Pid::from_raw(child.id() as i32);
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
            let _ = child.wait();
        }
        let _ = fs::remove_file(&self.file);
        // The last of the readers may still be on its way out.
        let end = Instant::now() + DEADLINE;
        while fs::remove_dir(&self.cgroup).is_err() && Instant::now() < end {
            std::thread::yield_now();
        }
    }
}

#[test]
fn the_screen_wakes_when_tasks_begin_to_wait_for_memory() {
    let mut stall = match Stall::make() {
        Ok(stall) => stall,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let mut terminal = Terminal::run(200, 60, &[]);
    terminal.wait_for("the table", |text| text.contains("BADNESS"));
    terminal.send("d\x153600\r");
    terminal.wait_for("the pace of an hour", |text| text.contains("3600.0s "));
    let blind = |text: &str| text.contains("seen by each look only");
    let told = |text: &str| text.contains("the screen") || blind(text);
    terminal.wait_for("how pressure is told", told);
    if blind(&terminal.text()) {
        return eprintln!("skipped: pressure is not told here");
    }
    stall.begin();
    terminal.wait_for("pressure", |text| text.contains("[live, fast]"));
    terminal.wait_for("its pace", |text| text.contains(" 0.5s "));
    terminal.wait_for_looks(2);
    drop(stall);
    assert_eq!(terminal.quit(), 0);
}
