//! What a policy says of a process: spared and why, or points and the terms that add up to them.

use crate::units::{Adj, LegacyAdj, Pages, Points};

/// In what the points of a policy are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadnessUnit {
    /// Pages of memory: they may be shown as a size.
    Pages,
    /// The policy's own points.
    Bare,
}

/// How a term came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermNote {
    /// It was read as it is.
    Fact,
    /// It could not be read and counts as nothing.
    Unread,
    /// `adj` times the domain's total over 1000.
    Adj {
        /// The value.
        adj: Adj,
        /// Pages for each step.
        step: Pages,
    },
    /// The points so far were divided.
    Divided {
        /// By this.
        by: u64,
        /// Because of this.
        because: &'static str,
    },
    /// The points so far were doubled.
    Doubled {
        /// Because of this.
        because: &'static str,
    },
    /// Raised to the least that the rule allows.
    Floor,
    /// The points so far were shifted: doubled or halved so often.
    Shifted {
        /// To the left, or to the right where it is negative.
        by: LegacyAdj,
    },
    /// For this reason.
    Because(&'static str),
}

/// One summand of the points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// What it is, in the field's own word.
    pub name: &'static str,
    /// What it adds.
    pub points: Points,
    /// How it came about.
    pub note: TermNote,
}

/// Up to [`Terms::ROOM`] terms, inline.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    length: u8,
    terms: [Term; Self::ROOM],
}

impl Terms {
    /// More than any policy has.
    pub const ROOM: usize = 9;

    const EMPTY: Term = Term { name: "", points: Points(0), note: TermNote::Fact };

    /// The terms.
    #[must_use]
    pub fn as_slice(&self) -> &[Term] {
        &self.terms[..usize::from(self.length)]
    }
}

/// Points, and the terms that add up to them.
#[derive(Clone, Copy, Debug)]
pub struct Badness {
    /// What goes before the points: a killer that prefers some and avoids others looks at this first.
    /// Most rules know only 0.
    pub class: i8,
    /// The sum: who has most dies first.
    pub points: Points,
    /// What decides between equals, before their place in the list does: who has more dies first.
    pub second: i64,
    /// The summands.
    pub terms: Terms,
}

impl Default for Badness {
    fn default() -> Self {
        Self {
            class: 0,
            points: Points(0),
            second: 0,
            terms: Terms { length: 0, terms: [Terms::EMPTY; Terms::ROOM] },
        }
    }
}

impl Badness {
    /// Adds a term; the sum follows. A term too many joins the last one, so that the sum stays true.
    #[must_use]
    pub fn plus(mut self, name: &'static str, points: Points, note: TermNote) -> Self {
        self.points += points;
        let at = usize::from(self.terms.length);
        if at < Terms::ROOM {
            self.terms.terms[at] = Term { name, points, note };
            self.terms.length += 1;
        } else {
            self.terms.terms[at - 1].points += points;
        }
        self
    }

    /// The same, looked at before or after others whatever the points.
    #[must_use]
    pub const fn of_class(self, class: i8) -> Self {
        Self { class, ..self }
    }

    /// The same, with what decides between equals.
    #[must_use]
    pub const fn then_by(self, second: i64) -> Self {
        Self { second, ..self }
    }

    /// Adds the term that takes the sum to `to`.
    #[must_use]
    pub fn becoming(self, name: &'static str, to: Points, note: TermNote) -> Self {
        let change = to - self.points;
        self.plus(name, change, note)
    }
}

/// Why a process cannot be chosen. In the order in which they sort after the candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SparedReason {
    /// What the rule weighs could not be read.
    Unreadable,
    /// The rule could not be worked out for it.
    Failed,
    /// The rule gives it no points at all.
    Zero,
    /// The killer's own rule or options leave it alone.
    Ignored,
    /// This killer chooses among cgroups, and its own is not one of them.
    NoCandidate,
    /// The kernel skips it: a vfork child, or already reaped.
    Skipped,
    /// It was killed already, and the rule passes over the dying.
    Dying,
    /// The rule names somebody else, or nobody.
    Unnamed,
    /// `oom_score_adj` is -1000.
    Never,
    /// The machine's init.
    Init,
    /// No thread of it has an address space: a zombie, or on its way out.
    NoMm,
    /// A kernel thread.
    Kernel,
    /// It does not belong to the domain.
    Outside,
}

impl SparedReason {
    /// The word on the row.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unreadable => "hidden",
            Self::Failed => "failed",
            Self::Zero => "zero",
            Self::Ignored => "ignored",
            Self::NoCandidate => "passed",
            Self::Skipped => "skipped",
            Self::Dying => "dying",
            Self::Unnamed => "unnamed",
            Self::Never => "never",
            Self::Init => "init",
            Self::NoMm => "no mm",
            Self::Kernel => "kernel",
            Self::Outside => "outside",
        }
    }

    /// The sentence in the explain panel.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Unreadable => "its memory could not be read, so it cannot be ranked",
            Self::Failed => {
                "the rule could not be worked out for it: a fact is absent, or a number out of range"
            }
            Self::Zero => "its points come to zero, and this rule never chooses zero",
            Self::Ignored => "the rule or the options of this killer leave it alone",
            Self::NoCandidate => {
                "this killer chooses among cgroups, and the one that it lives in is no candidate"
            }
            Self::Skipped => {
                "the kernel skips it now: a vfork child that has not run exec yet, or already reaped"
            }
            Self::Dying => "it was killed already and is on its way out",
            Self::Unnamed => "this rule names somebody else, or nobody at all",
            Self::Never => "oom_score_adj is -1000: the OOM killer never chooses it",
            Self::Init => "it is the machine's init: the OOM killer never chooses it",
            Self::NoMm => "it has no memory of its own any more (a zombie, or exiting)",
            Self::Kernel => "it is a kernel thread: nothing can kill it",
            Self::Outside => "it does not belong to this domain: an OOM in here passes it by",
        }
    }
}

/// A policy's opinion of one process.
#[allow(
    clippy::large_enum_variant,
    reason = "lives on the stack for one judgement; a box would allocate in the loop"
)]
#[derive(Clone, Copy, Debug)]
pub enum Verdict {
    /// It cannot be chosen.
    Spared(SparedReason),
    /// It can.
    Scored(Badness),
}
