//! Options of nohang.

use serde::{Deserialize, Serialize};

use crate::model::Text;
use crate::units::Kib;

/// An amount of memory as `nohang` is told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThresholdAmount {
    /// Of the total.
    Percent(f64),
    /// So much.
    Kib(Kib),
}

impl ThresholdAmount {
    /// In KiB.
    #[must_use]
    pub fn of(self, total: Kib) -> Kib {
        match self {
            Self::Percent(percent) => Kib((total.0 as f64 * percent / 100.0) as u64),
            Self::Kib(kib) => kib,
        }
    }
}

/// One of `nohang`'s steps: soft or hard.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NohangThreshold {
    /// `MemAvailable` at most.
    pub mem: ThresholdAmount,
    /// `SwapFree` at most.
    pub swap: ThresholdAmount,
    /// The pressure at least, in percent.
    pub psi: f64,
}

/// What a rule of `nohang` looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NohangRuleField {
    /// The process's name.
    Name,
    /// Its line of cgroup version 1.
    CgroupV1,
    /// Its line of cgroup version 2.
    CgroupV2,
    /// The path of its program.
    Exe,
    /// Its working directory.
    Cwd,
    /// Its command line.
    Cmdline,
    /// Its environment.
    Environ,
    /// Its effective user.
    Uid,
}

impl NohangRuleField {
    /// What it needs, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Name => "the name",
            Self::CgroupV1 => "the line of cgroup version 1",
            Self::CgroupV2 => "the line of cgroup version 2",
            Self::Exe => "the program's path (/proc/PID/exe)",
            Self::Cwd => "the working directory",
            Self::Cmdline => "the command line",
            Self::Environ => "the environment",
            Self::Uid => "the user",
        }
    }
}

/// A rule of `nohang`: whom its expression finds gets so many points more or less.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NohangRule {
    /// What is looked at.
    pub on: NohangRuleField,
    /// The points.
    pub adj: i32,
    /// A Python regular expression, searched for.
    pub pattern: Text,
}

/// What `nohang` was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NohangOptions {
    /// SIGTERM.
    pub soft: NohangThreshold,
    /// SIGKILL.
    pub hard: NohangThreshold,
    /// Whether pressure counts.
    pub psi: bool,
    /// Which pressure: `full_avg10` and the like.
    pub psi_metric: Text,
    /// For so many seconds.
    pub psi_seconds: f64,
    /// Whether zram counts.
    pub zram: bool,
    /// `ignore_positive_oom_score_adj`.
    pub ignore_positive_adj: bool,
    /// Up to 0.2.0 that takes off all of a positive adj; later two thirds, as much as the kernel's
    /// score gained by it.
    pub up_to_0_2: bool,
    /// Below this it does nothing.
    pub min_badness: i64,
    /// The rules, in the order of the file.
    pub rules: Vec<NohangRule>,
    /// Victims for whom a command is run in place of SIGTERM.
    pub soft_actions: u32,
}

impl Default for NohangOptions {
    /// `nohang.conf` as it is shipped.
    fn default() -> Self {
        let step = |mem, swap, psi| NohangThreshold {
            mem: ThresholdAmount::Percent(mem),
            swap: ThresholdAmount::Percent(swap),
            psi,
        };
        Self {
            soft: step(5.0, 10.0, 40.0),
            hard: step(2.0, 4.0, 90.0),
            psi: false,
            psi_metric: Text::new(b"full_avg10"),
            psi_seconds: 30.0,
            zram: false,
            ignore_positive_adj: false,
            up_to_0_2: false,
            min_badness: 1,
            rules: Vec::new(),
            soft_actions: 0,
        }
    }
}

impl NohangOptions {
    /// `nohang-desktop.conf` as it is shipped, as far as its rules can be followed: those on program
    /// paths (display servers, desktops, login and package managers: -200) need files that are not
    /// read.
    #[must_use]
    pub fn desktop() -> Self {
        let rule =
            |on, adj, pattern: &str| NohangRule { on, adj, pattern: Text::new(pattern.as_bytes()) };
        let exe =
            |name: &str| rule(NohangRuleField::Exe, -200, &format!("^/usr/(lib|bin|sbin)/{name}"));
        Self {
            psi: true,
            rules: vec![
                rule(NohangRuleField::Name, 200, "^(Web Content|Privileged Cont|file:// Content)$"),
                rule(NohangRuleField::Name, -200, "^(dnf|yum|packagekitd)$"),
                exe("(xorg/Xorg|Xorg|Xwayland|gnome-shell|kwin_wayland|plasmashell|sway)$"),
                exe("(systemd/systemd|systemd/systemd-logind|dbus-daemon|dbus-broker)$"),
            ],
            ..Self::default()
        }
    }
}
