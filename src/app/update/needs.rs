//! What the next sample must contain: what the policy, the visible columns, the view and the open page
//! need, and nothing else.

use crate::app::App;
use crate::app::input::view::view;
use crate::app::mode::Mode;
use crate::forecast::next_death;
use crate::model::{CgroupNeeds, Needs, ProcId, Scene, Scope, Scores};
use crate::units::Pages;

/// The files of this many of the top candidates stay open.
const KEPT_OPEN: usize = 64;

/// So many of the first by badness may be the next to die, whatever is predicted.
const FIRST: usize = 3;

/// The scores of this many rows on the screen are compared in each sample, where no column shows them.
const CHECKED_ROWS: usize = 8;

impl App {
    /// What the next sample must contain.
    #[must_use]
    pub fn needs(&self) -> Needs {
        // Reading a command line may stall, so a lookup worker does it.
        let mut needs = Needs { cmdline: false, ..self.policy().needs() };
        for column in self.columns() {
            column.add_needs(&mut needs);
        }
        // The explain page and the dialogs show it.
        needs.status = true;
        view(self.views.kind).add_needs(self, &mut needs);
        let scoped = self.is_scoped() || matches!(self.settings.scope, Scope::Memcg(_));
        let asks = matches!(self.mode, Mode::Fits(_));
        let at_least = if scoped || asks { CgroupNeeds::Everything } else { CgroupNeeds::Limits };
        needs.cgroups = needs.cgroups.max(at_least);
        if let Some(scene) = &self.scene {
            needs.cgroups = needs.cgroups.max(next_death::needed_cgroups(scene));
        }
        needs.cgroup |= self.needs_cgroup() || needs.cgroups == CgroupNeeds::Everything;
        // A killer that goes by the score of every process needs all of them. Before the first sample
        // it is not known which processes will be on the screen.
        if needs.scores != Scores::All && self.scene.is_some() {
            let suspects = self.refresh.self_check.suspects();
            let visible = self.visible().take(self.scores_on_screen());
            let cursor = self.table.line().map(|line| line.id);
            needs.scores = Scores::Some(visible.chain(cursor).chain(suspects).collect());
        } else {
            needs.scores = Scores::All;
        }
        let eligible = &self.ranking.rows()[..self.ranking.eligible()];
        needs.keep = eligible.iter().take(KEPT_OPEN).map(|row| row.id).collect();
        needs.may_die = self.may_die();
        needs.lead = self.lead_of_the_kept();
        if self.playback.thorough || self.playback.recording_since().is_some() {
            // A recording answers questions that are asked later.
            let (keep, may_die) = (needs.keep, needs.may_die);
            return Needs { cmdline: false, keep, may_die, ..Needs::everything() };
        }
        needs
    }

    /// Those that may die next: by the prediction, and if memory ended now.
    fn may_die(&self) -> Vec<ProcId> {
        let first = self.ranking.rows().iter().take(self.ranking.eligible().min(FIRST));
        let mut found = self.deaths.may_die();
        for row in first {
            if !found.contains(&row.id) {
                found.push(row.id);
            }
        }
        found
    }

    /// How many pages the processes whose files are not kept open are behind the runner-up, where it can be
    /// said and nothing else depends on them: the kernel's rule, and no death near in any domain. The runner-up,
    /// so that it still holds when the victim is gone in the next sample.
    fn lead_of_the_kept(&self) -> Option<Pages> {
        let calm = self.deaths.next.is_none()
            && self.near_domains().is_empty()
            && !self.shows_other_sample();
        let scene = self.scene.as_ref().filter(|_| calm && self.policy().is_running_kernel())?;
        let rows = &self.ranking.rows()[..self.ranking.eligible()];
        let (runner_up, rest) = (rows.get(1)?, rows.get(KEPT_OPEN));
        let Some(next) = rest else { return Some(Pages(u64::MAX)) };
        let lead = (runner_up.placement.points()? - next.placement.points()?).0;
        let swing = self.ranking.slack() + self.policy().max_drift_up(scene);
        Some(Pages(u64::try_from(lead).unwrap_or(0).saturating_sub(swing.0)))
    }

    /// Of how many rows on the screen the kernel's score is read in each sample. Where nothing else of a
    /// process is read from files, that is most of the work: without the column that shows it, the first rows
    /// are enough, and the others are compared in their turn.
    fn scores_on_screen(&self) -> usize {
        let by_files = self.scene.as_ref().is_none_or(|it| !it.machine().sampler.is_bpf());
        let is_shown = self.columns().iter().any(|column| column.id == "oom_score");
        if by_files || is_shown { usize::MAX } else { CHECKED_ROWS }
    }

    /// Whether the cgroup of each process is needed.
    fn needs_cgroup(&self) -> bool {
        let table = &self.table;
        let filters = table.settings.filter.wants_cgroups() || table.search.wants_cgroups();
        let shown = self.mode.asks()
            || matches!(
                self.mode,
                Mode::Explain(_) | Mode::CommandLine(_) | Mode::Persist(_) | Mode::Menu(_)
            );
        let rules = self.session.adj_rules.as_ref();
        // The outcome at a limit depends on the processes behind it. Before the first sample it is not
        // known whether there are limits.
        let limited = |scene: &Scene| scene.now().cgroups.limited().next().is_some();
        filters
            || shown
            || self.display.viewport.width >= 100
            || rules.is_some_and(|active| active.rules.needs_cgroup())
            || self.scene.as_ref().is_none_or(limited)
    }

    /// The processes on the screen.
    pub(crate) fn visible(&self) -> impl Iterator<Item = ProcId> {
        let rows = usize::from(self.display.viewport.rows);
        self.table.lines.iter().skip(self.table.cursor.top).take(rows).map(|line| line.id)
    }
}
