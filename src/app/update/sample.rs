//! Takes in a sample and ranks it.

use std::sync::Arc;

use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};
use crate::forecast::{at_limit, trend};
use crate::model::{Reading, Scene, Snapshot};
use crate::policy::Override;
use crate::rank::growth;

/// So many of those who grow most are named.
const GROWING: usize = 3;

/// So many command lines of processes that are gone are remembered, for looking back.
const SPARE_NAMES: usize = 4096;

impl App {
    pub(crate) fn sampled(&mut self, mut snapshot: Arc<Snapshot>) -> Vec<Request> {
        // A rule that asks for command lines has those that were learned: none is read in the look.
        if self.policy().needs().cmdline
            && let Some(snapshot) = Arc::get_mut(&mut snapshot)
        {
            for process in &mut snapshot.processes {
                if let Some(line) = self.names.line(process) {
                    process.cmdline = Reading::Value(line);
                }
            }
        }
        if self.refresh.kills_at_start.is_none() {
            self.refresh.kills_at_start = snapshot.traffic.oom_kills.value();
        }
        if !snapshot.users.is_empty() {
            self.names.learn_users(Arc::clone(&snapshot.users));
        }
        let unseen = self.shows_other_sample().then(|| Arc::clone(&snapshot));
        self.take_sample(snapshot);
        self.take_live_sample(unseen)
    }

    /// Shows a look as the one that follows the one on the screen. Gives back what nobody needs any more.
    pub(crate) fn show_sample(&mut self, sample: Arc<Snapshot>) -> Option<Arc<Snapshot>> {
        let mut spent = None;
        match &mut self.scene {
            Some(scene) => spent = scene.advance(sample),
            None => {
                let scope = self.settings.scope.clone();
                self.scene = Some(Scene::scoped(sample, None, scope));
            }
        }
        if let Some(scene) = &mut self.scene {
            scene.set_forecast(trend::forecast(
                &self.playback.history,
                &self.playback.past,
                scene.now(),
            ));
        }
        std::mem::swap(&mut self.ranking, &mut self.ranking_before);
        self.rank();
        if let Some(scene) = &self.scene {
            self.refresh.self_check.update(scene);
            // Who is gone now may come back to the screen with an earlier look.
            if !self.is_past() {
                let all = scene.now().processes.len();
                self.names.forget(all + SPARE_NAMES, |id| scene.find(id).is_some());
                self.refresh.commands_asked.retain(|&id, _| scene.find(id).is_some());
                self.table.tags.retain(|&id| scene.find(id).is_some());
            }
        }
        self.refresh_lines();
        self.arrange_other_view();
        self.renew_preview();
        self.renew_persist();
        self.renew_commitments();
        self.renew_sysctl_forecast();
        self.close_if_another();
        self.report_rule_errors();
        spent
    }

    /// A process that runs another program now is not the one that a dialog speaks of.
    fn close_if_another(&mut self) {
        let (Mode::Signal(confirm), Some(scene)) = (&self.mode, &self.scene) else { return };
        let Some(process) = scene.find(confirm.plan.who) else { return };
        let comm = process.comm.to_string();
        if comm != confirm.plan.name {
            let text = format!(
                "{} {} became {comm}: nothing was signalled",
                confirm.plan.who, confirm.plan.name
            );
            self.mode = Mode::Browse;
            self.say(NoticeLevel::Warn, text);
        }
    }

    /// Ranks the same look in another way: nobody has moved since.
    pub(crate) fn rank_anew(&mut self) {
        self.rank();
        self.ranking_before = self.ranking.clone();
        self.arrange_other_view();
        self.renew_preview();
    }

    /// Finds who grows most, once a look, where that is shown: in the panels and on the explain page,
    /// of killers by which whoever asks for memory dies.
    pub(crate) fn watch_growth(&mut self) {
        let shown = self.display.viewport.panels > 0 || matches!(self.mode, Mode::Explain(_));
        let Some(scene) = self.scene.as_ref().filter(|_| shown && self.growing.is_none()) else {
            return;
        };
        let so = if self.views.kind == ViewKind::Verdicts {
            self.opinion().and_then(|opinion| opinion.outcome.overridden)
        } else {
            self.policy().overridden(scene)
        };
        // The machine's panel names them under any rule.
        if self.display.viewport.panels > 0 || so.is_some_and(Override::kills_allocating_task) {
            self.growing = Some(growth::fastest(scene, GROWING));
        }
    }

    /// Ranks again: a new look, or another policy.
    pub(crate) fn rank(&mut self) {
        self.growing = None;
        if let Some(scene) = &self.scene {
            self.ranking.update(self.policy(), scene);
            self.first_limit = Some(at_limit::first(self.policy(), scene, &self.ranking));
        }
    }
}
