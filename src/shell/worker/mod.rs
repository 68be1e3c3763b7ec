//! The threads, one file each.

pub(crate) mod adj_rules;
pub(crate) mod alarm_command;
pub(crate) mod input;
pub(crate) mod log_sources;
pub(crate) mod lookup;
pub(crate) mod player;
pub(crate) mod psi_trigger;
pub(crate) mod recorder;
pub(crate) mod sampler;
pub(crate) mod signals;
pub(crate) mod site_rules;
