//! The judge's own logic, checked before it judges.

/// All of them. Panics at the first that fails.
pub fn all() {}
