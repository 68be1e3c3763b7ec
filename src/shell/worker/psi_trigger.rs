//! The thread that sleeps at a pressure file and says when tasks begin to wait for memory, so that the
//! screen looks at once, whatever its pace.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rustix::io::Errno;

use crate::app::Msg;
use crate::events::{TriggerEvent, TriggerFile, WakeHandle, trigger_refusal};
use crate::model::{PressureWatch, Text};
use crate::sample::cgroup::members;
use crate::sample::proc_root::LiveRoot;

use crate::shell::tui::Event;

/// Whose pressure: a cgroup's of version 2, or the machine's.
type Whose = Option<Arc<Text>>;

/// Says whose pressure is to be watched.
pub(crate) struct TriggerWorker {
    orders: Sender<Whose>,
    bell: Arc<WakeHandle>,
    whose: Whose,
}

impl TriggerWorker {
    /// From now on this one's.
    pub(crate) fn follow(&mut self, whose: Option<&Arc<Text>>) {
        if self.whose.as_ref() != whose {
            self.whose = whose.cloned();
            let _ = self.orders.send(self.whose.clone());
            self.bell.wake();
        }
    }
}

/// Starts the thread: it watches the machine's pressure until it is told otherwise. Only a live root
/// has one: what another tree holds is a file like any other.
pub(crate) fn start(root: LiveRoot, inbox: Sender<Event>) -> Option<TriggerWorker> {
    let bell = match WakeHandle::new() {
        Ok(bell) => Arc::new(bell),
        Err(errno) => {
            let watch = PressureWatch::Unavailable(trigger_refusal(errno));
            let _ = inbox.send(Event::Told(Msg::PressureWatch(watch, None)));
            return None;
        }
    };
    let (orders, asked) = channel();
    let heard = Arc::clone(&bell);
    let work = move || {
        crate::shell::terminal::test_panic("pressure");
        let lay = |whose: &Whose| lay(&root, whose);
        let tell = |message| inbox.send(Event::Told(message)).is_ok();
        watch(&asked, lay, |wire: &mut TriggerFile| wire.wait(&heard), tell);
    };
    thread::Builder::new().name("pressure".to_owned()).spawn(work).ok()?;
    Some(TriggerWorker { orders, bell, whose: None })
}

/// Lays a wire in the file of the machine, or in that of a cgroup.
fn lay(root: &LiveRoot, whose: &Whose) -> Result<TriggerFile, Errno> {
    match whose {
        None => TriggerFile::open(root, c"pressure/memory"),
        Some(path) => {
            let dir: OwnedFd = members::v2_dir(path.as_str())?;
            TriggerFile::open(dir, c"memory.pressure")
        }
    }
}

/// What says how it watches: a wire, or what a test has in its place.
trait Watches {
    fn how(&self) -> PressureWatch;
}

impl Watches for TriggerFile {
    fn how(&self) -> PressureWatch {
        self.watch()
    }
}

/// Waits, until nobody listens or nobody asks any more. Where a cgroup tells nothing, the machine does:
/// whatever waits in a cgroup waits there, too.
fn watch<W: Watches>(
    asked: &Receiver<Whose>,
    lay: impl Fn(&Whose) -> Result<W, Errno>,
    mut wait: impl FnMut(&mut W) -> TriggerEvent,
    tell: impl Fn(Msg) -> bool,
) {
    let mut whose: Whose = None;
    let mut blind = None;
    loop {
        let laid = match blind.take() {
            Some(why) => Err(why),
            None => lay(&whose).map_err(trigger_refusal),
        };
        let mut wire = match laid {
            Ok(wire) => wire,
            Err(_) if whose.is_some() => {
                whose = None;
                continue;
            }
            Err(why) => {
                if !tell(Msg::PressureWatch(PressureWatch::Unavailable(why), None)) {
                    return;
                }
                // Nothing to wait at: until another one is asked for.
                let Ok(next) = asked.recv() else { return };
                whose = next;
                continue;
            }
        };
        if !tell(Msg::PressureWatch(wire.how(), whose.clone())) {
            return;
        }
        loop {
            match wait(&mut wire) {
                TriggerEvent::Stalled if tell(Msg::Pressure) => {}
                TriggerEvent::Stalled => return,
                TriggerEvent::Woken => {
                    if let Some(next) = asked.try_iter().last() {
                        whose = next;
                        break;
                    }
                }
                TriggerEvent::Gone => {
                    blind = Some("the pressure file tells nothing any more".to_owned());
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

    struct Fake(Whose);

    impl Watches for Fake {
        fn how(&self) -> PressureWatch {
            if self.0.is_none() {
                PressureWatch::Trigger(PsiTrigger::SECOND)
            } else {
                PressureWatch::Reading(PsiTrigger::TWO_SECONDS, "why".to_owned())
            }
        }
    }

    /// Plays what wakes the thread, one after the other; what it said comes back.
    fn play(woken: &[TriggerEvent], orders: Vec<Whose>, listens: usize) -> Vec<String> {
        let (sender, asked) = channel();
        let orders = RefCell::new(orders.into_iter());
        let (mut woken, said) = (woken.iter(), RefCell::new(Vec::new()));
        let sender = RefCell::new(Some(sender));
        let lay = |whose: &Whose| match whose {
            Some(path) if path.as_str() == "/gone" => Err(Errno::NOENT),
            _ => Ok(Fake(whose.clone())),
        };
        let wait = |_: &mut Fake| {
            let next = woken.next().copied().unwrap_or(TriggerEvent::Gone);
            if next == TriggerEvent::Woken {
                let order = orders.borrow_mut().next().expect("an order");
                sender.borrow().as_ref().expect("still there").send(order).expect("heard");
            } else if orders.borrow().len() == 0 {
                *sender.borrow_mut() = None;
            }
            next
        };
        let tell = |message: Msg| {
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
            said.borrow().len() < listens
        };
        watch(&asked, lay, wait, tell);
        said.into_inner()
    }

    #[test]
    fn it_tells_follows_and_falls_back_on_the_machine() {
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
                "blind: the pressure file tells nothing any more"
            ],
            "and it ends where nobody asks for another one"
        );
        assert_eq!(play(&[TriggerEvent::Stalled; 9], Vec::new(), 3).len(), 3, "nobody listens");
    }
}
