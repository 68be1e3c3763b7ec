//! The widths from which the upper part of the screen shows more.

/// From this width on there is room for notes beside the meters, and for a border around the headline.
pub const WIDE: u16 = 110;

/// From this width on the headline and the machine stand side by side.
pub const BESIDE: u16 = 160;
