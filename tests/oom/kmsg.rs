//! The kills that the kernel reports in `/dev/kmsg`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::param::page_size;
use serde::Serialize;

use crate::clock::{milliseconds, now};

/// Maximum length of a record; read(2) fails with a shorter buffer.
const MAX_RECORD: usize = 8192;
/// The text that the test writes to compare the clocks.
const MARK: &str = "doomtop's test compares clocks";

/// One record.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// Microseconds on the log's clock.
    pub stamp: i64,
    /// Whether the kernel wrote it: processes can write records of other facilities.
    pub kernel: bool,
    /// The text.
    pub text: String,
}

impl Record {
    /// Reads `prio,seq,usec,flags;text`, followed by lines of keys.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let whole = String::from_utf8_lossy(bytes);
        let (head, text) = whole.split_once(';')?;
        let mut fields = head.split(',');
        let priority: u32 = fields.next()?.parse().ok()?;
        let stamp = fields.nth(1)?.parse().ok()?;
        let text = text.lines().next().unwrap_or_default().to_owned();
        Some(Self { stamp, kernel: priority >> 3 == 0, text })
    }
}

/// A row of the kernel's dump of tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its process.
    pub pid: i32,
    /// Its name.
    pub name: String,
    /// Resident pages, by the counter that the killer reads.
    pub rss: i64,
    /// Pages of page table.
    pub tables: i64,
    /// Pages in swap.
    pub swap: i64,
    /// Its adj.
    pub adj: i64,
}

/// One choice of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Kill {
    /// Time of the first record of the report, on the log's clock.
    pub stamp: i64,
    /// The chosen process.
    pub pid: i32,
    /// Its name.
    pub comm: String,
    /// The allocating task. Empty if the report was rate-limited.
    pub invoker: String,
    /// The cgroup whose limit was hit.
    pub scope: Option<String>,
    /// Whether it was a cgroup's limit.
    pub in_cgroup: bool,
    /// The table, if it was printed.
    pub table: Vec<Row>,
}

/// What a record completes.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A choice.
    Chosen(Box<Kill>),
    /// A further process that was killed because of `memory.oom.group`.
    Member(i32),
}

/// Joins records to reports.
#[derive(Debug, Default)]
pub struct Reports {
    open: Option<Kill>,
    columns: Vec<String>,
    group: bool,
}

impl Reports {
    /// Records were lost: the dump is incomplete and dropped.
    fn drop_dump(&mut self) {
        self.columns.clear();
        if let Some(kill) = &mut self.open {
            kill.table.clear();
        }
    }

    /// Takes the next record.
    pub fn take(&mut self, record: &Record) -> Option<Event> {
        let text = record.text.as_str();
        if !record.kernel {
            return None;
        }
        if let Some((invoker, _)) = text.split_once(" invoked oom-killer: ") {
            self.open =
                Some(Kill { stamp: record.stamp, invoker: invoker.to_owned(), ..Kill::default() });
            self.columns.clear();
            self.group = false;
        } else if text.starts_with("Tasks in ") && text.ends_with(" memory.oom.group set") {
            self.group = true;
        } else if let Some(rest) = text.strip_prefix("oom-kill:") {
            let kill =
                self.open.get_or_insert_with(|| Kill { stamp: record.stamp, ..Kill::default() });
            kill.scope = between(rest, ",oom_memcg=", ",task_memcg=").map(str::to_owned);
        } else if let Some((prefix, rest)) = text.split_once(": Killed process ") {
            let (pid, rest) = rest.split_once(" (")?;
            let (comm, _) = rest.rsplit_once(") total-vm:")?;
            let pid = pid.parse().ok()?;
            if self.group {
                return Some(Event::Member(pid));
            }
            let open = self.open.take();
            let kill = open.unwrap_or(Kill { stamp: record.stamp, ..Kill::default() });
            return Some(Event::Chosen(Box::new(Kill {
                pid,
                comm: comm.to_owned(),
                in_cgroup: prefix.starts_with("Memory cgroup"),
                ..kill
            })));
        } else if let Some((pid, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) {
            if pid.trim() == "pid" {
                self.columns = rest.split_whitespace().map(str::to_owned).collect();
            } else if let Some(kill) = &mut self.open {
                kill.table.extend(row(rest, &self.columns));
            }
        }
        None
    }
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(from)?;
    rest.split_once(to).map(|(inside, _)| inside)
}

/// Reads a row by the names in the header: the columns differ between kernels.
fn row(text: &str, columns: &[String]) -> Option<Row> {
    let mut words = text.split_whitespace();
    let mut numbers = HashMap::new();
    for column in columns.iter().filter(|column| *column != "name") {
        let number: i64 = words.next()?.parse().ok()?;
        numbers.insert(column.as_str(), number);
    }
    let number = |name: &str| numbers.get(name).copied();
    Some(Row {
        pid: i32::try_from(number("tgid")?).ok()?,
        name: words.collect::<Vec<_>>().join(" "),
        rss: number("rss")?,
        tables: number("pgtables_bytes")? / page_size() as i64,
        swap: number("swapents")?,
        adj: number("oom_score_adj")?,
    })
}

/// The log, from now on.
pub struct Kmsg {
    file: File,
    /// Every record, unchanged.
    pub log: Vec<u8>,
    reports: Reports,
    /// How much the log's clock is ahead of CLOCK_MONOTONIC, in microseconds.
    ahead: i64,
    /// Maximum error of `ahead`, in microseconds.
    error: i64,
}

impl Kmsg {
    /// Opens the log at its end.
    pub fn open() -> io::Result<Self> {
        let mut file = File::options()
            .read(true)
            .write(true)
            .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
            .open("/dev/kmsg")?;
        file.seek(SeekFrom::End(0))?;
        let (log, reports) = (Vec::new(), Reports::default());
        Ok(Self { file, log, reports, ahead: 0, error: 0 })
    }

    /// The next record. Waits at most `wait` milliseconds.
    fn record(&mut self, wait: u64) -> io::Result<Option<Record>> {
        let mut buffer = [0; MAX_RECORD];
        for wait in [wait, 0] {
            match self.file.read(&mut buffer) {
                Ok(count) => {
                    self.log.extend_from_slice(&buffer[..count]);
                    return Ok(Record::parse(&buffer[..count]));
                }
                // EPIPE: records were overwritten before they were read; the next read continues after them.
                Err(error) if error.raw_os_error() == Some(32) => self.reports.drop_dump(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut fds = [PollFd::new(&self.file, PollFlags::IN)];
                    let _ = poll(&mut fds, Some(&milliseconds(wait)));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The next event. Waits at most `wait` milliseconds for each record.
    pub fn event(&mut self, wait: u64) -> io::Result<Option<Event>> {
        while let Some(record) = self.record(wait)? {
            if let Some(event) = self.reports.take(&record) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Compares the log's clock with CLOCK_MONOTONIC. Drops what is in the log now.
    pub fn compare_clocks(&mut self) -> io::Result<()> {
        while self.event(0)?.is_some() {}
        let before = now();
        // Without a line end the record stays open and is not shown.
        self.file.write_all(format!("{MARK}\n").as_bytes())?;
        let after = now();
        while let Some(record) = self.record(1000)? {
            if !record.kernel && record.text == MARK {
                self.ahead = record.stamp - i64::midpoint(before, after);
                self.error = (after - before) / 2 + 1;
                return Ok(());
            }
        }
        Err(io::Error::other("the log does not show what was written to it"))
    }

    /// The earliest time on CLOCK_MONOTONIC that this stamp may mean.
    pub fn moment(&self, stamp: i64) -> i64 {
        stamp - self.ahead - self.error
    }
}
