//! Rules that were proposed or are widely assumed, but that no kernel uses.

pub(crate) mod blame;
pub(crate) mod kill_parent;
pub(crate) mod panic;
pub(crate) mod rss;
pub(crate) mod security;

/// The thread in which these rules were proposed: a handler that registers replaces the OOM killer.
const RFC_2003: &str = "linux-kernel, [RFC] Enabling other oom schemes";
