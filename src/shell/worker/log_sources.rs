//! The threads that listen: to the kernel's log, to the journal, and to the files of logs. Nobody waits
//! for them, and what cannot be heard is said.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;

use crate::app::Msg;
use crate::app::incident::timeline::LogUpdate;
use crate::events::{DaemonLogReader, KernelLogReader, by_name};
use crate::model::{EventTime, Killer, LogSource, SourceState};
use crate::shell::tui::Event;

/// Listens as long as it is held.
pub(crate) struct LogSources {
    /// Dropped with it: the thread that reads files ends.
    files: Option<Sender<()>>,
    journal: Option<Child>,
}

impl LogSources {
    /// Starts to listen.
    pub(crate) fn start(inbox: &Sender<Event>) -> Self {
        let kernel = inbox.clone();
        spawn("kernel log", move || listen_to_kernel(&kernel));
        let (files, asked) = channel();
        let told = inbox.clone();
        let files = spawn("log files", move || follow_files(&asked, &told)).then_some(files);
        Self { files, journal: start_journal(inbox) }
    }

    /// A look is taken: what was written since is read.
    pub(crate) fn sample(&mut self) {
        if let Some(files) = &self.files {
            let _ = files.send(());
        }
        // One that ended leaves nothing behind.
        if let Some(child) = &mut self.journal
            && !matches!(child.try_wait(), Ok(None))
        {
            self.journal = None;
        }
    }
}

impl Drop for LogSources {
    fn drop(&mut self) {
        if let Some(mut child) = self.journal.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> bool {
    thread::Builder::new().name(name.to_owned()).spawn(work).is_ok()
}

fn tell(inbox: &Sender<Event>, news: Vec<LogUpdate>) -> Result<(), ()> {
    if news.is_empty() {
        return Ok(());
    }
    inbox.send(Event::Told(Msg::Log(news))).map_err(drop)
}

/// Milliseconds since 1970, UTC.
fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// Milliseconds on the clock that the kernel's log comes nearest to.
fn monotonic_ms() -> i64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |time| time.tv_sec().saturating_mul(1000) + time.tv_nsec() / 1_000_000)
}

/// Where the kernel's log is read.
const KMSG: &str = "/dev/kmsg";
/// A record is at most 8 KiB (`kernel/printk/printk.c`); with a shorter buffer it would be lost.
const RECORD: usize = 8192;
/// A report that was decided is told after so long without a line, in milliseconds.
const SETTLED: i64 = 250;
/// And ends after so long: what the reaper did comes until then.
const STALE: i64 = 2500;
/// What was in the log already is told in portions of so many lines.
const PORTION: u32 = 4096;

/// A report in the making, and how its time is told.
struct Kernel {
    reader: KernelLogReader,
    daemons: DaemonLogReader,
    /// The number of the report that is open or comes next.
    number: u64,
    /// What the clock on the wall is ahead of the log's.
    ahead: i64,
    /// Everything that was in the log at the start was read.
    live: bool,
    /// The open report was told of already.
    told: bool,
    last: i64,
}

impl Kernel {
    fn news(&self, number: u64, report: crate::events::OomReport) -> LogUpdate {
        let stamp = report.stamp.uptime_us.unwrap_or(0) / 1000;
        let unix_ms = i64::try_from(stamp).unwrap_or(0).saturating_add(self.ahead);
        let told = if self.live { EventTime::Live } else { EventTime::Stamp };
        LogUpdate::Report { number, unix_ms, told, report: Arc::new(report) }
    }

    /// The reports that have ended.
    fn ended(&mut self) -> Vec<LogUpdate> {
        let mut news = Vec::new();
        for report in self.reader.take_finished() {
            news.push(self.news(self.number, report));
            self.number += 1;
            self.told = false;
        }
        news
    }

    /// Takes a record.
    fn take(&mut self, record: &str) -> Vec<LogUpdate> {
        // Behind it stand its properties, a line each.
        let line = record.lines().next().unwrap_or_default();
        let mut head = line.split(',');
        let priority: u32 = head.next().and_then(|it| it.parse().ok()).unwrap_or(0);
        let stamp: Option<i64> = head.nth(1).and_then(|it| it.parse().ok());
        self.last = now_ms();
        if let Some(us) = stamp.filter(|_| self.live) {
            self.ahead = self.last - us / 1000;
        }
        // oomd writes a line of its own there; no other user's line counts.
        if priority >> 3 != 0 {
            let said = line.split_once(';').map_or("", |(_, text)| text);
            let heard = self.daemons.take(Killer::Oomd, said);
            let told = if self.live { EventTime::Live } else { EventTime::Stamp };
            let unix_ms = stamp.map_or(self.last, |us| us / 1000 + self.ahead);
            return heard
                .map(|heard| LogUpdate::Daemon { unix_ms, told, heard, proven: true })
                .into_iter()
                .collect();
        }
        self.reader.take(line);
        self.ended()
    }

    /// What is to be told where no line came for a while.
    fn quiet(&mut self) -> Vec<LogUpdate> {
        let Some(open) = self.reader.open_report() else { return Vec::new() };
        let silent = now_ms() - self.last;
        if silent >= STALE {
            self.reader.end_report();
            return self.ended();
        }
        if silent >= SETTLED && !self.told {
            let news = self.news(self.number, open.clone());
            self.told = true;
            return vec![news];
        }
        Vec::new()
    }

    /// How long nothing has to be done, in milliseconds; nothing where only a line brings more.
    fn patience(&self) -> Option<i64> {
        self.reader.open_report()?;
        Some(if self.told { STALE } else { SETTLED } - (now_ms() - self.last).clamp(0, SETTLED) + 1)
    }
}

/// Why the log cannot be opened, and what follows.
fn refused(error: &io::Error) -> String {
    let why = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "not readable (needs CAP_SYSLOG, or kernel.dmesg_restrict=0)".to_owned()
        }
        io::ErrorKind::NotFound => "there is none here".to_owned(),
        _ => error.to_string(),
    };
    format!("{why}: kills are only counted")
}

fn listen_to_kernel(inbox: &Sender<Event>) {
    let closed = |error: &io::Error| {
        let _ = tell(
            inbox,
            vec![LogUpdate::Ear(LogSource::KernelLog, SourceState::Closed(refused(error)))],
        );
    };
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let opened = File::options().read(true).custom_flags(flags).open(KMSG);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) => return closed(&error),
    };
    let mut kernel = Kernel {
        reader: KernelLogReader::default(),
        daemons: DaemonLogReader::default(),
        number: 1,
        ahead: now_ms() - monotonic_ms(),
        live: false,
        told: false,
        last: 0,
    };
    let mut buffer = vec![0; RECORD];
    let (mut next, mut lines, mut news) = (None::<u64>, 0, Vec::new());
    loop {
        let done = match file.read(&mut buffer) {
            Ok(count) => {
                let record = String::from_utf8_lossy(buffer.get(..count).unwrap_or_default());
                let seq: Option<u64> = record.split(',').nth(1).and_then(|it| it.parse().ok());
                match (next, seq) {
                    (Some(next), Some(seq)) if seq > next => {
                        news.push(LogUpdate::Ear(
                            LogSource::KernelLog,
                            SourceState::Lost(seq - next),
                        ));
                    }
                    (None, Some(seq)) => {
                        let how = if seq == 0 {
                            "followed, since boot".to_owned()
                        } else {
                            format!("followed; {seq} older lines are overwritten")
                        };
                        news.push(LogUpdate::Ear(LogSource::KernelLog, SourceState::Open(how)));
                    }
                    _ => {}
                }
                next = seq.map(|seq| seq + 1).or(next);
                news.extend(kernel.take(&record));
                lines += 1;
                if lines % PORTION == 0 { tell(inbox, std::mem::take(&mut news)) } else { Ok(()) }
            }
            // Overwritten before it was read: the number of the next record tells how much.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::PIPE.raw_os_error()) => {
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if !kernel.live {
                    // A report of long ago has nothing more to come.
                    let now = monotonic_ms();
                    let old = kernel.reader.open_report().and_then(|open| open.last_us);
                    if old.is_some_and(|us| now - i64::try_from(us / 1000).unwrap_or(0) > STALE) {
                        kernel.reader.end_report();
                        news.extend(kernel.ended());
                    }
                    if next.is_none() {
                        let how = SourceState::Open("followed".to_owned());
                        news.push(LogUpdate::Ear(LogSource::KernelLog, how));
                    }
                    kernel.live = true;
                }
                news.extend(kernel.quiet());
                let told = tell(inbox, std::mem::take(&mut news));
                let wait = kernel
                    .patience()
                    .map(|ms| Timespec { tv_sec: ms / 1000, tv_nsec: ms % 1000 * 1_000_000 });
                let mut fds = [PollFd::new(&file, PollFlags::IN)];
                let _ = poll(&mut fds, wait.as_ref());
                told
            }
            Err(error) => return closed(&error),
        };
        if done.is_err() {
            return;
        }
    }
}

/// Where the program that reads the journal is looked for.
const JOURNALCTL: [&str; 4] = [
    "/usr/bin/journalctl",
    "/bin/journalctl",
    "/usr/local/bin/journalctl",
    "/run/current-system/sw/bin/journalctl",
];
/// Longer lines are cut: those that are understood never are.
const LINE: u64 = 64 << 10;

/// Starts the program that follows the journal: a fixed list of arguments, and no environment of ours.
fn start_journal(inbox: &Sender<Event>) -> Option<Child> {
    let closed = |why: &str| {
        let news = vec![LogUpdate::Ear(LogSource::Journal, SourceState::Closed(why.to_owned()))];
        let _ = tell(inbox, news);
    };
    let Some(program) = JOURNALCTL.into_iter().find(|path| Path::new(path).exists()) else {
        closed("there is no journalctl here");
        return None;
    };
    let started = Command::new(program)
        .args(["--follow", "--lines=200", "--output=json", "--no-pager", "--quiet"])
        .args(["--identifier=systemd-oomd", "--identifier=earlyoom"])
        .args(["--identifier=nohang", "--identifier=nohang-desktop", "--identifier=oomd"])
        .env_clear()
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => {
            closed(&format!("{program}: {error}"));
            return None;
        }
    };
    let out = child.stdout.take()?;
    let told = inbox.clone();
    spawn("journal", move || follow_journal(out, &told));
    Some(child)
}

fn follow_journal(out: ChildStdout, inbox: &Sender<Event>) {
    let open = SourceState::Open("followed".to_owned());
    if tell(inbox, vec![LogUpdate::Ear(LogSource::Journal, open)]).is_err() {
        return;
    }
    let (mut out, mut line) = (BufReader::new(out), Vec::new());
    let (mut daemons, begun) = (DaemonLogReader::default(), now_ms());
    loop {
        line.clear();
        match out.by_ref().take(LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let news = entry(&line, begun, &mut daemons);
        if tell(inbox, news).is_err() {
            return;
        }
    }
    let closed = SourceState::Closed("not readable, or journalctl ended".to_owned());
    let _ = tell(inbox, vec![LogUpdate::Ear(LogSource::Journal, closed)]);
}

/// Users of the machine itself are below this one.
const USERS: u32 = 1000;
/// And those that systemd makes for a unit (`DynamicUser=`) are in here.
const DYNAMIC: std::ops::RangeInclusive<u32> = 61_184..=65_519;

/// Whether an entry is the daemon's that it names, by what the journal itself knows of its writer
/// (`man systemd.journal-fields`): anybody may call himself as he likes (`logger -t`), and a program, too.
fn is_by<'a>(by: Killer, text: impl Fn(&str) -> Option<&'a str>) -> bool {
    let Some(uid) = text("_UID").and_then(|uid| uid.parse::<u32>().ok()) else { return false };
    let fits = |name: &str| by_name(name) == Some(by);
    let unit = text("_SYSTEMD_UNIT").and_then(|unit| unit.strip_suffix(".service"));
    let program = text("_EXE").and_then(|path| path.rsplit('/').next());
    match uid {
        0 => [unit, program, text("_COMM")].into_iter().flatten().any(fits),
        // A service that was broken into may run what it likes, but not leave its unit.
        uid => (uid < USERS || DYNAMIC.contains(&uid)) && unit.is_some_and(fits),
    }
}

/// What an entry of the journal tells, as JSON; of what is cut, nothing.
fn entry(line: &[u8], begun: i64, daemons: &mut DaemonLogReader) -> Vec<LogUpdate> {
    let Ok(Value::Object(entry)) = serde_json::from_slice(line) else { return Vec::new() };
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let Some(by) = text("SYSLOG_IDENTIFIER").and_then(by_name) else { return Vec::new() };
    if !is_by(by, text) {
        return Vec::new();
    }
    let stamp = text("__REALTIME_TIMESTAMP").and_then(|us| us.parse::<i64>().ok());
    let unix_ms = stamp.map_or_else(now_ms, |us| us / 1000);
    let told = if unix_ms >= begun { EventTime::Live } else { EventTime::Clock };
    // What is no text stands there as the numbers of its bytes.
    let said = match entry.get("MESSAGE") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(bytes)) => {
            let bytes = bytes.iter().filter_map(|it| u8::try_from(it.as_u64()?).ok());
            String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
        }
        _ => return Vec::new(),
    };
    let heard = said.lines().filter_map(|line| daemons.take(by, line));
    heard.map(|heard| LogUpdate::Daemon { unix_ms, told, heard, proven: true }).collect()
}

/// Files of logs, and the daemon that writes there where it is only one.
const FILES: [(&str, Option<Killer>); 4] = [
    ("/var/log/syslog", None),
    ("/var/log/messages", None),
    ("/var/log/daemon.log", None),
    ("/var/log/nohang/nohang.log", Some(Killer::Nohang)),
];
/// So much of the end of a file is read at first.
const TAIL: u64 = 256 << 10;
/// So much is read of one at a look.
const AT_ONCE: u64 = 1 << 20;

/// A file that is followed.
struct Followed {
    path: &'static str,
    only: Option<Killer>,
    /// Its file, by number, and how far it was read.
    at: Option<(u64, u64)>,
    /// A line that goes on.
    rest: Vec<u8>,
    daemons: DaemonLogReader,
}

impl Followed {
    /// The lines that are new. A file that was changed for another one (rotated) or cut is begun anew.
    fn read(&mut self, first: bool) -> io::Result<Vec<String>> {
        let about = fs::metadata(self.path)?;
        let known = self.at.filter(|&(file, at)| file == about.ino() && at <= about.len());
        let from = match known {
            Some((_, at)) => at,
            None if first => about.len().saturating_sub(TAIL),
            None => 0,
        };
        if known.is_none() {
            self.rest.clear();
        }
        if known.is_some() && from == about.len() {
            return Ok(Vec::new());
        }
        let mut file = File::open(self.path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = std::mem::take(&mut self.rest);
        let count = file.take(AT_ONCE).read_to_end(&mut bytes)?;
        self.at = Some((about.ino(), from + count as u64));
        let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let rest = bytes.split_off(end);
        // A line without an end is none.
        self.rest = if rest.len() as u64 > LINE { Vec::new() } else { rest };
        Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
    }
}

fn follow_files(asked: &Receiver<()>, inbox: &Sender<Event>) {
    let mut all: Vec<Followed> = FILES
        .into_iter()
        .map(|(path, only)| Followed {
            path,
            only,
            at: None,
            rest: Vec::new(),
            daemons: DaemonLogReader::default(),
        })
        .collect();
    let (mut first, mut said) = (true, None);
    while asked.recv().is_ok() {
        // Of several looks in a row only the last one counts.
        while !matches!(asked.try_recv(), Err(TryRecvError::Empty | TryRecvError::Disconnected)) {}
        let (mut news, mut open) = (Vec::new(), Vec::new());
        for file in &mut all {
            let Ok(lines) = file.read(first) else { continue };
            open.push(file.path);
            for line in lines {
                let Some((by, stamp, text)) = syslog(&line, file.only) else { continue };
                let Some(heard) = file.daemons.take(by, text) else { continue };
                let (unix_ms, told) = match stamp.and_then(unix_ms) {
                    Some(unix_ms) if first => (unix_ms, EventTime::Clock),
                    _ if first => continue,
                    stamp => (stamp.unwrap_or_else(now_ms), EventTime::Live),
                };
                // Who logs to a syslog file says himself who he is; a daemon's own folder is root's.
                let proven = file.only.is_some();
                news.push(LogUpdate::Daemon { unix_ms, told, heard, proven });
            }
        }
        let hearing = if open.is_empty() {
            SourceState::Closed("none that can be read".to_owned())
        } else {
            SourceState::Open(open.join(", "))
        };
        if said.as_ref() != Some(&hearing) {
            news.push(LogUpdate::Ear(LogSource::Files, hearing.clone()));
            said = Some(hearing);
        }
        first = false;
        if tell(inbox, news).is_err() {
            return;
        }
    }
}

/// Who wrote a line of a syslog file, when, and what: `Nov 21 10:00:00 host earlyoom[12]: …`, or with an
/// RFC 3339 time.
fn syslog(line: &str, only: Option<Killer>) -> Option<(Killer, Option<&str>, &str)> {
    let (stamp, rest) = if line.as_bytes().first()?.is_ascii_digit() {
        line.split_once(' ')?
    } else {
        (line.get(..15)?, line.get(16..)?)
    };
    if let Some(by) = only {
        // Its own log: a line may go on without a time.
        let stamped = stamp.contains(':');
        return Some(if stamped { (by, Some(stamp), rest) } else { (by, None, line) });
    }
    let (_, rest) = rest.split_once(' ')?;
    let (program, text) = rest.split_once(": ")?;
    let program = program.split('[').next()?;
    Some((by_name(program)?, Some(stamp), text))
}

/// A time of a syslog file as milliseconds since 1970, UTC.
fn unix_ms(stamp: &str) -> Option<i64> {
    if let Ok(time) = stamp.parse::<jiff::Timestamp>() {
        return Some(time.as_millisecond());
    }
    // No year stands there: it is the last one in which that was not to come.
    let now = jiff::Zoned::now();
    let year = now.year();
    [year, year - 1].into_iter().find_map(|year| {
        let text = format!("{year} {stamp}");
        let time = jiff::civil::DateTime::strptime("%Y %b %d %H:%M:%S", &text).ok()?;
        let time = time.to_zoned(now.time_zone().clone()).ok()?.timestamp();
        (time.as_second() <= now.timestamp().as_second() + 86_400).then(|| time.as_millisecond())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_syslog_files_are_taken_apart() {
        let old = "Nov  1 10:00:00 host earlyoom[12]: sending x: y";
        assert_eq!(
            syslog(old, None),
            Some((Killer::Earlyoom, Some("Nov  1 10:00:00"), "sending x: y"))
        );
        let new = "2026-11-21T10:00:00.123456+00:00 host systemd-oomd[1]: Killed /a";
        let stamp = "2026-11-21T10:00:00.123456+00:00";
        assert_eq!(syslog(new, None), Some((Killer::SystemdOomd, Some(stamp), "Killed /a")));
        assert_eq!(unix_ms(stamp), Some(1_795_255_200_123));
        for line in ["", "x", "Nov  1 10:00:00 host sshd[1]: Killed /a", "é".repeat(20).as_str()] {
            assert_eq!(syslog(line, None), None, "{line}");
        }
    }

    #[test]
    fn entries_of_the_journal_are_understood_or_left() {
        let line = br#"{"SYSLOG_IDENTIFIER":"systemd-oomd","_UID":"998",
            "_SYSTEMD_UNIT":"systemd-oomd.service","__REALTIME_TIMESTAMP":"1795255200123456",
            "MESSAGE":"Killed /a/b.scope due to memory pressure for /a being 60% > 50%"}"#;
        let news = entry(line, 0, &mut DaemonLogReader::default());
        assert!(
            matches!(&news[..], [LogUpdate::Daemon { unix_ms: 1_795_255_200_123, .. }]),
            "{news:?}"
        );
        for line in [&b"{"[..], b"[]", b"{\"SYSLOG_IDENTIFIER\":1}", b"\xff", &line[..90]] {
            assert!(entry(line, 0, &mut DaemonLogReader::default()).is_empty());
        }
    }

    #[test]
    fn who_only_calls_himself_a_daemon_is_not_believed() {
        let tells = |writer: &str| {
            let line = format!(
                r#"{{"SYSLOG_IDENTIFIER":"earlyoom","MESSAGE":"Killing process 17 a"{writer}}}"#
            );
            !entry(line.as_bytes(), 0, &mut DaemonLogReader::default()).is_empty()
        };
        for daemon in [
            r#","_UID":"0","_COMM":"earlyoom""#,
            r#","_UID":"0","_COMM":"x","_EXE":"/usr/bin/earlyoom""#,
            r#","_UID":"61234","_COMM":"earlyoom","_SYSTEMD_UNIT":"earlyoom.service""#,
            r#","_UID":"997","_SYSTEMD_UNIT":"earlyoom.service""#,
        ] {
            assert!(tells(daemon), "{daemon}");
        }
        for other in [
            "",
            r#","_UID":"1000","_COMM":"logger","_SYSTEMD_UNIT":"session-3.scope""#,
            r#","_UID":"1000","_COMM":"earlyoom","_EXE":"/tmp/earlyoom""#,
            r#","_UID":"1000","_SYSTEMD_UNIT":"user@1000.service","_SYSTEMD_USER_UNIT":"earlyoom.service""#,
            r#","_UID":"0","_COMM":"logger","_SYSTEMD_UNIT":"session-3.scope""#,
            r#","_UID":"33","_COMM":"earlyoom","_SYSTEMD_UNIT":"apache2.service""#,
            r#","_UID":"-1","_COMM":"earlyoom""#,
            r#","_UID":0,"_COMM":"earlyoom""#,
        ] {
            assert!(!tells(other), "{other}");
        }
    }
}
