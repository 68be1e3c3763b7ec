//! A unit of the service manager and its `Restart=` policy.

use crate::model::{Signal, Text};

/// A unit of the service manager, as its files describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUnit {
    /// `nginx.service`.
    pub name: Text,
    /// `Restart=`.
    pub restart: RestartPolicy,
    /// With the main process the manager ends all others of the unit: `KillMode=control-group` (the
    /// default) or `mixed`.
    pub ends_all: bool,
    /// The files that were read, the unit's own first; none where it has no file that can be seen.
    pub from: Vec<Text>,
    /// The process is a child of the unit's manager: its main one, or an orphan of it.
    pub main: bool,
}

/// `Restart=` (`man systemd.service`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RestartPolicy {
    /// Never: the default.
    #[default]
    No,
    /// After an orderly end.
    OnSuccess,
    /// After any other.
    OnFailure,
    /// After a signal that is not one of an orderly end, or a timeout.
    OnAbnormal,
    /// After such a signal.
    OnAbort,
    /// After a watchdog's timeout.
    OnWatchdog,
    /// After every end.
    Always,
}

impl RestartPolicy {
    /// By its name in a file.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    const ALL: [Self; 7] = [
        Self::No,
        Self::OnSuccess,
        Self::OnFailure,
        Self::OnAbnormal,
        Self::OnAbort,
        Self::OnWatchdog,
        Self::Always,
    ];

    /// As a file writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::OnSuccess => "on-success",
            Self::OnFailure => "on-failure",
            Self::OnAbnormal => "on-abnormal",
            Self::OnAbort => "on-abort",
            Self::OnWatchdog => "on-watchdog",
            Self::Always => "always",
        }
    }

    /// Whether a main process that ends by this signal is started again. SIGHUP, SIGINT, SIGTERM and
    /// SIGPIPE are an orderly end.
    #[must_use]
    pub const fn restarts_after(self, signal: Signal) -> bool {
        let orderly = matches!(signal.0, 1 | 2 | 13 | 15);
        match self {
            Self::No | Self::OnWatchdog => false,
            Self::Always => true,
            Self::OnSuccess => orderly,
            Self::OnFailure | Self::OnAbnormal | Self::OnAbort => !orderly,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_manual() {
        for (name, kill, term) in [
            ("no", false, false),
            ("always", true, true),
            ("on-success", false, true),
            ("on-failure", true, false),
            ("on-abnormal", true, false),
            ("on-abort", true, false),
            ("on-watchdog", false, false),
        ] {
            let restart = RestartPolicy::named(name).expect("a name of the manual");
            assert_eq!(restart.restarts_after(Signal::KILL), kill, "{name} after SIGKILL");
            assert_eq!(restart.restarts_after(Signal::TERM), term, "{name} after SIGTERM");
        }
        assert_eq!(RestartPolicy::named("sometimes"), None);
    }
}
