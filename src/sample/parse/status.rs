//! `/proc/PID/status`: sizes, user ids, capabilities.

use super::{ParseError, unsigned};
use crate::model::{Capabilities, NodeSet, UserIds};
use crate::units::Kib;

/// The lines that doomtop uses. Kernel threads, and threads without memory, have no sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// `Uid`, the first two numbers: real and effective user id.
    pub ids: UserIds,
    /// `CapEff`.
    pub caps: Option<Capabilities>,
    /// `Kthread` (6.4 and later).
    pub kernel_thread: bool,
    /// `CoreDumping` (4.15 and later).
    pub core_dumping: bool,
    /// `VmRSS`.
    pub rss: Option<Kib>,
    /// `RssAnon` (4.5 and later, as the next two).
    pub anon: Option<Kib>,
    /// `RssFile`.
    pub file: Option<Kib>,
    /// `RssShmem`.
    pub shmem: Option<Kib>,
    /// `VmLck`: mappings that are locked into memory.
    pub locked: Option<Kib>,
    /// `VmData`.
    pub data: Option<Kib>,
    /// `VmPTE`, plus `VmPMD` if there is one (4.0 to 4.14).
    pub pgtables: Option<Kib>,
    /// `VmSwap`.
    pub swap: Option<Kib>,
    /// `Mems_allowed_list`, if it was asked for.
    pub nodes: Option<NodeSet>,
}

/// Parses a size: blanks, digits, ` kB`.
fn size(value: &[u8], item: &'static str) -> Result<Option<Kib>, ParseError> {
    value
        .strip_suffix(b" kB")
        .and_then(|digits| unsigned(digits.trim_ascii_start()))
        .map(|kib| Some(Kib(kib)))
        .ok_or(ParseError { file: "status", item })
}

/// Parses the file. The kernel escapes line ends in names, so a name cannot forge a line. `CapEff`
/// comes after everything else that is used, so parsing ends there, unless the nodes are asked for.
///
/// # Errors
///
/// Names the line that cannot be parsed; `end` if the file was cut off.
pub fn status(bytes: &[u8], with_nodes: bool) -> Result<Status, ParseError> {
    let no = |item| ParseError { file: "status", item };
    let mut found = Status::default();
    let mut ids = None;
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = rest.iter().position(|&b| b == b'\n').ok_or(no("end"))?;
        let line = &rest[..end];
        rest = &rest[end + 1..];
        // Most lines are not used; the first letter tells.
        if !matches!(line.first(), Some(b'V' | b'R' | b'U' | b'C' | b'K' | b'M')) {
            continue;
        }
        let Some(colon) = line.iter().position(|&b| b == b':') else { continue };
        let value = line[colon + 1..].trim_ascii_start();
        match &line[..colon] {
            b"VmRSS" => found.rss = size(value, "VmRSS")?,
            b"RssAnon" => found.anon = size(value, "RssAnon")?,
            b"RssFile" => found.file = size(value, "RssFile")?,
            b"RssShmem" => found.shmem = size(value, "RssShmem")?,
            b"VmLck" => found.locked = size(value, "VmLck")?,
            b"VmData" => found.data = size(value, "VmData")?,
            b"VmSwap" => found.swap = size(value, "VmSwap")?,
            b"VmPTE" | b"VmPMD" => {
                let more = size(value, "VmPTE")?.unwrap_or_default();
                found.pgtables = Some(found.pgtables.unwrap_or_default() + more);
            }
            b"Uid" => {
                let mut numbers = value
                    .split(u8::is_ascii_whitespace)
                    .map(|field| unsigned(field).and_then(|n| u32::try_from(n).ok()));
                match (numbers.next().flatten(), numbers.next().flatten()) {
                    (Some(uid), Some(euid)) => ids = Some(UserIds { uid, euid }),
                    _ => return Err(no("Uid")),
                }
            }
            b"Kthread" => found.kernel_thread = value == b"1",
            b"CoreDumping" => found.core_dumping = value == b"1",
            b"CapEff" => {
                let mask = std::str::from_utf8(value).ok();
                let mask = mask.and_then(|hex| u64::from_str_radix(hex, 16).ok());
                found.caps = Some(Capabilities(mask.ok_or(no("CapEff"))?));
                if !with_nodes {
                    break;
                }
            }
            b"Mems_allowed_list" => {
                found.nodes = std::str::from_utf8(value).ok().and_then(NodeSet::parse);
                break;
            }
            _ => {}
        }
    }
    found.ids = ids.ok_or(no("Uid"))?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &[u8] = b"Name:\tVmRSS:\\n1 kB\nUmask:\t0022\nState:\tR (running)\nTgid:\t11110\nPid:\t11110\n\
        PPid:\t11101\nTracerPid:\t0\nUid:\t1000\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t256\nGroups:\t \nKthread:\t0\n\
        VmPeak:\t    3060 kB\nVmLck:\t      64 kB\nVmRSS:\t    1780 kB\nRssAnon:\t     108 kB\nRssFile:\t    1672 kB\n\
        RssShmem:\t       0 kB\nVmPTE:\t      44 kB\nVmPMD:\t      12 kB\nVmSwap:\t       9 kB\n\
        CoreDumping:\t0\nThreads:\t1\nCapInh:\t0000000000000000\nCapPrm:\t000001fffeffffff\n\
        CapEff:\t000001fffeffffff\nCapBnd:\t0\nSeccomp:\t0\n\
        Mems_allowed:\t3\nMems_allowed_list:\t0-1\n";

    #[test]
    fn every_line_is_found() {
        assert_eq!(
            status(GOOD, false),
            Ok(Status {
                ids: UserIds { uid: 1000, euid: 0 },
                caps: Some(Capabilities(0x0000_01ff_feff_ffff)),
                kernel_thread: false,
                core_dumping: false,
                locked: Some(Kib(64)),
                rss: Some(Kib(1780)),
                anon: Some(Kib(108)),
                file: Some(Kib(1672)),
                shmem: Some(Kib(0)),
                pgtables: Some(Kib(56)),
                data: None,
                swap: Some(Kib(9)),
                nodes: None,
            })
        );
    }

    #[test]
    fn nodes_are_read_where_they_are_asked_for() {
        let read = status(GOOD, true).unwrap();
        assert_eq!(read.nodes, NodeSet::parse("0-1"));
        assert_eq!(Status { nodes: None, ..read }, status(GOOD, false).unwrap());
    }

    #[test]
    fn a_kernel_thread_has_no_sizes() {
        let read = status(b"Name:\tkthreadd\nUid:\t0\t0\t0\t0\nKthread:\t1\nThreads:\t1\n", false)
            .unwrap();
        assert!(read.kernel_thread);
        assert_eq!((read.rss, read.swap, read.pgtables, read.caps), (None, None, None, None));
    }

    #[test]
    fn a_truncated_file_never_gives_other_facts() {
        let whole = status(GOOD, false).unwrap();
        for end in 0..GOOD.len() {
            if let Ok(read) = status(&GOOD[..end], false) {
                let same = |a: Option<Kib>, b: Option<Kib>| a.is_none() || a == b;
                assert_eq!(read.ids, whole.ids);
                assert!(read.caps.is_none() || read.caps == whole.caps);
                assert!(same(read.rss, whole.rss) && same(read.anon, whole.anon));
                assert!(same(read.file, whole.file) && same(read.shmem, whole.shmem));
                assert!(same(read.swap, whole.swap));
            }
        }
    }

    #[test]
    fn an_error_names_the_line() {
        for (line, item) in [
            (&b"Uid:\t1\n"[..], "Uid"),
            (b"Uid:\t-1\t2\n", "Uid"),
            (b"VmRSS:\t12 MB\n", "VmRSS"),
            (b"VmSwap:\t\n", "VmSwap"),
            (b"Uid:\t1\t2\t3\t4\nCapEff:\tx\n", "CapEff"),
            (b"Name:\tx\n", "Uid"),
            (b"Uid:\t1\t2\t3\t4\nVmRSS:\t12", "end"),
        ] {
            assert_eq!(status(line, false), Err(ParseError { file: "status", item }));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = status(&bytes, true);
        }

        #[test]
        fn no_damage_panics(at in 0..GOOD.len(), byte: u8) {
            let mut bytes = GOOD.to_vec();
            bytes[at] = byte;
            let _ = status(&bytes, true);
        }
    }
}
