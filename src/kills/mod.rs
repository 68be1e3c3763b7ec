//! Every kill that is known, each once, with one victim, one time and one prediction: what the logs tell, and what
//! the counters tell where no log does. The screen, the texts and the load tests take kills from here.

mod collector;
mod follower;
mod predicted_victim;
mod timeline;

pub use collector::{KillChange, KillContext, NewKills, sample_before_kill};
pub(crate) use follower::LINE_WAIT;
pub use follower::{KillFollower, KillNews};
pub use timeline::{LogSourceStatus, Timeline};
