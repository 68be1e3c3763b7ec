//! How much a domain can still take before the kernel kills: what is free, what reclaim gives back, and
//! the swap that can be used.

use crate::model::{Cgroup, Limit, Snapshot, Swap, ZramSwap};
use crate::units::{Bytes, Kib};

use super::StallReason;

/// The ratio of compression where nearly nothing is stored yet: about that of lzo-rle and lz4 with memory of
/// ordinary programs.
const USUAL_RATIO: f64 = 2.5;
/// Less than this tells nothing of the ratio.
const MIN_STORED: Kib = Kib(1024);
/// RAM of zsmalloc that holds nothing yet: the last, partly filled pages of each of its classes of sizes
/// (`mm/zsmalloc.c`, about 250 of up to 16 KiB and more). It is taken with the first pages that are stored, so what
/// more pages cost is less than the average so far. Measured with pages of one ratio: 3.4 MiB.
const ZSMALLOC_UNFILLED: Kib = Kib(3 << 10);
/// The share of RAM that zswap's pool may take, in percent (`max_pool_percent`), where it cannot be read.
const ZSWAP_POOL: u8 = 20;

/// What a domain can still take, at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What can still be allocated.
    pub left: Bytes,
    /// All that could be allocated if the domain were empty.
    pub limit: Bytes,
}

impl Room {
    /// The share in use, in per-mille.
    pub fn used_permille(self) -> u64 {
        let left = u128::from(self.left.0) * 1000 / u128::from(self.limit.0.max(1));
        1000_u64.saturating_sub(u64::try_from(left).unwrap_or(u64::MAX))
    }
}

/// The room of the whole machine: `MemAvailable` and free swap. Up to 3.13 there is no `MemAvailable`; free
/// memory and caches stand for it.
pub fn of_machine(sample: &Snapshot) -> Room {
    let memory = &sample.memory;
    let available = memory.available_kib.value().unwrap_or(memory.free_kib + memory.cache_kib);
    Room {
        left: (available + usable_swap(&sample.swap, zswap_pool(sample))).bytes(),
        limit: (memory.total_kib + sample.swap.lasting()).bytes(),
    }
}

/// How much RAM zswap's pool may take.
fn zswap_pool(sample: &Snapshot) -> Kib {
    let settings = sample.memory_holders.zswap.value();
    let percent = settings.map_or(ZSWAP_POOL, |it| it.max_pool_percent);
    Kib(sample.memory.total_kib.0 / 100 * u64::from(percent))
}

/// The RAM that can be gained with the free swap. A page that is stored on zram, or in zswap's pool, still takes
/// RAM: its size divided by the compression ratio.
fn usable_swap(swap: &Swap, zswap_pool: Kib) -> Kib {
    let free = swap.free_kib.saturating_sub(swap.leaving_kib.unwrap_or(Kib::ZERO));
    let zram = swap.zram.unwrap_or_default();
    let on_zram = zram.free_kib.min(free);
    let on_disk = (free.0 - on_zram.0) as f64;
    let gained =
        zram_gain(&zram, on_zram.0 as f64) + on_disk - zswap_cost(swap, on_disk, zswap_pool);
    Kib(gained.max(0.0) as u64).min(free)
}

/// How much smaller the next pages become by compression, if those that are stored take so much RAM.
fn ratio(stored: Kib, used: Kib) -> f64 {
    if stored < MIN_STORED || used == Kib::ZERO {
        return USUAL_RATIO;
    }
    let unfilled = ZSMALLOC_UNFILLED.0.min(used.0 / 2);
    stored.0 as f64 / (used.0 - unfilled) as f64
}

/// What storing on zram gains: so many KiB of its swap space are free.
fn zram_gain(zram: &ZramSwap, free: f64) -> f64 {
    let ratio = ratio(zram.stored_kib, zram.used_kib);
    let limit = zram
        .limit_kib
        .map_or(f64::INFINITY, |limit| limit.saturating_sub(zram.used_kib).0 as f64 * ratio);
    free.min(limit) * (1.0 - 1.0 / ratio).max(0.0)
}

/// How much RAM zswap's pool can still take in front of the swap on disks.
fn zswap_cost(swap: &Swap, free: f64, pool: Kib) -> f64 {
    let (Some(used), Some(stored)) = (swap.zswap_kib.value(), swap.zswapped_kib.value()) else {
        return 0.0;
    };
    if used == Kib::ZERO {
        return 0.0;
    }
    let pool = pool.saturating_sub(used).0 as f64;
    (free / ratio(stored, used).max(1.0)).min(pool)
}

/// The room of a cgroup below its own limit, if it has one and its usage is known. Where it has none, and its tasks
/// are throttled, that below `memory.high`.
pub fn of_cgroup(group: &Cgroup, sample: &Snapshot) -> Option<Room> {
    let Some(limit) = group.effective_limit() else {
        stall(group).filter(|reason| *reason == StallReason::Throttled)?;
        let limit = group.high.value()?.bytes()?;
        return Some(Room { left: limit.saturating_sub(unreclaimable(group)?), limit });
    };
    let left = group.headroom(sample.swap.free_kib.bytes(), sample.sysctls.swappiness)?;
    Some(Room { left, limit })
}

/// What of its usage reclaim cannot take.
fn unreclaimable(group: &Cgroup) -> Option<Bytes> {
    Some(group.usage.value()?.saturating_sub(group.reclaimable.value().unwrap_or_default()))
}

/// Why tasks in a cgroup wait instead of dying, if they do.
#[must_use]
pub fn stall(group: &Cgroup) -> Option<StallReason> {
    if group.oom_kill_disabled.value() == Some(true) {
        return Some(StallReason::OomKillDisabled);
    }
    if group.frozen.value() == Some(true) {
        return Some(StallReason::Frozen);
    }
    let high = group.high.value().and_then(Limit::bytes)?;
    let limit = group.limit.value().and_then(Limit::bytes);
    // What can be reclaimed goes first: a page cache that fills a group up to `memory.high` stalls nobody.
    let usage = unreclaimable(group)?;
    let below_max = limit.is_none_or(|limit| high.0 < limit.0);
    (below_max && usage.0 >= high.0.saturating_sub(high.0 / 64)).then_some(StallReason::Throttled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Reading;

    /// 1000 MiB of RAM, of which 100 are available.
    fn left(swap: Swap) -> u64 {
        let mut sample = Snapshot { swap, ..Snapshot::default() };
        sample.memory.total_kib = Kib(1000 << 10);
        sample.memory.available_kib = Reading::Value(Kib(100 << 10));
        of_machine(&sample).left.0 >> 20
    }

    fn swap(total: u64, free: u64) -> Swap {
        Swap { total_kib: Kib(total << 10), free_kib: Kib(free << 10), ..Swap::default() }
    }

    fn zram(free: u64, stored: u64, used: u64, limit: Option<u64>) -> ZramSwap {
        let kib = |mib: u64| Kib(mib << 10);
        ZramSwap {
            free_kib: kib(free),
            stored_kib: kib(stored),
            used_kib: kib(used),
            limit_kib: limit.map(kib),
        }
    }

    #[test]
    fn swap_on_a_disk_is_room_and_swap_on_zram_costs_ram() {
        assert_eq!(left(swap(0, 0)), 100);
        assert_eq!(left(swap(500, 400)), 500);
        let on_zram = |zram| left(Swap { zram: Some(zram), ..swap(500, 400) });
        assert_eq!(on_zram(zram(400, 1000, 253, None)), 400, "three quarters of it, at 4:1");
        assert_eq!(on_zram(zram(400, 1000, 503, None)), 300, "half of it, at 2:1");
        assert_eq!(
            on_zram(zram(400, 1000, 1050, None)),
            100,
            "what cannot be compressed gains nothing"
        );
        assert_eq!(on_zram(zram(400, 0, 0, None)), 340, "at 2.5:1 before anything is stored");
        assert_eq!(on_zram(zram(400, 1000, 503, Some(553))), 150, "50 MiB of RAM hold 100 more");
        assert_eq!(on_zram(zram(400, 1000, 503, Some(503))), 100, "its limit is reached");
        assert_eq!(on_zram(zram(100, 1000, 503, None)), 450, "300 MiB are on a disk");
    }

    #[test]
    fn the_first_pages_on_zram_do_not_tell_what_the_next_ones_cost() {
        // A device that fills with pages of one ratio (Linux 7.3, lzo-rle): what is stored, and the RAM for it.
        let filling = [
            (9_064, 7_184),
            (33_052, 17_616),
            (47_600, 23_596),
            (65_624, 31_040),
            (87_932, 40_244),
            (96_784, 43_904),
        ];
        for (stored, used) in filling {
            let next = ratio(Kib(stored), Kib(used));
            assert!((2.1..2.5).contains(&next), "{next:.2} after {stored} KiB, it is 2.4");
        }
    }

    #[test]
    fn zswap_takes_ram_until_its_pool_is_full() {
        let with = |used: u64, stored: u64| {
            left(Swap {
                zswap_kib: Reading::Value(Kib(used << 10)),
                zswapped_kib: Reading::Value(Kib(stored << 10)),
                ..swap(1000, 900)
            })
        };
        assert_eq!(with(0, 0), 1000, "it is not used");
        assert_eq!(with(20, 80), 1000 - 180, "its pool may grow to 200 MiB");
        assert_eq!(with(200, 800), 1000, "its pool is full");
    }

    proptest! {
        #[test]
        fn compressed_swap_is_never_more_room_than_swap_on_a_disk(
            total in 0_u64..1 << 40, free in 0_u64..1 << 40, zram in any::<[u32; 3]>(),
            limit in proptest::option::of(any::<u32>()), zswap in any::<[u32; 2]>(),
        ) {
            let [on_zram, stored, used] = zram.map(|it| Kib(it.into()));
            let zram = ZramSwap {
                free_kib: on_zram,
                stored_kib: stored,
                used_kib: used,
                limit_kib: limit.map(|it| Kib(it.into())),
            };
            let [used, stored] = zswap.map(|it| Reading::Value(Kib(it.into())));
            let plain = Swap { total_kib: Kib(total), free_kib: Kib(free), ..Swap::default() };
            let swap = Swap { zram: Some(zram), zswap_kib: used, zswapped_kib: stored, ..plain };
            let ram = Kib(1 << 20);
            prop_assert!(usable_swap(&swap, ram) <= usable_swap(&plain, ram));
            prop_assert_eq!(usable_swap(&plain, ram), Kib(free));
            let better = ZramSwap { used_kib: Kib(zram.used_kib.0 / 2), ..zram };
            if zram.limit_kib.is_none() && zram.used_kib.0 > 1 {
                let better = Swap { zram: Some(better), ..swap };
                prop_assert!(usable_swap(&better, ram) >= usable_swap(&swap, ram));
            }
        }
    }
}
