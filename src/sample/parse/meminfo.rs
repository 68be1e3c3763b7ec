//! `/proc/meminfo`, with the parser of the `procfs` crate.

use procfs::{FromBufRead, Meminfo};

use super::ParseError;
use crate::model::{Memory, Reading, Swap};
use crate::units::{Bytes, Kib};

/// RAM, swap and committed memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemInfo {
    /// RAM.
    pub memory: Memory,
    /// Swap.
    pub swap: Swap,
    /// `CommitLimit` (2.6.10 and later).
    pub commit_limit: Reading<Kib>,
    /// `Committed_AS`.
    pub committed: Reading<Kib>,
}

/// Converts to KiB: the crate converts every size to bytes.
const fn kib(bytes: u64) -> Kib {
    Kib(Bytes(bytes).0 / 1024)
}

fn perhaps(bytes: Option<u64>) -> Reading<Kib> {
    bytes.map_or(Reading::Missing, |bytes| Reading::Value(kib(bytes)))
}

/// What only machines with zswap have.
fn asked(bytes: Option<u64>) -> Reading<Kib> {
    bytes.map_or(Reading::NotAsked, |bytes| Reading::Value(kib(bytes)))
}

/// Parses the file.
///
/// # Errors
///
/// If the file was cut off, or if the crate cannot parse it.
pub fn meminfo(bytes: &[u8]) -> Result<MemInfo, ParseError> {
    let no = |item| ParseError { file: "meminfo", item };
    // The crate removes the last byte of each label and multiplies by the unit. It would panic on
    // multi-byte characters, on very large numbers, and on units that no kernel prints.
    let mut digits = 0;
    for &byte in bytes {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        if !byte.is_ascii() || digits > 15 {
            return Err(no("table"));
        }
    }
    let unit = |line: &[u8]| {
        line.rsplit(|&byte| byte == b' ')
            .next()
            .is_some_and(|last| last == b"kB" || last.iter().all(u8::is_ascii_digit))
    };
    if !bytes.split(|&byte| byte == b'\n').all(|line| unit(line.trim_ascii_end())) {
        return Err(no("unit"));
    }
    if !bytes.ends_with(b"\n") {
        return Err(no("end"));
    }
    let read = Meminfo::from_buf_read(bytes).map_err(|_| no("table"))?;
    let cache = kib(read.buffers) + kib(read.cached) + kib(read.s_reclaimable.unwrap_or(0));
    let shmem = kib(read.shmem.unwrap_or(0));
    Ok(MemInfo {
        memory: Memory {
            total_kib: kib(read.mem_total),
            free_kib: kib(read.mem_free),
            available_kib: perhaps(read.mem_available),
            cache_kib: cache.saturating_sub(shmem),
            shmem_kib: shmem,
            anon_kib: perhaps(read.anon_pages),
            hugetlb_kib: kib(read.hugetlb.unwrap_or(0)),
        },
        swap: Swap {
            total_kib: kib(read.swap_total),
            free_kib: kib(read.swap_free),
            zswap_kib: asked(read.z_swap),
            zswapped_kib: asked(read.z_swapped),
            ..Swap::default()
        },
        commit_limit: perhaps(read.commit_limit),
        committed: Reading::Value(kib(read.committed_as)),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &[u8] = b"MemTotal:       24684092 kB\nMemFree:        24444940 kB\n\
        MemAvailable:   24382012 kB\nBuffers:            2944 kB\nCached:            95028 kB\n\
        SwapCached:            0 kB\nActive:            12208 kB\nInactive:          82756 kB\n\
        Dirty:               564 kB\nWriteback:             0 kB\nMapped:            10828 kB\n\
        SwapTotal:          4096 kB\nSwapFree:           1024 kB\nShmem:              8856 kB\n\
        Slab:              68048 kB\nSReclaimable:      45580 kB\nSUnreclaim:        22468 kB\n\
        CommitLimit:    12342044 kB\nCommitted_AS:      55508 kB\nVmallocTotal:   34359738367 kB\n\
        VmallocUsed:       14284 kB\nVmallocChunk:          0 kB\nHugePages_Total:       4\n\
        Hugepagesize:       2048 kB\nHugetlb:            8192 kB\n";

    #[test]
    fn a_unit_that_no_kernel_prints_is_refused_before_the_crate_multiplies() {
        for text in [": 20000000000 GB\n", "MemTotal: 99999999999999 MB\n", "a: 1\tGB\n"] {
            assert!(meminfo(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_in_kib() {
        let read = meminfo(GOOD).unwrap();
        assert_eq!(read.memory.total_kib, Kib(24_684_092));
        assert_eq!(read.memory.available_kib, Reading::Value(Kib(24_382_012)));
        assert_eq!(read.memory.cache_kib, Kib(2944 + 95_028 + 45_580 - 8856));
        assert_eq!(read.memory.hugetlb_kib, Kib(8192));
        assert_eq!(read.swap.used(), Kib(3072));
        assert_eq!(read.commit_limit, Reading::Value(Kib(12_342_044)));
        assert_eq!(read.committed, Reading::Value(Kib(55_508)));
    }

    #[test]
    fn a_truncated_file_never_gives_other_numbers() {
        let whole = meminfo(GOOD).unwrap();
        for end in 0..GOOD.len() {
            if let Ok(read) = meminfo(&GOOD[..end]) {
                assert_eq!(read.memory.total_kib, whole.memory.total_kib, "at {end}");
                assert_eq!(read.swap, whole.swap);
                assert_eq!(read.committed, whole.committed);
            }
        }
    }

    #[test]
    fn input_on_which_the_crate_would_panic_is_an_error() {
        for bad in ["\u{e9} 1 kB\n", "MemTotal: 18446744073709551615 kB\n", "\u{e9}"] {
            assert!(meminfo(bad.as_bytes()).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = meminfo(&bytes);
        }

        #[test]
        fn no_text_panics(text in "([A-Z()a-z_]{0,4}[: ]{0,2}[0-9]{0,22} ?[kKMGTB]{0,2}\n?){0,9}") {
            let _ = meminfo(text.as_bytes());
        }
    }
}
