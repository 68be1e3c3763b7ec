//! The newcomer: a process that does not exist yet, and takes memory.

use std::sync::Arc;

use crate::model::{Capabilities, Comm, ProcId, Process, Reading, RunState, Scene, Text, UserIds};
use crate::policy::kernel_score;
use crate::units::{Adj, Bytes, Pages, Ticks};

/// Its pid: above all that a kernel gives (`include/linux/threads.h` `PID_MAX_LIMIT`, 4 Mi).
const PID: i32 = i32::MAX;
/// Its name where a sentence or a rule needs one.
pub const NEWCOMER: &str = "(newcomer)";
/// Bytes of an entry of a page table: one page of 4096 bytes maps 512 pages.
const ENTRY_BYTES: u64 = 8;

/// The user where none is known: nobody, who has no privileges.
const NOBODY: u32 = 65_534;

/// A process that does not exist yet, and needs memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newcomer {
    /// How much anonymous memory it takes.
    pub size: Bytes,
    /// Its `oom_score_adj`.
    pub adj: Adj,
    /// The memory cgroup in which it takes it; nothing: in none that has a limit.
    pub cgroup: Option<Arc<Text>>,
    /// The process whose user and capabilities it has.
    pub like: Option<ProcId>,
    /// Whether that one is gone by then, as a command that only asks.
    pub replaces: bool,
}

impl Newcomer {
    /// Its id in the scene that is supposed: it was started last of all.
    pub(super) const ID: ProcId = ProcId { pid: PID, born: Ticks(u64::MAX) };

    /// Puts it into a scene, with nothing yet.
    pub(super) fn enter(&self, scene: &mut Scene) {
        let like = self.like.and_then(|id| scene.find(id));
        let process = Process {
            id: Self::ID,
            comm: Comm::new(NEWCOMER.as_bytes()),
            state: RunState('R'),
            threads: 1,
            vsize: self.size,
            file: Reading::Value(Pages::ZERO),
            shmem: Reading::Value(Pages::ZERO),
            swap: Reading::Value(Pages::ZERO),
            locked: Reading::Value(Pages::ZERO),
            has_mm: true,
            adj: Reading::Value(self.adj),
            ids: like.map_or(Reading::Value(UserIds { uid: NOBODY, euid: NOBODY }), |it| it.ids),
            caps: like.map_or(Reading::Value(Capabilities(0)), |it| it.caps),
            cgroup: self.cgroup.clone().map_or(Reading::NotAsked, Reading::Value),
            ..Process::default()
        };
        scene.suppose(|sample| {
            // A hostile recording may hold this pid.
            sample.processes.retain(|it| it.id.pid < PID);
        });
        scene.suppose(|sample| sample.processes.push(process));
        Self::has(Bytes::ZERO, scene);
    }

    /// Lets it have so much.
    pub(super) fn has(bytes: Bytes, scene: &mut Scene) {
        let page = scene.machine().page_size;
        let pages = bytes.pages(page);
        scene.suppose(|sample| {
            let Some(own) = sample.processes.last_mut().filter(|it| it.id == Self::ID) else {
                return;
            };
            own.rss_stat = pages;
            own.rss_exact = Reading::Value(pages);
            own.anon = Reading::Value(pages);
            own.data = Reading::Value(pages);
            own.pgtables = Reading::Value(Pages(pages.0 / (page.0 / ENTRY_BYTES).max(1)));
        });
        // A killer that goes by the kernel's score needs one.
        let score = scene.find(Self::ID).map(|own| kernel_score(own, scene));
        scene.suppose(|sample| {
            if let (Some(own), Some(score)) = (sample.processes.last_mut(), score) {
                own.score = Reading::Value(score);
            }
        });
    }
}
