//! The usage of one domain, as it was read between two samples.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::Text;
use crate::units::{Bytes, Millis};

/// The usage of one domain between two samples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageReading {
    /// `global`, or the path of a memory cgroup.
    pub domain: Arc<Text>,
    /// When, on the snapshot's monotonic clock.
    pub read_ms: Millis,
    /// `memory.current` or `memory.usage_in_bytes`; of the machine, what is not available of RAM and swap.
    #[serde(rename = "usage_bytes")]
    pub usage: Bytes,
}
