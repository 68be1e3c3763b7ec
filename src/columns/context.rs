//! The row that a cell is written for, with the scene, ranking and settings that the cell may use.

use std::fmt::Write;

use crate::format::{SizeUnit, human};
use crate::model::{Names, Process, Reading, Scene};
use crate::policy::{BadnessParts, BadnessUnit, Policy, Verdict};
use crate::rank::{Placement, Ranked, Ranking};
use crate::units::{PageSize, Pages, Permille, Points, Ticks};

/// What the column COMMAND shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CommandStyle {
    /// The name of the process (`comm`).
    #[default]
    Name,
    /// The whole command line.
    Line,
    /// The command line, with the program's directories cut off.
    Short,
}

/// Everything beside the process that a cell may use.
#[derive(Clone, Copy)]
pub struct RowContext<'a> {
    /// The present sample and what is known from earlier ones.
    pub scene: &'a Scene,
    /// The policy of the ranking.
    pub policy: &'a dyn Policy,
    /// The ranking.
    pub ranking: &'a Ranking,
    /// User names and command lines.
    pub names: &'a Names,
    /// Unit of sizes.
    pub scale: SizeUnit,
    /// What COMMAND shows.
    pub command: CommandStyle,
}

impl<'a> RowContext<'a> {
    /// The row of the process at this index of the snapshot; `None` if it is not ranked.
    #[must_use]
    pub fn row(&'a self, at: usize) -> Option<RowView<'a>> {
        let (place, ranked) = self.ranking.place(at)?;
        let process = self.scene.now().processes.get(at)?;
        Some(RowView { process, ranked, place, context: self })
    }

    /// Name of the effective user, or its number if the name is unknown.
    #[must_use]
    pub fn user(&self, process: &Process) -> Reading<String> {
        process.ids.map(|ids| {
            self.names.user(ids.euid).map_or_else(|| ids.euid.to_string(), str::to_owned)
        })
    }

    /// Whether badness is made of memory, swap and adj under this policy: by the process that it chooses
    /// first.
    #[must_use]
    pub fn has_parts(&self) -> bool {
        let first = self.ranking.victim();
        first.and_then(|first| self.row(first.at as usize)).is_some_and(|row| row.parts().is_some())
    }

    /// The badness at the right end of all bars: the highest, or all memory where none is above zero.
    #[must_use]
    pub fn bar_top(&self) -> Points {
        let first = self.ranking.victim().and_then(|row| row.placement.points());
        first.filter(|points| points.0 > 0).unwrap_or_else(|| self.scene.domain().pages.points())
    }

    fn page(&self) -> PageSize {
        self.scene.machine().page_size
    }

    /// Writes a size in the chosen unit.
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

    /// Writes points: as a size if the policy counts pages, else as a plain number.
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

/// One process with its placement.
#[derive(Clone, Copy)]
pub struct RowView<'a> {
    /// The facts.
    pub process: &'a Process,
    /// The verdict.
    pub ranked: &'a Ranked,
    /// Its place in the ranking, from 0.
    pub place: usize,
    /// What its cells may use.
    pub context: &'a RowContext<'a>,
}

impl RowView<'_> {
    /// Its points, or why it cannot be chosen.
    #[must_use]
    pub const fn placement(&self) -> Placement {
        self.ranked.placement
    }

    /// Time since the start of the process.
    pub(crate) fn age(&self) -> Ticks {
        self.context.scene.now().clock.uptime_ticks.saturating_sub(self.process.id.born)
    }

    /// A fact that a live sample has and the dump of an OOM report lacks, like CPU time.
    pub(crate) fn unless_dump<T>(&self, value: T) -> Reading<T> {
        match self.context.scene.now().unavailable.lives {
            true => Reading::Missing,
            false => Reading::Value(value),
        }
    }

    /// The parts of its badness; nothing where it is not made of memory, swap and adj.
    #[must_use]
    pub fn parts(&self) -> Option<BadnessParts> {
        let RowContext { policy, scene, .. } = *self.context;
        if policy.info().unit == BadnessUnit::Bare || self.placement().points().is_none() {
            return None;
        }
        match policy.judge(self.process, scene) {
            Verdict::Scored(badness) => BadnessParts::of(&badness),
            Verdict::Spared(_) => None,
        }
    }

    /// Badness as a share of the domain's total memory; `None` if the policy does not count pages.
    #[must_use]
    pub fn permille(&self) -> Option<Permille> {
        if self.context.policy.info().unit == BadnessUnit::Bare {
            return None;
        }
        let total = self.context.scene.domain().pages;
        self.placement().points().map(|points| Permille::of(points, total))
    }
}
