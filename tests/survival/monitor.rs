//! A monitor in a terminal of its own: when it draws, how long a key takes, when it ends.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// A monitor, and its arguments for a refresh each second.
pub struct Program {
    name: &'static str,
    arguments: &'static [&'static str],
}

/// The monitors that are compared.
pub const MONITORS: &[Program] = &[
    Program { name: "doomtop", arguments: &["-d", "1"] },
    Program { name: "doomtop-protected", arguments: &["-d", "1", "--protect"] },
    Program { name: "htop", arguments: &["-d", "10"] },
    Program { name: "top", arguments: &["-d", "1"] },
    // How often it refreshes is in its configuration file.
    Program { name: "btop", arguments: &["--utf-force"] },
];

/// Output after this long without any is another frame.
const BETWEEN: Duration = Duration::from_millis(40);

/// A monitor that draws nothing for longer than this is silent: each draws once a second.
const SILENT: Duration = Duration::from_millis(2200);

/// A key is pressed this often: the arrow down and the arrow up in turn, which every monitor answers by drawing.
const KEY_EVERY: Duration = Duration::from_millis(3100);

const KEYS: [&[u8]; 2] = [b"\x1b[B", b"\x1b[A"];

/// What was seen of a monitor.
#[derive(Debug)]
pub struct Seen {
    pub frames: u64,
    pub keys: u64,
    longest_gap: Duration,
    /// From a key to the next output. A frame that was due anyway counts as an answer.
    slowest_key: Duration,
    last_output: Instant,
    last_frame: Instant,
    next_key: Instant,
    pressed: Option<Instant>,
    faults: u64,
}

impl Seen {
    fn new(now: Instant) -> Self {
        Self {
            frames: 0,
            keys: 0,
            longest_gap: Duration::ZERO,
            slowest_key: Duration::ZERO,
            last_output: now,
            last_frame: now,
            next_key: now + KEY_EVERY,
            pressed: None,
            faults: 0,
        }
    }

    fn output(&mut self, now: Instant) {
        if now - self.last_output >= BETWEEN {
            self.frames += 1;
            self.longest_gap = self.longest_gap.max(now - self.last_frame);
            self.last_frame = now;
        }
        self.last_output = now;
        if let Some(pressed) = self.pressed.take() {
            self.keys += 1;
            self.slowest_key = self.slowest_key.max(now - pressed);
        }
    }

    /// What is still missing at the end counts as long as it has lasted.
    fn finish(&mut self, now: Instant) {
        self.longest_gap = self.longest_gap.max(now - self.last_frame);
        if let Some(pressed) = self.pressed {
            self.slowest_key = self.slowest_key.max(now - pressed);
        }
    }
}

/// A running monitor, killed on drop.
pub struct Monitor {
    pub name: &'static str,
    child: Child,
    master: File,
    /// `/proc/PID/stat`, kept open: opening a file waits for memory.
    stat: Option<File>,
    pub seen: Seen,
    /// When it ended, and how.
    end: Option<(Instant, String)>,
    begun: Instant,
    faults_before: u64,
}

impl Monitor {
    /// Starts it in a terminal of 120x40, and in this memory cgroup. `None` if it is not installed.
    pub fn start(program: &Program, group: Option<&str>, home: &Path) -> Option<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).expect("a pty");
        grantpt(&master).expect("a pty");
        unlockpt(&master).expect("a pty");
        let size = Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).expect("sized");
        let slave = ioctl_tiocgptpeer(&master, flags).expect("the terminal's end");
        let end = || Stdio::from(slave.try_clone().expect("the terminal's end"));
        let binary = match program.name.strip_prefix("doomtop") {
            Some(_) => std::env::var_os("DOOMTOP").unwrap_or_else(|| {
                option_env!("CARGO_BIN_EXE_doomtop").unwrap_or("doomtop").into()
            }),
            None => program.name.into(),
        };
        let mut command = Command::new("setsid");
        command.arg("-c").arg(&binary).args(program.arguments);
        command.stdin(end()).stdout(end()).stderr(end());
        command.env("TERM", "xterm-256color").env("LC_ALL", "C.UTF-8").env("HOME", home);
        let is_there = Command::new(&binary).arg("--version").output().is_ok();
        if !is_there {
            println!("survival: {} is not installed: left out", program.name);
            return None;
        }
        let child = command.spawn().expect("setsid starts");
        if let Some(group) = group {
            fs::write(format!("{group}/cgroup.procs"), child.id().to_string()).expect("moved");
        }
        let flags = fcntl_getfl(&master).expect("flags");
        fcntl_setfl(&master, flags | OFlags::NONBLOCK).expect("flags");
        let stat = File::open(format!("/proc/{}/stat", child.id())).ok();
        let now = Instant::now();
        let (name, master, seen) = (program.name, File::from(master), Seen::new(now));
        Some(Self { name, child, master, stat, seen, end: None, begun: now, faults_before: 0 })
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// For how long it has drawn nothing.
    pub fn silence(&self, now: Instant) -> Duration {
        if self.ended() { Duration::ZERO } else { now - self.seen.last_output }
    }

    /// Measures from now on.
    pub fn begin(&mut self) {
        self.begun = Instant::now();
        self.seen = Seen::new(self.begun);
        self.faults_before = self.faults();
    }

    /// Measures no longer.
    pub fn end(&mut self) {
        if self.end.is_none() {
            self.seen.finish(Instant::now());
            self.seen.faults = self.faults();
        }
    }

    /// Whether it has ended.
    pub fn ended(&self) -> bool {
        self.end.is_some()
    }

    /// Ends it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
    }

    /// Reads what it drew, and presses a key where one is due.
    fn serve(&mut self, now: Instant, room: &mut [u8]) {
        while let Ok(1..) = self.master.read(room) {
            self.seen.output(now);
        }
        if now >= self.seen.next_key && self.seen.pressed.is_none() && self.end.is_none() {
            let key = KEYS[usize::try_from(self.seen.keys % 2).expect("0 or 1")];
            if self.master.write_all(key).is_ok() {
                self.seen.pressed = Some(now);
            }
            self.seen.next_key = now + KEY_EVERY;
        }
        if self.end.is_none()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            let how = match status.signal() {
                Some(signal) => format!("signal {signal}"),
                None => format!("status {}", status.code().unwrap_or(-1)),
            };
            self.seen.finish(now);
            self.end = Some((now, how));
        }
    }

    /// The major faults of the process so far (proc_pid_stat(5)).
    fn faults(&self) -> u64 {
        let mut room = [0; 1024];
        let read = self.stat.as_ref().and_then(|file| file.read_at(&mut room, 0).ok());
        let text = String::from_utf8_lossy(&room[..read.unwrap_or(0)]).into_owned();
        let fields = text.rsplit_once(") ").map(|(_, rest)| rest.split(' ').nth(9));
        fields.flatten().and_then(|field| field.parse().ok()).unwrap_or(self.seen.faults)
    }

    /// What was seen until [`Self::end`], as a line of JSON.
    pub fn line(&self, scenario: &str, span: Duration) -> String {
        let (lived, end) = match &self.end {
            Some((at, how)) => (*at - self.begun, how.clone()),
            None => (span, "alive".to_owned()),
        };
        let seen = &self.seen;
        serde_json::json!({
            "scenario": scenario,
            "monitor": self.name,
            "frames": seen.frames,
            "longest_gap_s": rounded(seen.longest_gap),
            "keys": seen.keys,
            "slowest_key_s": rounded(seen.slowest_key),
            "major_faults": seen.faults.saturating_sub(self.faults_before),
            "lived_s": rounded(lived),
            "end": end,
        })
        .to_string()
    }
}

fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 100.0).round() / 100.0
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
    }
}

/// Serves all monitors for this long. `silent` is told of those that draw nothing for long, once a second.
pub fn watch(monitors: &mut [Monitor], span: Duration, silent: &dyn Fn(&'static str, u32)) {
    let end = Instant::now() + span;
    let mut room = [0; 65536];
    let mut next_faults = Instant::now();
    while Instant::now() < end {
        let mut fds: Vec<PollFd<'_>> = monitors
            .iter()
            .filter(|it| !it.ended())
            .map(|it| PollFd::new(&it.master, PollFlags::IN))
            .collect();
        let moment = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
        let _ = poll(&mut fds, Some(&moment));
        drop(fds);
        let now = Instant::now();
        for monitor in &mut *monitors {
            monitor.serve(now, &mut room);
        }
        // Once a second: after its end nothing tells them any more.
        if now >= next_faults {
            next_faults = now + Duration::from_secs(1);
            for monitor in monitors.iter_mut().filter(|it| !it.ended()) {
                monitor.seen.faults = monitor.faults();
                if monitor.silence(now) > SILENT {
                    silent(monitor.name, monitor.pid());
                }
            }
        }
    }
}
