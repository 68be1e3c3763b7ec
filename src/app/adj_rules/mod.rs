//! Rules that set `oom_score_adj` while the program runs.

pub mod rules;
