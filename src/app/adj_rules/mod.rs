//! Rules that set `oom_score_adj` while the program runs: state and consent.

pub mod consent;
pub mod rules;
pub mod update;
