//! A saved log, read as a stream: only a few reports are held at a time.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use super::entries::Entries;
use super::unpacked::unpacked;
use crate::events::{HeardKill, KernelLogReader, LogEntry, OomReport, is_about_oom, is_reversed};
use crate::words::daemon_kill::is_same;

/// Bytes of the log from its first line about an OOM that are looked at for the order of its lines.
const SAMPLE: usize = 2 << 20;
/// Maximum size of a log that is read from its end, in bytes.
const MAX_REVERSED: usize = 256 << 20;

/// What a log tells of.
pub(super) enum LogItem {
    /// A report of the kernel.
    Report(Box<OomReport>),
    /// A kill by a daemon.
    Daemon(Box<HeardKill>),
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct ReadLog {
    pub(super) lines: u64,
    pub(super) items: u64,
    /// What the reader of the explanation must know about the reading.
    pub(super) notes: Vec<&'static str>,
}

/// Reads the log, and gives each thing that it tells to `take`.
///
/// # Errors
/// The log cannot be read, or what it tells not be taken.
pub(super) fn read_log(
    log: impl BufRead,
    take: &mut dyn FnMut(LogItem) -> io::Result<()>,
) -> io::Result<ReadLog> {
    let (plain, unpacking) = unpacked(log)?;
    let mut entries = Entries::new(plain);
    let mut told = Teller { take, heard: VecDeque::new(), read: ReadLog::default() };
    let mut reader = KernelLogReader::default();
    // What stands before the first line about an OOM means the same in both orders.
    let mut sample: Vec<LogEntry> = Vec::new();
    while sample.is_empty() {
        match entries.next()? {
            Some(entry) if is_about_oom(&entry.text) => sample.push(entry),
            Some(entry) => reader.take_entry(&entry),
            None => break,
        }
    }
    let mut size = 0;
    while !sample.is_empty() && size < SAMPLE {
        let Some(entry) = entries.next()? else { break };
        size += entry.text.len();
        sample.push(entry);
    }
    if is_reversed(&sample) == Some(true) {
        while let Some(entry) = entries.next()? {
            size += entry.text.len() + size_of::<LogEntry>();
            if size > MAX_REVERSED {
                told.read.notes.push("its newest line comes first: only the newest 256M were read");
                break;
            }
            sample.push(entry);
        }
        told.read.notes.push("its newest line comes first: it was read from its end");
        for entry in sample.iter().rev() {
            reader.take_entry(entry);
        }
    } else {
        for entry in sample.drain(..) {
            reader.take_entry(&entry);
            told.settled(&mut reader)?;
        }
        while let Some(entry) = entries.next()? {
            reader.take_entry(&entry);
            told.settled(&mut reader)?;
        }
    }
    reader.end();
    told.heard.extend(reader.take_heard());
    for report in reader.take_finished() {
        told.report(report)?;
    }
    told.daemons(u64::MAX)?;
    told.read.lines = entries.lines;
    told.read.notes.extend(unpacking.cut());
    Ok(told.read)
}

/// Gives on what is complete.
struct Teller<'a> {
    take: &'a mut dyn FnMut(LogItem) -> io::Result<()>,
    /// Kills of daemons that stand behind the reports given on so far.
    heard: VecDeque<HeardKill>,
    read: ReadLog,
}

impl Teller<'_> {
    fn settled(&mut self, reader: &mut KernelLogReader) -> io::Result<()> {
        for report in reader.take_settled() {
            self.heard.extend(reader.take_heard());
            self.report(report)?;
        }
        Ok(())
    }

    fn report(&mut self, report: OomReport) -> io::Result<()> {
        self.daemons(report.lines.0)?;
        self.read.items += 1;
        (self.take)(LogItem::Report(Box::new(report)))
    }

    /// The kills of daemons before this line.
    fn daemons(&mut self, before: u64) -> io::Result<()> {
        while self.heard.front().is_some_and(|it| it.line < before) {
            let Some(mut heard) = self.heard.pop_front() else { break };
            // systemd reports the kill of systemd-oomd once more, for the unit.
            if let Some(at) = self.heard.iter().take(4).position(|next| is_same(&heard, next)) {
                heard.kill.processes = self.heard.remove(at).and_then(|it| it.kill.processes);
            }
            self.read.items += 1;
            (self.take)(LogItem::Daemon(Box::new(heard)))?;
        }
        Ok(())
    }
}
