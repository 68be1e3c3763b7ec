//! What a column is: its names, its width, what it needs, its cell and its sort key.

use crate::columns::context::RowView;
use crate::columns::sort_key::SortKey;
use crate::format::SizeUnit;
use crate::model::Needs;

/// Alignment of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// The file of `/proc/PID` that a column needs beside `stat` and `oom_score_adj`, which every ranking
/// reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// No further file.
    Nothing,
    /// `status`.
    Status,
    /// `cgroup`.
    Cgroup,
}

/// A column of the process table.
pub struct Column {
    /// The name that `--columns` and `--sort` take; also the JSON key if the column shows a fact of a
    /// process.
    pub id: &'static str,
    /// The title in the header line.
    pub title: &'static str,
    /// What it shows, in one line; for help, menus and documentation.
    pub about: &'static str,
    /// Width in terminal cells, with sizes in automatic units.
    pub width: u16,
    /// Whether it shows a size. Sizes are wider in a fixed unit.
    pub size: bool,
    /// Alignment of title and cells.
    pub align: Align,
    /// Minimum width of the terminal, in cells, at which it is shown by default. With `u16::MAX` it is
    /// shown only on request.
    pub min_width: u16,
    /// Drop priority: while the columns are too wide, the one with the lowest value is dropped first. 0
    /// is never dropped.
    pub drop_priority: u8,
    /// Whether sorting by it starts with the largest value.
    pub descending: bool,
    /// The file that must be read for it.
    pub needs: Need,
    /// The keys of a process in JSON that it selects.
    pub json: &'static [&'static str],
    /// Writes the cell.
    pub cell: fn(&RowView<'_>, &mut String),
    /// The value that it sorts by.
    pub key: fn(&RowView<'_>) -> SortKey,
}

impl Column {
    /// Width in terminal cells on a screen of this width with sizes in this unit, so that no number is cut.
    #[must_use]
    pub fn cells(&self, scale: SizeUnit, screen: u16) -> u16 {
        match scale {
            _ if self.is_bar() => match screen {
                ..116 => self.width,
                116..160 => self.width + 4,
                160.. => self.width * 2,
            },
            _ if !self.size => self.width,
            SizeUnit::Auto | SizeUnit::Permille => self.width,
            SizeUnit::Gib => self.width.max(9),
            SizeUnit::Mib => self.width.max(10),
            SizeUnit::Pages | SizeUnit::Kib => self.width.max(12),
        }
    }

    /// Whether its cells are bars, which are painted in colours.
    #[must_use]
    pub fn is_bar(&self) -> bool {
        self.id == "parts"
    }

    /// Adds the file that it needs to those that a sample reads.
    pub fn add_needs(&self, needs: &mut Needs) {
        needs.status |= self.needs == Need::Status;
        needs.cgroup |= self.needs == Need::Cgroup;
    }
}
