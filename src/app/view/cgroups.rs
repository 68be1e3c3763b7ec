//! The view of memory cgroups: every wall, how near it is, and who dies there. Nothing here acts on
//! a process.

use std::sync::Arc;

use crate::app::dialog::mode::ViewKind;
use crate::app::keymap::bindings;
use crate::app::keymap::bindings::{Action, Key, KeyContext};
use crate::app::{App, NoticeLevel, Request};
use crate::forecast::at_limit;
use crate::forecast::at_limit::OutcomeAtLimit;
use crate::forecast::limits;
use crate::forecast::limits::ReachableLimit;
use crate::model::{Cgroup, Cgroups, Domain, Scene, Scope, Text, is_within};
use crate::policy::Policy;
use crate::rank::Ranking;
use crate::rank::also_killed::GroupCensus;

/// A line of the view.
#[derive(Clone, Debug, PartialEq)]
pub struct CgroupLine {
    /// Its place in the list of cgroups; nothing for the machine itself.
    pub at: Option<usize>,
    /// How deep it stands among those shown; 0 where they are sorted by nearness.
    pub depth: u16,
    /// How many bytes of its path the one that it stands under has said already.
    pub said: usize,
    /// How many processes live in it and below.
    pub members: usize,
    /// Its own wall.
    pub limit: Option<ReachableLimit>,
    /// Who dies at that wall.
    pub outcome: Option<OutcomeAtLimit>,
}

/// The view: its lines, and where the cursor stands.
#[derive(Clone, Debug, Default)]
pub struct CgroupsView {
    /// The lines, the machine among them.
    pub lines: Vec<CgroupLine>,
    /// Sorted by nearness of the wall, not as a tree.
    pub by_limit: bool,
    /// Without those that have no limit, their own or below.
    pub hide: bool,
    /// The cursor's line.
    pub cursor: usize,
    /// The first line on the screen.
    pub top: usize,
    /// The cgroup that the cursor holds to, once it was moved: nothing for the machine itself.
    held: Option<Option<Arc<Text>>>,
}

/// Whether a group says nothing that the machine does not say: the root of version 2 has no files.
pub(crate) fn is_bare_root(group: &Cgroup) -> bool {
    group.path.as_str() == "/" && group.limit.value().is_none() && group.usage.value().is_none()
}

/// Which groups stand in the view.
fn shown(cgroups: &Cgroups, hide: bool) -> Vec<usize> {
    let mut shown: Vec<usize> = Vec::new();
    // Backwards: the one kept last stands right behind, so it is below whenever any is.
    for (at, group) in cgroups.list.iter().enumerate().rev() {
        let above = shown
            .last()
            .is_some_and(|&last| is_within(cgroups.list[last].path.as_str(), group.path.as_str()));
        let counts = !hide || group.is_limited() || above;
        if counts && !is_bare_root(group) {
            shown.push(at);
        }
    }
    shown.reverse();
    shown
}

impl CgroupsView {
    /// Builds the lines for a look that `ranking` ranks.
    fn arrange(&mut self, policy: &dyn Policy, scene: &Scene, ranking: &Ranking) {
        let cgroups = &scene.now().cgroups;
        let census = GroupCensus::new(scene);
        let machine = limits::of_machine(scene);
        self.lines.clear();
        self.lines.push(CgroupLine {
            at: None,
            depth: 0,
            said: 0,
            members: scene.now().processes.len(),
            outcome: Some(at_limit::of_domain(policy, scene, ranking, &machine)),
            limit: Some(machine).filter(|_| !scene.now().unavailable.lives),
        });
        let mut fates = at_limit::outcomes(policy, scene, &census).into_iter().peekable();
        let mut above: Vec<&str> = Vec::new();
        for at in shown(cgroups, self.hide) {
            let group = &cgroups.list[at];
            let path = group.path.as_str();
            while above.last().is_some_and(|&up| !is_within(path, up)) {
                above.pop();
            }
            while fates.peek().is_some_and(|&(other, _)| other < at) {
                fates.next();
            }
            self.lines.push(CgroupLine {
                at: Some(at),
                depth: u16::try_from(above.len()).unwrap_or(u16::MAX),
                said: above.last().map_or(0, |up| up.trim_end_matches('/').len()),
                members: census.members(path).len(),
                limit: limits::of_cgroup(group, scene),
                outcome: fates.next_if(|&(other, _)| other == at).map(|(_, fate)| fate),
            });
            // What stands under the root says so by its slash.
            if path != "/" {
                above.push(path);
            }
        }
        if self.by_limit {
            for line in &mut self.lines {
                (line.depth, line.said) = (0, 0);
            }
            // A stable sort: whoever has no wall keeps the order of the tree, at the end.
            let far = (u64::MAX, u64::MAX, u64::MAX);
            self.lines
                .sort_by_key(|line| line.limit.as_ref().map_or(far, ReachableLimit::distance));
        }
        let Some(held) = &self.held else {
            self.cursor = 0;
            return;
        };
        let path = |line: &CgroupLine| line.at.map(|at| &cgroups.list[at].path);
        let at = self.lines.iter().position(|line| path(line) == held.as_ref());
        self.cursor = at.unwrap_or(self.cursor).min(self.lines.len() - 1);
    }

    fn keep_in_view(&mut self, rows: u16) {
        let rows = usize::from(rows).max(1);
        let last_top = self.lines.len().saturating_sub(rows);
        self.top =
            self.top.clamp((self.cursor + 1).saturating_sub(rows), self.cursor).min(last_top);
    }
}

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

    /// Goes to a view. What it shows may have to be read first.
    pub(crate) fn go_to_screen(&mut self, screen: ViewKind) -> Vec<Request> {
        if self.screen == screen {
            self.say(NoticeLevel::Plain, format!("this is the view {}", screen.name()));
            return Vec::new();
        }
        self.screen = screen;
        self.notice = None;
        match screen {
            ViewKind::Processes => self.arrange(),
            ViewKind::Cgroups => {
                self.arrange_groups();
                return self.sample_again();
            }
            ViewKind::Verdicts => {
                self.arrange_verdicts();
                return self.sample_again();
            }
            ViewKind::Events => {
                self.arrange_events();
                return self.sample_again();
            }
            ViewKind::Memory => {
                self.arrange_memory();
                return self.sample_again();
            }
        }
        Vec::new()
    }

    /// Asks for a look that brings what is needed from now on.
    pub(crate) fn sample_again(&self) -> Vec<Request> {
        if self.setup.live && !self.paused && self.report.is_none() {
            vec![Request::SampleNow]
        } else {
            Vec::new()
        }
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

    /// Whether anything but the whole machine is looked at.
    #[must_use]
    pub fn is_scoped(&self) -> bool {
        self.scene.as_ref().is_some_and(|scene| !scene.domain().is_global())
    }

    /// The domain of a scope in the present look.
    pub(crate) fn domain_of(&self, scope: &Scope) -> Option<Domain> {
        Some(Domain::of(scope, self.scene.as_ref()?.now()))
    }
}
