//! The page of the alarms: what is watched, and what else could be.

use tui_input::Input;

use crate::alarm::{AlarmQuantity, Alarms, QUANTITIES};

/// An alarm that is being typed.
#[derive(Clone, Debug)]
pub struct TypedAlarm {
    /// The text.
    pub input: Input,
    /// The number of the alarm that it replaces; nothing: it is a new one.
    pub replaces: Option<usize>,
    /// Why the text is no alarm.
    pub error: Option<String>,
}

/// A line of the page.
#[derive(Clone, Copy, Debug)]
pub enum AlarmLine {
    /// The alarm of this number.
    Set(usize),
    /// Something that no alarm watches.
    Free(&'static AlarmQuantity),
}

/// The page.
#[derive(Clone, Debug, Default)]
pub struct AlarmsPage {
    /// The line under the cursor.
    pub at: usize,
    /// The alarm that is being typed.
    pub typed: Option<TypedAlarm>,
}

/// The lines of the page: the alarms, then what no alarm watches.
#[must_use]
pub fn lines(alarms: &Alarms) -> Vec<AlarmLine> {
    let set = (0..alarms.count()).map(AlarmLine::Set);
    let watched: Vec<&str> = alarms.entries().map(|it| it.alarm.what()).collect();
    let free = QUANTITIES.iter().filter(|it| !watched.contains(&it.name));
    set.chain(free.map(AlarmLine::Free)).collect()
}
