//! Pressure stall information (PSI).

use serde::{Deserialize, Serialize};

use crate::model::Reading;

/// One line of a pressure file: shares of time in percent, and the stall time since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PsiLine {
    /// Over 10 seconds.
    pub avg10: f32,
    /// Over 60 seconds.
    pub avg60: f32,
    /// Over 300 seconds.
    pub avg300: f32,
    /// Microseconds since boot.
    pub total_us: u64,
}

/// Pressure stall information (4.20 and later).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pressure {
    /// Some task waited for memory.
    #[serde(rename = "memory_some")]
    pub some: Reading<PsiLine>,
    /// Every task that could run waited for memory.
    #[serde(rename = "memory_full")]
    pub full: Reading<PsiLine>,
    /// Some task waited for a disk.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub io_some: Reading<PsiLine>,
    /// Every task that could run waited for a disk.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub io_full: Reading<PsiLine>,
}

impl Pressure {
    /// Stalls for memory; nobody looked for those for disks.
    #[must_use]
    pub fn of_memory(some: Reading<PsiLine>, full: Reading<PsiLine>) -> Self {
        Self { some, full, ..Self::default() }
    }

    /// The same with the stalls for disks, which are told in a file of the same form.
    #[must_use]
    pub fn with_io(self, io: Reading<Self>) -> Self {
        let of = |of: fn(Self) -> Reading<PsiLine>| match io {
            Reading::Value(io) => of(io),
            absent => absent.map(|_| PsiLine::default()),
        };
        Self { io_some: of(|io| io.some), io_full: of(|io| io.full), ..self }
    }
}
