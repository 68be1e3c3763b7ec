//! The rules of OOM killers as pure functions from facts to verdicts, one file per killer.
//!
//! A new policy is one file and one row in [`POLICIES`]. Sub-rooms, lowest first: the files here,
//! [`kernel`], [`daemon`], [`proposal`], [`site`]. Reading facts (`sample`), ranking (`rank`) and acting
//! (`effects`) are other rooms.

mod badness;
mod badness_parts;
pub mod daemon;
mod definition;
pub mod kernel;
mod overrides;
pub mod proposal;
pub(crate) mod sacrifice_key_signal;
pub mod site;
mod tie_break;
mod trigger;

use crate::policy::kernel::linux_2_6::era;

pub use crate::policy::daemon::bustd::BUSTD;
pub use crate::policy::daemon::earlyoom::{EARLYOOM, EARLYOOM_RSS};
pub use crate::policy::daemon::kubelet::KUBELET;
pub use crate::policy::daemon::lmkd::LMKD;
pub use crate::policy::daemon::nohang::{NOHANG, NOHANG_DESKTOP};
pub use crate::policy::daemon::oomd::{OOMD_IO, OOMD_PGSCAN, OOMD_PRESSURE, OOMD_SIZE, OOMD_SWAP};
pub use crate::policy::daemon::systemd_oomd::{SYSTEMD_OOMD_PRESSURE, SYSTEMD_OOMD_SWAP};
pub use crate::policy::kernel::linux::{
    LINUX, LINUX_3_5, LINUX_3_14, LINUX_4_17, LINUX_5_1, LINUX_5_3, LINUX_5_9, running,
    swap_counter_bound,
};
pub use crate::policy::kernel::linux_2_4::{
    LINUX_2_4, LINUX_2_4_19_AKPM, LINUX_2_4_22, int_sqrt_24,
};
pub use crate::policy::kernel::linux_2_6::{
    LINUX_2_6_0, LINUX_2_6_11, LINUX_2_6_12, LINUX_2_6_16, LINUX_2_6_19, LINUX_2_6_20,
    LINUX_2_6_22, LINUX_2_6_24, LINUX_2_6_25, LINUX_2_6_32,
};
pub use crate::policy::kernel::linux_2_6_36_to_3_4::{LINUX_2_6_36, LINUX_2_6_39, LINUX_3_3};
pub use crate::policy::kernel::no_killer::LINUX_2_4_23;
pub use crate::policy::kernel::oom_score::{
    ScoreComparison, agreement, compare, comparisons, kernel_score,
};
pub use crate::policy::kernel::relatives::likely_sharers;
pub use crate::policy::kernel::skipped::kernel_skips;
pub use crate::policy::proposal::blame::blame;
pub use crate::policy::proposal::kill_parent::KILL_PARENT;
pub use crate::policy::proposal::least_trusted::SECURITY;
pub use crate::policy::proposal::panic::PANIC;
pub use crate::policy::proposal::rss::{RSS, RSS_SWAP};
pub use crate::policy::sacrifice_key_signal::{Sacrifice, sacrifice};
pub use badness::{Badness, BadnessKey, BadnessUnit, SparedReason, Term, TermNote, Terms, Verdict};
pub use badness_parts::BadnessParts;
pub use definition::{
    AdjEffect, Cite, Drift, KillScope, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits,
};
pub use overrides::{Override, OverrideKind, bpf_policy};
pub use tie_break::TieBreak;
pub use trigger::{
    Trigger, TriggerKind, TriggerLevel, TriggerQuantity, TriggerRule, TriggerSide, TriggerState,
};

/// All policies, in the order of menus and lists. The first is the default; then daemons, baselines, past
/// kernels (the latest first) and proposals.
pub static POLICIES: &[&dyn Policy] = &[
    &LINUX,
    &EARLYOOM,
    &EARLYOOM_RSS,
    &NOHANG,
    &NOHANG_DESKTOP,
    &SYSTEMD_OOMD_SWAP,
    &SYSTEMD_OOMD_PRESSURE,
    &OOMD_SIZE,
    &OOMD_SWAP,
    &OOMD_PRESSURE,
    &OOMD_PGSCAN,
    &OOMD_IO,
    &KUBELET,
    &BUSTD,
    &LMKD,
    &RSS,
    &RSS_SWAP,
    &LINUX_5_9,
    &LINUX_5_3,
    &LINUX_5_1,
    &LINUX_4_17,
    &LINUX_3_14,
    &LINUX_3_5,
    &LINUX_3_3,
    &LINUX_2_6_39,
    &LINUX_2_6_36,
    &LINUX_2_6_32,
    &LINUX_2_6_25,
    &LINUX_2_6_24,
    &LINUX_2_6_22,
    &LINUX_2_6_20,
    &LINUX_2_6_19,
    &LINUX_2_6_16,
    &LINUX_2_6_12,
    &LINUX_2_6_11,
    &LINUX_2_6_0,
    &LINUX_2_4_23,
    &LINUX_2_4_22,
    &LINUX_2_4,
    &LINUX_2_4_19_AKPM,
    &PANIC,
    &KILL_PARENT,
    &SECURITY,
];

/// Patterns that `--policy` takes besides the ids of [`POLICIES`], with a description.
pub const PATTERNS: &[(&str, &str)] = &[
    ("linux-2.6:2.6.N", "the rule of any 2.6.N up to 2.6.35"),
    ("blame:NAME", "only processes with this name"),
    ("site:FILE", "a rule of your own (`doomtop policy check FILE` checks it)"),
];

/// The policy with this name, or of one of the [`PATTERNS`] other than `site:`.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static dyn Policy> {
    if let Some(name) = id.strip_prefix("blame:") {
        return blame(name);
    }
    let exact = POLICIES.iter().copied().find(|policy| policy.id() == id);
    exact.or_else(|| era(id.strip_prefix("linux-2.6:2.6.")?.parse().ok()?))
}

/// The rule of the kernel with this release (`uname -r`), as far as the number determines it.
#[must_use]
pub fn of_kernel(release: &str) -> &'static dyn Policy {
    let mut numbers =
        release.split(|c: char| !c.is_ascii_digit()).map(|it| it.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0_u32);
    let (major, minor, patch) = (next(), next(), next());
    match (major, minor) {
        (2, 0..=5) => &LINUX_2_4,
        (2, _) => era(patch).unwrap_or(&LINUX_2_6_36),
        (3, 0..=4) => &LINUX_2_6_36,
        _ => &LINUX,
    }
}

/// The policies of the killers that may act here: the running kernel's and the daemons'.
pub fn killers() -> impl Iterator<Item = &'static dyn Policy> {
    let acts = |kind| matches!(kind, PolicyKind::RunningKernel | PolicyKind::Daemon);
    POLICIES.iter().copied().filter(move |policy| acts(policy.info().kind))
}
