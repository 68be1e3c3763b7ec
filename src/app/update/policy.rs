//! Changes the policy or the domain by which processes are ranked.

use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};
use crate::forecast::killer_verdict::all_policies;
use crate::model::Scope;
use crate::policy;
use crate::policy::site::SitePolicy;
use crate::policy::{Policy, SparedReason};
use crate::rank::{Placement, Ranked};

impl App {
    /// Every policy: first those that are in no table (the site's own, and one that was made from a
    /// pattern), then the table.
    pub(crate) fn policies(&self) -> Vec<&'static dyn Policy> {
        let mut all = all_policies(self.policy());
        let known = |own: &&dyn Policy| all.iter().any(|policy| policy.id() == own.id());
        if let Some(own) = self.settings.site_policy.filter(|own| !known(own)) {
            all.insert(0, own);
        }
        all
    }

    /// Ranks by this policy from now on.
    pub(crate) fn set_policy(&mut self, policy: &'static dyn Policy) {
        self.settings.policy = policy;
        if let Some(report) = &mut self.incidents.report {
            report.kernel_policy = None;
        }
        self.rank_anew();
        self.arrange();
        self.say(NoticeLevel::Plain, format!("ranked by {}: {}", policy.id(), policy.title()));
        self.policy_error = None;
        self.report_policy_errors();
    }

    /// Takes a new version of the site's own policy.
    pub(crate) fn take_site_policy(&mut self, loaded: &'static dyn Policy) {
        let used = self.settings.policy.id().starts_with(SitePolicy::PREFIX);
        self.settings.site_policy = Some(loaded);
        let mut text = format!("{} was read again", loaded.id());
        if used {
            self.settings.policy = loaded;
            self.rank_anew();
            self.refresh_lines();
        } else {
            text.push_str("; v ranks by it");
        }
        self.say(NoticeLevel::Good, text);
        self.policy_error = None;
        self.report_policy_errors();
    }

    /// Says why the policy failed on some process, once for each cause.
    pub(crate) fn report_policy_errors(&mut self) {
        let Some(scene) = &self.scene else { return };
        let failed = |row: &&Ranked| row.placement == Placement::Spared(SparedReason::Failed);
        let rows = self.ranking.rows().iter().filter(failed);
        let found = rows.filter_map(|row| scene.find(row.id));
        let found = policy::site::troubles(self.policy(), scene, found);
        let (cause, line) = found.map_or((None, None), |(cause, line)| (Some(cause), Some(line)));
        let is_new = self.policy_error != cause;
        self.policy_error = cause;
        if let Some(line) = line.filter(|_| is_new) {
            self.say(NoticeLevel::Warn, line);
        }
    }

    /// Ranks another domain from now on, with its predicted victim under the cursor.
    pub(crate) fn set_scope(&mut self, scope: Scope) -> Vec<Request> {
        // Another domain of a report is not kept when the report is left.
        if self.incidents.report.is_none() {
            self.settings.scope = scope.clone();
        }
        self.mode = Mode::Browse;
        let Some(scene) = &mut self.scene else { return Vec::new() };
        scene.set_scope(scope);
        let text = format!("scope {}", scene.domain().name);
        self.rank_anew();
        self.table.follow_headline();
        self.arrange();
        self.say(NoticeLevel::Plain, text);
        self.sample_again()
    }
}
