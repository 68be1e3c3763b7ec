//! Reading facts of the whole machine.

pub mod calibration;
pub mod host;
pub mod privileges;
pub mod system;
