//! What the death of a process frees: its anonymous memory and its swap; not what it shares with others, and no
//! files in tmpfs.

use crate::model::{MemoryBreakdown, Process, Reading, Scene, Swap};
use crate::units::{Bytes, Kib};

/// What stays must be at least this much for a warning.
const WORTH_A_WARNING: Bytes = Bytes(16 << 20);

/// What the death of a process frees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FreedMemory {
    /// Anonymous memory, without what other processes map, too, as far as that is known.
    pub anonymous: Bytes,
    /// Its swap space.
    pub swap: Bytes,
    /// The room that its pages in swap give back: less than `swap` where they are stored compressed in RAM.
    pub swap_room: Bytes,
    /// Shared memory that it maps, and as far as that is known nobody else: freed unless a file (tmpfs, System V)
    /// keeps it.
    pub perhaps: Bytes,
    /// What it holds in memory beside that, and what stays: what others map, too, and files.
    pub stays: Bytes,
}

impl FreedMemory {
    /// An estimate by the counters of a sample, which do not tell what a fork shares.
    #[must_use]
    pub fn of(process: &Process, scene: &Scene) -> Reading<Self> {
        let page = scene.machine().page_size;
        let swap = process.swap.value().unwrap_or_default().bytes(page);
        let shmem = process.shmem.value().unwrap_or_default();
        process.anon.map(|anon| Self {
            anonymous: anon.bytes(page),
            swap,
            swap_room: room_of_swap(swap, &scene.now().swap),
            perhaps: shmem.bytes(page),
            stays: scene.rss(process).saturating_sub(anon + shmem).bytes(page),
        })
    }

    /// By what the memory of the process consists of.
    #[must_use]
    pub fn measured(breakdown: &MemoryBreakdown, process: &Process, scene: &Scene) -> Self {
        let swap = breakdown.swap.bytes();
        let shmem = process.shmem.value().unwrap_or_default().bytes(scene.machine().page_size);
        let alone = breakdown.private.saturating_sub(breakdown.freed()).bytes();
        Self {
            anonymous: breakdown.freed().bytes(),
            swap,
            swap_room: room_of_swap(swap, &scene.now().swap),
            perhaps: alone.min(shmem),
            stays: breakdown.shared.bytes(),
        }
    }

    /// All the room that it gives back.
    #[must_use]
    pub fn room(&self) -> Bytes {
        self.anonymous + self.swap_room
    }

    /// Whether pages in swap give back less than they are large.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        self.swap_room < self.swap
    }

    /// Whether it frees less than a quarter of what it seems to hold.
    #[must_use]
    pub fn is_little(&self) -> bool {
        let room = self.room();
        let most = room + self.perhaps;
        self.stays >= WORTH_A_WARNING && most.0 < (most + self.stays).0 / 4
    }
}

/// The room that pages in swap give back. A page on zram gives back the RAM that it takes there; which pages of a
/// process are there is not told, so each counts as the average of all.
fn room_of_swap(size: Bytes, swap: &Swap) -> Bytes {
    let (used, zram) = (swap.used(), swap.zram.unwrap_or_default());
    if used == Kib::ZERO || zram.stored_kib == Kib::ZERO {
        return size;
    }
    let on_zram = (zram.stored_kib.0 as f64 / used.0 as f64).min(1.0);
    let cost = (zram.used_kib.0 as f64 / zram.stored_kib.0 as f64).min(1.0);
    Bytes((size.0 as f64 * (1.0 - on_zram + on_zram * cost)) as u64).min(size)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Snapshot, ZramSwap};
    use crate::units::{PageSize, Pages};

    const MIB: u64 = 1 << 20;

    fn scene(swap: Swap) -> Scene {
        let mut sample = Snapshot { swap, ..Snapshot::default() };
        Arc::make_mut(&mut sample.machine).page_size = PageSize(4096);
        Scene::new(Arc::new(sample), None)
    }

    fn process(rss: u64, anon: u64, swap: u64) -> Process {
        Process {
            rss_stat: Pages(rss * 256),
            anon: Reading::Value(Pages(anon * 256)),
            swap: Reading::Value(Pages(swap * 256)),
            has_mm: true,
            ..Process::default()
        }
    }

    /// 100 MiB of swap in use, of which so much is on zram, where it takes so much RAM.
    fn zram(stored: u64, used: u64) -> Swap {
        Swap {
            total_kib: Kib(200 << 10),
            free_kib: Kib(100 << 10),
            zram: Some(ZramSwap {
                stored_kib: Kib(stored << 10),
                used_kib: Kib(used << 10),
                ..ZramSwap::default()
            }),
            ..Swap::default()
        }
    }

    fn room(process: &Process, swap: Swap) -> Option<u64> {
        FreedMemory::of(process, &scene(swap)).value().map(|it| it.room().0 / MIB)
    }

    #[test]
    fn swap_on_a_disk_is_freed_whole_and_swap_on_zram_gives_back_its_ram() {
        let it = process(300, 200, 40);
        assert_eq!(room(&it, Swap::default()), Some(240));
        assert_eq!(room(&it, zram(100, 25)), Some(210), "a quarter of it");
        assert_eq!(room(&it, zram(50, 25)), Some(230), "half is on a disk, half takes half");
        assert_eq!(room(&it, zram(100, 150)), Some(240), "what cannot be compressed");
        assert_eq!(
            room(&it, zram(900, 225)),
            Some(210),
            "more is stored than is in use: read apart"
        );
    }

    #[test]
    fn what_is_not_known_is_not_zero() {
        let denied = Process { anon: Reading::Denied, ..process(300, 0, 0) };
        assert_eq!(FreedMemory::of(&denied, &scene(Swap::default())), Reading::Denied);
        let unknown = Process { swap: Reading::Missing, ..process(300, 200, 0) };
        assert_eq!(room(&unknown, Swap::default()), Some(200));
    }

    #[test]
    fn a_process_that_frees_little_is_told_by_what_stays() {
        let little = |rss, anon, swap| {
            let it = process(rss, anon, swap);
            FreedMemory::of(&it, &scene(Swap::default())).value().unwrap().is_little()
        };
        assert!(little(2000, 90, 0), "a database whose buffers are shared memory");
        assert!(!little(2000, 900, 0));
        assert!(!little(12, 1, 0), "it is small itself");
        assert!(!little(2000, 90, 4000), "its swap counts");
        let breakdown = MemoryBreakdown {
            private: Kib(40 << 10),
            anonymous: Kib(900 << 10),
            shared: Kib(1 << 20),
            ..MemoryBreakdown::default()
        };
        let measured =
            FreedMemory::measured(&breakdown, &process(1964, 900, 0), &scene(Swap::default()));
        assert_eq!(measured.room(), Bytes(40 * MIB), "a fork shares the rest");
        assert!(measured.is_little());
        // A database that maps its buffers alone: 184 MiB of them, of which no file is known.
        let alone = MemoryBreakdown {
            private: Kib(184 << 10),
            anonymous: Kib(4 << 10),
            shared: Kib(1 << 10),
            ..MemoryBreakdown::default()
        };
        let mut it = process(185, 4, 0);
        it.shmem = Reading::Value(Pages(180 * 256));
        let measured = FreedMemory::measured(&alone, &it, &scene(Swap::default()));
        assert_eq!((measured.room(), measured.perhaps), (Bytes(4 * MIB), Bytes(180 * MIB)));
        assert!(!measured.is_little());
        let counted = FreedMemory::of(&it, &scene(Swap::default())).value().unwrap();
        assert_eq!((counted.perhaps, counted.stays), (Bytes(180 * MIB), Bytes(MIB)));
    }

    #[test]
    fn hostile_sizes_break_nothing() {
        let most = Kib(u64::MAX);
        let swap = Swap {
            total_kib: most,
            zram: Some(ZramSwap { stored_kib: most, used_kib: most, ..ZramSwap::default() }),
            ..Swap::default()
        };
        let it = Process {
            anon: Reading::Value(Pages(u64::MAX)),
            swap: Reading::Value(Pages(u64::MAX)),
            ..process(1, 0, 0)
        };
        let freed = FreedMemory::of(&it, &scene(swap)).value().unwrap();
        assert!(freed.swap_room <= freed.swap && !freed.is_little());
    }
}
