//! Keys on full-screen pages.

pub(crate) mod adj_rules;
pub(crate) mod alarms;
pub(crate) mod end_card;
pub(crate) mod fits;
pub(crate) mod help;
pub(crate) mod incident;
pub(crate) mod journal;
pub(crate) mod persist;
pub(crate) mod read_only;
