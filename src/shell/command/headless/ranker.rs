//! The samples of a command without a screen, completed with names and ranked.

use std::sync::Arc;

use super::names::{CommandLines, NameLookup};
use crate::app::Setup;
use crate::columns::{CommandStyle, RowContext, SizeUnit};
use crate::model::{CgroupNeeds, Names, Needs, Scene, Scope, Scores, Snapshot};
use crate::policy::Policy;
use crate::policy::SparedReason;
use crate::policy::site::troubles;
use crate::rank::{Placement, Ranked, Ranking};
use crate::shell::command::sampling::{confirm_scores, require_domain};
use crate::shell::command_error::CommandError;
use crate::shell::stdio::{RepeatedComplaint, complain};
use crate::shell::worker::lookup_root::LookupRoot;
use crate::shell::worker::site_rules::SiteRuleWatch;
use crate::source::Source;

/// Number of processes at the top of the ranking whose files stay open.
const KEEP_OPEN: usize = 64;

/// Ranks sample after sample.
pub(crate) struct Ranker {
    /// The policy that ranks: that of the setup, or a newer version of its file.
    policy: &'static dyn Policy,
    watch: Option<SiteRuleWatch>,
    policy_failed: RepeatedComplaint,
    live: bool,
    scope: Scope,
    lookup: Option<NameLookup>,
    names: Names,
    ranking: Ranking,
    scene: Option<Scene>,
}

/// So many of the first may be the next to die, whatever is predicted.
const FIRST: usize = 3;

impl Ranker {
    /// Nothing is ranked yet. `lookup` is where names are read; a recording has its own.
    pub(crate) fn new(
        setup: &Setup,
        lookup: Option<LookupRoot>,
        watch: Option<SiteRuleWatch>,
    ) -> Self {
        Self {
            policy: setup.policy,
            watch,
            policy_failed: RepeatedComplaint::default(),
            live: setup.live,
            scope: setup.scope.clone(),
            lookup: lookup.and_then(NameLookup::start),
            names: Names::default(),
            ranking: Ranking::default(),
            scene: None,
        }
    }

    /// Loads a new version of the policy's file, if there is one.
    pub(crate) fn reload_policy(&mut self) {
        match self.watch.as_mut().and_then(SiteRuleWatch::check) {
            Some(Ok(policy)) => self.policy = policy,
            Some(Err(what)) => complain(&what),
            None => {}
        }
    }

    /// What a sample must contain to be ranked, with all cgroups.
    pub(crate) fn needs(&self) -> Needs {
        let top = &self.ranking.rows()[..self.ranking.eligible()];
        let scores = if self.scene.is_none() { Scores::All } else { Scores::Changed };
        Needs {
            status: true,
            cgroup: true,
            cmdline: false,
            exe_cwd_environ: self.policy.needs().exe_cwd_environ,
            cgroups: CgroupNeeds::Everything,
            scores,
            keep: top.iter().take(KEEP_OPEN).map(|row| row.id).collect(),
            may_die: top.iter().take(FIRST).map(|row| row.id).collect(),
            lead: None,
        }
    }

    /// Whether the domain is the whole machine, as far as that is known.
    pub(crate) fn is_global(&self) -> bool {
        match &self.scene {
            Some(scene) => scene.domain().is_global(),
            None => matches!(self.scope, Scope::Global | Scope::Auto),
        }
    }

    /// Takes a sample and ranks it. Returns a snapshot that is no longer in use.
    ///
    /// # Errors
    /// The domain does not exist in the first sample.
    pub(crate) fn update(
        &mut self,
        mut snapshot: Arc<Snapshot>,
        source: &mut dyn Source,
        lines: CommandLines,
    ) -> Result<Option<Arc<Snapshot>>, CommandError> {
        if self.live {
            snapshot = self.complete(snapshot, source, lines);
        }
        if !snapshot.users.is_empty() {
            self.names.learn_users(Arc::clone(&snapshot.users));
        }
        let mut spent = None;
        if let Some(scene) = &mut self.scene {
            spent = scene.advance(snapshot);
        } else {
            let first = Scene::scoped(snapshot, None, self.scope.clone());
            require_domain(first.domain())?;
            self.scene = Some(first);
        }
        if let Some(scene) = &self.scene {
            self.ranking.update(self.policy, scene);
            self.policy_failed.set(policy_failure(self.policy, scene, &self.ranking));
        }
        Ok(spent)
    }

    /// Adds what does not belong on the way to a ranking: confirmed scores, users and command lines.
    fn complete(
        &mut self,
        snapshot: Arc<Snapshot>,
        source: &mut dyn Source,
        mut lines: CommandLines,
    ) -> Arc<Snapshot> {
        let before = self.scene.as_ref().map(Scene::snapshot);
        let mut snapshot = confirm_scores(source, snapshot, before.as_ref());
        let Some(lookup) = &mut self.lookup else { return snapshot };
        if self.policy.needs().cmdline {
            lines = CommandLines::Needed;
        }
        lookup.complete(&mut self.names, &mut snapshot, lines);
        self.names.forget(0, |id| snapshot.find(id).is_some());
        snapshot
    }

    /// The last sample with its ranking; `None` before the first one.
    pub(crate) fn context(&self, command: CommandStyle) -> Option<RowContext<'_>> {
        Some(RowContext {
            scene: self.scene.as_ref()?,
            policy: self.policy,
            ranking: &self.ranking,
            names: &self.names,
            scale: SizeUnit::Auto,
            command,
        })
    }
}

/// Why a site policy failed on some processes, in one line.
pub(crate) fn policy_failure(
    policy: &dyn Policy,
    scene: &Scene,
    ranking: &Ranking,
) -> Option<String> {
    let failed = |row: &&Ranked| row.placement == Placement::Spared(SparedReason::Failed);
    let rows = ranking.rows().iter().filter(failed);
    troubles(policy, scene, rows.filter_map(|row| scene.find(row.id))).map(|(_, line)| line)
}
