//! Signals by number and name (`signal(7)`, numbers of x86 and ARM).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A signal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signal(pub i32);

impl Signal {
    /// Asks a process to terminate; can be caught.
    pub const TERM: Self = Self(15);
    /// Ends a process at once; cannot be caught.
    pub const KILL: Self = Self(9);
    /// Stops a process; cannot be caught.
    pub const STOP: Self = Self(19);
    /// Continues a stopped process.
    pub const CONT: Self = Self(18);

    /// The signals in the menu, most useful first, with a description.
    pub const MENU: &'static [(Self, &'static str)] = &[
        (Self::TERM, "terminate: may be caught, so it can clean up"),
        (Self::KILL, "kill: ends at once, nothing is saved"),
        (Self(2), "interrupt, as ^C"),
        (Self(1), "hang up: many daemons reload"),
        (Self(3), "quit with a core dump"),
        (Self::STOP, "stop: keeps its memory"),
        (Self::CONT, "continue a stopped process"),
        (Self(10), "user-defined 1"),
        (Self(12), "user-defined 2"),
        (Self(6), "abort with a core dump"),
        (Self(14), "alarm clock"),
        (Self(28), "window changed"),
    ];

    /// Whether the default action ends the process.
    #[must_use]
    pub const fn ends(self) -> bool {
        !matches!(self.0, 17..=23 | 28)
    }

    /// The name without `SIG`; `?` for a signal that is not in the menu.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self.0 {
            1 => "HUP",
            2 => "INT",
            3 => "QUIT",
            6 => "ABRT",
            9 => "KILL",
            10 => "USR1",
            12 => "USR2",
            14 => "ALRM",
            15 => "TERM",
            18 => "CONT",
            19 => "STOP",
            28 => "WINCH",
            _ => "?",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.short() {
            "?" => write!(f, "signal {}", self.0),
            name => write!(f, "SIG{name}"),
        }
    }
}
