//! Trends and limits: when a limit is reached, and what happens there.

pub mod at_limit;
pub mod chart_window;
pub mod commitments;
pub mod limits;
pub mod next_death;
pub mod opinion;
pub mod series;
pub mod trend;
