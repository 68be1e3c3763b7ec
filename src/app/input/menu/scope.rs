//! The menu of domains.

use std::sync::Arc;

use crate::app::dialog::menu::{Menu, MenuChoice, MenuItem};
use crate::app::input::view::view;
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::cgroups::is_bare_root;
use crate::app::{App, Request};
use crate::columns::human_size;
use crate::forecast::limits;
use crate::forecast::limits::ReachableLimit;
use crate::model::{Cgroup, DomainKind, NodeSet, Reading, Scope};

/// So many of the limited cgroups are listed, the nearest first: typing narrows the list.
const LISTED: usize = 500;

impl App {
    /// Opens the list of domains.
    pub(crate) fn open_scope_menu(&mut self) {
        let Some(scene) = &self.scene else { return };
        let (now, shown) = (scene.now(), scene.domain());
        let contained = !now.machine.initial_pid_namespace;
        let item = |scope: Scope, label: &str, hint: String, on: bool| MenuItem {
            label: label.to_owned(),
            hint,
            on,
            choice: MenuChoice::Scope(scope),
        };
        let machine = if contained { "the host: others are not visible" } else { "the machine" };
        let mut items =
            vec![item(Scope::Global, Scope::GLOBAL, machine.to_owned(), shown.is_global())];
        let cgroups = &now.cgroups;
        let of_group = |group: &Cgroup, note: &str| {
            let limit = match group.effective_limit() {
                Some(limit) => format!("limit {}", human_size(limit)),
                None if group.limit.value().is_none() => format!("limit {}", group.limit.dash()),
                None => "no limit".to_owned(),
            };
            let path = &group.path;
            let scope = Scope::Memcg(Arc::clone(path));
            item(scope, path.as_str(), format!("{limit}{note}"), shown.name == *path)
        };
        let chain = view(self.views.kind).cgroup(self);
        let chain: Vec<&Cgroup> = chain.map_or_else(Vec::new, |path| {
            cgroups.upwards(path.as_str()).filter(|group| !is_bare_root(group)).collect()
        });
        let notes = [", its own"].into_iter().chain(std::iter::repeat(", above it"));
        items.extend(chain.iter().zip(notes).map(|(group, note)| of_group(group, note)));
        let listed = |group: &Cgroup| chain.iter().any(|other| other.path == group.path);
        let mut near: Vec<(ReachableLimit, &Cgroup)> = cgroups
            .limited()
            .filter(|group| !listed(group))
            .filter_map(|group| Some((limits::of_cgroup(group, scene)?, group)))
            .collect();
        near.sort_by_key(|(wall, _)| wall.distance());
        items.extend(near.iter().take(LISTED).map(|(wall, group)| {
            of_group(group, &format!(", {} left", human_size(wall.headroom)))
        }));
        items.extend(now.machine.nodes.iter().map(|node| {
            let nodes = NodeSet::of(&[*node]);
            let scope = Scope::Nodes(nodes);
            let size = human_size(node.present.bytes(now.machine.page_size));
            let on = shown.kind == DomainKind::Nodes(nodes);
            item(scope, &format!("nodes:{nodes}"), format!("{size} and all swap"), on)
        }));
        let unread = cgroups.list.is_empty();
        let mut menu = Menu::new("Scope", items);
        menu.narrows = true;
        self.mode = Mode::Menu(menu);
        if unread {
            let why = match cgroups.hierarchy {
                Reading::Missing => "no memory cgroups can be seen here",
                Reading::Denied => "the memory cgroups may not be read",
                _ => "the memory cgroups were not read yet",
            };
            self.say(NoticeLevel::Plain, why);
        }
    }

    /// Back to the machine; in a container that has a limit first to that, then on to the machine.
    pub(crate) fn scope_back(&mut self) -> Vec<Request> {
        let (Some(own), Some(now)) =
            (self.domain_of(&Scope::Auto), self.scene.as_ref().map(|scene| scene.domain().clone()))
        else {
            return Vec::new();
        };
        if now.is_global() && own.is_global() {
            self.say(NoticeLevel::Plain, "the scope is the whole machine already");
            return Vec::new();
        }
        self.set_scope(if now == own { Scope::Global } else { Scope::Auto })
    }
}
