//! What the next look must bring: active policy, visible columns, open panel; nothing else.

use crate::app::App;
use crate::app::dialog::mode::{Mode, ViewKind};
use crate::columns::CommandStyle;
use crate::model::{CgroupNeeds, Needs, ProcId, Scene, Scope, Scores};

/// So many of the top candidates keep their files open.
const KEEP: usize = 64;

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
    fn visible(&self) -> impl Iterator<Item = ProcId> {
        let rows = usize::from(self.viewport.rows);
        self.lines.iter().skip(self.top).take(rows).map(|line| line.id)
    }

    /// Whose command lines should be read now. Each is asked for once, and again after an exec.
    pub fn wanted_command_lines(&mut self) -> Vec<ProcId> {
        let Some(scene) = &self.scene else { return Vec::new() };
        if !self.setup.live || self.report.is_some() {
            return Vec::new();
        }
        let filtering = self.view.filter.wants_command_lines()
            || self.search.wants_command_lines()
            || self.view.sort.column.id == "command"
            || self.setup.policy.needs().cmdline;
        let mut wanted = Vec::new();
        let mut ask = |id: ProcId| {
            let Some(process) = scene.find(id) else { return };
            let known = process.is_kernel_thread() || self.names.knows_command(process);
            if !known && self.asked.get(&id) != Some(&process.comm) {
                wanted.push((id, process.comm));
            }
        };
        if filtering {
            scene.now().processes.iter().for_each(|process| ask(process.id));
        } else if self.command_style() != CommandStyle::Name {
            self.visible().for_each(&mut ask);
        }
        if let Some(line) = self.lines.get(self.cursor) {
            ask(line.id);
        }
        wanted.retain(|&(id, comm)| self.asked.insert(id, comm) != Some(comm));
        wanted.into_iter().map(|(id, _)| id).collect()
    }
}
