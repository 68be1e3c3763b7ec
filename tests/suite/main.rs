//! The main suite: everything that needs neither a terminal nor rights.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

mod fixtures;
mod rules;
mod screens;
mod svg;
