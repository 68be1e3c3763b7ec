//! The command line, one file for each subcommand.

pub(crate) mod act;
pub(crate) mod batch;
pub mod cli;
pub(crate) mod explain;
pub(crate) mod http;
pub(crate) mod metrics;
pub(crate) mod policies;
pub(crate) mod record;
pub(crate) mod self_check;
