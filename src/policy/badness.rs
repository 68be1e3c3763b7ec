//! The verdict of a policy on a process: points and the terms that add up to them, or why it is spared.

use crate::units::{Adj, LegacyAdj, Pages, Points};

/// The unit of the points of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadnessUnit {
    /// Pages of memory, which can be shown as a size.
    Pages,
    /// Points without a unit.
    Bare,
}

/// How the value of a term was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermNote {
    /// It was read.
    Fact,
    /// It could not be read and counts as zero.
    Unread,
    /// `adj` times the domain's total over 1000.
    Adj {
        /// The `oom_score_adj`.
        adj: Adj,
        /// Pages per step of adj.
        step: Pages,
    },
    /// The points so far were divided.
    Divided {
        /// The divisor.
        by: u64,
        /// The reason.
        because: &'static str,
    },
    /// The points so far were doubled.
    Doubled {
        /// The reason.
        because: &'static str,
    },
    /// The points were raised to the minimum of the rule.
    Floor,
    /// The points so far were shifted by this many bits.
    Shifted {
        /// Positive to the left, negative to the right.
        by: LegacyAdj,
    },
    /// Another reason.
    Because(&'static str),
}

/// One summand of the points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// A short name.
    pub name: &'static str,
    /// The points that it adds.
    pub points: Points,
    /// How its value was found.
    pub note: TermNote,
}

/// Up to [`Terms::CAPACITY`] terms, stored inline.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    length: u8,
    terms: [Term; Self::CAPACITY],
}

impl Terms {
    /// Maximum number of terms; no policy has more.
    pub const CAPACITY: usize = 9;

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
    /// Compared before the points, the highest first. It is 0 in rules that do not prefer or avoid
    /// processes.
    pub class: i8,
    /// The sum of the terms. The highest dies first.
    pub points: Points,
    /// Compared between equal points, the highest first; only then the tie-break applies.
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
            terms: Terms { length: 0, terms: [Terms::EMPTY; Terms::CAPACITY] },
        }
    }
}

impl Badness {
    /// Adds a term and its points. A term too many is added to the last one, so that the sum is right.
    #[must_use]
    pub fn plus(mut self, name: &'static str, points: Points, note: TermNote) -> Self {
        self.points += points;
        let at = usize::from(self.terms.length);
        if at < Terms::CAPACITY {
            self.terms.terms[at] = Term { name, points, note };
            self.terms.length += 1;
        } else {
            self.terms.terms[at - 1].points += points;
        }
        self
    }

    /// With this class.
    #[must_use]
    pub const fn of_class(self, class: i8) -> Self {
        Self { class, ..self }
    }

    /// With this second key.
    #[must_use]
    pub const fn then_by(self, second: i64) -> Self {
        Self { second, ..self }
    }

    /// Adds a term that makes the sum `to`.
    #[must_use]
    pub fn becoming(self, name: &'static str, to: Points, note: TermNote) -> Self {
        let change = to - self.points;
        self.plus(name, change, note)
    }
}

/// What orders a process among others: its points without the terms that they are the sum of. The process with the
/// greatest is chosen first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BadnessKey {
    /// [`Badness::class`].
    pub class: i8,
    /// [`Badness::points`].
    pub points: Points,
    /// [`Badness::second`].
    pub second: i64,
}

impl Badness {
    /// What orders it among others.
    #[must_use]
    pub const fn key(&self) -> BadnessKey {
        BadnessKey { class: self.class, points: self.points, second: self.second }
    }
}

/// Why a process cannot be chosen. Spared processes sort in this order after the candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SparedReason {
    /// A fact that the rule needs could not be read.
    Unreadable,
    /// The evaluation of the rule failed for it.
    Failed,
    /// The rule gives it too few points to be chosen.
    Zero,
    /// The rule or the options of the killer exclude it.
    Ignored,
    /// The killer chooses among cgroups, and its cgroup is not a candidate.
    NoCandidate,
    /// The kernel skips it: it is a vfork child, or its memory was reaped.
    Skipped,
    /// It was killed already, and the rule skips such processes.
    Dying,
    /// The rule names other processes, or none.
    Unnamed,
    /// `oom_score_adj` is -1000.
    Never,
    /// It is the init of the machine.
    Init,
    /// It has no address space: it is a zombie, or exiting.
    NoMm,
    /// It is a kernel thread.
    Kernel,
    /// It is outside the domain.
    Outside,
}

impl SparedReason {
    /// The word in a row of the table, and in JSON.
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

    /// The reason as a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Unreadable => "its memory could not be read, so it cannot be ranked",
            Self::Failed => "the rule failed for it: a fact is absent, or a number is out of range",
            Self::Zero => "it has too few points: this rule does not choose it",
            Self::Ignored => "the rule or the options of this killer exclude it",
            Self::NoCandidate => {
                "this killer chooses among cgroups, and the cgroup of this process is not a candidate"
            }
            Self::Skipped => {
                "the kernel skips it now: it is a vfork child before exec, or its memory was reaped"
            }
            Self::Dying => "it was killed already and is exiting",
            Self::Unnamed => "this rule names other processes, or none",
            Self::Never => "oom_score_adj is -1000: the OOM killer never chooses it",
            Self::Init => "it is the init of the machine: the OOM killer never chooses it",
            Self::NoMm => "it has no memory (a zombie, or exiting)",
            Self::Kernel => "it is a kernel thread and cannot be killed",
            Self::Outside => "it is outside this domain: an OOM here does not concern it",
        }
    }
}

/// The verdict of a policy on one process.
#[allow(
    clippy::large_enum_variant,
    reason = "lives on the stack during one judgement; a box would allocate in the loop"
)]
#[derive(Clone, Copy, Debug)]
pub enum Verdict {
    /// It cannot be chosen.
    Spared(SparedReason),
    /// It can be chosen.
    Scored(Badness),
}

impl Verdict {
    /// What orders it among others.
    ///
    /// # Errors
    ///
    /// Why the process cannot be chosen.
    pub const fn key(&self) -> Result<BadnessKey, SparedReason> {
        match self {
            Self::Scored(badness) => Ok(badness.key()),
            Self::Spared(reason) => Err(*reason),
        }
    }
}
