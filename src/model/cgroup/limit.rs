//! Cgroup hierarchies and the limits in them.

use serde::{Deserialize, Serialize};

use crate::units::Bytes;

/// The cgroup version whose hierarchy accounts memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hierarchy {
    /// Version 1: `memory.limit_in_bytes`, `memory.memsw.*`.
    V1,
    /// Version 2: `memory.max`, `memory.swap.max`.
    V2,
}

/// A limit in bytes, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "LimitForm", into = "LimitForm")]
pub enum Limit {
    /// No limit (`max`).
    Max,
    /// A limit of this size.
    At(Bytes),
}

impl Limit {
    /// The limit in bytes, if there is one.
    #[must_use]
    pub const fn bytes(self) -> Option<Bytes> {
        match self {
            Self::Max => None,
            Self::At(bytes) => Some(bytes),
        }
    }
}

/// How a limit is written in JSON: a number of bytes, or `"max"` as in the kernel's file.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum LimitForm {
    At(Bytes),
    Word(Word),
}

#[derive(Serialize, Deserialize)]
enum Word {
    #[serde(rename = "max")]
    Max,
}

impl From<LimitForm> for Limit {
    fn from(form: LimitForm) -> Self {
        match form {
            LimitForm::At(bytes) => Self::At(bytes),
            LimitForm::Word(Word::Max) => Self::Max,
        }
    }
}

impl From<Limit> for LimitForm {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::At(bytes) => Self::At(bytes),
            Limit::Max => Self::Word(Word::Max),
        }
    }
}
