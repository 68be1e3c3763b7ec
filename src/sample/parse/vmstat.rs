//! `/proc/vmstat`: a line for each counter, its name and its value. It is read in every sample and has two
//! hundred lines, of which a dozen are used, so no table of them all is made.

use super::ParseError;
use crate::model::{Reading, VmCounters};
use crate::units::Pages;

/// Pages that one page fault maps at most from the page cache (`fault_around_bytes` of `mm/memory.c`).
const FAULT_AROUND: u64 = 16;
/// Pages that one page fault maps at most where it maps a huge page of a file.
const HUGE_PAGE: u64 = 512;

/// The counters. `None` for a line that is none; a counter that is below zero has no value.
fn counters(bytes: &[u8]) -> impl Iterator<Item = Option<(&[u8], Option<u64>)>> {
    bytes.split_inclusive(|&byte| byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\n")?;
        let at = line.iter().position(|&byte| byte == b' ')?;
        let (name, value) = (line.get(..at)?, line.get(at + 1..)?);
        let value: i64 = std::str::from_utf8(value).ok()?.parse().ok()?;
        Some((name, u64::try_from(value).ok()))
    })
}

/// A counter, or the sum of several that are its parts; missing if this kernel has none of them.
fn add(sum: &mut Reading<u64>, part: Option<u64>) {
    let Some(part) = part else { return };
    *sum = Reading::Value(sum.value().unwrap_or(0).saturating_add(part));
}

/// Counters since boot.
///
/// # Errors
///
/// If a line is not a name and a number, or if the file was cut off.
pub fn vmstat(bytes: &[u8]) -> Result<VmCounters, ParseError> {
    let no = |item| ParseError { file: "vmstat", item };
    if !bytes.ends_with(b"\n") {
        return Err(no("end"));
    }
    let mut found = VmCounters {
        oom_kills: Reading::Missing,
        direct_scan: Reading::Missing,
        alloc_stalls: Reading::Missing,
        refaults: Reading::Missing,
        ..VmCounters::default()
    };
    let mut by_zone = Reading::Missing;
    for counter in counters(bytes) {
        let (name, value) = counter.ok_or(no("table"))?;
        match name {
            b"pswpin" => found.swap_in_pages = Pages(value.unwrap_or(0)),
            b"pswpout" => found.swap_out_pages = Pages(value.unwrap_or(0)),
            b"oom_kill" => add(&mut found.oom_kills, value),
            b"pgscan_direct" => add(&mut found.direct_scan, value),
            name if name.ends_with(b"_throttle") => {}
            name if name.starts_with(b"pgscan_direct_") => add(&mut by_zone, value),
            name if name.starts_with(b"allocstall") => add(&mut found.alloc_stalls, value),
            name if name.starts_with(b"workingset_refault") => add(&mut found.refaults, value),
            _ => {}
        }
    }
    if found.direct_scan == Reading::Missing {
        found.direct_scan = by_zone;
    }
    Ok(found)
}

/// Pages that processes can have gained since boot, all together, at most: those that were allocated, and
/// those of the page cache that page faults can have mapped. `None` if this kernel does not count them.
#[must_use]
pub fn gained_pages(bytes: &[u8]) -> Option<u64> {
    let (mut allocated, mut faults, mut huge) = (None, None, 0);
    for (name, value) in counters(bytes).flatten() {
        match name {
            b"pgfault" => faults = value,
            b"thp_file_mapped" => huge = value.unwrap_or(0),
            name if name.starts_with(b"pgalloc_") => {
                allocated = Some(allocated.unwrap_or(0_u64).saturating_add(value?));
            }
            _ => {}
        }
    }
    let mapped =
        faults?.saturating_mul(FAULT_AROUND).saturating_add(huge.saturating_mul(HUGE_PAGE));
    Some(allocated?.saturating_add(mapped))
}

/// RAM of zsmalloc, where zram and zswap store pages (`nr_zspages`); nothing where the kernel does not have it,
/// or where the file was cut off.
#[must_use]
pub fn zspages(bytes: &[u8]) -> Option<Pages> {
    let (_, count) = super::pairs(bytes)?.find(|(name, _)| *name == b"nr_zspages")?;
    count.map(Pages)
}

/// Pages that processes gave back with `MADV_FREE` since boot (`pglazyfree`, 4.12 and later); nothing where the kernel
/// does not count them.
#[must_use]
pub fn lazy_freed(bytes: &[u8]) -> Option<u64> {
    super::pairs(bytes)?.find(|(name, _)| *name == b"pglazyfree")?.1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pages_of_zsmalloc_are_found() {
        assert_eq!(zspages(b"pswpin 7\nnr_zspages 512\n"), Some(Pages(512)));
        assert_eq!(lazy_freed(b"pglazyfreed 7\npglazyfree 9\n"), Some(9));
        assert_eq!(lazy_freed(b"pglazyfreed 7\n"), None);
        for without in [&b"pswpin 7\n"[..], b"nr_zspages 512", b"nr_zspages -1\n", b""] {
            assert_eq!(zspages(without), None);
        }
    }

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

    #[test]
    fn what_processes_can_have_gained_is_bounded() {
        let file = b"pgalloc_dma 1\npgalloc_normal 20\npgfault 100\nthp_file_mapped 2\n";
        assert_eq!(gained_pages(file), Some(21 + 1600 + 1024));
        assert_eq!(gained_pages(b"pgfault 100\n"), None);
        assert_eq!(gained_pages(b"pgalloc_normal 100\n"), None);
    }

    #[test]
    fn what_is_no_counter_is_refused() {
        for bad in [&b"pswpin\n"[..], b"pswpin x\n", b"pswpin 1 2\n", b"\n", b""] {
            assert!(vmstat(bad).is_err(), "{bad:?}");
        }
        assert_eq!(vmstat(b"oom_kill -1\n").unwrap().oom_kills, Reading::Missing);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = gained_pages(&bytes);
            let _ = vmstat(&bytes);
        }
    }
}
