//! Reads `/proc/vmstat` in a thread of its own. The kernel allocates a table of all its counters for each
//! read (`vmstat_start`, `mm/vmstat.c`), which waits for reclaim when memory is short, and the headline does
//! not need them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::model::{Reading, VmCounters};
use crate::sample::absence::perhaps;
use crate::sample::file_buffer::FileBuffer;
use crate::sample::open_file::OpenFile;
use crate::sample::parse;
use crate::sample::proc_root::ProcRoot;
use crate::units::Pages;

/// How long a sample waits for the counters. Those that arrive later belong to the next sample.
const TIMEOUT: Duration = Duration::from_millis(100);

/// What the file says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct VmstatSample {
    /// The counters that a snapshot holds.
    pub traffic: Reading<VmCounters>,
    /// Pages in use by zsmalloc, where they are counted.
    pub zspages: Option<Pages>,
    /// Pages that processes gave back with `MADV_FREE` since boot, where they are counted.
    pub lazy_freed: Option<u64>,
    /// Pages that processes can have gained since boot, where they were counted for this sample; nothing where
    /// the counters are older.
    pub gained_pages: Option<u64>,
}

/// Before the first answer.
const NOTHING: VmstatSample =
    VmstatSample { traffic: Reading::Missing, zspages: None, lazy_freed: None, gained_pages: None };

/// The thread, and what it read last.
pub(crate) struct VmstatReader {
    orders: SyncSender<()>,
    answers: Receiver<VmstatSample>,
    /// Whether an answer is still to come.
    outstanding: bool,
    /// `None` before the first answer.
    last: Option<VmstatSample>,
}

impl VmstatReader {
    /// Starts the thread, which ends when the reader is dropped. Where it cannot be started, the counters
    /// are missing.
    pub(crate) fn start(root: &Arc<ProcRoot>) -> Self {
        let root = Arc::clone(root);
        let (mut file, mut buffer) = (OpenFile::open(&root, c"vmstat"), FileBuffer::new());
        Self::start_with(move || {
            let (mut gained_pages, mut zspages, mut lazy_freed) = (None, None, None);
            let traffic = perhaps(file.read(&root, &mut buffer), |bytes| {
                (gained_pages, zspages) = (parse::gained_pages(bytes), parse::zspages(bytes));
                lazy_freed = parse::lazy_freed(bytes);
                parse::vmstat(bytes).ok()
            });
            VmstatSample { traffic, zspages, lazy_freed, gained_pages }
        })
    }

    fn start_with(mut read: impl FnMut() -> VmstatSample + Send + 'static) -> Self {
        let (orders, ordered) = sync_channel(1);
        let (outbox, answers) = sync_channel(1);
        let work = move || {
            while ordered.recv().is_ok() {
                if outbox.send(read()).is_err() {
                    return;
                }
            }
        };
        let _ = thread::Builder::new().name("counters".to_owned()).spawn(work);
        Self { orders, answers, outstanding: false, last: None }
    }

    /// The counters of now, or the last ones where the kernel takes longer. The first call waits.
    pub(crate) fn read(&mut self) -> VmstatSample {
        if self.outstanding
            && let Ok(late) = self.answers.try_recv()
        {
            (self.outstanding, self.last) = (false, Some(late));
        }
        if !self.outstanding {
            self.outstanding = self.orders.send(()).is_ok();
            let answer = match self.last {
                _ if !self.outstanding => None,
                None => self.answers.recv().ok(),
                Some(_) => self.answers.recv_timeout(TIMEOUT).ok(),
            };
            if let Some(answer) = answer {
                (self.outstanding, self.last) = (false, Some(answer));
                return answer;
            }
        }
        VmstatSample { gained_pages: None, ..self.last.unwrap_or(NOTHING) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_kernel_that_takes_long_delays_no_sample_and_its_answer_is_not_lost() {
        let (sender, receiver) = channel::<u64>();
        let mut reader = VmstatReader::start_with(move || {
            let pages = receiver.recv().unwrap_or_default();
            let traffic = VmCounters { swap_in_pages: Pages(pages), ..VmCounters::default() };
            let traffic = Reading::Value(traffic);
            VmstatSample { traffic, zspages: None, lazy_freed: None, gained_pages: Some(pages) }
        });
        let mut swapped = || {
            let read = reader.read();
            let swapped = read.traffic.value().map(|it| it.swap_in_pages.0);
            assert!(read.gained_pages.is_none_or(|gained| Some(gained) == swapped));
            swapped
        };
        sender.send(1).unwrap();
        assert_eq!(swapped(), Some(1));
        assert_eq!(swapped(), Some(1), "late: the last ones");
        assert_eq!(swapped(), Some(1), "still late, and nothing is waited for");
        for pages in 2..9 {
            sender.send(pages).unwrap();
        }
        let end = Instant::now() + Duration::from_secs(60);
        let mut last = Some(1);
        while last < Some(8) && Instant::now() < end {
            let now = swapped();
            assert!(now >= last, "never an older one");
            last = now;
        }
        assert_eq!(last, Some(8));
    }

    #[test]
    fn the_counters_are_missing_where_the_file_is() {
        let folder = tempfile::TempDir::new().unwrap();
        let root = Arc::new(ProcRoot::open(folder.path()).unwrap());
        assert_eq!(VmstatReader::start(&root).read().traffic, Reading::Missing);
    }
}
