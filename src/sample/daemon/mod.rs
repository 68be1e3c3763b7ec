//! Reading which userspace OOM killers are installed or running, and their options.

pub mod killers;
