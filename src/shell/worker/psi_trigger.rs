//! The thread that waits at a pressure file: it reports when tasks begin to wait for memory, so that the
//! screen samples at once, whatever its refresh interval.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use rustix::io::Errno;

use crate::app::Msg;
use crate::events::{TriggerEvent, TriggerFile, WaitInterrupt, trigger_refusal};
use crate::model::{PressureWatch, Text};
use crate::sample::cgroup::members;
use crate::sample::proc_root::LiveRoot;
use crate::shell::event::{Inbox, LoopEnded};
use crate::shell::thread;

/// The cgroup (version 2) whose pressure is watched; `None` for the machine.
type Watched = Option<Arc<Text>>;

/// The main loop's side of the thread.
pub(crate) struct TriggerWorker {
    orders: Sender<Watched>,
    wake: Arc<WaitInterrupt>,
    watched: Watched,
}

impl TriggerWorker {
    /// Watches this cgroup, or the machine, from now on.
    pub(crate) fn follow(&mut self, cgroup: Option<&Arc<Text>>) {
        if self.watched.as_ref() != cgroup {
            self.watched = cgroup.cloned();
            let _ = self.orders.send(self.watched.clone());
            self.wake.wake();
        }
    }
}

/// Starts the thread: it watches the machine until it is told otherwise. Only a live root has pressure
/// files that can be waited at: those of another tree are plain files.
pub(crate) fn start(root: LiveRoot, inbox: Inbox) -> Option<TriggerWorker> {
    let wake = match WaitInterrupt::new() {
        Ok(wake) => Arc::new(wake),
        Err(errno) => {
            let watch = PressureWatch::Unavailable(trigger_refusal(errno));
            let _ = inbox.send(Msg::PressureWatch(watch, None));
            return None;
        }
    };
    let (orders, ordered) = channel();
    let woken = Arc::clone(&wake);
    let work = move || {
        thread::touch_stack();
        let open = |watched: &Watched| open(&root, watched);
        let send = |message| inbox.send(message);
        // It ends with the main loop.
        let _ = watch(&ordered, open, |trigger: &mut TriggerFile| trigger.wait(&woken), send);
    };
    thread::spawn("pressure", work).ok()?;
    Some(TriggerWorker { orders, wake, watched: None })
}

/// Opens a trigger in the pressure file of the machine or of a cgroup.
fn open(root: &LiveRoot, watched: &Watched) -> Result<TriggerFile, Errno> {
    match watched {
        None => TriggerFile::open(root, c"pressure/memory"),
        Some(path) => {
            let dir: OwnedFd = members::v2_dir(path.as_str())?;
            TriggerFile::open(dir, c"memory.pressure")
        }
    }
}

/// A trigger, or what a test has in its place.
trait Trigger {
    /// How it is watched.
    fn how(&self) -> PressureWatch;
}

impl Trigger for TriggerFile {
    fn how(&self) -> PressureWatch {
        self.watch()
    }
}

/// Waits until the main loop ends. Where the file of a cgroup does not work, that of the machine is
/// watched: what waits in a cgroup waits there, too.
///
/// # Errors
/// The main loop has ended.
fn watch<T: Trigger>(
    ordered: &Receiver<Watched>,
    open: impl Fn(&Watched) -> Result<T, Errno>,
    mut wait: impl FnMut(&mut T) -> TriggerEvent,
    send: impl Fn(Msg) -> Result<(), LoopEnded>,
) -> Result<(), LoopEnded> {
    let mut watched: Watched = None;
    let mut gone = None;
    loop {
        let opened = match gone.take() {
            Some(why) => Err(why),
            None => open(&watched).map_err(trigger_refusal),
        };
        let mut trigger = match opened {
            Ok(trigger) => trigger,
            Err(_) if watched.is_some() => {
                watched = None;
                continue;
            }
            Err(why) => {
                send(Msg::PressureWatch(PressureWatch::Unavailable(why), None))?;
                // There is nothing to wait at until another cgroup is ordered.
                watched = ordered.recv().map_err(|_| LoopEnded)?;
                continue;
            }
        };
        send(Msg::PressureWatch(trigger.how(), watched.clone()))?;
        loop {
            match wait(&mut trigger) {
                TriggerEvent::Stalled => send(Msg::Pressure)?,
                TriggerEvent::Woken => {
                    if let Some(next) = ordered.try_iter().last() {
                        watched = next;
                        break;
                    }
                }
                TriggerEvent::Gone => {
                    gone = Some("the pressure file no longer reports anything".to_owned());
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::model::PsiTrigger;

    struct Fake(Watched);

    impl Trigger for Fake {
        fn how(&self) -> PressureWatch {
            if self.0.is_none() {
                PressureWatch::Trigger(PsiTrigger::SECOND)
            } else {
                PressureWatch::Reading(PsiTrigger::TWO_SECONDS, "why".to_owned())
            }
        }
    }

    /// Plays what wakes the thread, one after the other; returns what it sent. The main loop ends after
    /// `messages` of them.
    fn play(woken: &[TriggerEvent], orders: Vec<Watched>, messages: usize) -> Vec<String> {
        let (sender, ordered) = channel();
        let orders = RefCell::new(orders.into_iter());
        let (mut woken, said) = (woken.iter(), RefCell::new(Vec::new()));
        let sender = RefCell::new(Some(sender));
        let open = |whose: &Watched| match whose {
            Some(path) if path.as_str() == "/gone" => Err(Errno::NOENT),
            _ => Ok(Fake(whose.clone())),
        };
        let wait = |_: &mut Fake| {
            let next = woken.next().copied().unwrap_or(TriggerEvent::Gone);
            if next == TriggerEvent::Woken {
                let order = orders.borrow_mut().next().expect("an order");
                sender.borrow().as_ref().expect("still there").send(order).expect("received");
            } else if orders.borrow().len() == 0 {
                *sender.borrow_mut() = None;
            }
            next
        };
        let send = |message: Msg| {
            said.borrow_mut().push(match message {
                Msg::PressureWatch(PressureWatch::Unavailable(why), None) => {
                    format!("blind: {why}")
                }
                Msg::PressureWatch(PressureWatch::Trigger(rule), None) => format!("trigger {rule}"),
                Msg::PressureWatch(PressureWatch::Reading(_, why), Some(path)) => {
                    format!("reading {path}, since {why}")
                }
                other => format!("{other:?}"),
            });
            if said.borrow().len() < messages { Ok(()) } else { Err(LoopEnded) }
        };
        assert_eq!(watch(&ordered, open, wait, send), Err(LoopEnded));
        said.into_inner()
    }

    #[test]
    fn it_reports_follows_and_falls_back_on_the_machine() {
        let path = |path: &str| Some(Arc::new(Text::new(path.as_bytes())));
        let woken = [
            TriggerEvent::Stalled,
            TriggerEvent::Woken,
            TriggerEvent::Stalled,
            TriggerEvent::Gone,
            TriggerEvent::Woken,
            TriggerEvent::Stalled,
            TriggerEvent::Woken,
            TriggerEvent::Gone,
        ];
        let orders = vec![path("/a"), path("/b"), path("/gone")];
        let machine = "trigger 50 ms of 1 s";
        assert_eq!(
            play(&woken, orders, usize::MAX),
            [
                machine,
                "Pressure",
                "reading /a, since why",
                "Pressure",
                machine,
                "reading /b, since why",
                "Pressure",
                machine,
                "blind: the pressure file no longer reports anything"
            ],
            "and it ends where nothing else is ordered"
        );
        assert_eq!(
            play(&[TriggerEvent::Stalled; 9], Vec::new(), 3).len(),
            3,
            "the main loop has ended"
        );
    }
}
