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
use crate::forecast::next_death::Deaths;
use crate::model::{Cgroup, DomainKind, NodeSet, NumaNode, Reading, Scene, Scope};
use crate::units::Bytes;

/// Maximum number of cgroups with a limit that are listed, the nearest first.
const MAX_LISTED: usize = 500;

impl App {
    /// Opens the menu of domains.
    pub(crate) fn open_scope_menu(&mut self) {
        let Some(scene) = &self.scene else { return };
        let now = scene.now();
        let contained = !now.machine.initial_pid_namespace;
        let machine =
            if contained { "the host: other processes are not visible" } else { "the machine" };
        let is_global = scene.domain().is_global();
        let mut items =
            vec![item(Scope::Global, Scope::GLOBAL.to_owned(), machine.to_owned(), is_global)];
        let cgroup = view(self.views.kind).cgroup(self);
        let above: Vec<&Cgroup> = cgroup.map_or_else(Vec::new, |path| {
            now.cgroups.upwards(path.as_str()).filter(|group| !is_bare_root(group)).collect()
        });
        let notes = ["; under the cursor"].into_iter().chain(std::iter::repeat("; above that"));
        items.extend(above.iter().zip(notes).map(|(group, note)| group_item(group, note, scene)));
        items.extend(limited_items(&above, scene, &self.deaths));
        items.extend(now.machine.nodes.iter().map(|node| node_item(node, scene)));
        let unread = now.cgroups.list.is_empty().then_some(match now.cgroups.hierarchy {
            Reading::Missing => "no memory cgroups can be seen here",
            Reading::Denied => "the memory cgroups may not be read",
            _ => "the memory cgroups were not read yet",
        });
        let mut menu = Menu::new("Scope", items);
        menu.narrows = true;
        self.mode = Mode::Menu(menu);
        if let Some(why) = unread {
            self.say(NoticeLevel::Plain, why);
        }
    }

    /// Goes back to the machine. In a container with a limit it goes to that limit first, then to the
    /// machine.
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

fn item(scope: Scope, label: String, hint: String, on: bool) -> MenuItem {
    MenuItem { label, hint, on, choice: MenuChoice::Scope(scope) }
}

fn group_item(group: &Cgroup, note: &str, scene: &Scene) -> MenuItem {
    let limit = match group.effective_limit() {
        Some(limit) => format!("limit {}", human_size(limit)),
        None if group.limit.value().is_none() => format!("limit {}", group.limit.dash()),
        None => "no limit".to_owned(),
    };
    let path = &group.path;
    let on = scene.domain().name == *path;
    item(Scope::Memcg(Arc::clone(path)), path.as_str().to_owned(), format!("{limit}{note}"), on)
}

/// The cgroups with a limit, the nearest to it first, without those that are listed already.
fn limited_items(listed: &[&Cgroup], scene: &Scene, deaths: &Deaths) -> Vec<MenuItem> {
    let is_listed = |group: &Cgroup| listed.iter().any(|other| other.path == group.path);
    let groups = scene.now().cgroups.limited().filter(|group| !is_listed(group));
    let mut near: Vec<(ReachableLimit, &Cgroup)> = groups
        .filter_map(|group| Some((limits::of_cgroup(group, scene, deaths)?, group)))
        .collect();
    near.sort_by_key(|(limit, _)| limit.distance());
    let near = near.iter().take(MAX_LISTED);
    let left = |limit: &ReachableLimit| match limit.swap {
        Bytes::ZERO => format!("{} left", human_size(limit.headroom)),
        _ => format!("{} left +swap", human_size(limit.headroom)),
    };
    near.map(|(limit, group)| group_item(group, &format!(", {}", left(limit)), scene)).collect()
}

fn node_item(node: &NumaNode, scene: &Scene) -> MenuItem {
    let nodes = NodeSet::of(&[*node]);
    let size = human_size(node.present.bytes(scene.machine().page_size));
    let on = scene.domain().kind == DomainKind::Nodes(nodes);
    item(Scope::Nodes(nodes), format!("nodes:{nodes}"), format!("{size} and all swap"), on)
}
