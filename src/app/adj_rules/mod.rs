//! Rules that set `oom_score_adj` while the program runs: state and consent.

pub mod consent;
pub mod reload;
pub mod rules;
