//! How the processes are read.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::Text;

/// How the processes are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessSampler {
    /// The files of each process in `/proc`.
    Proc {
        /// Why not by BPF; `None` if that was not tried.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<Text>,
    },
    /// A BPF program with the kernel's task iterator (6.7 and later).
    BpfIterator,
    /// A BPF program that follows the kernel's task list (5.17 and later).
    BpfListWalk,
}

impl Default for ProcessSampler {
    fn default() -> Self {
        Self::Proc { why: None }
    }
}

impl ProcessSampler {
    /// Whether this is what a sample without a word about it used.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a BPF program reads the processes.
    #[must_use]
    pub const fn is_bpf(&self) -> bool {
        !matches!(self, Self::Proc { .. })
    }
}

impl fmt::Display for ProcessSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proc { why: None } => f.write_str("/proc"),
            Self::Proc { why: Some(why) } => write!(f, "/proc (no BPF: {why})"),
            Self::BpfIterator => f.write_str("BPF, the kernel's task iterator"),
            Self::BpfListWalk => f.write_str("BPF, the kernel's task list"),
        }
    }
}
