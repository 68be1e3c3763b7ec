//! Options of nohang.

use serde::{Deserialize, Serialize};

use crate::model::Text;
use crate::model::daemon::options::{DaemonOptions, OptionText, ProcessFiles};
use crate::units::Kib;

/// An amount of memory in the configuration of nohang.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThresholdAmount {
    /// Percent of the total.
    Percent(f64),
    /// An absolute amount.
    Kib(Kib),
}

impl ThresholdAmount {
    /// The amount in KiB, for a total.
    #[must_use]
    pub fn of(self, total: Kib) -> Kib {
        match self {
            Self::Percent(percent) => Kib((total.0 as f64 * percent / 100.0) as u64),
            Self::Kib(kib) => kib,
        }
    }
}

/// The thresholds of one of the two actions, soft or hard.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NohangThreshold {
    /// Maximum of `MemAvailable`.
    pub mem: ThresholdAmount,
    /// Maximum of `SwapFree`.
    pub swap: ThresholdAmount,
    /// Minimum of the pressure, in percent.
    pub psi: f64,
    /// Minimum of the RAM that zram devices take (`mem_used_total`).
    #[serde(default = "NohangThreshold::shipped_zram")]
    pub zram: ThresholdAmount,
}

impl NohangThreshold {
    /// The threshold of zram for SIGTERM in the shipped files. Recordings may be older than the field.
    const fn shipped_zram() -> ThresholdAmount {
        ThresholdAmount::Percent(55.0)
    }
}

/// What a rule tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NohangRuleField {
    /// The short name (`comm`).
    Name,
    /// The cgroup of version 1.
    CgroupV1,
    /// The cgroup of version 2.
    CgroupV2,
    /// The path of the program.
    Exe,
    /// The working directory.
    Cwd,
    /// The command line.
    Cmdline,
    /// The environment.
    Environ,
    /// The effective user id.
    Uid,
}

impl NohangRuleField {
    /// What the rule tests, as text.
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

/// A rule: adds to the badness of the processes that its regular expression matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NohangRule {
    /// What it tests.
    pub on: NohangRuleField,
    /// What it adds to badness; may be negative.
    pub adj: i32,
    /// A Python regular expression, for `re.search`.
    pub pattern: Text,
}

/// The options of nohang.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NohangOptions {
    /// Thresholds of SIGTERM.
    pub soft: NohangThreshold,
    /// Thresholds of SIGKILL.
    pub hard: NohangThreshold,
    /// Whether pressure is checked.
    pub psi: bool,
    /// Which pressure, such as `full_avg10`.
    pub psi_metric: Text,
    /// How long the pressure must last, in seconds.
    pub psi_seconds: f64,
    /// Whether zram is checked.
    pub zram: bool,
    /// `ignore_positive_oom_score_adj`: whether positive adj is subtracted from badness.
    pub ignore_positive_adj: bool,
    /// Up to 0.2.0 all of a positive adj is subtracted; later versions subtract two thirds, which
    /// is what it adds to the kernel's score.
    pub up_to_0_2: bool,
    /// Minimum badness of a victim.
    pub min_badness: i64,
    /// The rules, in the order of the file.
    pub rules: Vec<NohangRule>,
    /// Number of rules that run a command instead of sending SIGTERM.
    pub soft_actions: u32,
}

impl Default for NohangOptions {
    /// The options of the shipped `nohang.conf`.
    fn default() -> Self {
        let step = |mem, swap, psi, zram| NohangThreshold {
            mem: ThresholdAmount::Percent(mem),
            swap: ThresholdAmount::Percent(swap),
            psi,
            zram,
        };
        Self {
            soft: step(5.0, 10.0, 40.0, NohangThreshold::shipped_zram()),
            hard: step(2.0, 4.0, 90.0, ThresholdAmount::Percent(60.0)),
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
    /// The options of the shipped `nohang-desktop.conf`, with a selection of its rules on program
    /// paths.
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

impl DaemonOptions for NohangOptions {
    fn texts(&mut self) -> Vec<(OptionText, &mut Text)> {
        let mut texts = vec![(OptionText::Keyword, &mut self.psi_metric)];
        for rule in &mut self.rules {
            match rule.on {
                NohangRuleField::Uid => {} // matches numbers, which are not redacted
                NohangRuleField::Name => texts.push((OptionText::NamePattern, &mut rule.pattern)),
                _ => texts.push((OptionText::Pattern, &mut rule.pattern)),
            }
        }
        texts
    }

    /// Rules that change no badness need no files.
    fn process_files(&self) -> ProcessFiles {
        let mut files = ProcessFiles::default();
        for rule in self.rules.iter().filter(|rule| rule.adj != 0) {
            match rule.on {
                NohangRuleField::Exe => files.exe = true,
                NohangRuleField::Cwd => files.cwd = true,
                NohangRuleField::Environ => files.environ = true,
                NohangRuleField::Name
                | NohangRuleField::CgroupV1
                | NohangRuleField::CgroupV2
                | NohangRuleField::Cmdline
                | NohangRuleField::Uid => {}
            }
        }
        files
    }
}
