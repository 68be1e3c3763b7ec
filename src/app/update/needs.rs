//! What the next sample must contain.

use crate::app::App;
use crate::app::mode::Mode;
use crate::app::view::kind::ViewKind;
use crate::model::{CgroupNeeds, Needs, ProcId, Scene, Scope, Scores};

/// So many of the top candidates keep their files open.
pub(crate) const KEEP: usize = 64;

impl App {
    /// What the next look must bring.
    #[must_use]
    pub fn needs(&self) -> Needs {
        // Reading a command line may stall: the slow reader brings them.
        let mut needs = Needs { cmdline: false, ..self.setup.policy.needs() };
        for column in self.columns() {
            column.add_needs(&mut needs);
        }
        // The explain page and the dialogs speak of both.
        needs.status = true;
        needs.cgroup |= self.view.filter.wants_cgroups() || self.search.wants_cgroups();
        let speaks = self.mode.asks() || matches!(self.mode, Mode::Explain(_) | Mode::Persist(_));
        let speaks = speaks || matches!(self.mode, Mode::Menu(_));
        needs.cgroup |= speaks || self.viewport.width >= 100;
        needs.cgroup |= self.adj_rules.as_ref().is_some_and(|sticky| sticky.rules.needs_cgroup());
        self.add_verdict_needs(&mut needs);
        let groups =
            matches!(self.screen, ViewKind::Cgroups | ViewKind::Memory) || self.is_scoped();
        let walls_at_least = if groups || matches!(self.setup.scope, Scope::Memcg(_)) {
            CgroupNeeds::Everything
        } else {
            CgroupNeeds::Limits
        };
        needs.cgroups = needs.cgroups.max(walls_at_least);
        // Who dies at which wall is told by who lives behind it.
        let walls = |scene: &Scene| scene.now().cgroups.limited().next().is_some();
        needs.cgroup |= needs.cgroups == CgroupNeeds::Everything;
        // Before the first look nobody knows whether there are any.
        needs.cgroup |= self.scene.as_ref().is_none_or(walls);
        let mut scores: Vec<ProcId> = self.visible().collect();
        scores.extend(self.check.suspects());
        // Before the first look nobody knows who will be on the screen.
        // A killer that goes by everybody's score asks for all of them.
        needs.scores = if needs.scores == Scores::All || self.scene.is_none() {
            Scores::All
        } else {
            Scores::Some(scores)
        };
        needs.keep = self.ranking.rows()[..self.ranking.eligible()]
            .iter()
            .take(KEEP)
            .map(|row| row.id)
            .collect();
        if self.playback.thorough || self.playback.recording_since().is_some() {
            // A recording is for questions that nobody has asked yet.
            return Needs { cmdline: false, keep: needs.keep, ..Needs::everything() };
        }
        needs
    }

    /// The processes on the screen.
    pub(crate) fn visible(&self) -> impl Iterator<Item = ProcId> {
        let rows = usize::from(self.viewport.rows);
        self.lines.iter().skip(self.top).take(rows).map(|line| line.id)
    }
}
