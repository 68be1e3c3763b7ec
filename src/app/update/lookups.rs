//! What the lookup workers are asked to read, and what they found.

use crate::app::App;
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::columns::CommandStyle;
use crate::model::{ProcId, ProcessDetail};

impl App {
    /// The process whose detail must be read now: that of the dialog, once.
    pub fn wanted_detail(&mut self) -> Option<ProcId> {
        match &mut self.mode {
            Mode::Signal(confirm) if !confirm.asked => {
                confirm.asked = true;
                Some(confirm.plan.who)
            }
            _ => None,
        }
    }

    /// Takes the detail of the process of the dialog. Once the dialog is closed, it is ignored.
    pub(crate) fn take_detail(&mut self, detail: ProcessDetail) {
        if let (Mode::Signal(confirm), Some(scene)) = (&mut self.mode, &self.scene)
            && confirm.plan.who == detail.who
        {
            confirm.learn(detail, scene);
        }
    }

    /// The process of the dialog does not answer: what the dialog cannot show is said.
    pub(crate) fn take_no_detail(&mut self, who: ProcId) {
        let Mode::Signal(confirm) = &self.mode else { return };
        if confirm.plan.who == who {
            let text = format!(
                "{who} {} does not answer: who shares its memory, and how much it frees, is not known",
                confirm.plan.name
            );
            self.say(NoticeLevel::Warn, text);
        }
    }

    /// Puts the rows of the page of commitments in order again.
    pub(crate) fn renew_commitments(&mut self) {
        if let (Mode::Commitments(_), Some(scene)) = (&self.mode, &self.scene) {
            self.commitments.renew(scene);
        }
    }

    /// The processes whose memory must be read now: those on the page of commitments, and the one that is
    /// explained. None where the screen shows a recording or an earlier sample.
    pub fn wanted_breakdowns(&mut self) -> Vec<ProcId> {
        if !self.start.live || self.is_past() || self.incidents.report.is_some() {
            return Vec::new();
        }
        match self.mode {
            Mode::Commitments(top) => {
                self.commitments.wanted(top.into(), self.display.viewport.page.into(), self.now)
            }
            Mode::Explain(_) => {
                let shown = self.selected().filter(|it| it.has_mm).map(|it| it.id);
                self.commitments.wanted_of(shown.into_iter().collect(), self.now)
            }
            _ => Vec::new(),
        }
    }

    /// The processes whose command line must be read now. Each is asked for once, and again after an
    /// exec.
    pub fn wanted_command_lines(&mut self) -> Vec<ProcId> {
        let Some(scene) = &self.scene else { return Vec::new() };
        if !self.start.live || self.incidents.report.is_some() {
            return Vec::new();
        }
        let filtering = self.table.settings.filter.wants_command_lines()
            || self.table.search.wants_command_lines()
            || self.table.settings.sort.column.id == "command"
            || self.policy().needs().cmdline;
        let mut wanted = Vec::new();
        let mut ask = |id: ProcId| {
            let Some(process) = scene.find(id) else { return };
            let known = process.is_kernel_thread() || self.names.knows_command(process);
            if !known && self.refresh.commands_asked.get(&id) != Some(&process.comm) {
                wanted.push((id, process.comm));
            }
        };
        if filtering {
            scene.now().processes.iter().for_each(|process| ask(process.id));
        } else if self.command_style() != CommandStyle::Name {
            self.visible().for_each(&mut ask);
        }
        if let Some(line) = self.table.line() {
            ask(line.id);
        }
        wanted.retain(|&(id, comm)| self.refresh.commands_asked.insert(id, comm) != Some(comm));
        wanted.into_iter().map(|(id, _)| id).collect()
    }
}
