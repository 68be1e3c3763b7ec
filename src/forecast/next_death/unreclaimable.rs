//! The memory of a process that reclaim cannot take back before the kernel kills.

use crate::model::{Limit, Process, Reading, Scene};
use crate::units::Pages;

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
    /// What each process has of file pages that nobody has alone, where it is not known whose can be taken: those of
    /// shared programs and libraries, as far as can be told.
    common: Pages,
    /// Whether the processes have more file pages than can be taken.
    is_split_unknown: bool,
    /// How much shared memory can go to swap.
    swap: Pages,
    /// Whether swap has no room for all that could go there: whose memory does is not known.
    is_swap_short: bool,
}

/// What is taken back of a process, in pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// Most likely.
    pub likely: Pages,
    /// If as many of its file pages as can be taken are among those that are.
    pub most: Pages,
    /// If none of its file pages can be taken, and none of its shared memory goes to a swap that is short.
    pub least: Pages,
}

impl Reclaim {
    /// Of the scene's domain.
    pub fn of(scene: &Scene) -> Self {
        let now = scene.now();
        let page = now.machine.page_size;
        let swap = now.swap.free_kib.pages(page);
        let domain = scene.domain();
        let group = domain.is_memcg().then(|| now.cgroups.find(domain.limiting_cgroup().as_str()));
        let all = Self {
            file: Pages(u64::MAX),
            common: Pages::ZERO,
            is_split_unknown: false,
            swap,
            is_swap_short: false,
        };
        let Some(group) = group.flatten() else { return all };
        let swappiness = group.swappiness.value().or(now.sysctls.swappiness.value());
        let file = group.reclaimable.value().map_or(Pages(u64::MAX), |bytes| bytes.pages(page));
        let swap = match group.swap_limit.value() {
            _ if swappiness == Some(0) => Pages::ZERO,
            Some(Limit::At(limit)) => {
                let used = group.swap_usage.value().unwrap_or_default();
                swap.min(limit.saturating_sub(used).pages(page))
            }
            _ => swap,
        };
        Self { file, swap, ..all }
    }

    /// With the processes of the domain, which tell whose file pages can be taken.
    #[must_use]
    pub fn among<'a>(self, processes: impl Iterator<Item = &'a Process>) -> Self {
        if self.file == Pages(u64::MAX) && self.swap == Pages::ZERO {
            return self;
        }
        let (mut files, mut least, mut swappable) = (0_u64, Pages(u64::MAX), 0_u64);
        for process in processes {
            let file = unlocked_file(process);
            files = files.saturating_add(file.0);
            least = least.min(file);
            let could = known(process.anon) + known(process.shmem);
            swappable = swappable.saturating_add(could.0);
        }
        let is_split_unknown = files > self.file.0;
        let common = if is_split_unknown { least } else { Pages::ZERO };
        let is_swap_short = swappable > self.swap.0;
        Self { common, is_split_unknown, is_swap_short, ..self }
    }

    /// The pages of a process that are taken back.
    pub fn from(self, process: &Process, scene: &Scene) -> TakenBack {
        let (file, given_back) = (unlocked_file(process), given_back(process));
        let swapped = known(process.shmem).min(self.swap);
        let stays = if self.is_swap_short { Pages::ZERO } else { swapped };
        let most = file.min(self.file);
        let least = if self.is_split_unknown { Pages::ZERO } else { most };
        let likely = file.saturating_sub(self.common).min(self.file);
        let within =
            |file: Pages, swapped: Pages| (file + swapped + given_back).min(scene.rss(process));
        TakenBack {
            likely: within(likely, swapped),
            most: within(most, swapped),
            least: within(least, stays),
        }
    }
}

/// What the kernel counts of a process when it kills, in pages: resident memory, swap and page tables,
/// without file pages and, where there is swap, shared memory.
pub fn lasting(process: &Process, scene: &Scene) -> u64 {
    let held = scene.rss(process) + known(process.swap) + known(process.pgtables);
    let shmem = if scene.now().swap.free_kib.0 > 0 { known(process.shmem) } else { Pages::ZERO };
    held.saturating_sub(unlocked_file(process) + shmem + given_back(process)).0
}
