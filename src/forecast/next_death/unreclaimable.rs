//! The memory of a process that reclaim cannot take back before the kernel kills.

use crate::model::{Limit, Process, Reading, Scene};
use crate::units::{Bytes, Pages};

fn known(size: Reading<Pages>) -> Pages {
    size.value().unwrap_or_default()
}

/// File pages that reclaim can take: not what is locked.
fn unlocked_file(process: &Process) -> Pages {
    known(process.file).saturating_sub(known(process.locked))
}

/// Pages that it gave back with `MADV_FREE`: reclaim drops them as it drops clean pages of files (`mm/vmscan.c`
/// `shrink_folio_list`, 4.12 and later).
pub fn given_back(process: &Process) -> Pages {
    let pages = known(process.lazy_free);
    process.anon.value().map_or(pages, |anon| pages.min(anon))
}

/// What reclaim takes back in a domain before the kernel kills.
#[derive(Clone, Copy, Debug)]
pub struct Reclaim {
    /// File pages, of all processes together. File pages that another cgroup is charged for, as those of
    /// shared programs and libraries often are, stay.
    file: Pages,
    /// Whether shared memory can go to swap.
    swaps: bool,
}

impl Reclaim {
    /// Of the scene's domain.
    pub fn of(scene: &Scene) -> Self {
        let now = scene.now();
        let swap = now.swap.free_kib.0 > 0;
        let domain = scene.domain();
        let group = domain.is_memcg().then(|| now.cgroups.find(domain.limiting_cgroup().as_str()));
        let Some(group) = group.flatten() else {
            return Self { file: Pages(u64::MAX), swaps: swap };
        };
        let none = |limit: Reading<Limit>| limit == Reading::Value(Limit::At(Bytes::ZERO));
        let swappiness = group.swappiness.value().or(now.sysctls.swappiness.value());
        let file = group
            .reclaimable
            .value()
            .map_or(Pages(u64::MAX), |bytes| bytes.pages(now.machine.page_size));
        Self { file, swaps: swap && swappiness != Some(0) && !none(group.swap_limit) }
    }

    /// The pages of a process that are taken back.
    pub fn from(self, process: &Process, scene: &Scene) -> Pages {
        let shmem = if self.swaps { known(process.shmem) } else { Pages::ZERO };
        let gone = unlocked_file(process).min(self.file) + shmem + given_back(process);
        gone.min(scene.rss(process))
    }
}

/// What the kernel counts of a process when it kills, in pages: resident memory, swap and page tables,
/// without file pages and, where there is swap, shared memory.
pub fn lasting(process: &Process, scene: &Scene) -> u64 {
    let held = scene.rss(process) + known(process.swap) + known(process.pgtables);
    let shmem = if scene.now().swap.free_kib.0 > 0 { known(process.shmem) } else { Pages::ZERO };
    held.saturating_sub(unlocked_file(process) + shmem + given_back(process)).0
}
