//! EARS: what happened, from what the kernel and the daemons that kill left in their logs.
//!
//! A capture of `dmesg`, `journalctl -k` or `/dev/kmsg` goes in line by line; reports of the OOM
//! killer come out, each as far as it was written: dumps are rate-limited, cut, and mixed with the
//! lines of others.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A pattern that is compiled once, and tried only where its needle is: most lines of a log are about
/// something else.
struct Pattern {
    needle: &'static str,
    regex: LazyLock<Option<Regex>>,
}

impl Pattern {
    fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        if text.contains(self.needle) { self.regex.as_ref()?.captures(text) } else { None }
    }
}

macro_rules! pattern {
    ($name:ident, $needle:expr, $text:expr) => {
        static $name: super::Pattern = super::Pattern {
            needle: $needle,
            regex: std::sync::LazyLock::new(|| regex::Regex::new($text).ok()),
        };
    };
}

pub(crate) mod daemon_log;
pub(crate) mod kernel_line;
pub(crate) mod log_framing;
pub(crate) mod psi_trigger;
pub(crate) mod reconstruct;
mod report;

pub use crate::events::daemon_log::{DaemonKill, DaemonLogReader, by_name};
pub use crate::events::kernel_line::{Constraint, KernelLine, MemcgUsage};
pub use crate::events::log_framing::{Framer, LogTimestamp};
pub use crate::events::psi_trigger::{TriggerEvent, TriggerFile, WakeHandle, refusal};
pub use crate::events::reconstruct::{Reconstruction, page_size, reconstruct};
pub use report::{DumpTask, KernelLogReader, KilledTask, OomInvocation, OomReport, ReapedTask};
