//! Takes a sample and ranks it.

use std::sync::Arc;

use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};
use crate::forecast::{limits, oom_at_limit, trend};
use crate::model::{Reading, Scene, Snapshot};
use crate::policy::Override;
use crate::rank::growth;

/// Number of processes that are listed as growing fastest.
const FASTEST: usize = 3;

/// Number of limits that the calm headline may list beside the nearest one, and that one.
const TIGHTEST: usize = 5;

/// Maximum number of command lines of exited processes that are remembered: an earlier sample may show them.
const EXITED_NAMES: usize = 4096;

impl App {
    /// Takes a sample. Returns what its alarms ask for.
    pub(crate) fn sampled(&mut self, mut snapshot: Arc<Snapshot>) -> Vec<Request> {
        // A policy that needs command lines gets those that the lookup worker read.
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
        self.note_protection(&snapshot);
        let unseen = self.shows_other_sample().then(|| Arc::clone(&snapshot));
        self.take_sample(snapshot);
        self.take_live_sample(unseen)
    }

    /// Shows a sample after the one on the screen. Returns a snapshot that is not needed any more.
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
        self.predict_deaths();
        self.rank();
        if let Some(scene) = &self.scene {
            self.refresh.self_check.update(scene);
            // An earlier sample may show processes that have exited since.
            if !self.is_past() {
                let all = scene.now().processes.len();
                self.names.forget(all + EXITED_NAMES, |id| scene.find(id).is_some());
                self.refresh.commands_asked.retain(|&id, _| scene.find(id).is_some());
                self.table.tags.retain(|&id| scene.find(id).is_some());
                self.session.journal.forget_exited(|id| scene.find(id).is_some());
            }
        }
        self.renew_struck();
        self.refresh_lines();
        self.arrange_other_view();
        self.renew_mode();
        self.report_policy_errors();
        self.tell_cgroup_returns();
        spent
    }

    /// Lets the open dialog or page show the sample on the screen.
    pub(crate) fn renew_mode(&mut self) {
        self.renew_preview();
        self.renew_persist();
        self.renew_commitments();
        self.renew_fits();
        self.renew_sysctl_forecast();
        self.close_after_exec();
    }

    /// Closes a signal dialog whose process runs another program now.
    fn close_after_exec(&mut self) {
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

    /// Ranks the same sample by another policy or in another domain: no process has moved since.
    pub(crate) fn rank_anew(&mut self) {
        self.rank();
        self.ranking_before = self.ranking.clone();
        self.table.struck.clear();
        self.renew_struck();
        self.arrange_other_view();
        self.renew_preview();
    }

    /// Finds the fastest growing processes, once a sample, where they are shown: in the panels, and on the
    /// explain page where the kernel would kill the allocating task.
    pub(crate) fn watch_growth(&mut self) {
        let shown = self.display.viewport.panels > 0 || matches!(self.mode, Mode::Explain(_));
        let Some(scene) = self.scene.as_ref().filter(|_| shown && self.growing.is_none()) else {
            return;
        };
        let overridden = if self.views.kind == ViewKind::Verdicts {
            self.opinion().and_then(|opinion| opinion.outcome.overridden)
        } else {
            self.policy().overridden(scene)
        };
        // The panel of the machine shows them under any policy.
        if self.display.viewport.panels > 0
            || overridden.is_some_and(Override::kills_allocating_task)
        {
            self.growing = Some(growth::fastest(scene, FASTEST));
        }
    }

    /// Ranks the sample on the screen.
    pub(crate) fn rank(&mut self) {
        self.growing = None;
        if let Some(scene) = &self.scene {
            self.ranking.update(self.policy(), scene);
            let first = oom_at_limit::first(self.policy(), scene, &self.ranking, &self.deaths);
            self.first_limit = Some(first);
            self.tightest_limits = limits::tightest(scene, &self.deaths, TIGHTEST);
        }
    }
}
