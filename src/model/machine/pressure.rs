//! Pressure stall information (PSI).

use serde::{Deserialize, Serialize};

use crate::model::Reading;

/// One line of a pressure file: the share of time in which tasks stalled, in percent, and the stall
/// time since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PsiLine {
    /// Over the last 10 seconds.
    pub avg10: f32,
    /// Over the last 60 seconds.
    pub avg60: f32,
    /// Over the last 300 seconds.
    pub avg300: f32,
    /// Stall time since boot, in microseconds.
    pub total_us: u64,
}

/// Pressure stall information (4.20 and later).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pressure {
    /// Some task stalled on memory.
    #[serde(rename = "memory_some")]
    pub some: Reading<PsiLine>,
    /// All non-idle tasks stalled on memory at the same time.
    #[serde(rename = "memory_full")]
    pub full: Reading<PsiLine>,
    /// Some task stalled on I/O.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub io_some: Reading<PsiLine>,
    /// All non-idle tasks stalled on I/O at the same time.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub io_full: Reading<PsiLine>,
}

impl Pressure {
    /// Pressure of memory alone; that of I/O is not asked for.
    #[must_use]
    pub fn of_memory(some: Reading<PsiLine>, full: Reading<PsiLine>) -> Self {
        Self { some, full, ..Self::default() }
    }

    /// Adds the pressure of I/O, whose file has the same form: `io` was parsed as if it were of
    /// memory.
    #[must_use]
    pub fn with_io(self, io: Reading<Self>) -> Self {
        let of = |of: fn(Self) -> Reading<PsiLine>| match io {
            Reading::Value(io) => of(io),
            absent => absent.map(|_| PsiLine::default()),
        };
        Self { io_some: of(|io| io.some), io_full: of(|io| io.full), ..self }
    }
}
