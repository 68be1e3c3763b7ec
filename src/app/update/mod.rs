//! Messages: a sample, a log line, an outcome or a tick changes the state.

pub(crate) mod adj_rules;
pub(crate) mod arrange;
pub(crate) mod clock;
pub(crate) mod deaths;
pub(crate) mod dispatch;
pub(crate) mod kills;
pub(crate) mod live;
pub(crate) mod log;
pub(crate) mod lookups;
pub(crate) mod needs;
pub(crate) mod outcome;
pub(crate) mod playback;
pub(crate) mod policy;
pub(crate) mod report;
pub(crate) mod sample;
