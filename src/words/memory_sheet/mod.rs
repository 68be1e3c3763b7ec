//! The balance sheet of memory: what the memory of the machine, or of a memory cgroup, is used for, and what of it
//! no kill can free. The same for a sample and for a kernel report.

mod of_report;
mod of_sample;
mod sheet;

pub use of_sample::details;
pub use sheet::{FutileKill, MemoryPart, MemorySheet, MemoryUse, SheetWords};
