//! Keys in the dialog before an act on several processes, and what opens it.

use crate::app::dialog::bulk::{BulkConsent, BulkDialog, BulkItem};
use crate::app::keymap::bindings;
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext};
use crate::app::keymap::press::KeyPress;
use crate::app::mode::Mode;
use crate::app::session::bulk_result::BulkResult;
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};
use crate::columns::human_size;
use crate::intent;
use crate::intent::{Expedite, Intent};
use crate::model::{Hierarchy, ProcId, Process, Reading, Scene, Signal, is_within};
use crate::plan::consequences;
use crate::plan::protection::{Protection, protection};
use crate::policy::sacrifice;
use crate::units::Bytes;

impl App {
    /// Begins an act on several processes: what comes of each stands on the page that opens.
    pub(crate) fn begin_bulk(&mut self, title: String, intents: Vec<Intent>) -> Vec<Request> {
        let about = intents.iter().flat_map(Intent::targets).collect();
        self.session.journal.begin(BulkResult::new(title, about));
        self.mode = Mode::BulkResult(0);
        intents.into_iter().map(Request::Act).collect()
    }

    /// Opens the sacrifice of all tagged processes, each by the rule.
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
        let several = self.several(title, &all, true);
        self.mode = Mode::Bulk(several);
    }

    /// Opens the dialog's question for all who live in the same memory: it is free only when the last
    /// of them is gone, and the kernel kills them all.
    pub(crate) fn open_with_sharers(&mut self) {
        let (Mode::Signal(confirm), Some(scene)) = (&self.mode, &self.scene) else { return };
        let sharers = match confirm.plan.detail.as_ref().map(|study| &study.sharers) {
            Some(Reading::Value(sharers)) if !sharers.found.is_empty() => &sharers.found,
            _ => {
                return self.say(NoticeLevel::Plain, "nobody else is proven to live in its memory");
            }
        };
        let signal = confirm.plan.signal;
        let ids = std::iter::once(confirm.plan.who).chain(sharers.iter().map(|(id, _)| *id));
        let all: Vec<(&Process, Signal)> =
            ids.filter_map(|id| Some((scene.find(id)?, signal))).collect();
        let title = format!("Send {signal} to all {} who share one memory?", all.len());
        let hidden = sharers.len() + 1 - all.len();
        let mut several = self.several(title, &all, false);
        if hidden > 0 {
            several
                .notes
                .push(format!("{hidden} more came since the last look: Esc, and ask again"));
        }
        self.mode = Mode::Bulk(several);
    }

    /// The question about several processes, each with its signal.
    fn several(&self, title: String, all: &[(&Process, Signal)], apart: bool) -> BulkDialog {
        let mut items = Vec::new();
        let mut freed = 0;
        if let Some(scene) = &self.scene {
            for &(process, signal) in all {
                let left = left_alone(process, self.start.own, scene);
                let left = left.or_else(|| self.already_signalled(process, signal));
                let bytes = would_free(process, scene);
                let what = match &left {
                    Some(why) => format!("left alone: {why}"),
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
        let mut several = BulkDialog::new(title, items, BulkConsent::Count(String::new()));
        several.notes.push(if apart {
            format!("together about {}; each by its own signal, at once", human_size(Bytes(freed)))
        } else {
            "the memory is the same: it is free when the last of them is gone".to_owned()
        });
        several
    }

    /// The cgroup of a process that can be ended as a whole: version 2, and not the root.
    pub(crate) fn doomed_cgroup(&self, process: &Process) -> Option<(String, usize)> {
        let scene = self.scene.as_ref()?;
        if scene.now().cgroups.hierarchy != Reading::Value(Hierarchy::V2) {
            return None;
        }
        let path = process.cgroup.as_ref().value()?.as_str();
        let outside = path == "/" || path.split('/').any(|name| name == "..");
        (!outside).then(|| (path.to_owned(), inside(path, scene).count()))
    }

    /// Opens the dialog that ends a whole cgroup.
    pub(crate) fn open_kill_cgroup(&mut self, path: &str) {
        let Some(scene) = &self.scene else { return };
        let own = self.start.own;
        let all: Vec<&Process> = inside(path, scene).collect();
        // The kernel makes no exceptions, so one who may not die saves all.
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
                    Some(why) => format!("must stay: {why}"),
                    None => format!("frees about {}", human_size(would_free(process, scene))),
                },
                intent: None,
            })
            .collect();
        let title = format!("Kill all {} of cgroup {path}?", items.len());
        let mut several = BulkDialog::new(title, items, BulkConsent::Count(String::new()));
        several.whole = whole;
        several.notes.push(if may {
            "SIGKILL by one write to cgroup.kill; whoever they start meanwhile dies, too".to_owned()
        } else {
            "cgroup.kill makes no exceptions: signal them one by one (k), or tag them (X)"
                .to_owned()
        });
        self.mode = Mode::Bulk(several);
    }
}

/// Everybody in a cgroup and below.
pub(crate) fn inside<'a>(path: &'a str, scene: &'a Scene) -> impl Iterator<Item = &'a Process> {
    let within = move |process: &&Process| match &process.cgroup {
        Reading::Value(other) => is_within(other.as_str(), path),
        _ => false,
    };
    scene.now().processes.iter().filter(|it| !it.is_kernel_thread()).filter(within)
}

/// Why it is not acted on among others.
fn left_alone(process: &Process, own: ProcId, scene: &Scene) -> Option<String> {
    match protection(process, own, scene) {
        Protection::Never(why) => Some(why.to_owned()),
        Protection::TypePid(why) => Some(format!("{why} (alone, with its pid typed)")),
        Protection::None => consequences::obstacle(process, scene).map(str::to_owned),
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

/// About what its death sets free.
fn would_free(process: &Process, scene: &Scene) -> Bytes {
    process.private().value().unwrap_or_default().bytes(scene.machine().page_size)
}

impl App {
    pub(crate) fn bulk_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let page = self.display.viewport.page;
        let Mode::Bulk(several) = &mut self.mode else { return Vec::new() };
        let meaning = bindings::meaning(KeyContext::Confirm, key);
        match meaning {
            Some(Action::Back) => {
                self.mode = Mode::Browse;
                self.say(NoticeLevel::Plain, "nothing was done");
            }
            Some(Action::Quit) => return self.leave_dialog("nothing was done"),
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(action) if action.step(page).is_some() => {
                several.scroll(action.step(page).unwrap_or_default(), page);
            }
            _ if !several.shown.was_seen_at(press.at) => {}
            Some(Action::Apply) if press.alone && several.unseen() > 0 => {
                let text = format!("{} more are below: Down shows them", several.unseen());
                self.say(NoticeLevel::Warn, text);
            }
            Some(Action::Apply) if press.alone && several.is_agreed() => {
                let (title, intents) = (several.title.clone(), several.intents().collect());
                return self.begin_bulk(title, intents);
            }
            Some(Action::Apply) if press.alone => {
                let text = format!("that is not the count: type {}", several.touched());
                self.say(NoticeLevel::Warn, text);
            }
            None => match key {
                Key { code: KeyCode::Backspace, .. } => several.pop(),
                _ => key.digit().into_iter().for_each(|digit| several.push(digit)),
            },
            _ => {}
        }
        Vec::new()
    }
}
