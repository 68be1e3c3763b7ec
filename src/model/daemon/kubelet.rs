//! Options of the kubelet: at which available memory it evicts pods.

use serde::{Deserialize, Serialize};

use crate::model::Text;
use crate::model::daemon::nohang::ThresholdAmount;
use crate::model::daemon::options::{DaemonOptions, OptionText};
use crate::units::Kib;

/// The options of the kubelet that concern memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KubeletOptions {
    /// `evictionHard`, `memory.available`: below it a pod is evicted at once.
    pub hard: Option<ThresholdAmount>,
    /// `evictionSoft`, `memory.available`: below it for long enough a pod is evicted with a grace period.
    pub soft: Option<ThresholdAmount>,
    /// `evictionSoftGracePeriod`, `memory.available`, in seconds.
    pub soft_seconds: f64,
}

impl KubeletOptions {
    /// The documented default of `evictionHard`: 100 Mi.
    pub const HARD: ThresholdAmount = ThresholdAmount::Kib(Kib(100 * 1024));
}

impl Default for KubeletOptions {
    fn default() -> Self {
        Self { hard: Some(Self::HARD), soft: None, soft_seconds: 0.0 }
    }
}

impl DaemonOptions for KubeletOptions {
    /// Numbers only.
    fn texts(&mut self) -> Vec<(OptionText, &mut Text)> {
        Vec::new()
    }
}
