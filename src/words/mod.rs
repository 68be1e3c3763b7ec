//! Sentences about predictions, outcomes and incidents, and the values in them. Used by the screen, text
//! output and JSON.

pub(crate) mod answer;
pub mod daemon_kill;
pub mod death_details;
pub mod fits;
pub mod freed;
pub mod incident;
pub mod judged_task;
pub mod memory_sheet;
pub mod next_death;
pub mod next_victim;
pub mod numbers_and_names;
pub mod outcome;
pub mod overridden;
pub mod remedy;
pub(crate) mod set_limit;
pub(crate) mod shortage;
pub mod terms;
