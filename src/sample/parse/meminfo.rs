//! `/proc/meminfo`. Not with the parser of the `procfs` crate: that one has lines without which it fails, and
//! not every system has them (gVisor prints eighteen lines, lxcfs makes up some).

use super::{ParseError, unsigned};
use crate::model::{Memory, MemoryUses, Reading, Swap};
use crate::units::Kib;

/// RAM, swap and committed memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemInfo {
    /// RAM.
    pub memory: Memory,
    /// What it is used for beside processes.
    pub uses: MemoryUses,
    /// Swap.
    pub swap: Swap,
    /// `CommitLimit` (2.6.10 and later).
    pub commit_limit: Reading<Kib>,
    /// `Committed_AS`.
    pub committed: Reading<Kib>,
}

/// The lines of the file.
#[derive(Clone, Copy)]
struct Lines<'a>(&'a [u8]);

impl<'a> Lines<'a> {
    /// What stands behind the colon of the first line with this label.
    fn value(self, label: &str) -> Option<&'a [u8]> {
        let mut lines = self.0.split(|&byte| byte == b'\n');
        lines.find_map(|line| line.strip_prefix(label.as_bytes())?.strip_prefix(b":"))
    }

    /// A size. Nothing for another unit than that of the kernel, and for a number that no memory has.
    fn size(self, label: &str) -> Option<Kib> {
        let number = self.value(label)?.trim_ascii().strip_suffix(b"kB")?;
        unsigned(number.trim_ascii()).filter(|&kib| kib < 1 << 53).map(Kib)
    }

    /// A size that may be missing.
    fn perhaps(self, label: &str) -> Reading<Kib> {
        self.size(label).map_or(Reading::Missing, Reading::Value)
    }

    /// The sum of two sizes of which the second may not exist.
    fn sum(self, first: &str, second: &str) -> Reading<Kib> {
        self.perhaps(first).map(|size| size + self.size(second).unwrap_or_default())
    }

    /// What only machines with zswap have.
    fn asked(self, label: &str) -> Reading<Kib> {
        self.size(label).map_or(Reading::NotAsked, Reading::Value)
    }

    /// A number of huge pages of the default size.
    fn huge_pages(self, label: &str) -> Reading<Kib> {
        let count = self.value(label).and_then(|count| unsigned(count.trim_ascii()));
        let size = count.zip(self.size("Hugepagesize"));
        let size = size.and_then(|(count, Kib(size))| count.checked_mul(size));
        size.map_or(Reading::Missing, |size| Reading::Value(Kib(size)))
    }
}

/// Parses the file. What is missing stays missing; without `MemTotal` and `MemFree` no process can be judged.
///
/// # Errors
///
/// If the file was cut off, or has no `MemTotal` or `MemFree`.
pub fn meminfo(bytes: &[u8]) -> Result<MemInfo, ParseError> {
    let no = |item| ParseError { file: "meminfo", item };
    if !bytes.ends_with(b"\n") {
        return Err(no("end"));
    }
    let lines = Lines(bytes);
    let total = lines.size("MemTotal").ok_or(no("MemTotal"))?;
    let free = lines.size("MemFree").ok_or(no("MemFree"))?;
    let known = |label| lines.size(label).unwrap_or_default();
    let cache = known("Buffers") + known("Cached") + known("SReclaimable");
    let shmem = known("Shmem");
    Ok(MemInfo {
        memory: Memory {
            total_kib: total,
            free_kib: free,
            available_kib: lines.perhaps("MemAvailable"),
            cache_kib: cache.saturating_sub(shmem),
            shmem_kib: shmem,
            anon_kib: lines.perhaps("AnonPages"),
            // Before 4.18 only those of the default size are told.
            hugetlb_kib: lines
                .size("Hugetlb")
                .or(lines.huge_pages("HugePages_Total").value())
                .unwrap_or_default(),
        },
        uses: uses(lines),
        swap: Swap {
            total_kib: known("SwapTotal"),
            free_kib: known("SwapFree"),
            zswap_kib: lines.asked("Zswap"),
            zswapped_kib: lines.asked("Zswapped"),
            ..Swap::default()
        },
        commit_limit: lines.perhaps("CommitLimit"),
        committed: lines.perhaps("Committed_AS"),
    })
}

/// Uses of RAM. Every kernel prints `Slab`, and none runs without: where that is not so, the file is made up
/// (gVisor, lxcfs), and its other counters are those of the host.
fn uses(lines: Lines<'_>) -> MemoryUses {
    let slab = lines.perhaps("SUnreclaim");
    let is_real = |label| lines.size(label).is_some_and(|size| size > Kib::ZERO);
    if !is_real("Slab") || slab == Reading::Value(Kib::ZERO) {
        return MemoryUses::missing();
    }
    MemoryUses {
        slab_reclaimable_kib: lines.perhaps("SReclaimable"),
        slab_unreclaimable_kib: slab,
        kernel_stacks_kib: lines.perhaps("KernelStack"),
        page_tables_kib: lines.sum("PageTables", "SecPageTables"),
        percpu_kib: lines.perhaps("Percpu"),
        vmalloc_kib: lines
            .perhaps("VmallocUsed")
            .and_then(|size| Some(size).filter(|size| *size > Kib::ZERO)),
        huge_pages_free_kib: lines.huge_pages("HugePages_Free"),
        huge_pages_reserved_kib: lines.huge_pages("HugePages_Rsvd"),
        zspages_kib: Reading::Missing,
        balloon_kib: lines.perhaps("Balloon"),
        gpu_kib: lines.sum("GPUActive", "GPUReclaim"),
    }
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
    fn a_unit_that_no_kernel_prints_is_no_size() {
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
        let same = |read: Reading<Kib>, whole: Reading<Kib>| {
            assert!(read == whole || read == Reading::Missing, "{read:?}, not {whole:?}");
        };
        for end in 0..GOOD.len() {
            if let Ok(read) = meminfo(&GOOD[..end]) {
                assert_eq!(read.memory.total_kib, whole.memory.total_kib, "at {end}");
                assert_eq!(read.memory.free_kib, whole.memory.free_kib, "at {end}");
                let swap = [(read.swap.total_kib, 4096), (read.swap.free_kib, 1024)];
                assert!(swap.iter().all(|(it, whole)| [0, *whole].contains(&it.0)), "at {end}");
                same(read.commit_limit, whole.commit_limit);
                same(read.committed, whole.committed);
                same(read.uses.slab_unreclaimable_kib, whole.uses.slab_unreclaimable_kib);
                same(read.uses.vmalloc_kib, whole.uses.vmalloc_kib);
            }
        }
    }

    #[test]
    fn without_its_total_a_file_is_an_error() {
        for bad in ["\u{e9} 1 kB\n", "MemTotal: 18446744073709551615 kB\nMemFree: 1 kB\n", "\u{e9}"]
        {
            assert!(meminfo(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_impossible_number_is_missing_and_the_others_stay() {
        let text = "MemTotal: 4096 kB\nMemFree: 1024 kB\nSlab: 9 kB\nAnonPages: 99999999999999999999999 kB\n\
                    SUnreclaim: -5 kB\nPercpu: 7 kB\nKernelStack: 5 MB\nPageTables: \u{e9} kB\n\
                    HugePages_Free: 18446744073709551615\nHugepagesize: 2048 kB\n";
        let read = meminfo(text.as_bytes()).unwrap();
        let missing = [
            read.memory.anon_kib,
            read.uses.slab_unreclaimable_kib,
            read.uses.kernel_stacks_kib,
            read.uses.page_tables_kib,
            read.uses.huge_pages_free_kib,
        ];
        assert_eq!(missing, [Reading::Missing; 5]);
        assert_eq!(read.uses.percpu_kib, Reading::Value(Kib(7)));
    }

    #[test]
    fn the_uses_of_memory_are_read() {
        let more = b"KernelStack: 1792 kB\nPageTables: 7136 kB\nSecPageTables: 64 kB\n\
                     Percpu: 1240 kB\nBalloon: 512 kB\nHugePages_Free: 3\nHugePages_Rsvd: 1\n\
                     GPUActive: 100 kB\nGPUReclaim: 20 kB\n";
        let is = |size| Reading::Value(Kib(size));
        let uses = MemoryUses {
            slab_reclaimable_kib: is(45_580),
            slab_unreclaimable_kib: is(22_468),
            kernel_stacks_kib: is(1792),
            page_tables_kib: is(7200),
            percpu_kib: is(1240),
            vmalloc_kib: is(14_284),
            huge_pages_free_kib: is(6144),
            huge_pages_reserved_kib: is(2048),
            zspages_kib: Reading::Missing,
            balloon_kib: is(512),
            gpu_kib: is(120),
        };
        assert_eq!(meminfo(&[GOOD, more].concat()).unwrap().uses, uses);
        let old = b"MemTotal: 9 kB\nMemFree: 1 kB\nVmallocUsed: 0 kB\n";
        assert_eq!(meminfo(old).unwrap().uses, MemoryUses::missing(), "4.4 to 5.2 print 0");
    }

    /// What gVisor prints, and what lxcfs makes up: a total of the container beside counters of the host.
    #[test]
    fn a_file_that_is_made_up_has_no_uses() {
        let gvisor = b"MemTotal:        2097152 kB\nMemFree:         2000000 kB\n\
            MemAvailable:    2010000 kB\nBuffers:               0 kB\nCached:            10000 kB\n\
            SwapCached:            0 kB\nActive:             5000 kB\nSwapTotal:             0 kB\n\
            SwapFree:              0 kB\nAnonPages:          5000 kB\nMapped:            10000 kB\n\
            Shmem:                 0 kB\n";
        let read = meminfo(gvisor).unwrap();
        assert_eq!(read.memory.anon_kib, Reading::Value(Kib(5000)));
        assert_eq!((read.uses, read.committed), (MemoryUses::missing(), Reading::Missing));
        let lxcfs = b"MemTotal:         262144 kB\nMemFree:          200000 kB\n\
            SwapTotal:         65536 kB\nSwapFree:       18446744073709551488 kB\n\
            AnonPages:         60000 kB\nSlab:                  0 kB\nSReclaimable:     383268 kB\n\
            SUnreclaim:      1822392 kB\nKernelStack:       99999 kB\nPageTables:       999999 kB\n";
        let read = meminfo(lxcfs).unwrap();
        assert_eq!(read.uses, MemoryUses::missing());
        // 128 KiB more than there is are in use: the difference fell below zero.
        assert_eq!((read.swap.total_kib, read.swap.free_kib), (Kib(65_536), Kib::ZERO));
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
