//! Keys in the dialog before an act on several processes, and what opens it.

use crate::app::dialog::bulk_confirm::{BulkConsent, BulkDialog, BulkItem};
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext};
use crate::app::keymap::press_time::KeyPress;
use crate::app::mode::Mode;
use crate::app::session::bulk_result::BulkResult;
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};
use crate::columns::human_size;
use crate::intent;
use crate::intent::{Expedite, Intent};
use crate::model::{Hierarchy, ProcId, Process, Reading, Scene, Signal, is_within};
use crate::plan::protection::{Protection, protection};
use crate::plan::signal_consequences;
use crate::policy::sacrifice;
use crate::rank::freed::FreedMemory;
use crate::units::Bytes;

impl App {
    /// Begins an act on several processes, and opens the page with its result.
    pub(crate) fn begin_bulk(&mut self, title: String, intents: Vec<Intent>) -> Vec<Request> {
        let about = intents.iter().flat_map(Intent::targets).collect();
        self.session.journal.begin(BulkResult::new(title, about));
        self.mode = Mode::BulkResult(0);
        intents.into_iter().map(Request::Act).collect()
    }

    /// Opens the dialog that sacrifices all tagged processes, each with its own signal.
    pub(crate) fn open_sacrifices(&mut self) {
        let Some(scene) = &self.scene else { return };
        let waits =
            self.session.journal.pending.iter().find(|it| !self.table.tags.contains(&it.who));
        if let Some(why) = waits.and_then(|it| self.too_soon_after(it)) {
            return self.say(NoticeLevel::Warn, why);
        }
        let tagged = self.table.tags.iter().filter_map(|&id| scene.find(id));
        let all: Vec<(&Process, Signal)> = tagged.map(|it| (it, sacrifice(it).signal)).collect();
        let title = match all.len() {
            1 => "Sacrifice the tagged process?".to_owned(),
            count => format!("Sacrifice {count} tagged processes?"),
        };
        let bulk = self.signal_several(title, &all, true);
        self.mode = Mode::Bulk(bulk);
    }

    /// Opens the dialog that signals all processes that share the memory. The memory is freed when the
    /// last of them exits.
    pub(crate) fn open_with_sharers(&mut self) {
        let (Mode::Signal(confirm), Some(scene)) = (&self.mode, &self.scene) else { return };
        let sharers = match confirm.plan.detail.as_ref().map(|detail| &detail.sharers) {
            Some(Reading::Value(sharers)) if !sharers.found.is_empty() => &sharers.found,
            _ => {
                return self
                    .say(NoticeLevel::Plain, "no other process is known to share its memory");
            }
        };
        let signal = confirm.plan.signal;
        let ids = std::iter::once(confirm.plan.who).chain(sharers.iter().map(|(id, _)| *id));
        let all: Vec<(&Process, Signal)> =
            ids.filter_map(|id| Some((scene.find(id)?, signal))).collect();
        let title = format!("Send {signal} to all {} that share one memory?", all.len());
        let hidden = sharers.len() + 1 - all.len();
        let mut bulk = self.signal_several(title, &all, false);
        if hidden > 0 {
            bulk.notes.push(format!(
                "{hidden} more started since the last sample: press Esc and open this again"
            ));
        }
        self.mode = Mode::Bulk(bulk);
    }

    /// The dialog for several processes, each with its signal.
    fn signal_several(&self, title: String, all: &[(&Process, Signal)], apart: bool) -> BulkDialog {
        let mut items = Vec::new();
        let mut freed = 0;
        if let Some(scene) = &self.scene {
            for &(process, signal) in all {
                let left = left_alone(process, self.start.own, scene);
                let left = left.or_else(|| self.already_signalled(process, signal));
                let bytes = would_free(process, scene);
                let what = match &left {
                    Some(why) => format!("skipped: {why}"),
                    None => format!("{signal}, frees about {}", human_size(bytes)),
                };
                let intent = left.is_none().then(|| signal_intent(process, signal));
                freed += if intent.is_some() { bytes.0 } else { 0 };
                items.push(BulkItem {
                    who: process.id,
                    name: process.comm.to_string(),
                    what,
                    intent,
                });
            }
        }
        let mut bulk = BulkDialog::new(title, items, BulkConsent::Count(String::new()));
        bulk.notes.push(if apart {
            format!(
                "about {} in total; each gets its own signal, all at once",
                human_size(Bytes(freed))
            )
        } else {
            "the memory is shared: it is freed when the last of them exits".to_owned()
        });
        bulk
    }

    /// The cgroup of a process, where it can be killed as a whole (v2, not the root), and the number of
    /// its processes.
    pub(crate) fn killable_cgroup(&self, process: &Process) -> Option<(String, usize)> {
        let scene = self.scene.as_ref()?;
        if scene.now().cgroups.hierarchy != Reading::Value(Hierarchy::V2) {
            return None;
        }
        let path = process.cgroup.as_ref().value()?.as_str();
        let outside = path == "/" || path.split('/').any(|name| name == "..");
        (!outside).then(|| (path.to_owned(), inside(path, scene).count()))
    }

    /// Opens the dialog that kills a whole cgroup.
    pub(crate) fn open_kill_cgroup(&mut self, path: &str) {
        let Some(scene) = &self.scene else { return };
        let own = self.start.own;
        let all: Vec<&Process> = inside(path, scene).collect();
        // The kernel makes no exceptions, so one protected process prevents it.
        let kept: Vec<Option<String>> =
            all.iter().map(|process| left_alone(process, own, scene)).collect();
        let may = kept.iter().all(Option::is_none);
        let whole = may.then(|| {
            let members = all.iter().map(|process| (process.id, process.comm.to_string()));
            Intent::KillCgroup { path: path.to_owned(), members: members.collect() }
        });
        let items: Vec<BulkItem> = all
            .iter()
            .zip(&kept)
            .map(|(process, kept)| BulkItem {
                who: process.id,
                name: process.comm.to_string(),
                what: match kept {
                    Some(why) => format!("protected: {why}"),
                    None => format!("frees about {}", human_size(would_free(process, scene))),
                },
                intent: None,
            })
            .collect();
        let title = format!("Kill all {} of cgroup {path}?", items.len());
        let mut bulk = BulkDialog::new(title, items, BulkConsent::Count(String::new()));
        bulk.whole = whole;
        bulk.notes.push(if may {
            "SIGKILL by one write to cgroup.kill; processes started meanwhile are killed too"
                .to_owned()
        } else {
            "cgroup.kill makes no exceptions: signal them one by one (k), or tag them (X)"
                .to_owned()
        });
        self.mode = Mode::Bulk(bulk);
    }
}

/// The processes of a cgroup and below, without kernel threads.
pub(crate) fn inside<'a>(path: &'a str, scene: &'a Scene) -> impl Iterator<Item = &'a Process> {
    let within = move |process: &&Process| match &process.cgroup {
        Reading::Value(other) => is_within(other.as_str(), path),
        _ => false,
    };
    scene.now().processes.iter().filter(|it| !it.is_kernel_thread()).filter(within)
}

/// Why a process is left out of an act on several processes.
fn left_alone(process: &Process, own: ProcId, scene: &Scene) -> Option<String> {
    match protection(process, own, scene) {
        Protection::Never(why) => Some(why.to_owned()),
        Protection::TypePid(why) => Some(format!("{why} (signal it alone and type its pid)")),
        Protection::None => signal_consequences::obstacle(process, scene).map(str::to_owned),
    }
}

fn signal_intent(process: &Process, signal: Signal) -> Intent {
    Intent::Signal {
        who: process.id,
        name: process.comm.to_string(),
        signal,
        consent: intent::ConfirmedBy::Plain,
        steps: Expedite::usual(signal),
    }
}

/// The memory that it would free, as an estimate.
fn would_free(process: &Process, scene: &Scene) -> Bytes {
    FreedMemory::of(process, scene).value().map_or(Bytes::ZERO, |freed| freed.room())
}

impl App {
    pub(crate) fn bulk_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let page = self.display.viewport.page;
        let Mode::Bulk(bulk) = &mut self.mode else { return Vec::new() };
        let meaning = self.keys.meaning(KeyContext::Confirm, key);
        match meaning {
            Some(Action::Back) => {
                self.mode = Mode::Browse;
                self.say(NoticeLevel::Plain, "nothing was done");
            }
            Some(Action::Quit) => return self.leave_dialog("nothing was done"),
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(action) if action.step(page).is_some() => {
                bulk.scroll(action.step(page).unwrap_or_default(), page);
            }
            _ if !bulk.shown.was_seen_at(press.at) => {}
            Some(Action::Apply) if press.alone && bulk.unseen() > 0 => {
                let text = format!("{} more are below: Down shows them", bulk.unseen());
                self.say(NoticeLevel::Warn, text);
            }
            Some(Action::Apply) if press.alone && bulk.is_agreed() => {
                let (title, intents) = (bulk.title.clone(), bulk.intents().collect());
                return self.begin_bulk(title, intents);
            }
            Some(Action::Apply) if press.alone => {
                let text = format!("that is not the count: type {}", bulk.touched());
                self.say(NoticeLevel::Warn, text);
            }
            None => match key {
                Key { code: KeyCode::Backspace, .. } => bulk.pop(),
                _ => key.digit().into_iter().for_each(|digit| bulk.push(digit)),
            },
            _ => {}
        }
        Vec::new()
    }
}
