//! Actions in the view Verdicts.

use crate::app::keymap::bindings;
use crate::app::keymap::bindings::{Action, Key, KeyContext};
use crate::app::session::notice::NoticeLevel;
use crate::app::view::kind::ViewKind;
use crate::app::view::verdicts::VerdictRow;
use crate::app::{App, Request};
use crate::columns::RowContext;
use crate::forecast::killer_opinion::{KillerOpinion, opinions};
use crate::model::{Needs, ProcId, Scores};

impl App {
    /// The opinion under the cursor.
    #[must_use]
    pub fn opinion(&self) -> Option<&KillerOpinion> {
        self.verdicts.lines.get(self.verdicts.cursor)
    }

    /// The rows seen by the policy under the cursor.
    #[must_use]
    pub fn opinion_context(&self) -> Option<(RowContext<'_>, &KillerOpinion)> {
        let opinion = self.opinion()?;
        let context = self.context()?;
        Some((
            RowContext { policy: opinion.policy, ranking: &self.verdicts.ranking, ..context },
            opinion,
        ))
    }

    /// Asks everybody anew, where the view is shown.
    pub(crate) fn arrange_verdicts(&mut self) {
        let Some(scene) = self.scene.as_ref().filter(|_| self.screen == ViewKind::Verdicts) else {
            return;
        };
        let current = self.setup.policy;
        let mut lines = opinions(&self.policies(), scene, (current, &self.ranking));
        let all = lines.len();
        let view = &mut self.verdicts;
        if view.hide
            && let Some(own) = lines.iter().find(|it| it.policy.id() == current.id()).cloned()
        {
            lines.retain(|it| it.policy.id() == current.id() || !it.agrees_with(&own));
        }
        view.hidden = all - lines.len();
        let mut rows: Vec<VerdictRow> = Vec::new();
        let mut concern = |id: ProcId, rank: u32| match rows.iter_mut().find(|it| it.id == id) {
            Some(row) => row.best = row.best.min(rank),
            None => {
                let at = scene.now().position(id.pid);
                rows.extend(at.map(|at| VerdictRow { id, at, best: rank }));
            }
        };
        for line in &lines {
            line.first.iter().zip(1..).for_each(|(&id, rank)| concern(id, rank));
            if let Some((other, _)) = line.instead {
                concern(other, 0);
            }
        }
        rows.sort_by_key(|row| self.ranking.place(row.at).map_or(usize::MAX, |(place, _)| place));
        (view.lines, view.rows) = (lines, rows);
        let held = view.held.unwrap_or(current.id());
        let at = view.lines.iter().position(|it| it.policy.id() == held);
        view.cursor = at.unwrap_or(view.cursor).min(view.lines.len().saturating_sub(1));
        self.rank_by_cursor();
        self.keep_verdict_in_view();
    }

    /// Ranks by the policy under the cursor: its sentence is told in full.
    fn rank_by_cursor(&mut self) {
        let policy = self.opinion().map(|opinion| opinion.policy);
        if let (Some(scene), Some(policy)) = (&self.scene, policy) {
            self.verdicts.ranking.update(policy, scene);
        }
    }

    /// The cursor of the view stays on the screen.
    pub(crate) fn keep_verdict_in_view(&mut self) {
        let rows = usize::from(self.viewport.rows).max(1);
        let view = &mut self.verdicts;
        let last_top = view.lines.len().saturating_sub(rows);
        view.top =
            view.top.clamp((view.cursor + 1).saturating_sub(rows), view.cursor).min(last_top);
    }

    /// Adds what the other policies judge by, while the view is open.
    pub(crate) fn add_verdict_needs(&self, needs: &mut Needs) {
        if self.screen != ViewKind::Verdicts {
            return;
        }
        for policy in self.policies() {
            let theirs = policy.needs();
            needs.status |= theirs.status;
            needs.cgroup |= theirs.cgroup;
            needs.exe_cwd_environ |= theirs.exe_cwd_environ;
            needs.cgroups = needs.cgroups.max(theirs.cgroups);
            if theirs.scores == Scores::All {
                needs.scores = Scores::All;
            }
        }
    }

    /// A key in the view of verdicts.
    pub(crate) fn verdict_key(&mut self, key: Key) -> Vec<Request> {
        if key.digit().is_some() {
            self.say_table_first();
            return Vec::new();
        }
        match bindings::meaning(KeyContext::Verdicts, key) {
            Some(action) => self.verdict_action(action),
            None => Vec::new(),
        }
    }

    /// Carries out what a key of the view, or a line of its palette, means.
    pub(crate) fn verdict_action(&mut self, action: Action) -> Vec<Request> {
        if let Some(by) = action.step(self.viewport.rows) {
            self.move_verdict_by(by);
            return Vec::new();
        }
        match action {
            Action::ColumnsLeft => self.scroll_ranks(-1),
            Action::ColumnsRight => self.scroll_ranks(1),
            Action::ColumnsBegin => self.scroll_ranks(isize::MIN),
            Action::ColumnsEnd => self.scroll_ranks(isize::MAX),
            Action::EnterPolicy => return self.enter_policy(),
            Action::HideAgreeing => {
                self.verdicts.hide = !self.verdicts.hide;
                self.arrange_verdicts();
                let word = if self.verdicts.hide { "hidden" } else { "shown" };
                self.say(
                    NoticeLevel::Plain,
                    format!("policies that agree with this one are {word}"),
                );
            }
            Action::Back => return self.go_to_screen(ViewKind::Processes),
            Action::ProcessFirst => self.say_table_first(),
            action if action.is_everywhere() => return self.browse(action),
            _ => {}
        }
        Vec::new()
    }

    fn say_table_first(&mut self) {
        let text = "choose a process first: Enter ranks by this policy and shows the processes";
        self.say(NoticeLevel::Plain, text);
    }

    fn move_verdict_by(&mut self, by: isize) {
        let last = self.verdicts.lines.len().saturating_sub(1);
        self.verdicts.cursor = self.verdicts.cursor.saturating_add_signed(by).min(last);
        self.verdicts.held = self.opinion().map(|opinion| opinion.policy.id());
        self.verdicts.skipped = None;
        self.rank_by_cursor();
        self.keep_verdict_in_view();
    }

    fn scroll_ranks(&mut self, by: isize) {
        let last = self.verdicts.lines.len().saturating_sub(1);
        let now = usize::from(self.viewport.columns_left);
        self.verdicts.skipped = Some(now.saturating_add_signed(by).min(last));
    }

    /// The whole program ranks by the policy under the cursor.
    fn enter_policy(&mut self) -> Vec<Request> {
        let Some(policy) = self.opinion().map(|opinion| opinion.policy) else { return Vec::new() };
        self.screen = ViewKind::Processes;
        self.set_policy(policy);
        self.sample_again()
    }
}
