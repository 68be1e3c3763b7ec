//! Log files of syslog daemons and of nohang, read at each sample.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::sync::mpsc::Receiver;

use super::{MAX_LINE, daemon_line, now_ms, send, send_lines};
use crate::events::LogUpdate;
use crate::events::{DaemonLogReader, by_name};
use crate::model::{EventTime, Killer, LogLine, LogSource, SourceState};
use crate::shell::event::Inbox;

/// The files, and the daemon that writes there where it is the only one.
const FILES: [(&str, Option<Killer>); 4] = [
    ("/var/log/syslog", None),
    ("/var/log/messages", None),
    ("/var/log/daemon.log", None),
    ("/var/log/nohang/nohang.log", Some(Killer::Nohang)),
];
/// The files that are read.
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    FILES.into_iter().map(|(path, _)| path)
}

/// Bytes before the end of a file where the first reading starts.
const TAIL: u64 = 256 << 10;
/// Maximum number of bytes read from one file at a sample.
const MAX_READ: u64 = 1 << 20;

/// A file that is followed.
struct LogFile {
    path: &'static str,
    /// The only daemon that writes there.
    only: Option<Killer>,
    /// The inode, and how far it was read.
    position: Option<(u64, u64)>,
    /// The beginning of a line that is not complete yet.
    rest: Vec<u8>,
    daemons: DaemonLogReader,
}

impl LogFile {
    fn new((path, only): (&'static str, Option<Killer>)) -> Self {
        Self { path, only, position: None, rest: Vec::new(), daemons: DaemonLogReader::default() }
    }

    /// The new lines. A file that was replaced (rotated) or truncated is read from its start.
    fn read(&mut self, pass: Pass) -> io::Result<Vec<String>> {
        let metadata = fs::metadata(self.path)?;
        let (inode, size) = (metadata.ino(), metadata.len());
        let known = self.position.filter(|&(file, at)| file == inode && at <= size);
        let from = match (known, pass) {
            (Some((_, at)), _) if at == size => return Ok(Vec::new()),
            (Some((_, at)), _) => at,
            (None, Pass::First) => size.saturating_sub(TAIL),
            (None, Pass::Later) => 0,
        };
        if known.is_none() {
            self.rest.clear();
        }
        let mut file = File::open(self.path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = std::mem::take(&mut self.rest);
        let count = file.take(MAX_READ).read_to_end(&mut bytes)?;
        self.position = Some((inode, from + count as u64));
        let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let rest = bytes.split_off(end);
        // No log line is that long: it is binary data.
        self.rest = if rest.len() as u64 > MAX_LINE { Vec::new() } else { rest };
        Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
    }

    /// The kill that a line reports; and the line, if it was written since the start.
    fn take(&mut self, line: &str, pass: Pass) -> (Option<LogUpdate>, Option<LogLine>) {
        let Some((killer, stamp, text)) = syslog(line, self.only) else { return (None, None) };
        let (stamp, told) = match (pass, stamp.and_then(unix_ms)) {
            (Pass::First, stamp) => (stamp, EventTime::Clock),
            (Pass::Later, stamp) => (Some(stamp.unwrap_or_else(now_ms)), EventTime::Live),
        };
        // Any user may write a line to syslog under any name; only root writes to a daemon's own folder.
        let proven = self.only.is_some();
        let heard = self.daemons.take(killer, text);
        let Some(unix_ms) = stamp else { return (None, None) };
        let update = heard.map(|heard| LogUpdate::Daemon { unix_ms, told, heard, proven });
        let is_new = pass == Pass::Later;
        (update, is_new.then(|| daemon_line(unix_ms, killer, text, proven)).flatten())
    }
}

/// Whether lines are old or were written while doomtop runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    First,
    Later,
}

/// Reads the files at each request, until the main loop ends.
pub(super) fn follow(requested: &Receiver<()>, inbox: &Inbox) {
    let mut files = FILES.map(LogFile::new);
    let (mut pass, mut reported) = (Pass::First, None);
    while requested.recv().is_ok() {
        // Several requests in a row are one.
        while requested.try_recv().is_ok() {}
        let (mut updates, mut open, mut recorded) = (Vec::new(), Vec::new(), Vec::new());
        for file in &mut files {
            let Ok(lines) = file.read(pass) else { continue };
            open.push(file.path);
            for line in &lines {
                let (update, line) = file.take(line, pass);
                updates.extend(update);
                recorded.extend(line);
            }
        }
        let state = if open.is_empty() {
            SourceState::Closed("none that can be read".to_owned())
        } else {
            SourceState::Open(open.join(", "))
        };
        if reported.as_ref() != Some(&state) {
            updates.push(LogUpdate::Source(LogSource::Files, state.clone()));
            reported = Some(state);
        }
        pass = Pass::Later;
        if send(inbox, updates).and_then(|()| send_lines(inbox, recorded)).is_err() {
            return;
        }
    }
}

/// The daemon, time and text of a line: `Nov 21 10:00:00 host earlyoom[12]: …`, or with an RFC 3339 time.
fn syslog(line: &str, only: Option<Killer>) -> Option<(Killer, Option<&str>, &str)> {
    let (stamp, rest) = if line.as_bytes().first()?.is_ascii_digit() {
        line.split_once(' ')?
    } else {
        (line.get(..15)?, line.get(16..)?)
    };
    if let Some(killer) = only {
        // In a daemon's own log the continuation of a message has no time.
        let is_stamped = stamp.contains(':');
        return Some(if is_stamped { (killer, Some(stamp), rest) } else { (killer, None, line) });
    }
    let (_, rest) = rest.split_once(' ')?;
    let (program, text) = rest.split_once(": ")?;
    let program = program.split('[').next()?;
    Some((by_name(program)?, Some(stamp), text))
}

/// A time of a syslog file in milliseconds since 1970, UTC.
fn unix_ms(stamp: &str) -> Option<i64> {
    if let Ok(time) = stamp.parse::<jiff::Timestamp>() {
        return Some(time.as_millisecond());
    }
    // The time has no year: it is the last year in which it is not in the future.
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
    fn a_line_of_a_syslog_file_is_parsed() {
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
}
