//! What is decided before something is done: protection, rights, targets, preview, consequences, and how a
//! value is made persistent. Shared by the screen and the command line.

pub mod adj_rights;
pub mod overcommit;
pub mod persist;
pub mod preview;
pub mod protection;
pub mod signal;
pub mod signal_consequences;
pub mod targets;
