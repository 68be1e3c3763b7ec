//! `/proc/vmstat`, with the parser of the `procfs` crate.

use procfs::{FromBufRead, VmStat};

use super::ParseError;
use crate::model::{Reading, VmCounters};
use crate::units::Pages;

/// Counters since boot.
///
/// # Errors
///
/// If the crate cannot parse the file, or if it was cut off.
pub fn vmstat(bytes: &[u8]) -> Result<VmCounters, ParseError> {
    let no = |item| ParseError { file: "vmstat", item };
    if !bytes.ends_with(b"\n") {
        return Err(no("end"));
    }
    let VmStat(table) = VmStat::from_buf_read(bytes).map_err(|_| no("table"))?;
    let counter = |name| table.get(name).and_then(|&count| u64::try_from(count).ok());
    // The items that begin with this name are parts of one counter. Missing if this kernel has none
    // of them.
    let sum = |start: &str| {
        let parts = table
            .iter()
            .filter(|(name, _)| name.starts_with(start) && !name.ends_with("_throttle"));
        let parts: Option<u64> = parts
            .map(|(_, &count)| u64::try_from(count).ok())
            .try_fold(None, |all: Option<u64>, part| {
                Some(Some(all.unwrap_or(0).saturating_add(part?)))
            })
            .flatten();
        parts.map_or(Reading::Missing, Reading::Value)
    };
    Ok(VmCounters {
        swap_in_pages: Pages(counter("pswpin").unwrap_or(0)),
        swap_out_pages: Pages(counter("pswpout").unwrap_or(0)),
        oom_kills: counter("oom_kill").map_or(Reading::Missing, Reading::Value),
        direct_scan: match counter("pgscan_direct") {
            Some(count) => Reading::Value(count),
            None => sum("pgscan_direct_"),
        },
        alloc_stalls: sum("allocstall"),
        refaults: sum("workingset_refault"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_of_a_count_are_added() {
        let now = vmstat(
            b"allocstall_dma 1\nallocstall_normal 20\npgscan_direct 300\n\
              pgscan_direct_throttle 7\nworkingset_refault_anon 4\nworkingset_refault_file 5\n",
        );
        let now = now.unwrap();
        assert_eq!(now.alloc_stalls, Reading::Value(21));
        assert_eq!(now.direct_scan, Reading::Value(300));
        assert_eq!(now.refaults, Reading::Value(9));
        let old = b"allocstall 8\npgscan_direct_normal 6\npgscan_direct_dma32 5\n\
                    pgscan_direct_throttle 1\n";
        let old = vmstat(old).unwrap();
        assert_eq!(old.alloc_stalls, Reading::Value(8));
        assert_eq!(old.direct_scan, Reading::Value(11));
        assert_eq!(old.refaults, Reading::Missing);
    }

    #[test]
    fn counters_are_found() {
        let read = vmstat(b"nr_free_pages 6111235\npswpin 7\npswpout 9\noom_kill 3\n").unwrap();
        assert_eq!((read.swap_in_pages, read.swap_out_pages), (Pages(7), Pages(9)));
        assert_eq!(read.oom_kills, Reading::Value(3));
        assert_eq!(vmstat(b"pswpin 7\n").unwrap().oom_kills, Reading::Missing);
        assert!(vmstat(b"pswpin 7").is_err(), "cut short");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = vmstat(&bytes);
        }
    }
}
