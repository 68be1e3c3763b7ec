//! The sampler thread: looks when asked, one look at a time.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use crate::app::Msg;
use crate::model::{Needs, Snapshot};
use crate::source::Source;

/// Asks the sampler to look.
pub(crate) struct Sampler {
    orders: Sender<(Needs, Option<Arc<Snapshot>>)>,
    busy: bool,
}

impl Sampler {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no room for another thread.
    pub(crate) fn start(
        mut source: Box<dyn Source>,
        inbox: Sender<crate::shell::tui::Event>,
    ) -> Result<Self, String> {
        let (orders, asked) = channel::<(Needs, Option<Arc<Snapshot>>)>();
        thread::Builder::new()
            .name("sampler".to_owned())
            .spawn(move || {
                crate::shell::terminal::test_panic("sampler");
                for (needs, spent) in asked {
                    let message = match source.sample(&needs, spent) {
                        Ok(snapshot) => Msg::Sampled(snapshot),
                        Err(lost) => crate::shell::failed(&lost),
                    };
                    let last = matches!(message, Msg::SourceLost(_));
                    if inbox.send(crate::shell::tui::Event::Told(message)).is_err() || last {
                        return;
                    }
                }
            })
            .map_err(|error| format!("cannot start a thread: {error}"))?;
        Ok(Self { orders, busy: false })
    }

    /// Asks for a look, unless one is under way.
    pub(crate) fn sample(&mut self, needs: Needs, spent: Option<Arc<Snapshot>>) {
        if !self.busy {
            self.busy = self.orders.send((needs, spent)).is_ok();
        }
    }

    /// Whether a look is under way.
    pub(crate) const fn is_busy(&self) -> bool {
        self.busy
    }

    /// The look has come.
    pub(crate) const fn done(&mut self) {
        self.busy = false;
    }
}
