//! Actions in the view Cgroups.

use std::sync::Arc;

use crate::app::keymap::bindings;
use crate::app::keymap::bindings::{Action, Key, KeyContext};
use crate::app::session::notice::NoticeLevel;
use crate::app::view::cgroups::CgroupLine;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};
use crate::model::{Cgroup, Scope};

impl App {
    /// The cgroup of a line of the view; nothing for the machine itself.
    #[must_use]
    pub fn group_at(&self, line: &CgroupLine) -> Option<&Cgroup> {
        self.scene.as_ref()?.now().cgroups.list.get(line.at?)
    }

    /// The line under the cursor of the view.
    #[must_use]
    pub fn group_line(&self) -> Option<&CgroupLine> {
        self.cgroups.lines.get(self.cgroups.cursor)
    }

    /// Builds the view anew, where it is shown.
    pub(crate) fn arrange_groups(&mut self) {
        let Some(scene) = self.scene.as_ref().filter(|_| self.screen == ViewKind::Cgroups) else {
            return;
        };
        self.cgroups.arrange(self.setup.policy, scene, &self.ranking);
        self.cgroups.keep_in_view(self.viewport.rows);
    }

    /// The cursor of the view stays on the screen.
    pub(crate) fn keep_group_in_view(&mut self) {
        self.cgroups.keep_in_view(self.viewport.rows);
    }

    /// A key in the view of cgroups.
    pub(crate) fn group_key(&mut self, key: Key) -> Vec<Request> {
        if key.digit().is_some() {
            self.say_process_first();
            return Vec::new();
        }
        match bindings::meaning(KeyContext::Cgroups, key) {
            Some(action) => self.group_action(action),
            None => Vec::new(),
        }
    }

    /// Carries out what a key of the view, or a line of its palette, means.
    pub(crate) fn group_action(&mut self, action: Action) -> Vec<Request> {
        if let Some(by) = action.step(self.viewport.rows) {
            self.move_group_by(by);
            return Vec::new();
        }
        match action {
            Action::EnterDomain => return self.enter_domain(),
            Action::GroupsByWall => self.sort_groups(true, "sorted by nearness of the wall"),
            Action::GroupsAsTree => self.sort_groups(false, "sorted as a tree"),
            Action::HideUnlimited => {
                self.cgroups.hide = !self.cgroups.hide;
                let word = if self.cgroups.hide { "hidden" } else { "shown" };
                self.say(NoticeLevel::Plain, format!("cgroups without a limit are {word}"));
                self.arrange_groups();
            }
            Action::Back => return self.go_to_screen(ViewKind::Processes),
            Action::ProcessFirst => self.say_process_first(),
            action if action.is_everywhere() => return self.browse(action),
            _ => {}
        }
        Vec::new()
    }

    fn say_process_first(&mut self) {
        let text = "choose a process first: Enter shows this domain's processes";
        self.say(NoticeLevel::Plain, text);
    }

    fn move_group_by(&mut self, by: isize) {
        let last = self.cgroups.lines.len().saturating_sub(1);
        self.cgroups.cursor = self.cgroups.cursor.saturating_add_signed(by).min(last);
        let held = self.group_line().and_then(|line| self.group_at(line));
        self.cgroups.held = Some(held.map(|group| Arc::clone(&group.path)));
        self.keep_group_in_view();
    }

    fn sort_groups(&mut self, by_wall: bool, text: &str) {
        self.cgroups.by_limit = by_wall;
        self.say(NoticeLevel::Plain, text);
        self.arrange_groups();
    }

    /// The whole program looks at the domain under the cursor, and at its processes.
    fn enter_domain(&mut self) -> Vec<Request> {
        let Some(line) = self.group_line() else { return Vec::new() };
        let scope = self
            .group_at(line)
            .map_or(Scope::Global, |group| Scope::Memcg(Arc::clone(&group.path)));
        self.screen = ViewKind::Processes;
        self.set_scope(scope)
    }
}
