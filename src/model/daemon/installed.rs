//! The userspace OOM killers of this machine: which are installed or running, and their options.

use serde::{Deserialize, Serialize};

use crate::model::daemon::nohang::NohangRuleField;
use crate::model::{EarlyoomOptions, NohangOptions, OomdOptions, SystemdOomdOptions, Text};

/// Whether a killer is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KillerPresence {
    /// Neither a process nor its files.
    #[default]
    Absent,
    /// Its files, but no process.
    Installed,
    /// The process with this pid.
    Running(i32),
}

impl KillerPresence {
    /// In a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Absent => "not seen here",
            Self::Installed => "installed, not running",
            Self::Running(_) => "running",
        }
    }
}

/// The options of a killer, and how they are known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KillerOptions<T> {
    /// Whether it is there.
    pub found: KillerPresence,
    /// The files (or the command line) that told; nothing where all is assumed.
    #[serde(default)]
    pub from: Vec<Text>,
    /// What of them made no sense, in words.
    #[serde(default, rename = "odd")]
    pub remarks: Vec<Text>,
    /// The options.
    pub options: T,
}

impl<T> KillerOptions<T> {
    /// Whether the options are no more than the documented defaults.
    #[must_use]
    pub fn assumed(&self) -> bool {
        self.from.is_empty()
    }
}

/// What rules look at, of what costs a file of each process more than a ranking does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessFiles {
    /// Programs.
    pub exe: bool,
    /// Working directories.
    pub cwd: bool,
    /// Environments.
    pub environ: bool,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstalledKillers {
    /// `earlyoom`.
    pub earlyoom: KillerOptions<EarlyoomOptions>,
    /// `nohang` with its own file.
    pub nohang: KillerOptions<NohangOptions>,
    /// `nohang` with the file for desktops.
    pub nohang_desktop: KillerOptions<NohangOptions>,
    /// `systemd-oomd`.
    pub systemd_oomd: KillerOptions<SystemdOomdOptions>,
    /// `oomd`.
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
    /// What the rules in files of those that are installed look at: rules that give no points look at
    /// nothing.
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

    /// Whether nothing at all is known.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
