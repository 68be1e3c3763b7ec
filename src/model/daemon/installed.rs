//! The userspace OOM killers of this machine: which are installed or running, and their options.

use serde::{Deserialize, Serialize};

use crate::model::daemon::nohang::NohangRuleField;
use crate::model::{EarlyoomOptions, NohangOptions, OomdOptions, SystemdOomdOptions, Text};

/// Whether a killer is installed or running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KillerPresence {
    /// Neither its process nor its program was found.
    #[default]
    Absent,
    /// Its program was found, but no process.
    Installed,
    /// Runs with this pid.
    Running(i32),
}

impl KillerPresence {
    /// The state in a few words.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Absent => "not seen here",
            Self::Installed => "installed, not running",
            Self::Running(_) => "running",
        }
    }
}

/// The options of a killer, and where they come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KillerOptions<T> {
    /// Whether it is installed or running.
    pub found: KillerPresence,
    /// The files (or the command line) from which options were read; empty if all are assumed.
    #[serde(default)]
    pub from: Vec<Text>,
    /// What could not be understood in them, as sentences.
    #[serde(default, rename = "odd")]
    pub remarks: Vec<Text>,
    /// The options.
    pub options: T,
}

impl<T> KillerOptions<T> {
    /// Whether nothing was read and the options are the documented defaults.
    #[must_use]
    pub fn assumed(&self) -> bool {
        self.from.is_empty()
    }
}

/// The files of each process that rules test, as far as no ranking reads them anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessFiles {
    /// `/proc/PID/exe`.
    pub exe: bool,
    /// `/proc/PID/cwd`.
    pub cwd: bool,
    /// `/proc/PID/environ`.
    pub environ: bool,
}

/// The userspace OOM killers that doomtop can configure itself for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstalledKillers {
    /// earlyoom.
    pub earlyoom: KillerOptions<EarlyoomOptions>,
    /// nohang with `nohang.conf`.
    pub nohang: KillerOptions<NohangOptions>,
    /// nohang with `nohang-desktop.conf`.
    pub nohang_desktop: KillerOptions<NohangOptions>,
    /// systemd-oomd.
    pub systemd_oomd: KillerOptions<SystemdOomdOptions>,
    /// oomd.
    pub oomd: KillerOptions<OomdOptions>,
}

impl Default for InstalledKillers {
    fn default() -> Self {
        Self {
            earlyoom: KillerOptions::default(),
            nohang: KillerOptions::default(),
            nohang_desktop: KillerOptions {
                options: NohangOptions::desktop(),
                ..KillerOptions::default()
            },
            systemd_oomd: KillerOptions::default(),
            oomd: KillerOptions::default(),
        }
    }
}

impl InstalledKillers {
    /// The files that the rules of installed killers test. Rules that change no badness need none.
    #[must_use]
    pub fn needed_files(&self) -> ProcessFiles {
        let installed = [&self.nohang, &self.nohang_desktop];
        let installed = installed
            .into_iter()
            .filter(|told| told.found != KillerPresence::Absent && !told.assumed());
        let mut found = ProcessFiles::default();
        for rule in installed.flat_map(|told| &told.options.rules).filter(|rule| rule.adj != 0) {
            match rule.on {
                NohangRuleField::Exe => found.exe = true,
                NohangRuleField::Cwd => found.cwd = true,
                NohangRuleField::Environ => found.environ = true,
                NohangRuleField::Name
                | NohangRuleField::CgroupV1
                | NohangRuleField::CgroupV2
                | NohangRuleField::Cmdline
                | NohangRuleField::Uid => {}
            }
        }
        found
    }

    /// Whether no killer was found and no option was read.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
