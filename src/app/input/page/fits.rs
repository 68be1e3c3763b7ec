//! The question whether so much more memory would fit, and the keys on the page that answers it.

use crate::app::keymap::bindings::{Action, Key, KeyContext};
use crate::app::mode::Mode;
use crate::app::page::fits::FitsPage;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};
use crate::forecast::cascade::Newcomer;
use crate::units::{Adj, Bytes};

/// The steps of the newcomer's adj, as of the keys of the table.
const STEP: i16 = 50;

impl App {
    /// Answers whether so much more would fit in the scope, by the sample on the screen.
    pub(crate) fn open_fits(&mut self, size: Bytes) -> Vec<Request> {
        self.mode = Mode::Browse;
        let Some(scene) = &self.scene else {
            self.say(NoticeLevel::Plain, "there is no sample yet");
            return Vec::new();
        };
        if self.incidents.report.is_some() {
            self.say(NoticeLevel::Plain, "a kernel report does not contain the free room");
            return Vec::new();
        }
        let cgroup = match FitsPage::cgroup(scene) {
            Ok(cgroup) => cgroup,
            Err(why) => {
                self.say(NoticeLevel::Warn, why);
                return Vec::new();
            }
        };
        let like = Some(self.start.own).filter(|_| self.start.live);
        let newcomer = Newcomer { size, adj: Adj::ZERO, cgroup, like, replaces: false };
        self.mode = Mode::Fits(Box::new(FitsPage::new(&newcomer, self.policy(), scene)));
        // The samples so far need not contain every cgroup.
        self.sample_again()
    }

    /// Answers again by a new sample.
    pub(crate) fn renew_fits(&mut self) {
        let policy = self.policy();
        let (Mode::Fits(page), Some(scene)) = (&mut self.mode, &self.scene) else { return };
        page.renew(page.answer.newcomer.adj, policy, scene);
    }

    /// Moves the cursor of the page.
    pub(crate) fn move_in_fits(&mut self, by: isize) {
        let Mode::Fits(page) = &mut self.mode else { return };
        page.at = page.at.saturating_add_signed(by).min(page.count().saturating_sub(1));
    }

    pub(crate) fn fits_key(&mut self, key: Key) -> Vec<Request> {
        let rows = self.display.viewport.page;
        let meaning = self.keys.meaning(KeyContext::Fits, key);
        match meaning {
            Some(action) if action.step(rows).is_some() => {
                self.move_in_fits(action.step(rows).unwrap_or_default());
            }
            Some(Action::Choose) => return self.go_to_chosen(),
            Some(Action::Protect) => self.change_newcomer(-STEP),
            Some(Action::Expose) => self.change_newcomer(STEP),
            Some(action @ Action::Fits) => drop(self.open_action(action)),
            Some(Action::Copy) => {
                let Mode::Fits(page) = &self.mode else { return Vec::new() };
                let text = page.text();
                return self.copy_named(text, "the answer");
            }
            Some(Action::Back) => self.mode = Mode::Browse,
            Some(Action::Quit) => return vec![Request::Quit { keep: false }],
            Some(Action::Suspend) => return vec![Request::Suspend],
            _ => {}
        }
        Vec::new()
    }

    /// Asks the same of a newcomer with another adj.
    fn change_newcomer(&mut self, by: i16) {
        let policy = self.policy();
        let (Mode::Fits(page), Some(scene)) = (&mut self.mode, &self.scene) else { return };
        let adj = i64::from(page.answer.newcomer.adj.0) + i64::from(by);
        page.renew(Adj::clamped(adj), policy, scene);
    }

    /// Leaves the page for the process that would be killed, in the table.
    fn go_to_chosen(&mut self) -> Vec<Request> {
        let Mode::Fits(page) = &self.mode else { return Vec::new() };
        let Some(victim) = page.chosen().map(|step| step.victim) else {
            self.say(NoticeLevel::Plain, "Enter goes to a process: choose a kill");
            return Vec::new();
        };
        self.mode = Mode::Browse;
        let asked = match self.views.kind {
            ViewKind::Processes => Vec::new(),
            _ => self.go_to_view(ViewKind::Processes),
        };
        let is_shown = self.table.lines.iter().any(|line| line.id == victim.id);
        if is_shown {
            self.jump_to(victim.id);
        } else {
            let text = format!(
                "{} {} is not in the table: it is filtered, or gone",
                victim.id, victim.comm
            );
            self.say(NoticeLevel::Plain, text);
        }
        asked
    }
}
