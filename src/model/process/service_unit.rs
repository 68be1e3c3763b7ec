//! A systemd service and its `Restart=` policy.

use crate::model::{Signal, Text};

/// A systemd service, as its unit files describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUnit {
    /// The name, such as `nginx.service`.
    pub name: Text,
    /// `Restart=`.
    pub restart: RestartPolicy,
    /// Whether the manager kills all processes of the unit when the main process ends:
    /// `KillMode=control-group` (the default) or `mixed`.
    pub ends_all: bool,
    /// The files that were read, the unit file first; empty if there is no file that can be read.
    pub from: Vec<Text>,
    /// Whether the process is a child of the service manager: the main process, or one whose parent
    /// has ended.
    pub main: bool,
}

/// `Restart=` (`man systemd.service`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RestartPolicy {
    /// Never: the default.
    #[default]
    No,
    /// After a clean exit.
    OnSuccess,
    /// After every exit that is not clean.
    OnFailure,
    /// After a signal that is not a clean exit, or a timeout.
    OnAbnormal,
    /// After a signal that is not a clean exit.
    OnAbort,
    /// After a timeout of the watchdog.
    OnWatchdog,
    /// After every exit.
    Always,
}

impl RestartPolicy {
    /// The policy with this name in a unit file; `None` for a name that systemd does not know.
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

    /// The name in a unit file.
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

    /// Whether the service is restarted after its main process ended by this signal. SIGHUP,
    /// SIGINT, SIGTERM and SIGPIPE count as a clean exit.
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
