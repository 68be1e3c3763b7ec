//! A terminal with doomtop in it: a pty, and an emulator that knows what stands on the screen.
//!
//! Nothing here sleeps: everything waits for output, bounded by a deadline that only a failure meets.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// Only a failure waits this long, however busy the machine is.
pub const DEADLINE: Duration = Duration::from_secs(300);

/// A dialog takes no answer before it was in view for so long. A shorter wait would be no fault: the key
/// would have to be pressed once more.
const READ: Duration = Duration::from_millis(450);

/// The program: the one that cargo built with the test, or another one that is named.
pub fn program() -> PathBuf {
    let built = || PathBuf::from(env!("CARGO_BIN_EXE_doomtop"));
    std::env::var_os("DOOMTOP").map_or_else(built, PathBuf::from)
}

struct Seen {
    parser: vt100::Parser,
    changes: u64,
    bells: usize,
    asked: usize,
    closed: bool,
}

pub struct Terminal {
    master: Option<File>,
    child: Child,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    gone: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    pub fn run(width: u16, height: u16, arguments: &[&str]) -> Self {
        Self::run_with(width, height, arguments, &[])
    }

    pub fn run_with(width: u16, height: u16, arguments: &[&str], set: &[(&str, &str)]) -> Self {
        let at_pace: Vec<&str> = ["-d", "0.3"].iter().chain(arguments).copied().collect();
        Self::run_as(width, height, &at_pace, set)
    }

    /// Another program, which starts doomtop.
    pub fn start_program(width: u16, height: u16, program: &[&str]) -> Self {
        let mut setsid = Command::new("setsid");
        setsid.arg("-c").args(program);
        Self::begin(width, height, setsid)
    }

    /// With these arguments and no others.
    pub fn run_as(width: u16, height: u16, arguments: &[&str], set: &[(&str, &str)]) -> Self {
        let mut command = Command::new("setsid");
        command.arg("-c").arg(program()).args(arguments).envs(set.iter().copied());
        Self::begin(width, height, command)
    }

    /// With the command changed before it starts: another input, another folder.
    pub fn start(
        width: u16,
        height: u16,
        arguments: &[&str],
        set: &[(&str, &str)],
        change: impl FnOnce(&mut Command),
    ) -> Self {
        // setsid(1) makes the pty its controlling terminal, then becomes doomtop: the pid stays.
        let mut command = Command::new("setsid");
        command.arg("-c").arg(program()).args(["-d", "0.3"]).args(arguments);
        command.envs(set.iter().copied());
        change(&mut command);
        Self::begin(width, height, command)
    }

    fn begin(width: u16, height: u16, mut command: Command) -> Self {
        // Closed on exec: a child that inherited the master would keep its own terminal alive.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).expect("a pty");
        grantpt(&master).expect("a pty");
        unlockpt(&master).expect("a pty");
        tcsetwinsize(&master, winsize(width, height)).expect("sized");
        let slave = ioctl_tiocgptpeer(&master, flags).expect("the terminal's end");
        let end = || Stdio::from(slave.try_clone().expect("the terminal's end"));
        command.stdin(end()).stdout(end()).stderr(end());
        let fixed = [
            ("TERM", "xterm-256color"),
            ("LC_ALL", "C.UTF-8"),
            ("RUST_BACKTRACE", "0"),
            // The settings of whoever runs the tests are not those of the tests.
            ("DOOMTOP_CONFIG", "/dev/null"),
        ];
        let given: Vec<_> = command.get_envs().map(|(name, _)| name.to_owned()).collect();
        for (name, value) in fixed {
            if !given.iter().any(|it| it == name) {
                command.env(name, value);
            }
        }
        if !given.iter().any(|it| it == "NO_COLOR") {
            command.env_remove("NO_COLOR");
        }
        let child = command.spawn().expect("doomtop starts");
        drop(command);
        drop(slave);
        let seen = Arc::new((
            Mutex::new(Seen {
                parser: vt100::Parser::new(cells(height), cells(width), 0),
                changes: 0,
                bells: 0,
                asked: 0,
                closed: false,
            }),
            Condvar::new(),
        ));
        let master = File::from(master);
        let gone = Arc::new(AtomicBool::new(false));
        let reader = {
            let (file, seen, gone) =
                (master.try_clone().expect("a reader"), Arc::clone(&seen), Arc::clone(&gone));
            std::thread::spawn(move || read(file, &seen, &gone))
        };
        Self { master: Some(master), child, seen, gone, reader: Some(reader) }
    }

    /// Types.
    pub fn send(&mut self, keys: &str) {
        let writer = self.master.as_mut().expect("the terminal is there");
        // The end may come between two keys.
        let _ = writer.write_all(keys.as_bytes());
    }

    /// Waits for the next output, or for this long without any.
    fn settle(seen: &(Mutex<Seen>, Condvar), quiet: Duration) {
        let (lock, changed) = seen;
        let guard = lock.lock().expect("the screen");
        let before = guard.changes;
        let _ = changed.wait_timeout_while(guard, quiet, |seen| seen.changes == before);
    }

    /// Waits until the screen is as wanted.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        self.wait_until(what, |it| wanted(&it.text()));
    }

    pub fn wait_until(&self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let end = Instant::now() + DEADLINE;
        loop {
            if wanted(self) {
                return;
            }
            let closed = self.seen.0.lock().expect("the screen").closed;
            assert!(!closed || wanted(self), "it ended before {what}:\n{}", self.text());
            assert!(Instant::now() < end, "no {what} on the screen:\n{}", self.text());
            Self::settle(&self.seen, Duration::from_millis(100));
        }
    }

    /// Answers a dialog that is in view.
    pub fn answer(&mut self, key: &str, what: &str, wanted: impl Fn(&str) -> bool) {
        let end = Instant::now() + READ;
        while Instant::now() < end {
            Self::settle(&self.seen, Duration::from_millis(50));
        }
        self.press_until(key, what, wanted);
    }

    /// Presses a key until it took: a dialog leaves aside what was typed before it was seen. It is
    /// pressed once more only after the clock in the title has gone on twice: by then doomtop has read
    /// it, and it would count for something else if it took after all.
    pub fn press_until(&mut self, key: &str, what: &str, wanted: impl Fn(&str) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !wanted(&self.text()) {
            self.send(key);
            let (mut title, mut ticks) = (title(&self.text()), 0);
            while ticks < 2 && !wanted(&self.text()) {
                assert!(Instant::now() < end, "no {what}:\n{}", self.text());
                Self::settle(&self.seen, Duration::from_millis(50));
                let now = self::title(&self.text());
                ticks += u32::from(now != title);
                title = now;
            }
        }
    }

    pub fn text(&self) -> String {
        self.seen.0.lock().expect("the screen").parser.screen().contents()
    }

    /// How often the bell rang.
    pub fn bells(&self) -> usize {
        self.seen.0.lock().expect("the screen").bells
    }

    /// How often the terminal was asked for its attributes.
    pub fn asked(&self) -> usize {
        self.seen.0.lock().expect("the screen").asked
    }

    /// Waits until that many looks were shown, as the clock in the title tells.
    pub fn wait_for_looks(&self, count: usize) {
        for _ in 0..count {
            let before = title(&self.text());
            self.wait_for("another look", |text| title(text) != before);
        }
    }

    pub fn is_alternate(&self) -> bool {
        self.seen.0.lock().expect("the screen").parser.screen().alternate_screen()
    }

    /// Whether clicks are reported, and not every movement.
    pub fn reports_clicks(&self) -> bool {
        let seen = self.seen.0.lock().expect("the screen");
        seen.parser.screen().mouse_protocol_mode() == vt100::MouseProtocolMode::PressRelease
    }

    /// Clicks on the first place of a word.
    pub fn click(&mut self, word: &str) {
        let text = self.text();
        let place = text.lines().enumerate().find_map(|(y, line)| {
            let at = line.find(word)?;
            Some((line[..at].chars().count() + 1, y + 1))
        });
        let (x, y) = place.unwrap_or_else(|| panic!("{word:?} in\n{text}"));
        self.send(&format!("\x1b[<0;{x};{y}M\x1b[<0;{x};{y}m"));
    }

    /// The number of cells with a colour.
    pub fn coloured_cells(&self) -> usize {
        let seen = self.seen.0.lock().expect("the screen");
        let screen = seen.parser.screen();
        let (rows, columns) = screen.size();
        let coloured = |cell: &vt100::Cell| {
            cell.fgcolor() != vt100::Color::Default || cell.bgcolor() != vt100::Color::Default
        };
        (0..rows.get())
            .flat_map(|row| (0..columns.get()).map(move |column| (row, column)))
            .filter(|&(row, column)| screen.cell(row, column).is_some_and(coloured))
            .count()
    }

    pub fn resize(&mut self, width: u16, height: u16) {
        self.seen
            .0
            .lock()
            .expect("the screen")
            .parser
            .screen_mut()
            .set_size(cells(height), cells(width));
        let master = self.master.as_ref().expect("the terminal is there");
        tcsetwinsize(master, winsize(width, height)).expect("resized");
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to doomtop, and to nobody else.
    pub fn signal(&self, name: &str) {
        let signal: nix::sys::signal::Signal = format!("SIG{name}").parse().expect("a signal");
        let pid = nix::unistd::Pid::from_raw(self.pid() as i32);
        nix::sys::signal::kill(pid, signal).expect("signalled");
    }

    /// Waits until the kernel shows this state of it.
    pub fn wait_for_state(&self, state: char) {
        let path = format!("/proc/{}/stat", self.pid());
        let wanted = format!(") {state} ");
        self.wait_until("that state", |_| {
            std::fs::read_to_string(&path).is_ok_and(|stat| stat.contains(&wanted))
        });
    }

    /// The terminal goes away, as when its window is closed or its connection breaks.
    pub fn vanish(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader ends");
        }
        self.master = None;
    }

    /// Presses q until it ends (the first may close a list or a page); what comes back is the exit
    /// status.
    pub fn quit(&mut self) -> i32 {
        let end = Instant::now() + DEADLINE;
        while self.child.try_wait().expect("a status").is_none() {
            assert!(Instant::now() < end, "it does not end:\n{}", self.text());
            self.send("q");
            let again = Instant::now() + Duration::from_millis(400);
            while Instant::now() < again && self.child.try_wait().expect("a status").is_none() {
                Self::settle(&self.seen, Duration::from_millis(20));
            }
        }
        self.end()
    }

    /// Waits for the end; what comes back is the exit status.
    pub fn end(&mut self) -> i32 {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a status") {
                // All that it printed, to the last byte.
                if self.master.is_some() {
                    let (lock, changed) = &*self.seen;
                    let guard = lock.lock().expect("the screen");
                    let _ = changed.wait_timeout_while(guard, DEADLINE, |seen| !seen.closed);
                }
                let signal = status.signal().map(|signal| 1000 + signal);
                return status.code().or(signal).expect("a code or a signal");
            }
            assert!(Instant::now() < end, "it does not end:\n{}", self.text());
            Self::settle(&self.seen, Duration::from_millis(20));
        }
    }

    /// The terminal is as it was: normal screen, visible cursor, line mode with echo.
    pub fn assert_restored(&self) {
        self.wait_until("restored screen", |it| {
            let seen = it.seen.0.lock().expect("the screen");
            let screen = seen.parser.screen();
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        });
        if let Some(master) = &self.master {
            let modes = tcgetattr(master).expect("its modes").local_modes;
            assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO), "{modes:?}");
        }
    }
}

/// The first line, where the clock is.
fn title(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn winsize(width: u16, height: u16) -> Winsize {
    Winsize { ws_row: height, ws_col: width, ws_xpixel: 0, ws_ypixel: 0 }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a size")
}

/// Feeds the emulator until the last writer is gone, or the terminal is to vanish.
fn read(mut file: File, seen: &(Mutex<Seen>, Condvar), gone: &AtomicBool) {
    let mut buffer = [0; 8192];
    let moment = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
    loop {
        let mut fds = [PollFd::new(&file, PollFlags::IN)];
        let ready = poll(&mut fds, Some(&moment)).unwrap_or(0);
        let vanish = gone.load(Ordering::SeqCst);
        if ready == 0 && !vanish {
            continue;
        }
        let count = if vanish { 0 } else { file.read(&mut buffer).unwrap_or(0) };
        let (lock, changed) = seen;
        let mut seen = lock.lock().expect("the screen");
        if count == 0 {
            seen.closed = true;
        } else {
            seen.bells += buffer[..count].iter().filter(|&&byte| byte == 7).count();
            seen.asked += buffer[..count].windows(3).filter(|it| it == b"\x1b[c").count();
            seen.parser.process(&buffer[..count]);
        }
        seen.changes += 1;
        changed.notify_all();
        if count == 0 {
            return;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
