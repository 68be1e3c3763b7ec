//! WINDOWS: where snapshots come from.
