//! The forecast for another sysctl value: the commit limit, and which processes could still commit
//! memory.

use crate::model::{OvercommitMode, Snapshot, Sysctl, commit_limit};
use crate::units::Kib;

/// The forecast for memory commitments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OvercommitForecast {
    /// The commit limit now, as the kernel reports it.
    pub limit_before: Kib,
    /// The commit limit with the new value.
    pub limit: Kib,
    /// The commitments now (Committed_AS).
    pub committed: Kib,
    /// The overcommit mode with the new value.
    pub mode: OvercommitMode,
    /// The reserve for root.
    pub admin_reserve: Kib,
    /// The maximum reserve that is kept from one process.
    pub user_reserve: Kib,
    /// Whether the limit computed for the present values differs from the kernel's: the sizes here are
    /// not those of the machine, as in a container.
    pub foreign: bool,
}

/// Which processes could still commit memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OvercommitRoom {
    /// All: the limit is not enforced.
    Unlimited,
    /// All: there is room.
    Enough,
    /// Not large processes: up to 1/32 of the size of a process is kept from it.
    NotForLarge,
    /// Only processes of root (CAP_SYS_ADMIN).
    RootOnly,
    /// None.
    Nobody,
}

impl OvercommitForecast {
    /// The forecast for a value of a sysctl; nothing where the sample does not tell enough.
    #[must_use]
    pub fn of(sysctl: Sysctl, value: u64, sample: &Snapshot) -> Option<Self> {
        let seen = |wanted: Sysctl| {
            if wanted == sysctl {
                return Some(value);
            }
            // Writing one of ratio and KiB zeroes the other.
            if sysctl.zeroes() == Some(wanted) { Some(0) } else { sample.sysctl(wanted).value() }
        };
        let page = sample.machine.page_size;
        let limit = |ratio: u64, kbytes: u64| {
            let pages = commit_limit(&sample.memory, &sample.swap, page, ratio, Kib(kbytes));
            Kib(pages.bytes(page).0 / 1024)
        };
        let charge = sample.overcommit.charge()?;
        // A kernel before 3.14 has no `overcommit_kbytes`.
        let kbytes = |seen: Option<u64>| seen.unwrap_or(0);
        let present = limit(
            sample.overcommit.ratio.value()?,
            kbytes(sample.overcommit.kbytes.value().map(|kib| kib.0)),
        );
        let computed =
            limit(seen(Sysctl::OvercommitRatio)?, kbytes(seen(Sysctl::OvercommitKbytes)));
        let counts = matches!(sysctl, Sysctl::OvercommitRatio | Sysctl::OvercommitKbytes);
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

    /// Which processes could still commit memory (`mm/util.c` `__vm_enough_memory`).
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

/// Why a value has to be confirmed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SysctlDanger {
    /// Every allocation fails at once.
    NoMemory,
    /// Every allocation fails at once, except those of root.
    NoMemoryButRoot,
    /// The next OOM panics the kernel.
    Panics,
}
