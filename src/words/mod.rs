//! Sentences about predictions, outcomes and incidents, and the values in them. Used by the screen, text
//! output and JSON.

pub mod incident;
pub mod next_death;
pub mod outcome;
pub mod prediction;
pub mod values;
