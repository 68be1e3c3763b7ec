//! What was done in this session: the journal, signalled processes, outcomes.

pub mod journal;
pub(crate) mod outcomes;
pub(crate) mod pending_exit;
