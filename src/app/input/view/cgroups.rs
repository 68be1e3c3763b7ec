//! The view Cgroups.

use std::sync::Arc;

use crate::app::input::view::View;
use crate::app::keymap::bindings::{Action, KeyContext};
use crate::app::session::notice::NoticeLevel;
use crate::app::view::cgroups::CgroupLine;
use crate::app::view::click_target::RowIdentity;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};
use crate::model::{Cgroup, CgroupNeeds, Needs, Scope, Text};

pub(crate) struct CgroupsInput;

impl View for CgroupsInput {
    fn context(&self) -> KeyContext {
        KeyContext::Cgroups
    }

    fn arrange(&self, app: &mut App) {
        let Some(scene) = &app.scene else { return };
        app.views.cgroups.arrange(app.policy(), scene, &app.ranking, &app.deaths);
        self.keep_visible(app);
    }

    fn keep_visible(&self, app: &mut App) {
        app.views.cgroups.keep_visible(app.display.viewport.rows);
    }

    fn move_by(&self, app: &mut App, by: isize) {
        let count = app.views.cgroups.lines.len();
        app.views.cgroups.cursor.move_by(by, count);
        let held = app.group_line().and_then(|line| app.group_at(line));
        app.views.cgroups.held = Some(held.map(|group| Arc::clone(&group.path)));
        self.keep_visible(app);
    }

    fn line_of(&self, app: &App, row: &RowIdentity) -> Option<(usize, usize)> {
        let RowIdentity::Cgroup(path) = row else { return None };
        let shown = |line: &CgroupLine| app.group_at(line).map(|group| &group.path);
        let line = app.views.cgroups.lines.iter().position(|line| shown(line) == path.as_ref())?;
        Some((line, app.views.cgroups.cursor.at))
    }

    fn action(&self, app: &mut App, action: Action) -> Option<Vec<Request>> {
        match action {
            Action::EnterDomain => return Some(enter_domain(app)),
            Action::GroupsByLimit => self.sort(app, false, "sorted by distance to the limit"),
            Action::GroupsAsTree => self.sort(app, true, "sorted as a tree"),
            Action::HideUnlimited => {
                app.views.cgroups.hide = !app.views.cgroups.hide;
                let word = if app.views.cgroups.hide { "hidden" } else { "shown" };
                app.say(NoticeLevel::Plain, format!("cgroups without a limit are {word}"));
                self.arrange(app);
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    fn add_needs(&self, _app: &App, needs: &mut Needs) {
        needs.cgroups = CgroupNeeds::Everything;
    }

    fn process_first(&self) -> &'static str {
        "choose a process first: Enter shows this domain's processes"
    }

    fn cgroup<'a>(&self, app: &'a App) -> Option<&'a Text> {
        Some(&app.group_at(app.group_line()?)?.path)
    }
}

impl CgroupsInput {
    fn sort(&self, app: &mut App, as_tree: bool, text: &str) {
        app.views.cgroups.as_tree = as_tree;
        app.say(NoticeLevel::Plain, text);
        self.arrange(app);
    }
}

/// Ranks the processes of the domain under the cursor, and shows them.
fn enter_domain(app: &mut App) -> Vec<Request> {
    let Some(line) = app.group_line() else { return Vec::new() };
    let group = app.group_at(line);
    let scope = group.map_or(Scope::Global, |group| Scope::Memcg(Arc::clone(&group.path)));
    app.views.kind = ViewKind::Processes;
    app.set_scope(scope)
}

impl App {
    /// The cgroup of a line of the view Cgroups; nothing for the machine itself.
    #[must_use]
    pub fn group_at(&self, line: &CgroupLine) -> Option<&Cgroup> {
        self.scene.as_ref()?.now().cgroups.list.get(line.at?)
    }

    /// The line under the cursor of the view Cgroups.
    #[must_use]
    pub fn group_line(&self) -> Option<&CgroupLine> {
        self.views.cgroups.lines.get(self.views.cgroups.cursor.at)
    }
}
