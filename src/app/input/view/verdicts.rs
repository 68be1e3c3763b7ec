//! The view Verdicts.

use crate::app::input::view::View;
use crate::app::keymap::bindings::{Action, KeyContext};
use crate::app::session::notice::NoticeLevel;
use crate::app::view::click_target::RowIdentity;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};
use crate::columns::RowContext;
use crate::forecast::killer_verdict::{KillerOpinion, opinions};
use crate::model::{Needs, Scores};
use crate::policy::{Policy, PolicyKind};

pub(crate) struct VerdictsInput;

impl View for VerdictsInput {
    fn context(&self) -> KeyContext {
        KeyContext::Verdicts
    }

    fn arrange(&self, app: &mut App) {
        let Some(scene) = &app.scene else { return };
        let current = app.policy();
        // A ranking of every process by each policy costs most of a sample: none is made that is not shown.
        let (shown, folded) = app.shown_policies();
        let lines = opinions(&shown, scene, (current, &app.ranking));
        app.views.verdicts.arrange(lines, current.id(), scene, &app.ranking);
        app.views.verdicts.folded = folded;
        app.rank_by_opinion();
        self.keep_visible(app);
    }

    fn keep_visible(&self, app: &mut App) {
        let verdicts = &mut app.views.verdicts;
        verdicts.cursor.keep_visible(verdicts.lines.len(), app.display.viewport.rows);
    }

    fn move_by(&self, app: &mut App, by: isize) {
        let count = app.views.verdicts.lines.len();
        app.views.verdicts.cursor.move_by(by, count);
        app.views.verdicts.held = app.opinion().map(|opinion| opinion.policy.id());
        app.views.verdicts.skipped = None;
        app.rank_by_opinion();
        self.keep_visible(app);
    }

    fn line_of(&self, app: &App, row: &RowIdentity) -> Option<(usize, usize)> {
        let RowIdentity::Policy(id) = row else { return None };
        let line = app.views.verdicts.lines.iter().position(|line| line.policy.id() == *id)?;
        Some((line, app.views.verdicts.cursor.at))
    }

    fn action(&self, app: &mut App, action: Action) -> Option<Vec<Request>> {
        match action {
            Action::ColumnsLeft => scroll_ranks(app, -1),
            Action::ColumnsRight => scroll_ranks(app, 1),
            Action::ColumnsBegin => scroll_ranks(app, isize::MIN),
            Action::ColumnsEnd => scroll_ranks(app, isize::MAX),
            Action::Expand | Action::Collapse => {
                app.views.verdicts.past = action == Action::Expand;
                self.arrange(app);
                let word = if action == Action::Expand { "shown" } else { "hidden" };
                app.say(NoticeLevel::Plain, format!("the rules of past kernels are {word}"));
            }
            Action::EnterPolicy => return Some(enter_policy(app)),
            Action::HideAgreeing => {
                app.views.verdicts.hide = !app.views.verdicts.hide;
                self.arrange(app);
                let word = if app.views.verdicts.hide { "hidden" } else { "shown" };
                let text = format!("policies that agree with this one are {word}");
                app.say(NoticeLevel::Plain, text);
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    fn process_first(&self) -> &'static str {
        "choose a process first: Enter ranks by this policy and shows the processes"
    }

    /// What every listed policy judges by.
    fn add_needs(&self, app: &App, needs: &mut Needs) {
        for policy in app.shown_policies().0 {
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
}

fn scroll_ranks(app: &mut App, by: isize) {
    let last = app.views.verdicts.lines.len().saturating_sub(1);
    let now = usize::from(app.display.viewport.columns_left);
    app.views.verdicts.skipped = Some(now.saturating_add_signed(by).min(last));
}

/// Ranks by the policy under the cursor, and shows the processes.
fn enter_policy(app: &mut App) -> Vec<Request> {
    let Some(policy) = app.opinion().map(|opinion| opinion.policy) else { return Vec::new() };
    app.views.kind = ViewKind::Processes;
    app.set_policy(policy);
    app.sample_again()
}

impl App {
    /// The opinion under the cursor of the view Verdicts.
    #[must_use]
    pub fn opinion(&self) -> Option<&KillerOpinion> {
        self.views.verdicts.lines.get(self.views.verdicts.cursor.at)
    }

    /// The context of a row by the policy under the cursor of the view Verdicts.
    #[must_use]
    pub fn opinion_context(&self) -> Option<(RowContext<'_>, &KillerOpinion)> {
        let opinion = self.opinion()?;
        let (policy, ranking) = (opinion.policy, &self.views.verdicts.ranking);
        Some((RowContext { policy, ranking, ..self.context()? }, opinion))
    }

    /// The policies that the view Verdicts lists, and the number of past kernels that are left out until they
    /// are asked for. The current one and the one under the cursor are never left out.
    fn shown_policies(&self) -> (Vec<&'static dyn Policy>, usize) {
        let kept = [Some(self.policy().id()), self.views.verdicts.held];
        let mut all = self.policies();
        let count = all.len();
        all.retain(|policy| {
            let is_past = policy.info().kind == PolicyKind::Kernel;
            self.views.verdicts.past || !is_past || kept.contains(&Some(policy.id()))
        });
        let folded = count - all.len();
        (all, folded)
    }

    /// Ranks by the policy under the cursor of the view Verdicts, whose sentence is shown in full.
    fn rank_by_opinion(&mut self) {
        let policy = self.opinion().map(|opinion| opinion.policy);
        if let (Some(scene), Some(policy)) = (&self.scene, policy) {
            self.views.verdicts.ranking.update(policy, scene);
        }
    }
}
