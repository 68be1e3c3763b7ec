//! The thread that reads the usage of domains near their limit between samples, several times a second. While
//! no domain is near its limit it sleeps, and no file is open.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crate::app::Msg;
use crate::model::{Text, UsageReading};
use crate::sample::machine::domain_usage::DomainUsage;
use crate::sample::proc_root::ProcRoot;
use crate::shell::event::Inbox;
use crate::shell::thread;
use crate::units::Millis;

/// Interval between two readings of a domain.
pub(crate) const INTERVAL: Duration = Duration::from_millis(180);

/// A usage that did not change is told again after this time.
const REPEAT: Millis = Millis(1000);

/// The main loop's side of the thread.
pub(crate) struct UsageWorker {
    orders: Sender<Vec<Arc<Text>>>,
    /// Whether any domain is followed.
    follows: bool,
}

impl UsageWorker {
    /// Follows these domains until the next sample tells which are near then.
    pub(crate) fn follow(&mut self, near: Vec<Arc<Text>>) {
        let follows = !near.is_empty();
        if follows || self.follows {
            self.follows = self.orders.send(near).is_ok() && follows;
        }
    }
}

/// Starts the thread. `started` is zero of the clock of the samples.
pub(crate) fn start(root: ProcRoot, started: Instant, inbox: Inbox) -> Option<UsageWorker> {
    let (orders, ordered) = channel();
    let work = move || {
        let mut usage = DomainUsage::new(root);
        let mut told = ReportedUsage::default();
        while let Some(readings) = next(&mut usage, &ordered, started) {
            let news = told.news(readings);
            if !news.is_empty() && inbox.send(Msg::UsageRead(news)).is_err() {
                return;
            }
        }
    };
    thread::spawn("usage", work).ok()?;
    Some(UsageWorker { orders, follows: false })
}

/// Waits for the time of the next readings, and for orders. Nothing when the main loop has ended.
fn next(
    usage: &mut DomainUsage,
    ordered: &Receiver<Vec<Arc<Text>>>,
    started: Instant,
) -> Option<Vec<UsageReading>> {
    let due = Instant::now() + INTERVAL;
    loop {
        let order = if usage.is_idle() {
            ordered.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            ordered.recv_timeout(due.saturating_duration_since(Instant::now()))
        };
        match order {
            Ok(domains) => usage.follow(&domains),
            Err(RecvTimeoutError::Timeout) => {
                let now = started.elapsed().as_millis();
                return Some(usage.read(Millis(u64::try_from(now).unwrap_or(u64::MAX))));
            }
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

/// What was told of each domain last.
#[derive(Default)]
struct ReportedUsage(Vec<UsageReading>);

impl ReportedUsage {
    /// The readings that are worth telling: a domain at rest does not wake the main loop each time.
    fn news(&mut self, readings: Vec<UsageReading>) -> Vec<UsageReading> {
        let told = |it: &UsageReading| self.0.iter().find(|before| before.domain == it.domain);
        let is_new = |it: &UsageReading| {
            told(it).is_none_or(|before| {
                before.usage != it.usage || it.read_ms.saturating_sub(before.read_ms) >= REPEAT
            })
        };
        let news: Vec<UsageReading> = readings.iter().filter(|it| is_new(it)).cloned().collect();
        self.0.retain(|before| readings.iter().any(|it| it.domain == before.domain));
        for it in &news {
            self.0.retain(|before| before.domain != it.domain);
            self.0.push(it.clone());
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    #[test]
    fn a_domain_at_rest_is_told_once_a_second() {
        let domain = Arc::new(Text::new(b"/a"));
        let mut told = ReportedUsage::default();
        let mut news = |at: u64, usage: u64| {
            let (domain, read_ms) = (Arc::clone(&domain), Millis(at));
            told.news(vec![UsageReading { domain, read_ms, usage: Bytes(usage) }]).len()
        };
        let all = [(0, 7), (200, 7), (400, 8), (600, 8), (1200, 8), (1400, 8), (1600, 8)];
        assert_eq!(all.map(|(at, usage)| news(at, usage)), [1, 0, 1, 0, 0, 1, 0]);
    }

    #[test]
    fn it_sleeps_until_it_is_told_to_follow_and_ends_with_the_main_loop() {
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join("meminfo"), "").unwrap();
        let mut usage = DomainUsage::new(ProcRoot::open(folder.path()).unwrap());
        let (orders, ordered) = channel();
        orders.send(vec![Arc::new(Text::new(b"global"))]).unwrap();
        let readings = next(&mut usage, &ordered, Instant::now());
        assert_eq!(readings, Some(Vec::new()), "the file is open, and holds nothing");
        orders.send(Vec::new()).unwrap();
        drop(orders);
        assert_eq!(next(&mut usage, &ordered, Instant::now()), None);
        assert!(usage.is_idle());
    }
}
