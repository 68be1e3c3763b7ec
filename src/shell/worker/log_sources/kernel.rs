//! The kernel's log, followed at `/dev/kmsg`.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{daemon_line, now_ms, send, send_lines, send_state};
use crate::events::LogUpdate;
use crate::events::{DaemonLogReader, FramedLine, KernelLogReader, OomReport};
use crate::model::{EventTime, Killer, LogLine, LogSource, LogWriter, SourceState, Text};
use crate::shell::event::{Inbox, LoopEnded};

/// Where the kernel's log is read.
const KMSG: &str = "/dev/kmsg";
/// Maximum size of a record (`kernel/printk/printk.c`); reading into a shorter buffer fails.
const MAX_RECORD: usize = 8192;
/// Time without a line after which a report that names a victim is sent, in milliseconds.
const SETTLED_MS: i64 = 250;
/// Time without a line after which a report ends, in milliseconds: lines of the OOM reaper come until
/// then.
const ENDED_MS: i64 = 2500;
/// Lines per message while the log is read for the first time.
const LINES_PER_MESSAGE: u32 = 4096;
/// Minimum time between two messages. Where kills follow each other, the log has thousands of lines a second, and the
/// main loop has other work.
const BETWEEN_MESSAGES: Duration = Duration::from_millis(200);

/// Milliseconds on the clock that is nearest to that of the kernel's log.
fn monotonic_ms() -> i64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |time| i64::try_from(Duration::from(time).as_millis()).unwrap_or(i64::MAX))
}

/// The records, put together to reports.
struct KernelLog {
    reports: KernelLogReader,
    daemons: DaemonLogReader,
    /// The number of the report that is open or comes next.
    number: u64,
    /// Milliseconds that the time of day is ahead of the times of records.
    clock_offset: i64,
    /// Everything that was in the log at the start was read.
    live: bool,
    /// The report that was open at the start and named a victim already, by its number: that kill is not new.
    from_before: Option<u64>,
    /// The open report was sent already.
    sent: bool,
    /// When the last line arrived.
    last_line: i64,
    /// The lines about kills, for a recording.
    lines: Vec<LogLine>,
}

impl KernelLog {
    fn new() -> Self {
        Self {
            reports: KernelLogReader::that_keeps_lines(),
            daemons: DaemonLogReader::default(),
            number: 1,
            clock_offset: now_ms() - monotonic_ms(),
            live: false,
            from_before: None,
            sent: false,
            last_line: 0,
            lines: Vec::new(),
        }
    }

    const fn event_time(&self) -> EventTime {
        if self.live { EventTime::Live } else { EventTime::Stamp }
    }

    fn update(&self, report: OomReport) -> LogUpdate {
        let stamp_ms = report.stamp.uptime_us.unwrap_or(0) / 1000;
        let unix_ms = i64::try_from(stamp_ms).unwrap_or(0).saturating_add(self.clock_offset);
        let number = self.number;
        let is_old = self.from_before == Some(number);
        let told = if is_old { EventTime::Stamp } else { self.event_time() };
        LogUpdate::Report { number, unix_ms, told, report: Arc::new(report) }
    }

    /// The reports that have ended.
    fn take_ended(&mut self) -> Vec<LogUpdate> {
        let mut updates = Vec::new();
        for report in self.reports.take_finished() {
            updates.push(self.update(report));
            self.number += 1;
            self.sent = false;
        }
        updates
    }

    /// Takes a record: `priority,sequence,microseconds,flags;text`, then a line for each property
    /// (`Documentation/ABI/testing/dev-kmsg`).
    fn take(&mut self, record: &str) -> Vec<LogUpdate> {
        let line = record.lines().next().unwrap_or_default();
        let mut head = line.split(',');
        let priority: u32 = head.next().and_then(|it| it.parse().ok()).unwrap_or(0);
        let stamp_us: Option<i64> = head.nth(1).and_then(|it| it.parse().ok());
        self.last_line = now_ms();
        if let Some(us) = stamp_us.filter(|_| self.live) {
            self.clock_offset = self.last_line - us / 1000;
        }
        // The facility is not the kernel: oomd writes its kills there. Only root can write to /dev/kmsg.
        if priority >> 3 != 0 {
            let text = line.split_once(';').map_or("", |(_, text)| text);
            let unix_ms = stamp_us.map_or(self.last_line, |us| us / 1000 + self.clock_offset);
            self.lines.extend(daemon_line(unix_ms, Killer::Oomd, text, true));
            let told = self.event_time();
            let kill = self.daemons.take(Killer::Oomd, text);
            let update = kill.map(|heard| LogUpdate::Daemon { unix_ms, told, heard, proven: true });
            return update.into_iter().collect();
        }
        self.reports.take(line);
        for FramedLine { stamp, text } in self.reports.take_kept() {
            let uptime_us = stamp.uptime_us;
            let unix_ms = uptime_us.map_or(self.last_line, |us| {
                i64::try_from(us / 1000).unwrap_or(0).saturating_add(self.clock_offset)
            });
            let text = Text::new(text.as_bytes());
            self.lines.push(LogLine {
                unix_ms,
                by: LogWriter::Kernel,
                uptime_us,
                unproven: false,
                text,
            });
        }
        self.take_ended()
    }

    /// Whether there are lines about kills to send.
    const fn has_lines(&self) -> bool {
        self.live && !self.lines.is_empty()
    }

    /// The lines about kills that were written since the start.
    fn take_lines(&mut self) -> Vec<LogLine> {
        let lines = std::mem::take(&mut self.lines);
        if self.live { lines } else { Vec::new() }
    }

    /// Everything that was in the log at the start was read. A report whose last line is old has ended.
    fn go_live(&mut self) -> Vec<LogUpdate> {
        let last_us = self.reports.open_report().and_then(|open| open.last_us);
        let last_ms = last_us.map(|us| i64::try_from(us / 1000).unwrap_or(0));
        let mut ended = Vec::new();
        if last_ms.is_some_and(|ms| monotonic_ms() - ms > ENDED_MS) {
            self.reports.end_report();
            ended = self.take_ended();
        }
        if self.reports.open_report().is_some_and(|open| !open.killed.is_empty()) {
            self.from_before = Some(self.number);
        }
        // What was written before is nothing for a recording that begins now.
        self.lines.clear();
        self.live = true;
        ended
    }

    /// What to send when no line has come for a while.
    fn idle(&mut self) -> Vec<LogUpdate> {
        let Some(open) = self.reports.open_report() else { return Vec::new() };
        let silent = now_ms() - self.last_line;
        if silent >= ENDED_MS {
            self.reports.end_report();
            return self.take_ended();
        }
        if silent >= SETTLED_MS && !self.sent {
            let update = self.update(open.clone());
            self.sent = true;
            return vec![update];
        }
        Vec::new()
    }

    /// Time until [`Self::idle`] has something to do, in milliseconds; `None`: only a line brings more.
    fn timeout_ms(&self) -> Option<i64> {
        self.reports.open_report()?;
        let limit = if self.sent { ENDED_MS } else { SETTLED_MS };
        Some(limit - (now_ms() - self.last_line).clamp(0, SETTLED_MS) + 1)
    }
}

/// Follows the log until it cannot be read any more or the main loop ends.
pub(super) fn follow(inbox: &Inbox) {
    if let Err(Stopped::Unreadable(error)) = read(inbox) {
        let state = SourceState::Closed(unreadable(&error));
        let _ = send_state(inbox, LogSource::KernelLog, state);
    }
}

/// Why following stopped.
enum Stopped {
    LoopEnded,
    Unreadable(io::Error),
}

impl From<LoopEnded> for Stopped {
    fn from(_: LoopEnded) -> Self {
        Self::LoopEnded
    }
}

/// Why the log cannot be read, and what follows from that.
fn unreadable(error: &io::Error) -> String {
    let why = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "not readable (needs CAP_SYSLOG, or kernel.dmesg_restrict=0)".to_owned()
        }
        io::ErrorKind::NotFound => format!("there is no {KMSG}"),
        _ => error.to_string(),
    };
    format!("{why}: kills are only counted")
}

fn read(inbox: &Inbox) -> Result<(), Stopped> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let opened = File::options().read(true).custom_flags(flags).open(KMSG);
    let mut file = opened.map_err(Stopped::Unreadable)?;
    let mut log = KernelLog::new();
    let mut buffer = vec![0; MAX_RECORD];
    let (mut sequence, mut lines, mut updates) = (Sequence::default(), 0, Vec::new());
    let mut pace = Pace::default();
    // That the log is followed is true only when it was read once.
    let mut states = Vec::new();
    loop {
        match file.read(&mut buffer) {
            Ok(count) => {
                let record = String::from_utf8_lossy(buffer.get(..count).unwrap_or_default());
                let state = sequence.take(&record);
                if log.live { &mut updates } else { &mut states }.extend(state);
                updates.extend(log.take(&record));
                lines += 1;
                let is_due = if log.live {
                    pace.wait(Instant::now()).is_zero()
                } else {
                    lines % LINES_PER_MESSAGE == 0
                };
                if is_due {
                    send_lines(inbox, log.take_lines())?;
                    send(inbox, std::mem::take(&mut updates))?;
                    pace.sent(Instant::now());
                }
            }
            // EPIPE: records were overwritten before they were read. The number of the next one shows
            // how many.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::PIPE.raw_os_error()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if !log.live {
                    updates.append(&mut states);
                    updates.extend(log.go_live());
                    updates.extend(sequence.empty_log());
                }
                updates.extend(log.idle());
                let mut timeout = log.timeout_ms();
                if !updates.is_empty() || log.has_lines() {
                    let now = Instant::now();
                    let wait = pace.wait(now);
                    if wait.is_zero() {
                        send_lines(inbox, log.take_lines())?;
                        send(inbox, std::mem::take(&mut updates))?;
                        pace.sent(now);
                    } else {
                        let wait = i64::try_from(wait.as_millis()).unwrap_or(0) + 1;
                        timeout = Some(timeout.map_or(wait, |it| it.min(wait)));
                    }
                }
                wait(&file, timeout);
            }
            Err(error) => return Err(Stopped::Unreadable(error)),
        }
    }
}

/// Waits for a record, or until the timeout.
fn wait(file: &File, timeout_ms: Option<i64>) {
    let timeout =
        timeout_ms.map(|ms| Timespec { tv_sec: ms / 1000, tv_nsec: ms % 1000 * 1_000_000 });
    let mut fds = [PollFd::new(file, PollFlags::IN)];
    let _ = poll(&mut fds, timeout.as_ref());
}

/// When messages were sent.
#[derive(Default)]
struct Pace {
    last: Option<Instant>,
}

impl Pace {
    fn sent(&mut self, now: Instant) {
        self.last = Some(now);
    }

    /// How long the next message has to wait.
    fn wait(&self, now: Instant) -> Duration {
        self.last.map_or(Duration::ZERO, |last| {
            BETWEEN_MESSAGES.saturating_sub(now.saturating_duration_since(last))
        })
    }
}

/// The sequence numbers of records: they show what of the log is lost.
#[derive(Default)]
struct Sequence {
    next: Option<u64>,
}

impl Sequence {
    /// What the number of a record shows.
    fn take(&mut self, record: &str) -> Option<LogUpdate> {
        let number: Option<u64> = record.split(',').nth(1).and_then(|it| it.parse().ok());
        let number = number?;
        let state = match self.next.replace(number + 1) {
            Some(next) if number > next => SourceState::Lost(number - next),
            Some(_) => return None,
            None if number == 0 => SourceState::Open("followed, since boot".to_owned()),
            None => SourceState::Open(format!("followed; {number} older lines are overwritten")),
        };
        Some(LogUpdate::Source(LogSource::KernelLog, state))
    }

    /// What to report where the log held no record at the start.
    fn empty_log(&self) -> Option<LogUpdate> {
        let open = || SourceState::Open("followed".to_owned());
        self.next.is_none().then(|| LogUpdate::Source(LogSource::KernelLog, open()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_message_is_sent_at_once_and_the_next_ones_wait() {
        let (mut pace, begun) = (Pace::default(), Instant::now());
        assert_eq!(pace.wait(begun), Duration::ZERO);
        pace.sent(begun);
        assert_eq!(pace.wait(begun), BETWEEN_MESSAGES);
        let soon = begun + BETWEEN_MESSAGES / 4;
        assert_eq!(pace.wait(soon), BETWEEN_MESSAGES * 3 / 4);
        assert_eq!(pace.wait(begun + BETWEEN_MESSAGES), Duration::ZERO);
    }

    #[test]
    fn a_kill_shortly_before_the_start_is_not_told_as_new() {
        let now_us = monotonic_ms() * 1000;
        let record = |pid: i32| {
            format!(
                "6,1,{now_us},-;Out of memory: Killed process {pid} (hog) total-vm:9kB, anon-rss:8kB, \
                 file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0"
            )
        };
        let told = |updates: Vec<LogUpdate>| -> Vec<(i32, EventTime)> {
            let report = |update| match update {
                LogUpdate::Report { told, report, .. } => Some((report.killed[0].pid, told)),
                _ => None,
            };
            updates.into_iter().filter_map(report).collect()
        };
        let mut log = KernelLog::new();
        let mut updates = log.take(&record(42));
        updates.extend(log.go_live());
        // Its report is still open: lines of the reaper may follow.
        updates.extend(log.take(&format!(
            "6,2,{now_us},-;oom_reaper: reaped process 42 (hog), now anon-rss:0kB"
        )));
        let invoked = format!(
            "4,3,{now_us},-;hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
        );
        updates.extend(log.take(&invoked));
        updates.extend(log.take(&record(43)));
        log.reports.end_report();
        updates.extend(log.take_ended());
        assert_eq!(told(updates), [(42, EventTime::Stamp), (43, EventTime::Live)]);
    }

    #[test]
    fn lines_from_before_are_sent_to_no_recording() {
        let record = |line: &str| format!("6,1,1000000,-;{line}");
        let victim = "Out of memory: Killed process 42 (hog) total-vm:9kB, anon-rss:8kB, file-rss:0kB, \
                      shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0";
        let mut log = KernelLog::new();
        let _ = log.take(&record(victim));
        assert!(!log.has_lines());
        let _ = log.go_live();
        assert!(!log.has_lines() && log.take_lines().is_empty());
        let _ = log.take(&record(victim));
        assert!(log.has_lines());
        assert_eq!(log.take_lines().len(), 1);
        assert!(!log.has_lines());
    }
}
