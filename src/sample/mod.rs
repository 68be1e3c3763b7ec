//! EYES: /proc bytes to nouns.

pub mod root;
