//! Which process it is: its age, memory, capabilities, cgroup, parent and command.

use std::sync::Arc;

use ratatui::text::Line;

use crate::forecast::stalled::ProcessStall;
use crate::model::{Capability, Cgroup, CgroupName, Process, Reading, Scope};
use crate::policy::Verdict;
use crate::ui::paint::text;
use crate::ui::panel::explain::explained_process::Case;
use crate::units::Pages;

impl Case<'_> {
    /// The process, its user, memory and growth.
    pub(crate) fn identity(&self) -> Vec<Line<'static>> {
        let (process, scene) = (self.process, self.context.scene);
        let ids = match process.ids {
            Reading::Value(ids) if ids.uid != ids.euid => {
                format!(" (uid {}, effective {})", ids.uid, ids.euid)
            }
            Reading::Value(ids) => format!(" (uid {})", ids.uid),
            _ => String::new(),
        };
        let mut lines = vec![
            self.text("process", &self.life()),
            self.text("user", &format!("{}{ids}", text::user(self.context, process))),
            self.text(
                "memory",
                &format!(
                    "resident {} of {} mapped",
                    self.size(scene.rss(process)),
                    self.size(process.total_vm(scene.machine().page_size))
                ),
            ),
        ];
        lines.extend(self.growth());
        lines
    }

    /// Why it waits and is not killed, where that is so.
    pub(crate) fn stalled(&self) -> Option<Line<'static>> {
        let stall = ProcessStall::of(self.process, self.context.scene)?;
        Some(self.text("stalled", &stall.words()))
    }

    /// The memory that it holds through a graphics driver, which its resident size does not contain.
    pub(crate) fn graphics(&self) -> Option<Line<'static>> {
        let Reading::Value(list) = &self.context.scene.now().memory_holders.gpu else {
            return None;
        };
        let held = list.iter().find(|it| it.pid == self.process.id.pid)?;
        let size = |kib| text::kib(self.context, kib);
        let text = format!(
            "{} of RAM beside its resident size, {} of the device",
            size(held.ram_kib),
            size(held.device_kib)
        );
        Some(self.text("graphics", &text))
    }

    /// Its name, start time, state, threads and nice value.
    fn life(&self) -> String {
        let (process, scene) = (self.process, self.context.scene);
        let who = text::who(process);
        // A dump has the name only.
        if scene.now().unavailable.lives {
            return who;
        }
        let threads = match process.threads {
            0 | 1 => "1 thread".to_owned(),
            count => format!("{count} threads"),
        };
        format!(
            "{who}, started {} ago, {}, {threads}, nice {}",
            text::age(scene, process.id),
            process.state.words(),
            process.nice
        )
    }

    /// How fast it grows or shrinks, where that is known.
    fn growth(&self) -> Option<Line<'static>> {
        let rate = self.context.scene.growth_lately(self.process)?.per_minute();
        let text = match rate.0 {
            0 => "steady over the last minute".to_owned(),
            _ => {
                let sign = if rate.0 < 0 { '-' } else { '+' };
                let size = self.size(Pages(rate.0.unsigned_abs()));
                format!("{sign}{size} a minute, over the last one")
            }
        };
        Some(self.text("growth", &text))
    }

    /// The capabilities that policies look at.
    pub(crate) fn capabilities(&self) -> Option<Line<'static>> {
        let text = match self.process.caps {
            Reading::Value(caps) => {
                let held = |capability: Capability| {
                    let name = capability.name().trim_start_matches("CAP_");
                    if caps.has(capability) { name.to_owned() } else { format!("no {name}") }
                };
                [Capability::SysAdmin, Capability::SysRawio, Capability::SysResource]
                    .map(held)
                    .join(", ")
            }
            Reading::Denied => "may not be read".to_owned(),
            Reading::Missing | Reading::NotAsked => return None,
        };
        Some(self.text("caps", &text))
    }

    /// The path of its cgroup, for a container or a pod behind the name by which the screen calls it.
    pub(crate) fn cgroup(&self) -> Option<Line<'static>> {
        let path = self.process.cgroup.as_ref().value()?.as_str();
        let name = match CgroupName::of(path) {
            CgroupName::Container { .. } | CgroupName::Pod(_) => text::cgroup_forms(path),
            _ => Vec::new(),
        };
        let name = name.first().map(|name| format!("{name}: ")).unwrap_or_default();
        Some(self.text("cgroup", &format!("{name}{path}")))
    }

    /// The nearest limit above it: how full that is, and its rank among those in there.
    pub(crate) fn limit(&self) -> Option<Line<'static>> {
        let path = self.process.cgroup.as_ref().value()?;
        let cgroups = &self.context.scene.now().cgroups;
        let group = cgroups.upwards(path.as_str()).find(|group| group.is_limited())?;
        let limit = group.effective_limit()?;
        let mut text = format!("limit {}", text::bytes(self.context, limit));
        if group.path != *path {
            text.push_str(&format!(" at {}", group.path));
        }
        if let Some(used) = group.used().value() {
            let full = u128::from(used.0) * 100 / u128::from(limit.0.max(1));
            text.push_str(&format!(": {full}% full"));
        }
        if let Some(rank) = self.rank_at(group) {
            text.push_str(&format!("; in that domain rank {rank}"));
        }
        if group.oom_group.value() == Some(true) {
            text.push_str("; memory.oom.group");
        }
        Some(self.text("its limit", &text))
    }

    /// Its rank, from 1, among the processes in a cgroup.
    fn rank_at(&self, group: &Cgroup) -> Option<usize> {
        let inside = self.context.scene.within(Scope::Memcg(Arc::clone(&group.path)));
        let points = |process: &Process| match self.context.policy.judge(process, &inside) {
            Verdict::Scored(badness) => Some(badness.points),
            Verdict::Spared(_) => None,
        };
        let own = points(self.process)?;
        let processes = inside.now().processes.iter();
        let members = processes.filter(|it| inside.domain().contains(it));
        Some(members.filter(|it| points(it).is_some_and(|other| other > own)).count() + 1)
    }

    /// Its parent and the number of its children.
    pub(crate) fn parent(&self) -> Option<Line<'static>> {
        let scene = self.context.scene;
        let now = scene.now();
        if now.unavailable.lives {
            return None;
        }
        let parent = now
            .position(self.process.parent)
            .map_or_else(|| "not visible".to_owned(), |at| text::who(&now.processes[at]));
        let children = scene.children(self.process.id.pid).count();
        Some(self.text("parent", &format!("{parent}, children {children}")))
    }

    /// Its command line, where that is known.
    pub(crate) fn command(&self) -> Option<Line<'static>> {
        let line = self.app.names.command(self.process)?;
        Some(self.text("command", line))
    }
}
