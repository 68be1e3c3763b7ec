//! What the options of all userspace OOM killers have in common.

use serde::{Deserialize, Serialize};

use crate::model::Text;

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

/// What a text in the facts of a killer is. Redaction decides by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionText {
    /// The path of a file from which options were read.
    Source,
    /// A remark about invalid options, which may quote them.
    Remark,
    /// A regular expression for names of processes.
    NamePattern,
    /// A regular expression for command lines, paths or environments.
    Pattern,
    /// The name of a systemd unit.
    Unit,
    /// The path of a cgroup, with wildcards.
    Cgroup,
    /// A word from the list of words that the killer knows.
    Keyword,
}

/// The options of one killer.
pub trait DaemonOptions {
    /// All texts in the options that come from this machine. Redaction does not replace others.
    fn texts(&mut self) -> Vec<(OptionText, &mut Text)>;

    /// The files of each process that the options make the killer read, beyond those of every
    /// ranking.
    fn process_files(&self) -> ProcessFiles {
        ProcessFiles::default()
    }
}

impl<T: DaemonOptions> KillerOptions<T> {
    /// All texts that come from this machine. Patterns of assumed options are published,
    /// so they do not.
    pub(crate) fn texts(&mut self) -> Vec<(OptionText, &mut Text)> {
        let assumed = self.assumed();
        let mut texts = self.options.texts();
        texts.retain(|(kind, _)| {
            !(assumed && matches!(kind, OptionText::NamePattern | OptionText::Pattern))
        });
        texts.extend(self.from.iter_mut().map(|text| (OptionText::Source, text)));
        texts.extend(self.remarks.iter_mut().map(|text| (OptionText::Remark, text)));
        texts
    }

    /// The files of each process that the killer reads; none if it is absent or its options are
    /// assumed.
    pub(crate) fn process_files(&self) -> ProcessFiles {
        if self.found == KillerPresence::Absent || self.assumed() {
            return ProcessFiles::default();
        }
        self.options.process_files()
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

impl ProcessFiles {
    /// The files of both.
    #[must_use]
    pub(crate) const fn or(self, other: Self) -> Self {
        Self {
            exe: self.exe || other.exe,
            cwd: self.cwd || other.cwd,
            environ: self.environ || other.environ,
        }
    }
}
