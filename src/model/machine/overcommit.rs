//! Overcommit: how much memory is committed to processes, and the limit of it.

use serde::{Deserialize, Serialize};

use crate::model::{Memory, Reading, Swap};
use crate::units::{Kib, PageSize, Pages};

/// Committed memory and its limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitCharge {
    /// `CommitLimit`.
    pub limit: Kib,
    /// `Committed_AS`.
    pub committed: Kib,
}

impl CommitCharge {
    /// Committed memory in percent of the limit; a limit of zero counts as 1 KiB.
    #[must_use]
    pub fn percent(&self) -> u64 {
        self.committed.0.saturating_mul(100) / self.limit.0.max(1)
    }
}

/// `vm.overcommit_memory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub enum OvercommitMode {
    /// 0: obvious overcommits are refused.
    Heuristic,
    /// 1: nothing is refused.
    Always,
    /// 2: what exceeds the commit limit is refused.
    Strict,
    /// A mode that doomtop does not know.
    Unknown(u8),
}

impl From<u8> for OvercommitMode {
    fn from(mode: u8) -> Self {
        match mode {
            0 => Self::Heuristic,
            1 => Self::Always,
            2 => Self::Strict,
            other => Self::Unknown(other),
        }
    }
}

impl From<OvercommitMode> for u8 {
    fn from(mode: OvercommitMode) -> Self {
        match mode {
            OvercommitMode::Heuristic => 0,
            OvercommitMode::Always => 1,
            OvercommitMode::Strict => 2,
            OvercommitMode::Unknown(other) => other,
        }
    }
}

impl OvercommitMode {
    /// The mode in one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Heuristic => "heuristic",
            Self::Always => "always",
            Self::Strict => "strict",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Whether the commit limit is enforced.
    #[must_use]
    pub const fn enforces(self) -> bool {
        matches!(self, Self::Strict)
    }
}

/// The overcommit sysctls, the commit limit and the committed memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overcommit {
    /// `vm.overcommit_memory`.
    pub mode: Reading<OvercommitMode>,
    /// `vm.overcommit_ratio`, in percent of RAM.
    pub ratio: Reading<u64>,
    /// `vm.overcommit_kbytes`; 0 means that the ratio counts instead.
    pub kbytes: Reading<Kib>,
    /// `CommitLimit`.
    #[serde(rename = "limit")]
    pub limit_kib: Reading<Kib>,
    /// `Committed_AS`.
    #[serde(rename = "committed")]
    pub committed_kib: Reading<Kib>,
    /// `vm.admin_reserve_kbytes` (3.10 and later): reserved for root while the limit is enforced.
    #[serde(default, rename = "admin_reserve", skip_serializing_if = "Reading::is_not_asked")]
    pub admin_reserve_kib: Reading<Kib>,
    /// `vm.user_reserve_kbytes` (3.10 and later): maximum that is reserved against a single
    /// process.
    #[serde(default, rename = "user_reserve", skip_serializing_if = "Reading::is_not_asked")]
    pub user_reserve_kib: Reading<Kib>,
}

impl Overcommit {
    /// Limit and committed memory, if both are known.
    #[must_use]
    pub fn charge(&self) -> Option<CommitCharge> {
        Some(CommitCharge {
            limit: self.limit_kib.value()?,
            committed: self.committed_kib.value()?,
        })
    }

    /// Whether the limit is enforced.
    #[must_use]
    pub fn enforced(&self) -> bool {
        self.mode.value().is_some_and(OvercommitMode::enforces)
    }
}

/// The commit limit (`mm/util.c` `vm_commit_limit`): `kbytes`, or if that is 0, `ratio` percent of
/// RAM without huge pages; plus all swap.
#[must_use]
pub fn commit_limit(
    memory: &Memory,
    swap: &Swap,
    page: PageSize,
    ratio: u64,
    kbytes: Kib,
) -> Pages {
    let own = if kbytes == Kib::ZERO {
        let lent = memory.total_kib.pages(page).saturating_sub(memory.hugetlb_kib.pages(page));
        Pages(u64::try_from(u128::from(lent.0) * u128::from(ratio) / 100).unwrap_or(u64::MAX))
    } else {
        kbytes.pages(page)
    };
    own + swap.lasting().pages(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_limit_is_the_kernels() {
        let page = PageSize::default();
        let pages = |count: u64| Kib(count * 4);
        for (total, hugetlb, swap, ratio, kbytes, limit) in [
            (6_170_604, 0, 0, 50, 0, 3_085_302),
            (1_048_576, 131_072, 524_288, 80, 0, 1_258_291),
            (1_048_576, 131_072, 524_288, 0, 2_097_152, 1_048_576),
        ] {
            let memory = Memory {
                total_kib: pages(total),
                hugetlb_kib: pages(hugetlb),
                ..Memory::default()
            };
            let swap = Swap { total_kib: pages(swap), ..Swap::default() };
            assert_eq!(commit_limit(&memory, &swap, page, ratio, Kib(kbytes)), Pages(limit));
        }
    }
}
