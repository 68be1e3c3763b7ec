//! Rules that were proposed or are widely assumed, but that no killer uses.

pub(crate) mod blame;
pub(crate) mod kill_parent;
pub(crate) mod least_trusted;
pub(crate) mod panic;
pub(crate) mod rss;

/// The thread in which these rules were proposed: a handler that registers replaces the OOM killer.
const RFC_2003: &str = "linux-kernel, [RFC] Enabling other oom schemes";
