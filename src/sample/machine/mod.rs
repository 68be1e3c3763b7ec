//! Reading facts of the whole machine.

pub mod host;
pub mod privileges;
pub mod system;
