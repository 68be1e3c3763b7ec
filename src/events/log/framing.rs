//! Separates the timestamp and the origin of a log line from its text: `dmesg`, `journalctl -k` in its
//! short formats, syslog files, `/dev/kmsg`. Only lines of the kernel itself come out.

use crate::model::{neutral, unescape};

/// When a line was written. `dmesg` without `-T` counts from boot, syslog names the date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogTimestamp {
    /// As the log writes it.
    pub text: String,
    /// Microseconds since boot, if the timestamp counts from boot.
    pub uptime_us: Option<u64>,
}

/// A line of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FramedLine {
    /// When it was written.
    pub stamp: LogTimestamp,
    /// The text; a record of `/dev/kmsg` may hold several lines.
    pub text: String,
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
pattern!(KMSG, ";", r"^(\d+),\d+,(\d+),([^,;]*)(?:,[^;]*)?;(.*)$");
// dmesg, with -x, -r, caller ids, -T; journalctl -o short-monotonic.
pattern!(
    BRACKETS,
    "[",
    r"^(?:<(\d+)>)?(?:([a-z0-9]+) *:[a-z]+ *: ?)?\[([^\]]*\d[:.]\d[^\]]*)\](?:\[ *[TC]\d+\])? ?(.*)$"
);
pattern!(ISO, "-", r"^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*) (.*)$");
pattern!(SHORT, ":", r"^([A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d(?:\.\d+)?) (\S+ .*)$");
pattern!(FULL, ":", r"^([A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \S+) (\S+ .*)$");
pattern!(UNIX, ".", r"^(\d{9,}\.\d+) (\S+ .*)$");
// Between time and text the journal and syslog write host and program.
pattern!(PROGRAM, ":", r"^\S+ ([^\s:\[]+)(?:\[\d+\])?: ?(.*)$");
pattern!(UPTIME, "[", r"^\[ *(\d+)\.(\d{6})\](?:\[ *[TC]\d+\])? (.*)$");

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
        let line = line.trim_end_matches(['\r', '\n']);
        if let Some(found) = KMSG.captures(line) {
            return self.record(&found[1], &found[2], &found[3], &found[4]);
        }
        // Property lines, ` KEY=value`, follow a record of /dev/kmsg.
        if line.starts_with(' ') && self.begun.is_some() {
            return None;
        }
        plain(line)
    }

    fn record(&mut self, priority: &str, usec: &str, flag: &str, text: &str) -> Option<FramedLine> {
        // Facility 0 is the kernel; every other record was written by a process.
        if priority.parse::<u32>().map_or(true, |priority| priority >> 3 != 0) {
            return None;
        }
        let text = decoded(text);
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
        Some(framed)
    }
}

/// Replaces the escapes `\xNN`, which the log has in place of unprintable bytes.
fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&unescape(text)).into_owned()
}

fn plain(line: &str) -> Option<FramedLine> {
    let FramedLine { stamp, text } = framed(line)?;
    Some(FramedLine { stamp, text: decoded(&text) })
}

fn framed(line: &str) -> Option<FramedLine> {
    if let Some(found) = BRACKETS.captures(line) {
        // Facility 0 is the kernel; every other record was written by a process.
        let raw = found.get(1).and_then(|it| it.as_str().parse::<u32>().ok());
        let named = found.get(2).map(|it| it.as_str());
        if raw.is_some_and(|priority| priority >> 3 != 0) || named.is_some_and(|it| it != "kern") {
            return None;
        }
        let (stamp, rest) = (&found[3], &found[4]);
        let uptime_us = micros(stamp);
        let stamp = LogTimestamp { text: neutral(stamp.trim().as_bytes()), uptime_us };
        // `journalctl -o short-monotonic` writes host and program after the brackets.
        let program = PROGRAM.captures(rest).filter(|found| &found[1] == "kernel");
        let text = program.map_or_else(|| rest.to_owned(), |found| found[2].to_owned());
        return Some(FramedLine { stamp, text });
    }
    for pattern in [&ISO, &FULL, &SHORT, &UNIX] {
        let Some(found) = pattern.captures(line) else { continue };
        let stamp = LogTimestamp { text: neutral(found[1].as_bytes()), uptime_us: None };
        let Some(program) = PROGRAM.captures(&found[2]) else {
            // `dmesg --time-format iso` names no program, and writes a comma. Every other format names
            // one; if none is found here, a program may have forged the line.
            let unnamed = stamp.text.contains(',');
            return unnamed.then(|| FramedLine { stamp, text: found[2].to_owned() });
        };
        if &program[1] != "kernel" {
            return None;
        }
        let text = &program[2];
        return Some(match UPTIME.captures(text) {
            Some(inner) => FramedLine {
                stamp: LogTimestamp {
                    uptime_us: micros(&format!("{}.{}", &inner[1], &inner[2])),
                    ..stamp
                },
                text: inner[3].to_owned(),
            },
            None => FramedLine { stamp, text: text.to_owned() },
        });
    }
    Some(FramedLine { stamp: LogTimestamp::default(), text: line.to_owned() })
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
}
