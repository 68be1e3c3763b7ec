//! The threads beside the main loop, one file each. They send what they find through an
//! [`Inbox`](crate::shell::event::Inbox) and never wait for the main loop.

pub(crate) mod adj_rules;
pub(crate) mod alarm_command;
pub(crate) mod breakdowns;
pub(crate) mod command_lines;
pub(crate) mod detail;
pub(crate) mod file_watch;
pub(crate) mod input;
pub(crate) mod log_sources;
pub(crate) mod lookup_root;
pub(crate) mod psi_trigger;
pub(crate) mod recorder;
pub(crate) mod recording_reader;
pub(crate) mod sampler;
pub(crate) mod signals;
pub(crate) mod site_rules;
pub(crate) mod usage_readings;
