//! Reading facts of the whole machine.

pub mod domain_usage;
pub mod host;
pub mod memory_holders;
pub mod oom_score_scale;
pub mod privileges;
pub mod system;
pub(crate) mod vmstat_reader;
mod zram;
