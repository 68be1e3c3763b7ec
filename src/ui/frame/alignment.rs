//! The columns of the parts of the header's gauge lines, so that these are aligned below each other.
//! Columns are counted from the end of the gauge's numbers.

/// From this width on the header has room for more than gauges and the averages of pressure.
pub const WIDE: u16 = 110;

/// From this width on the rest of the memory's parts have room, too.
pub const WIDEST: u16 = 180;

/// The column of the detail behind a gauge.
pub const DETAIL: u16 = 0;

/// The cells of a gauge's label, without the space behind it.
pub const LABEL: usize = 6;

/// The cells that the label and the numbers of a gauge take beside its bar.
pub const AROUND_BAR: u16 = 26;

/// The cells of a bar: the same in all lines.
pub const fn bar(width: u16) -> u16 {
    match width {
        ..=59 => 6,
        60..=79 => 11,
        80..=99 => 18,
        100..=139 => 27,
        _ => 37,
    }
}

/// The column of a pressure.
pub const fn psi(width: u16) -> u16 {
    if width >= WIDE { 28 } else { 13 }
}

/// The column of a pressure with a chart behind it: on a narrow screen further to the left.
pub const fn charted_psi(width: u16) -> u16 {
    if width < 140 { 22 } else { 28 }
}

/// The column where a chart of pressure must end.
pub const fn chart_end(width: u16) -> u16 {
    if width >= WIDEST { rest(width) - 2 } else { width - bar(width) - AROUND_BAR }
}

/// The column of what only the widest screens show.
pub const fn rest(width: u16) -> u16 {
    if width >= 200 { 94 } else { 72 }
}
