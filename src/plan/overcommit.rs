//! What would follow from another sysctl value for memory commitments.

use crate::model::{OvercommitMode, Snapshot, Sysctl, commit_limit};
use crate::units::Kib;

/// What would follow for promises of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OvercommitForecast {
    /// The commit limit now, as the kernel tells it.
    pub limit_before: Kib,
    /// The commit limit then.
    pub limit: Kib,
    /// What is promised now.
    pub committed: Kib,
    /// The mode then.
    pub mode: OvercommitMode,
    /// What is kept for root then.
    pub admin_reserve: Kib,
    /// The most that is kept from one process then.
    pub user_reserve: Kib,
    /// The limit as computed for the present values is not the kernel's: sizes in this place are
    /// not the machine's own.
    pub foreign: bool,
}

/// Who could still be promised memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OvercommitRoom {
    /// Nothing is refused by the limit.
    Unlimited,
    /// There is room for all.
    Enough,
    /// Large processes would be refused: up to 1/32 of its own size is kept from each.
    NotForLarge,
    /// Only those of root (CAP_SYS_ADMIN) could have more.
    RootOnly,
    /// Nobody could have any more.
    Nobody,
}

impl OvercommitForecast {
    /// What would follow from `value` in `knob`. Nothing where the look does not tell enough.
    #[must_use]
    pub fn of(knob: Sysctl, value: u64, sample: &Snapshot) -> Option<Self> {
        let seen = |wanted: Sysctl| {
            if wanted == knob {
                return Some(value);
            }
            // Of ratio and KiB only one counts.
            if knob.zeroes() == Some(wanted) { Some(0) } else { sample.sysctl(wanted).value() }
        };
        let page = sample.machine.page_size;
        let limit = |ratio: u64, kbytes: u64| {
            let pages = commit_limit(&sample.memory, &sample.swap, page, ratio, Kib(kbytes));
            Kib(pages.bytes(page).0 / 1024)
        };
        let charge = sample.overcommit.charge()?;
        // A kernel before 3.14 has no KiB.
        let kbytes = |seen: Option<u64>| seen.unwrap_or(0);
        let present = limit(
            sample.overcommit.ratio.value()?,
            kbytes(sample.overcommit.kbytes.value().map(|kib| kib.0)),
        );
        let computed =
            limit(seen(Sysctl::OvercommitRatio)?, kbytes(seen(Sysctl::OvercommitKbytes)));
        let counts = matches!(knob, Sysctl::OvercommitRatio | Sysctl::OvercommitKbytes);
        let mode = u8::try_from(seen(Sysctl::OvercommitMemory)?).unwrap_or(u8::MAX);
        Some(Self {
            limit_before: charge.limit,
            limit: if counts { computed } else { charge.limit },
            committed: charge.committed,
            mode: OvercommitMode::from(mode),
            admin_reserve: sample.overcommit.admin_reserve_kib.value().unwrap_or_default(),
            user_reserve: sample.overcommit.user_reserve_kib.value().unwrap_or_default(),
            foreign: counts && present != charge.limit,
        })
    }

    /// Who could still be promised memory (`mm/util.c` `__vm_enough_memory`).
    #[must_use]
    pub fn room(&self) -> OvercommitRoom {
        let free = self.limit.saturating_sub(self.committed);
        if !self.mode.enforces() {
            OvercommitRoom::Unlimited
        } else if free == Kib::ZERO {
            OvercommitRoom::Nobody
        } else if free <= self.admin_reserve {
            OvercommitRoom::RootOnly
        } else if free <= self.admin_reserve + self.user_reserve {
            OvercommitRoom::NotForLarge
        } else {
            OvercommitRoom::Enough
        }
    }
}

/// Why a value asks once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SysctlDanger {
    /// Every allocation fails at once.
    NoMemory,
    /// Every allocation fails at once but those of root.
    NoMemoryButRoot,
    /// The next OOM panics the kernel.
    Panics,
}
