//! Trends and limits: when a limit is reached, and what happens there. What each killer would do now.

pub mod at_limit;
pub mod cascade;
mod cgroup_trends;
pub mod chart_window;
pub mod commitments;
mod fit;
mod headroom_trend;
pub mod killer_here;
pub mod killer_verdict;
pub mod limits;
pub mod next_death;
pub mod oom_at_limit;
pub mod race;
pub mod series;
pub mod stalled;
pub mod steady_growth;
pub mod trend;
pub mod usage_series;
