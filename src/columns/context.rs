//! What a row is seen in, and the row seen.

use std::cmp::Ordering;
use std::fmt::Write;

use crate::format::{SizeUnit, human};
use crate::model::{Names, Process, Reading, Scene};
use crate::policy::{BadnessUnit, Policy};
use crate::rank::{Placement, Ranked, Ranking};
use crate::units::{PageSize, Pages, Permille, Points, Ticks};

/// What the column COMMAND shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CommandStyle {
    /// The process's own name.
    #[default]
    Name,
    /// The whole command line.
    Line,
    /// The command line, its program without the directories.
    Short,
}

/// What a row is seen in: everything that a cell may speak of.
#[derive(Clone, Copy)]
pub struct RowContext<'a> {
    /// The moment.
    pub scene: &'a Scene,
    /// The policy of the ranking.
    pub policy: &'a dyn Policy,
    /// The order.
    pub ranking: &'a Ranking,
    /// Users and command lines.
    pub names: &'a Names,
    /// Unit of sizes.
    pub scale: SizeUnit,
    /// What COMMAND shows.
    pub command: CommandStyle,
}

impl<'a> RowContext<'a> {
    /// The row of the process at a position of the snapshot.
    #[must_use]
    pub fn row(&'a self, at: usize) -> Option<RowView<'a>> {
        let (place, ranked) = self.ranking.place(at)?;
        let process = self.scene.now().processes.get(at)?;
        Some(RowView { process, ranked, place, context: self })
    }

    /// The user's name, or the number as text.
    #[must_use]
    pub fn user(&self, process: &Process) -> Reading<String> {
        process.ids.map(|ids| {
            self.names.user(ids.euid).map_or_else(|| ids.euid.to_string(), str::to_owned)
        })
    }

    fn page(&self) -> PageSize {
        self.scene.machine().page_size
    }

    /// A size in the chosen unit.
    pub fn size(&self, pages: Pages, out: &mut String) {
        match self.scale {
            SizeUnit::Pages => {
                let _ = write!(out, "{}", pages.0);
            }
            SizeUnit::Permille => {
                let share = Permille::of(pages.points(), self.scene.domain().pages);
                let _ = write!(out, "{}", share.0);
            }
            _ => human(pages.bytes(self.page()), self.scale, out),
        }
    }

    /// Signed points: a size where the policy counts pages, a bare number where it does not.
    pub fn points(&self, points: Points, out: &mut String) {
        if self.policy.info().unit == BadnessUnit::Bare {
            let _ = write!(out, "{}", points.0);
            return;
        }
        if points.0 < 0 {
            out.push('-');
        }
        self.size(Pages(points.0.unsigned_abs()), out);
    }
}

/// One process, seen.
#[derive(Clone, Copy)]
pub struct RowView<'a> {
    /// The facts.
    pub process: &'a Process,
    /// The verdict.
    pub ranked: &'a Ranked,
    /// The place, counted from 0.
    pub place: usize,
    /// What it is seen in.
    pub context: &'a RowContext<'a>,
}

impl RowView<'_> {
    /// How it stands.
    #[must_use]
    pub const fn placement(&self) -> Placement {
        self.ranked.placement
    }

    pub(crate) fn ran(&self) -> Ticks {
        self.context.scene.now().clock.uptime_ticks.saturating_sub(self.process.id.born)
    }

    /// What a look tells of a process, and a dump does not.
    pub(crate) fn lived<T>(&self, told: T) -> Reading<T> {
        match self.context.scene.now().unavailable.lives {
            true => Reading::Missing,
            false => Reading::Value(told),
        }
    }

    /// Badness as a share of the domain's total; points that are no pages have none.
    #[must_use]
    pub fn permille(&self) -> Option<Permille> {
        if self.context.policy.info().unit == BadnessUnit::Bare {
            return None;
        }
        let total = self.context.scene.domain().pages;
        self.placement().points().map(|points| Permille::of(points, total))
    }
}

/// What a column is sorted by.
#[derive(Clone, Debug, PartialEq)]
pub enum SortKey {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
    /// Nothing to go by: last in either direction.
    Absent,
}

impl SortKey {
    pub(crate) fn of<T>(reading: Reading<T>, with: impl FnOnce(T) -> i64) -> Self {
        reading.value().map_or(Self::Absent, |value| Self::Number(with(value)))
    }

    /// The order, the absent always last.
    #[must_use]
    pub fn order(&self, other: &Self, descending: bool) -> Ordering {
        let plain = match (self, other) {
            (Self::Number(mine), Self::Number(theirs)) => mine.cmp(theirs),
            (Self::Text(mine), Self::Text(theirs)) => mine.cmp(theirs),
            (Self::Absent, Self::Absent) => return Ordering::Equal,
            (Self::Absent, _) => return Ordering::Greater,
            (_, Self::Absent) => return Ordering::Less,
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        };
        if descending { plain.reverse() } else { plain }
    }
}
