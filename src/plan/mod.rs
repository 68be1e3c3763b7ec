//! An intent before it is carried out: protection, rights, targets and preview. Shared by the screen
//! and the command line.

pub mod preview;
pub mod protection;
pub mod rights;
pub mod targets;
