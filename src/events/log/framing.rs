//! Separates the timestamp and the origin of a log line from its text: `dmesg`, `journalctl`, syslog of
//! any kind, `/dev/kmsg`, and any framing around the kernel's words ([`marker`]).
//!
//! In the forms that name the program, only lines of the kernel and of userspace killers come out.

use std::sync::LazyLock;

use regex::Regex;

use crate::events::log::daemon::by_saved_name;
use crate::events::log::marker;
use crate::model::{Killer, neutral, unescape};

/// When a line was written. `dmesg` without `-T` counts from boot, syslog names the date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogTimestamp {
    /// As the log writes it.
    pub text: String,
    /// Microseconds since boot, if the timestamp counts from boot.
    pub uptime_us: Option<u64>,
}

/// A time with its date and zone, as RFC 3339 and as `journalctl -o short-iso` write it.
static ZONED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let time = "([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9:]{8}(?:[.,][0-9]{1,9})?)";
    Regex::new(&format!("^{time} ?(Z|[+-][0-9]{{2}}:?[0-9]{{2}})$")).ok()
});

/// Times in microseconds since 1970 have at least so many digits (from September 2001 on), and at most so many.
const MICROSECONDS: (usize, usize) = (16, 17);

impl LogTimestamp {
    /// The time as RFC 3339, where the log tells date and zone: of the journal, whose fields count microseconds since
    /// 1970, in UTC.
    #[must_use]
    pub fn rfc3339(&self) -> Option<String> {
        let text = self.text.trim();
        if (MICROSECONDS.0..=MICROSECONDS.1).contains(&text.len())
            && text.bytes().all(|it| it.is_ascii_digit())
        {
            return text.parse().ok().map(utc);
        }
        let parts = ZONED.as_ref()?.captures(text)?;
        let mut zone = parts[3].to_owned();
        if zone.len() == 5 {
            zone.insert(3, ':');
        }
        Some(format!("{}T{}{zone}", &parts[1], parts[2].replace(',', ".")))
    }

    /// The time for a reader: in the words of the log, but no bare number of microseconds since 1970.
    #[must_use]
    pub fn shown(&self) -> String {
        let is_number = self.text.bytes().all(|it| it.is_ascii_digit());
        self.rfc3339().filter(|_| is_number).unwrap_or_else(|| self.text.clone())
    }
}

/// A time in microseconds since 1970 as RFC 3339, UTC. The days are counted from the 1st of March of the year 0, so that
/// a leap day is the last one of its year.
fn utc(unix_us: u64) -> String {
    let (seconds, micros) = (unix_us / 1_000_000, unix_us % 1_000_000);
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// A line of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FramedLine {
    /// When it was written.
    pub stamp: LogTimestamp,
    /// The text; a record of `/dev/kmsg` may hold several lines.
    pub text: String,
}

/// Who wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineWriter {
    Kernel,
    Daemon(Killer),
    Other,
}

/// A line taken apart.
#[derive(Clone, Debug)]
pub(super) struct LogRecord {
    pub writer: LineWriter,
    pub stamp: LogTimestamp,
    /// The thread or CPU that wrote it (CONFIG_PRINTK_CALLER).
    pub caller: Option<String>,
    pub text: String,
    /// The framing ends where the kernel's words begin; otherwise the words may begin later.
    pub exact: bool,
}

/// Maximum length of a record in bytes (`kernel/printk/printk.c`: 8192 before 6.x, 1024 of text today).
const MAX_RECORD: usize = 8192;

/// Takes lines apart. It remembers a record of `/dev/kmsg` that the next record continues.
#[derive(Debug, Default)]
pub struct Framer {
    /// The record that the next one may continue.
    begun: Option<FramedLine>,
}

// printk.c msg_print_ext_header: prio,seq,usec,flags[,more];text
pattern!(KMSG, ";", r"^(\d+),\d+,(\d+),([^,;]*)(?:,([^;]*))?;(.*)$");
// dmesg, with -x, -r, caller ids, -T; journalctl -o short-monotonic.
pattern!(
    BRACKETS,
    "[",
    r"^(?:<(\d+)>)?(?:([a-z0-9]+) *:[a-z]+ *: ?)?\[([^\]]*\d[:.]\d[^\]]*)\](?:\[ *([TC]\d+)\])? ?(.*)$"
);
pattern!(ISO, "-", r"^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*) (.*)$");
pattern!(SHORT, ":", r"^([A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d(?:\.\d+)?) (\S+ .*)$");
pattern!(FULL, ":", r"^([A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \S+) (\S+ .*)$");
pattern!(UNIX, ".", r"^(\d{9,}\.\d+) (\S+ .*)$");
// Between time and text the journal and syslog write host and program.
pattern!(PROGRAM, ":", r"^\S+ ([^\s:\[]+)(?:\[\d+\])?: ?(.*)$");
pattern!(UPTIME, "[", r"^\[ *(\d+)\.(\d{6})\](?:\[ *([TC]\d+)\])? ?(.*)$");
// Any other framing: a program with its pid, a facility of syslog, a time.
pattern!(PID_TAG, "]:", r"(?:^|[\s>:])([A-Za-z_][\w.@/-]*)\[\d+\]:(?:\s|$)");
pattern!(
    FACILITY,
    ".",
    r"\b(user|mail|daemon|auth|authpriv|syslog|lpr|news|uucp|cron|ftp|local[0-7])\.(?:emerg|alert|crit|err|error|warn|warning|notice|info|debug)\b"
);
pattern!(
    TIME,
    ":",
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\s\]]*|(?:\S+ )?\S{1,12} +\d{1,2} \d\d:\d\d:\d\d(?:[.,]\d+)?(?: \d{4})?|\d\d-\d\d \d\d:\d\d:\d\d\S*"
);
pattern!(BOOT, "[", r"\[ *(\d{1,9})\.(\d{6})\](?:\[ *([TC]\d+)\])?");
// RFC 3164: the priority stands before the time.
pattern!(PRIORITY, "<", r"^<(\d{1,3})>(.*)$");
// RFC 5424: priority, version, time, host, program, process, message, structured data.
pattern!(RFC5424, ">1 ", r"^<(\d+)>1 (\S+) \S+ (\S+) \S+ \S+ (?:-|(?:\[[^\]]*\])+) ?(.*)$");
// busybox and OpenWrt name the facility as well.
pattern!(LEVEL, ".", r"^(?:\S+ )?kern\.[a-z]+ kernel: ?(.*)$");
// What may stand between a time with a host and the kernel's words where no program is named.
pattern!(
    UNNAMED,
    "",
    r"^(?:\S+ )?(?:(?:stdout|stderr) [FP] |[a-z]+\.[a-z]+ |\[[^\]]*\]:? ?|- |\d+ |<\d+> ?)*$"
);
// Marks of quoted mail, of diffs and of tables.
static QUOTE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^(?:[>|+*]+ ?)*\s*").ok());
// Colours: ECMA-48 sequences, also as rsyslog writes the escape.
static COLOUR: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("(?:\u{1b}|#033|\\^\\[)\\[[0-9;]*[mK]").ok());

/// A line without its colours; they may stand in the middle of the kernel's words.
pub(super) fn without_colours(line: &str) -> std::borrow::Cow<'_, str> {
    if line.contains('\u{1b}') || line.contains("#033[") || line.contains("^[[") {
        COLOUR.as_ref().map_or(line.into(), |it| it.replace_all(line, ""))
    } else {
        line.into()
    }
}

/// Whether a time stands near the beginning of the line: it is a line of its own.
pub(super) fn has_time(line: &str) -> bool {
    let near = |found: Option<regex::Captures<'_>>| {
        found.and_then(|it| it.get(0)).is_some_and(|it| it.start() < 40)
    };
    let known = [&BRACKETS, &ISO, &FULL, &SHORT, &UNIX, &KMSG];
    known.iter().any(|it| it.captures(line).is_some())
        || near(BOOT.captures(line))
        || near(TIME.captures(line))
        || line.contains(" kernel: ")
}

/// Microseconds of `12345.678901`.
fn micros(text: &str) -> Option<u64> {
    let (seconds, rest) = text.trim().split_once('.')?;
    let rest: u64 = if rest.len() == 6 { rest.parse().ok()? } else { return None };
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(rest)
}

impl Framer {
    /// Takes a line of the capture, without its line end. Returns `None` for lines that another program
    /// wrote and for the property lines of `/dev/kmsg`.
    pub fn take(&mut self, line: &str) -> Option<FramedLine> {
        let record = self.separate(line)?;
        (record.writer == LineWriter::Kernel)
            .then_some(FramedLine { stamp: record.stamp, text: record.text })
    }

    /// Whether the next record of `/dev/kmsg` may continue the last one.
    pub(super) const fn is_open(&self) -> bool {
        self.begun.is_some()
    }

    /// Takes a line apart; `None` for the property lines of `/dev/kmsg`.
    pub(super) fn separate(&mut self, line: &str) -> Option<LogRecord> {
        let line = line.trim_end_matches(['\r', '\n']);
        if let Some(found) = KMSG.captures(line) {
            let caller = found.get(4).and_then(|it| it.as_str().strip_prefix("caller="));
            let caller = caller.map(str::to_owned);
            // Facility 0 is the kernel; every other record was written by a process.
            if found[1].parse::<u32>().map_or(true, |priority| priority >> 3 != 0) {
                let writer = LineWriter::Other;
                let (stamp, text) = (LogTimestamp::default(), found[5].to_owned());
                return Some(LogRecord { writer, stamp, caller, text, exact: true });
            }
            let FramedLine { stamp, text } = self.record(&found[2], &found[3], &found[5]);
            return Some(LogRecord {
                writer: LineWriter::Kernel,
                stamp,
                caller,
                text,
                exact: true,
            });
        }
        // Property lines, ` KEY=value`, follow a record of /dev/kmsg.
        if line.starts_with(' ') && self.begun.is_some() {
            return None;
        }
        let mut record = framed(line);
        record.text = decoded_plain(&record.text);
        Some(record)
    }

    fn record(&mut self, usec: &str, flag: &str, text: &str) -> FramedLine {
        let text = String::from_utf8_lossy(&unescape(text)).into_owned();
        let uptime_us = usec.parse().ok();
        let stamp = LogTimestamp { text: format!("{usec} us"), uptime_us };
        let mut framed = FramedLine { stamp, text };
        if let Some(begun) = self.begun.take() {
            // A fragment continues the record before; any other record stands for itself.
            let continues =
                flag.contains('+') || flag.contains('c') || framed.text.starts_with(',');
            if continues {
                framed = FramedLine { text: begun.text + &framed.text, stamp: begun.stamp };
            }
        }
        // The kernel writes no longer records. Without a limit a forged log could fill the memory.
        if flag.contains('c') && framed.text.len() < MAX_RECORD {
            self.begun = Some(framed.clone());
        }
        framed
    }
}

/// Replaces the escapes `\xNN` that `dmesg` writes for unprintable bytes. The form does not escape the
/// backslash, so that an escape of a printable byte or of a line end is a part of a name.
fn decoded_plain(text: &str) -> String {
    if !text.contains("\\x") {
        return text.to_owned();
    }
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some(at) = rest.find("\\x") {
        let (before, escape) = rest.split_at(at);
        out.extend_from_slice(before.as_bytes());
        let code = escape.get(2..4).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.filter(|byte| matches!(byte, 0..=9 | 11 | 12 | 14..=31 | 127..)) {
            Some(byte) => {
                out.push(byte);
                rest = &escape[4..];
            }
            None => {
                out.extend_from_slice(b"\\x");
                rest = &escape[2..];
            }
        }
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&out).into_owned()
}

fn record(
    writer: LineWriter,
    stamp: LogTimestamp,
    caller: Option<&str>,
    text: &str,
    exact: bool,
) -> LogRecord {
    LogRecord { writer, stamp, caller: caller.map(str::to_owned), text: text.to_owned(), exact }
}

/// Who a program name stands for.
fn writer_of(program: &str) -> LineWriter {
    if program == "kernel" {
        LineWriter::Kernel
    } else {
        by_saved_name(program).map_or(LineWriter::Other, LineWriter::Daemon)
    }
}

fn framed(line: &str) -> LogRecord {
    let quote = QUOTE.as_ref().and_then(|it| it.find(line)).map_or(0, |it| it.end());
    // A bare line of the kernel may begin with a blank, or with nothing.
    let bare = line.get(quote..).unwrap_or(line);
    if let Some(found) = in_brackets(bare).or_else(|| rfc5424(bare)) {
        return found;
    }
    let priority = PRIORITY.captures(bare);
    let text = priority.as_ref().and_then(|it| it.get(2)).map_or(bare, |it| it.as_str());
    let found = with_time(text).unwrap_or_else(|| unknown(text));
    // Facility 0 is the kernel; a record of another one was written by a process.
    let facility = priority.and_then(|it| it[1].parse::<u32>().ok()).map(|it| it >> 3);
    if facility.is_some_and(|it| it != 0) && found.writer == LineWriter::Kernel {
        return LogRecord { writer: LineWriter::Other, ..found };
    }
    found
}

/// `dmesg`, also within another framing that is known.
fn in_brackets(line: &str) -> Option<LogRecord> {
    let found = BRACKETS.captures(line)?;
    // Facility 0 is the kernel; every other record was written by a process.
    let raw = found.get(1).and_then(|it| it.as_str().parse::<u32>().ok());
    let named = found.get(2).map(|it| it.as_str());
    let (stamp, rest) = (&found[3], &found[5]);
    let uptime_us = micros(stamp);
    let stamp = LogTimestamp { text: neutral(stamp.trim().as_bytes()), uptime_us };
    if raw.is_some_and(|priority| priority >> 3 != 0) || named.is_some_and(|it| it != "kern") {
        return Some(record(LineWriter::Other, stamp, None, rest, true));
    }
    // `journalctl -o short-monotonic` writes host and program after the brackets.
    let caller = found.get(4).map(|it| it.as_str());
    let program = PROGRAM.captures(rest).filter(|found| writer_of(&found[1]) != LineWriter::Other);
    Some(match program {
        Some(found) => record(writer_of(&found[1]), stamp, caller, &found[2], true),
        None => record(LineWriter::Kernel, stamp, caller, rest, true),
    })
}

fn rfc5424(line: &str) -> Option<LogRecord> {
    let found = RFC5424.captures(line)?;
    let stamp = LogTimestamp { text: neutral(found[2].as_bytes()), uptime_us: None };
    // Facility 0 is the kernel, also where its program is not named.
    let is_kernel = &found[3] == "-" && found[1].parse::<u32>().is_ok_and(|it| it >> 3 == 0);
    let writer = if is_kernel { LineWriter::Kernel } else { writer_of(&found[3]) };
    let text = found.get(4).map_or("", |it| it.as_str());
    match UPTIME.captures(text) {
        Some(inner) => {
            let uptime_us = micros(&format!("{}.{}", &inner[1], &inner[2]));
            Some(record(writer, LogTimestamp { uptime_us, ..stamp }, None, &inner[4], true))
        }
        None => Some(record(writer, stamp, None, text, true)),
    }
}

/// A time, a host and a program: syslog and the journal.
fn with_time(line: &str) -> Option<LogRecord> {
    for pattern in [&ISO, &FULL, &SHORT, &UNIX] {
        let Some(found) = pattern.captures(line) else { continue };
        let mut stamp = LogTimestamp { text: neutral(found[1].as_bytes()), uptime_us: None };
        let rest = found.get(2).map_or("", |it| it.as_str());
        if let Some(inner) = UPTIME.captures(rest) {
            stamp.uptime_us = micros(&format!("{}.{}", &inner[1], &inner[2]));
            let caller = inner.get(3).map(|it| it.as_str());
            return Some(record(LineWriter::Kernel, stamp, caller, &inner[4], true));
        }
        let level = LEVEL.captures(rest).and_then(|it| it.get(1)).map(|it| it.as_str());
        if let Some(text) = level {
            let inner = unknown(text);
            stamp.uptime_us = inner.stamp.uptime_us;
            let exact = inner.exact || inner.stamp.uptime_us.is_some();
            return Some(LogRecord { stamp, exact, ..inner });
        }
        let Some(program) = PROGRAM.captures(rest) else {
            // `dmesg --time-format iso` names no program, and writes a comma. Other formats name one; if
            // none is found here, a program may have forged the line.
            if stamp.text.contains(',') {
                return Some(record(LineWriter::Kernel, stamp, None, rest, true));
            }
            let words = marker::begin(rest).or_else(|| marker::within(rest));
            let before = words.map_or(rest, |at| &rest[..at]);
            let before = before
                .strip_suffix(" invoked ")
                .map_or(before, |it| it.rsplit_once(' ').map_or("", |(framing, _)| framing));
            let before = format!("{} ", before.trim_end());
            let plain = UNNAMED.captures(&before).is_some() || !before.contains(": ");
            let other = unknown(rest);
            let writer = if plain { other.writer } else { LineWriter::Other };
            return Some(LogRecord { writer, stamp, ..other });
        };
        let (writer, text) = (writer_of(&program[1]), program.get(2).map_or("", |it| it.as_str()));
        return Some(match UPTIME.captures(text).filter(|_| writer == LineWriter::Kernel) {
            Some(inner) => {
                let uptime_us = micros(&format!("{}.{}", &inner[1], &inner[2]));
                let caller = inner.get(3).map(|it| it.as_str());
                record(writer, LogTimestamp { uptime_us, ..stamp }, caller, &inner[4], true)
            }
            None => record(writer, stamp, None, text, true),
        });
    }
    None
}

/// Any other framing: the words are found by what they say, and what stands before them tells as much
/// about time and origin as can be recognised.
fn unknown(line: &str) -> LogRecord {
    // logfmt: the text stands in quotation marks.
    let in_quotes = line.ends_with('"') && line.contains("=\"");
    let line = if in_quotes { &line[..line.len() - 1] } else { line };
    let found = marker::begin(line).or_else(|| marker::within(line));
    let words = found.or_else(|| marker::rows(line).next()).unwrap_or(line.len());
    let before = &line[..words];
    let mut stamp = LogTimestamp::default();
    if let Some(time) = TIME.captures(before) {
        stamp.text = neutral(time[0].trim().as_bytes());
    }
    let boot = BOOT.captures(before);
    let mut caller = None;
    if let Some(boot) = &boot {
        stamp.uptime_us = micros(&format!("{}.{}", &boot[1], &boot[2]));
        caller = boot.get(3).map(|it| it.as_str());
        if stamp.text.is_empty() {
            stamp.text = format!("{}.{}", &boot[1], &boot[2]);
        }
    }
    let kernel = before.rfind("kernel: ").map(|at| at + "kernel: ".len());
    let named = PID_TAG.captures(line).filter(|_| kernel.is_none());
    if let Some(found) = named.filter(|it| it.get(0).is_some_and(|it| it.start() <= words)) {
        let end = found.get(0).map_or(0, |it| it.end());
        return record(writer_of(&found[1]), stamp, caller, &line[end..], true);
    }
    if kernel.is_none() && FACILITY.captures(before).is_some() {
        return record(LineWriter::Other, stamp, caller, line, false);
    }
    let uptime = boot.and_then(|it| it.get(0)).map(|it| it.end());
    match uptime.max(kernel) {
        Some(at) => record(
            LineWriter::Kernel,
            stamp,
            caller,
            line[at..].trim_start_matches([']', ':', ' ']),
            true,
        ),
        None => {
            record(LineWriter::Kernel, stamp, caller, line, words == 0 || before.trim().is_empty())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(line: &str) -> Option<(String, Option<u64>, String)> {
        let found = Framer::default().take(line)?;
        Some((found.stamp.text, found.stamp.uptime_us, found.text))
    }

    #[test]
    fn every_log_format_gives_the_same_text() {
        let words = "java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0";
        for (before, stamp, uptime) in [
            ("", "", None),
            ("[12345.678901] ", "12345.678901", Some(12_345_678_901)),
            ("[    2.000001] ", "2.000001", Some(2_000_001)),
            ("<4>[12345.678901] ", "12345.678901", Some(12_345_678_901)),
            ("[12345.678901][ T4711] ", "12345.678901", Some(12_345_678_901)),
            ("kern  :warn  : [12345.678901] ", "12345.678901", Some(12_345_678_901)),
            ("[Sat Nov 21 10:00:00 2026] ", "Sat Nov 21 10:00:00 2026", None),
            ("2026-11-21T10:00:00,123456+00:00 ", "2026-11-21T10:00:00,123456+00:00", None),
            ("Nov 21 10:00:00 host kernel: ", "Nov 21 10:00:00", None),
            ("Nov  1 10:00:00.123456 host kernel: ", "Nov  1 10:00:00.123456", None),
            (
                "Nov 21 10:00:00 host kernel: [12345.678901] ",
                "Nov 21 10:00:00",
                Some(12_345_678_901),
            ),
            ("2026-11-21T10:00:00+0000 host kernel: ", "2026-11-21T10:00:00+0000", None),
            ("[12345.678901] host kernel: ", "12345.678901", Some(12_345_678_901)),
            ("Sat 2026-11-21 10:00:00 UTC host kernel: ", "Sat 2026-11-21 10:00:00 UTC", None),
            ("1763726400.123456 host kernel: ", "1763726400.123456", None),
            ("4,346,2983001,-;", "2983001 us", Some(2_983_001)),
            ("4,346,2983001,-,caller=T12;", "2983001 us", Some(2_983_001)),
        ] {
            let wanted = Some((stamp.to_owned(), uptime, words.to_owned()));
            assert_eq!(taken(&format!("{before}{words}")), wanted, "{before:?}");
        }
    }

    #[test]
    fn lines_of_other_programs_are_left_out() {
        for line in [
            "Nov 21 10:00:00 host sshd[12]: Out of memory: Killed process 1 (a)",
            "2026-11-21T10:00:00+0000 host app: x kernel: Killed process 1 (a)",
            "2026-11-21T10:00:00+0000 host sshd[12]: kill process 5 (x) score 3 or a child",
            "12,346,2983001,-;Out of memory: Killed process 1 (init) total-vm:1kB",
            "99999999999,1,2,-;x",
            "<12>[   12.345678] Out of memory: Killed process 1 (a)",
            "user  :warn  : [   12.345678] Out of memory: Killed process 1 (a)",
            "Nov 21 10:00:00 host my app: Out of memory: OOM victim 1 (systemd) is already exiting",
            "2026-11-21T10:00:00+0000 host my app: x invoked oom-killer: gfp_mask=0x1",
        ] {
            assert_eq!(taken(line), None, "{line}");
        }
    }

    #[test]
    fn a_continued_record_is_joined() {
        let mut framer = Framer::default();
        let first = framer.take("6,1,5,c;oom-kill:constraint=CONSTRAINT_NONE");
        assert_eq!(first.map(|it| it.text).as_deref(), Some("oom-kill:constraint=CONSTRAINT_NONE"));
        assert_eq!(framer.take(" SUBSYSTEM=cpu"), None);
        let whole = framer.take("6,2,6,+;,task=java,pid=7,uid=0").expect("it goes on");
        assert_eq!(whole.text, "oom-kill:constraint=CONSTRAINT_NONE,task=java,pid=7,uid=0");
        let other = framer.take("6,3,7,-;hello").expect("another one");
        assert_eq!((other.text.as_str(), other.stamp.uptime_us), ("hello", Some(7)));
    }

    #[test]
    fn a_record_of_several_lines_with_escapes_is_decoded() {
        let found = taken("6,1,5,-;anon 1\\x0afile 2 \\x5c").expect("a record");
        assert_eq!(found.2, "anon 1\nfile 2 \\");
    }

    #[test]
    fn times_with_date_and_zone_are_rfc_3339() {
        let stamp = |text: &str| LogTimestamp { text: text.to_owned(), uptime_us: None };
        for (text, time) in [
            ("1796031213857000", Some("2026-11-30T09:33:33.857000Z")),
            ("1709164800000001", Some("2024-02-29T00:00:00.000001Z")),
            ("1735689599999999", Some("2024-12-31T23:59:59.999999Z")),
            ("2026-11-30T09:33:33+0100", Some("2026-11-30T09:33:33+01:00")),
            ("2026-11-30 09:33:33,857000+01:00", Some("2026-11-30T09:33:33.857000+01:00")),
            ("2026-11-30T09:33:33.857Z", Some("2026-11-30T09:33:33.857Z")),
            ("2026-11-30T09:33:33", None),
            ("Nov 30 09:33:33", None),
            ("17", None),
            ("2983001 us", None),
            ("", None),
        ] {
            assert_eq!(stamp(text).rfc3339().as_deref(), time, "{text}");
        }
        assert_eq!(stamp("1796031213857000").shown(), "2026-11-30T09:33:33.857000Z");
        assert_eq!(stamp("2026-11-30T09:33:33+0100").shown(), "2026-11-30T09:33:33+0100");
    }
}
