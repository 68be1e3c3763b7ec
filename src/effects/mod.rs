//! HANDS: the only room that changes the world.
//!
//! A wish comes in with the process *as the user saw it*; what goes out says what came of it.
//! [`KernelHands`] can only be built from a root proven live, so that neither a recording nor a
//! test folder can reach a real process; those get [`Refuse`].

mod adj;
mod folder;
mod kernel;
mod protect;
mod pursuit;
mod refuse;
mod signal;

pub use kernel::KernelHands;
pub use refuse::Refuse;

use crate::intent::{Intent, Outcome};

/// Hands: they carry out a wish and say what came of it.
pub trait Effects {
    /// Carries out the wish now, without waiting for its consequences.
    fn perform(&mut self, intent: Intent) -> Outcome;

    /// What became of earlier signals since the last call. Never blocks.
    fn settle(&mut self) -> Vec<Outcome>;

    /// Whether a signalled process is still being watched, so that [`Effects::settle`] is worth
    /// calling.
    fn pursuing(&self) -> bool;
}
