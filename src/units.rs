//! Units that cannot be mixed: a page is not a byte, a tick is not a second.
//!
//! Each is a wrapper around one integer. Conversions take a page size or a tick rate as an
//! argument, because neither is the same on all machines.

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub};

use serde::{Deserialize, Serialize};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0);

            /// The difference, but not below the lowest value of the type.
            #[must_use]
            pub const fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }
    };
}

unit! {
    /// Memory in pages of the machine on which it was measured.
    Pages(u64)
}
unit! {
    /// A signed number of pages: badness, or the difference of two sizes.
    Points(i64)
}
unit! {
    /// Memory in bytes.
    Bytes(u64)
}
unit! {
    /// Memory in KiB, which `/proc` calls "kB".
    Kib(u64)
}
unit! {
    /// Time in clock ticks (`USER_HZ`, 100 per second on nearly every machine).
    Ticks(u64)
}
unit! {
    /// Time in milliseconds on a monotonic clock.
    Millis(u64)
}

impl Pages {
    /// Converts to bytes.
    #[must_use]
    pub const fn bytes(self, page: PageSize) -> Bytes {
        Bytes(self.0.saturating_mul(page.0))
    }

    /// Converts to a signed number of pages.
    #[must_use]
    pub fn points(self) -> Points {
        Points(i64::try_from(self.0).unwrap_or(i64::MAX))
    }
}

impl Points {}

impl Sub for Points {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

impl Neg for Points {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Millis {
    /// In seconds.
    #[must_use]
    pub const fn seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

impl Kib {
    /// Converts to bytes.
    #[must_use]
    pub const fn bytes(self) -> Bytes {
        Bytes(self.0.saturating_mul(1024))
    }

    /// Converts to whole pages, rounded down as the kernel's `>> (PAGE_SHIFT - 10)` does.
    #[must_use]
    pub fn pages(self, page: PageSize) -> Pages {
        self.bytes().pages(page)
    }
}

impl Bytes {
    /// Converts to whole pages, rounded down.
    #[must_use]
    pub fn pages(self, page: PageSize) -> Pages {
        Pages(self.0 / page.0.max(1))
    }
}

impl Ticks {
    /// Converts to milliseconds.
    #[must_use]
    pub fn millis(self, rate: TickRate) -> Millis {
        Millis(self.0.saturating_mul(1000) / rate.0.max(1))
    }

    /// Converts to whole seconds, rounded down.
    #[must_use]
    pub fn seconds(self, rate: TickRate) -> u64 {
        self.0 / rate.0.max(1)
    }
}

/// Size of a page, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageSize(pub u64);

impl Default for PageSize {
    fn default() -> Self {
        Self(4096)
    }
}

/// Clock ticks per second (`sysconf(_SC_CLK_TCK)`, `USER_HZ`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TickRate(pub u64);

impl Default for TickRate {
    fn default() -> Self {
        Self(100)
    }
}

/// `oom_score_adj`: -1000 (never chosen) to 1000, in per-mille of the total of the domain.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Adj(pub i16);

impl Adj {
    /// `OOM_SCORE_ADJ_MIN`: the OOM killer never chooses this process.
    pub const MIN: Self = Self(-1000);
    /// `OOM_SCORE_ADJ_MAX`.
    pub const MAX: Self = Self(1000);
    /// The default of a process.
    pub const ZERO: Self = Self(0);

    /// The nearest valid value.
    #[must_use]
    pub fn clamped(value: i64) -> Self {
        Self(value.clamp(-1000, 1000) as i16)
    }

    /// What `/proc/PID/oom_adj` shows for it (5.10 and later, `fs/proc/base.c` `oom_adj_read`: `s
    /// == 1000 ? 15 : s * 17 / 1000`, clamped to 15; earlier kernels show 16 for 942 to 999).
    #[must_use]
    pub fn legacy(self) -> LegacyAdj {
        if self == Self::MAX {
            LegacyAdj::MAX
        } else {
            LegacyAdj(((i32::from(self.0) * 17 / 1000) as i8).min(15))
        }
    }
}

impl fmt::Display for Adj {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+}", self.0)
    }
}

/// `oom_adj`, the scale of kernels before 2.6.36: -17 (never chosen), -16 to 15.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct LegacyAdj(pub i8);

impl LegacyAdj {
    /// `OOM_DISABLE`.
    pub const DISABLE: Self = Self(-17);
    /// `OOM_ADJUST_MAX`.
    pub const MAX: Self = Self(15);

    /// The nearest valid value.
    #[must_use]
    pub fn clamped(value: i64) -> Self {
        Self(value.clamp(-17, 15) as i8)
    }

    /// The `oom_score_adj` that a write of this value sets (2.6.36 and later, `fs/proc/base.c`
    /// `oom_adj_write`: 15 becomes 1000, everything else `a * 1000 / 17`, rounded toward zero).
    #[must_use]
    pub fn modern(self) -> Adj {
        if self == Self::MAX { Adj::MAX } else { Adj((i32::from(self.0) * 1000 / 17) as i16) }
    }
}

impl fmt::Display for LegacyAdj {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+}", self.0)
    }
}

/// Per-mille of a total, rounded toward zero as the kernel's division does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permille(pub i64);

impl Permille {
    /// `points * 1000 / total`; a total of zero counts as one page.
    #[must_use]
    pub fn of(points: Points, total: Pages) -> Self {
        let total = i128::from(total.0.max(1));
        Self((i128::from(points.0) * 1000 / total) as i64)
    }
}
