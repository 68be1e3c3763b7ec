//! `/proc/PID/stat`: one line with the identity and the sizes of a process.

use super::{ParseError, signed, unsigned};
use crate::model::{Comm, RunState};
use crate::units::{Bytes, Pages, Ticks};

/// The fields that doomtop uses (`proc_pid_stat(5)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Field 1.
    pub pid: i32,
    /// Field 2, without its parentheses.
    pub comm: Comm,
    /// Field 3.
    pub state: RunState,
    /// Field 4: pid of the parent.
    pub parent: i32,
    /// Field 5: process group.
    pub group: i32,
    /// Field 6: session.
    pub session: i32,
    /// Field 7: device number of the controlling terminal; 0 means none.
    pub tty: i32,
    /// Field 9, `PF_*`.
    pub flags: u32,
    /// Field 10: page faults without I/O.
    pub minor_faults: u64,
    /// Field 12: page faults with I/O.
    pub major_faults: u64,
    /// Fields 14 and 15: user and system time, in clock ticks.
    pub cpu: Ticks,
    /// Field 19: nice value.
    pub nice: i8,
    /// Field 20: number of threads.
    pub threads: u32,
    /// Field 22: start time, in clock ticks since boot.
    pub born: Ticks,
    /// Field 23: virtual size, in bytes.
    pub vsize: Bytes,
    /// Field 24: resident pages.
    pub rss: Pages,
    /// Field 31: whether SIGKILL is pending on the main thread. A fatal signal to the whole process
    /// is pending there, too.
    pub killed: bool,
}

/// The bit of SIGKILL in a set of signals.
const SIGKILL: u64 = 1 << 8;

/// Parses the line. The name is between the *first* `(` and the *last* `)`, because a process may
/// call itself `) R 1`.
///
/// # Errors
///
/// Names the first field that is missing or incomplete.
pub fn stat(bytes: &[u8]) -> Result<Stat, ParseError> {
    let no = |item| ParseError { file: "stat", item };
    let open = bytes.iter().position(|&b| b == b'(').ok_or(no("name"))?;
    let close = bytes.iter().rposition(|&b| b == b')').ok_or(no("name"))?;
    let comm = bytes.get(open + 1..close).ok_or(no("name"))?;
    let pid = bytes[..open].strip_suffix(b" ").and_then(signed).ok_or(no("pid"))?;
    let rest = bytes[close + 1..].strip_prefix(b" ").ok_or(no("state"))?;

    // A field counts only with the blank after it: a line that was cut off inside a number must not
    // pass for a smaller number.
    let mut at = 0;
    let mut next = |item| {
        let field = &rest[at..];
        let end = field.iter().position(|&b| b == b' ' || b == b'\n').ok_or(no(item))?;
        at += end + 1;
        Ok(&field[..end])
    };
    fn number<T: TryFrom<i64>>(field: &[u8], no: ParseError) -> Result<T, ParseError> {
        signed(field).and_then(|n| T::try_from(n).ok()).ok_or(no)
    }
    fn count(field: &[u8], no: ParseError) -> Result<u64, ParseError> {
        unsigned(field).ok_or(no)
    }

    let state = match next("state")? {
        [letter] if letter.is_ascii_alphabetic() => RunState(char::from(*letter)),
        _ => return Err(no("state")),
    };
    let parent = number(next("parent")?, no("parent"))?;
    let group = number(next("process group")?, no("process group"))?;
    let session = number(next("session")?, no("session"))?;
    let tty = number(next("terminal")?, no("terminal"))?;
    next("terminal's group")?;
    let flags = number(next("flags")?, no("flags"))?;
    let minor_faults = count(next("minor faults")?, no("minor faults"))?;
    next("children's minor faults")?;
    let major_faults = count(next("major faults")?, no("major faults"))?;
    next("children's major faults")?;
    let user = count(next("user time")?, no("user time"))?;
    let system = count(next("system time")?, no("system time"))?;
    next("children's user time")?;
    next("children's system time")?;
    next("priority")?;
    let nice = number(next("nice value")?, no("nice value"))?;
    let threads = number(next("threads")?, no("threads"))?;
    next("interval timer")?;
    let born = count(next("start time")?, no("start time"))?;
    let vsize = count(next("virtual size")?, no("virtual size"))?;
    let rss = signed(next("resident size")?).ok_or(no("resident size"))?;
    // The pending signals are useful but not necessary: the line may end before them.
    let pending = (25..=31).map(|_| next("signals")).last();
    let killed = pending.is_some_and(|field| {
        field.ok().and_then(unsigned).is_some_and(|signals| signals & SIGKILL != 0)
    });
    Ok(Stat {
        killed,
        pid: i32::try_from(pid).map_err(|_| no("pid"))?,
        comm: Comm::new(comm),
        state,
        parent,
        group,
        session,
        tty,
        flags,
        minor_faults,
        major_faults,
        cpu: Ticks(user.saturating_add(system)),
        nice,
        threads,
        born: Ticks(born),
        vsize: Bytes(vsize),
        // Some kernels before 2.6.26 print a small negative number.
        rss: Pages(rss.max(0).unsigned_abs()),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &[u8] =
        b"17898 (head) R 17884 17880 5919 0 -1 4194304 102 7 3 8 11 5 0 0 20 -4 2 0 \
        254934 2998272 408 18446744073709551615 94046217596928 94046217621033 140729383062256 0 0 \
        0 0 0 0 0 0 0 17 1 0 0 0 0 0 94046217636880 94046217638496 94047207194624 140729383070365 \
        140729383070393 140729383070393 140729383071722 0\n";

    #[test]
    fn every_field_is_found() {
        let read = stat(GOOD).unwrap();
        assert_eq!(
            read,
            Stat {
                pid: 17898,
                comm: Comm::new(b"head"),
                state: RunState('R'),
                parent: 17884,
                group: 17880,
                session: 5919,
                tty: 0,
                flags: 4_194_304,
                minor_faults: 102,
                major_faults: 3,
                cpu: Ticks(16),
                nice: -4,
                threads: 2,
                born: Ticks(254_934),
                vsize: Bytes(2_998_272),
                rss: Pages(408),
                killed: false,
            }
        );
    }

    #[test]
    fn a_name_cannot_forge_the_fields_after_it() {
        for name in [
            &b") R 1"[..],
            b"(",
            b")",
            b"))((",
            b"",
            b"a b",
            b"a\nb",
            b") S 1 1 1 0 -1 ",
            b"\xff\x00\x1b[",
        ] {
            let mut line = b"17898 (".to_vec();
            line.extend_from_slice(name);
            line.extend_from_slice(&GOOD[b"17898 (head".len()..]);
            let read = stat(&line).unwrap();
            assert_eq!(read.comm.bytes(), name);
            assert_eq!((read.state, read.parent, read.rss), (RunState('R'), 17884, Pages(408)));
        }
    }

    #[test]
    fn a_truncated_file_never_gives_other_numbers() {
        let whole = stat(GOOD).unwrap();
        let enough = GOOD.windows(5).position(|w| w == b" 408 ").unwrap() + 5;
        for end in 0..GOOD.len() {
            match stat(&GOOD[..end]) {
                Ok(read) => {
                    assert!(end >= enough, "{end} bytes are not enough");
                    assert_eq!(read, whole);
                }
                Err(error) => {
                    assert!(end < enough, "{error} at {end}");
                    assert_eq!(error.file, "stat");
                }
            }
        }
    }

    #[test]
    fn an_error_names_the_item() {
        let bad = GOOD.to_vec();
        let bad = String::from_utf8(bad).unwrap().replace(" 254934 ", " soon ");
        let error = stat(bad.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "stat: no readable start time");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = stat(&bytes);
        }

        #[test]
        fn no_damage_panics(at in 0..GOOD.len(), byte: u8) {
            let mut bytes = GOOD.to_vec();
            bytes[at] = byte;
            let _ = stat(&bytes);
        }
    }
}
