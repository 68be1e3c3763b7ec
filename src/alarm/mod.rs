//! Alarms: what can be watched, its threshold, and when an alarm is raised.

pub mod quantity;
pub mod raised;
pub mod state;
pub mod threshold;

pub use crate::alarm::quantity::{
    AlarmInput, AlarmQuantity, AlarmUnit, KilledProcess, QUANTITIES, ThresholdSide, help,
};
pub use crate::alarm::raised::{AlarmIncident, FACTS, RaisedAlarm, command_help};
pub use crate::alarm::state::{AlarmEntry, AlarmStatus, Alarms};
pub use crate::alarm::threshold::Alarm;
