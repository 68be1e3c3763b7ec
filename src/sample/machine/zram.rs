//! The zram devices that hold swap, through files that stay open.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use crate::model::ZramSwap;
use crate::sample::parse;
use crate::sample::parse::{SwapArea, ZramStat};

/// Maximum number of devices that are read.
const DEVICES_MAX: usize = 32;
/// Maximum number of bytes that are read of a file.
const FILE_MAX: usize = 256;

/// A device and its file, if that could be opened.
struct Device {
    number: u32,
    file: Option<File>,
}

/// The files of all devices that hold swap.
pub(crate) struct ZramFiles {
    /// The root of the filesystem, where there is one.
    files: Option<PathBuf>,
    devices: Vec<Device>,
}

impl ZramFiles {
    /// Files below this root. Nothing is opened until there is swap on zram.
    pub(crate) const fn new(files: Option<PathBuf>) -> Self {
        Self { files, devices: Vec::new() }
    }

    /// All swap on zram; `None` if there is none, or if a device cannot be read.
    pub(crate) fn read(&mut self, areas: &[SwapArea]) -> Option<ZramSwap> {
        self.devices.retain(|device| areas.iter().any(|area| area.zram == Some(device.number)));
        let mut sum: Option<ZramSwap> = None;
        for (area, number) in areas.iter().filter_map(|area| Some((area, area.zram?))) {
            let ZramStat { stored, used, limit } = self.stat(number)?;
            let one = ZramSwap {
                free_kib: area.free(),
                stored_kib: stored,
                used_kib: used,
                limit_kib: limit,
            };
            sum = Some(sum.map_or(one, |sum| sum.and(one)));
        }
        sum
    }

    fn stat(&mut self, number: u32) -> Option<ZramStat> {
        let files = self.files.as_ref()?;
        let known = self.devices.iter().position(|device| device.number == number);
        let at = match known {
            Some(at) => at,
            None if self.devices.len() >= DEVICES_MAX => return None,
            None => {
                let path = files.join(format!("sys/block/zram{number}/mm_stat"));
                self.devices.push(Device { number, file: File::open(path).ok() });
                self.devices.len() - 1
            }
        };
        let mut bytes = [0; FILE_MAX];
        let length = self.devices[at].file.as_ref()?.read_at(&mut bytes, 0).ok()?;
        parse::zram_mm_stat(&bytes[..length]).ok()
    }
}
