//! Why an intent was not carried out.

use crate::units::Adj;

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The process has exited.
    Gone,
    /// The pid belongs to another process now.
    PidReused,
    /// The kernel refused for lack of a right.
    NotPermitted {
        /// Which right would help, as a phrase.
        hint: &'static str,
    },
    /// doomtop runs with `--read-only`.
    ReadOnly,
    /// The samples come from a recording or a fixture, not from a live machine.
    NotLive,
    /// doomtop never acts on this process, or only if its pid was typed.
    Protected {
        /// Why, as a phrase.
        why: &'static str,
    },
    /// The process is being killed already: a second signal does not help.
    AlreadyKilled {
        /// What is known of the first kill, as a phrase.
        why: String,
    },
    /// The cgroup holds a process that the user did not see, or that is protected.
    NotSeen {
        /// The process and the reason, as a phrase.
        who: String,
    },
    /// The kernel took the write, but the value reads back differently.
    NotTaken {
        /// The value that reads back.
        found: Adj,
    },
    /// The value differs from the one that the user saw, so the user has to decide again.
    Changed {
        /// The value that the user saw.
        from: Adj,
        /// The present value.
        found: Adj,
    },
    /// The kernel took the write, but the value could not be read back.
    NotVerified {
        /// The error, as the system describes it.
        error: String,
    },
    /// Any other error.
    Failed {
        /// The step that failed, as `writing its oom_score_adj`.
        doing: &'static str,
        /// The error, as the system describes it.
        error: String,
    },
}

impl Refusal {
    /// The reason as one sentence for the user.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Gone => "already gone".to_owned(),
            Self::PidReused => {
                "its pid belongs to another process now; nothing was done".to_owned()
            }
            Self::NotPermitted { hint } => format!("not permitted: {hint}"),
            Self::ReadOnly => "doomtop runs read-only".to_owned(),
            Self::NotLive => "this is a recording, not a live machine".to_owned(),
            Self::Protected { why } => format!("protected: {why}"),
            Self::AlreadyKilled { why } => format!("not signalled again: {why}"),
            Self::NotSeen { who } => format!("no process was signalled: {who}"),
            Self::NotTaken { found } => {
                format!("the kernel accepted the write, but it reads back {found}")
            }
            Self::Changed { from, found } => format!(
                "its oom_score_adj changed meanwhile: was {from}, is {found}; nothing was written; check it and try again"
            ),
            Self::NotVerified { error } => {
                format!("it was written, but cannot be read back: {error}")
            }
            Self::Failed { doing, error } => format!("{doing}: {error}"),
        }
    }
}
