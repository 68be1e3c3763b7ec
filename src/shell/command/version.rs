//! Which doomtop this is.

/// The version of the package.
pub const PACKAGE: &str = env!("CARGO_PKG_VERSION");
/// The commit that it was built from; `unknown` from a tarball without that information.
pub const COMMIT: &str = env!("DOOMTOP_COMMIT");
/// The target that it was built for.
pub const TARGET: &str = env!("DOOMTOP_TARGET");

/// What `--version` prints behind the name.
pub const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("DOOMTOP_COMMIT"),
    ", ",
    env!("DOOMTOP_TARGET"),
    ")"
);

/// When this version was made, for the manual pages.
pub const RELEASED: &str = "2026-11-30";
