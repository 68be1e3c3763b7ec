//! What stands before the kernel's own words in a capture: `dmesg`, `journalctl -k` in its short
//! forms, syslog files, `/dev/kmsg`.

use crate::model::{neutral, unescape};

/// When a line was written, as far as the capture tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogTimestamp {
    /// As it stands there.
    pub text: String,
    /// Microseconds since boot, where that is what it counts.
    pub uptime_us: Option<u64>,
}

/// A line of the kernel's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FramedLine {
    /// When.
    pub stamp: LogTimestamp,
    /// The words; a record of `/dev/kmsg` may hold several lines.
    pub text: String,
}

/// Bytes of a record, at most (`kernel/printk/printk.c`: 8192 before 6.x, 1024 of text today).
const LONGEST: usize = 8192;

/// Takes lines apart. It holds back a record of `/dev/kmsg` that is continued in the next one.
#[derive(Debug, Default)]
pub struct Framer {
    /// Said to be continued.
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
// What stands between the time and the words in the journal and in syslog: host and program.
pattern!(PROGRAM, ":", r"^\S+ ([^\s:\[]+)(?:\[\d+\])?: ?(.*)$");
pattern!(UPTIME, "[", r"^\[ *(\d+)\.(\d{6})\](?:\[ *[TC]\d+\])? (.*)$");

/// Microseconds of `12345.678901`.
fn micros(text: &str) -> Option<u64> {
    let (seconds, rest) = text.trim().split_once('.')?;
    let rest: u64 = if rest.len() == 6 { rest.parse().ok()? } else { return None };
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(rest)
}

impl Framer {
    /// Takes a line of the capture, without its end. What comes back is the kernel's; lines of others
    /// and mere decoration give nothing.
    pub fn take(&mut self, line: &str) -> Option<FramedLine> {
        let line = line.trim_end_matches(['\r', '\n']);
        if let Some(found) = KMSG.captures(line) {
            return self.record(&found[1], &found[2], &found[3], &found[4]);
        }
        // Behind a record of /dev/kmsg stand its properties, ` KEY=value`.
        if line.starts_with(' ') && self.begun.is_some() {
            return None;
        }
        plain(line)
    }

    fn record(&mut self, priority: &str, usec: &str, flag: &str, text: &str) -> Option<FramedLine> {
        // Facility 0 is the kernel's own: everything else was written by a process.
        if priority.parse::<u32>().map_or(true, |priority| priority >> 3 != 0) {
            return None;
        }
        let text = decoded(text);
        let uptime_us = usec.parse().ok();
        let stamp = LogTimestamp { text: format!("{usec} us"), uptime_us };
        let mut framed = FramedLine { stamp, text };
        if let Some(begun) = self.begun.take() {
            // A fragment goes on where the one before ended; what it did not wait for stands alone.
            let goes_on = flag.contains('+') || flag.contains('c') || framed.text.starts_with(',');
            if goes_on {
                framed = FramedLine { text: begun.text + &framed.text, stamp: begun.stamp };
            }
        }
        // The kernel's own records are not longer; whoever writes more has something else in mind.
        if flag.contains('c') && framed.text.len() < LONGEST {
            self.begun = Some(framed.clone());
        }
        Some(framed)
    }
}

/// Bytes that nobody can print stand there as `\xNN`.
fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&unescape(text)).into_owned()
}

fn plain(line: &str) -> Option<FramedLine> {
    let FramedLine { stamp, text } = framed(line)?;
    Some(FramedLine { stamp, text: decoded(&text) })
}

fn framed(line: &str) -> Option<FramedLine> {
    if let Some(found) = BRACKETS.captures(line) {
        // Facility 0 is the kernel's own: everything else was written by a process.
        let raw = found.get(1).and_then(|it| it.as_str().parse::<u32>().ok());
        let named = found.get(2).map(|it| it.as_str());
        if raw.is_some_and(|priority| priority >> 3 != 0) || named.is_some_and(|it| it != "kern") {
            return None;
        }
        let (stamp, rest) = (&found[3], &found[4]);
        let uptime_us = micros(stamp);
        let stamp = LogTimestamp { text: neutral(stamp.trim().as_bytes()), uptime_us };
        // journalctl -o short-monotonic has host and program behind the brackets.
        let said = PROGRAM.captures(rest).filter(|found| &found[1] == "kernel");
        let text = said.map_or_else(|| rest.to_owned(), |found| found[2].to_owned());
        return Some(FramedLine { stamp, text });
    }
    for pattern in [&ISO, &FULL, &SHORT, &UNIX] {
        let Some(found) = pattern.captures(line) else { continue };
        let stamp = LogTimestamp { text: neutral(found[1].as_bytes()), uptime_us: None };
        let Some(said) = PROGRAM.captures(&found[2]) else {
            // dmesg --time-format iso names nobody, and writes a comma; in all other forms somebody is
            // named, perhaps in a way that hides it.
            let unnamed = stamp.text.contains(',');
            return unnamed.then(|| FramedLine { stamp, text: found[2].to_owned() });
        };
        if &said[1] != "kernel" {
            return None;
        }
        let text = &said[2];
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
    fn every_form_of_capture_gives_the_same_words() {
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
    fn the_words_of_others_are_left_out() {
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
    fn a_record_that_is_continued_is_put_together() {
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
    fn a_record_of_several_lines_and_odd_bytes_is_decoded() {
        let found = taken("6,1,5,-;anon 1\\x0afile 2 \\x5c").expect("a record");
        assert_eq!(found.2, "anon 1\nfile 2 \\");
    }
}
