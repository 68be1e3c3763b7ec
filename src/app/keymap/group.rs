//! The contexts whose keys can be changed.

use crate::app::keymap::action::Action;
use crate::app::keymap::bindings::KEYS;
use crate::app::keymap::key::Key;
use crate::app::keymap::row::{EVERYWHERE, KeyContext};

/// The contexts whose keys can be changed together. Those of dialogs, editors and menus stay as they are: a
/// confirmation is the same for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyGroup {
    /// The views.
    Views,
    /// The pages that are read, and those with a cursor.
    Pages,
}

impl KeyGroup {
    pub(in crate::app::keymap) const fn contexts(self) -> &'static [KeyContext] {
        match self {
            Self::Views => EVERYWHERE,
            Self::Pages => &[
                KeyContext::Explain,
                KeyContext::Incident,
                KeyContext::Help,
                KeyContext::Page,
                KeyContext::Journal,
                KeyContext::Persist,
                KeyContext::Alarms,
                KeyContext::Fits,
            ],
        }
    }

    /// The actions whose keys can be changed, in the order of the table.
    #[must_use]
    pub fn actions(self) -> Vec<Action> {
        let mut actions: Vec<Action> = Vec::new();
        for row in KEYS {
            let is_here = row.places.iter().any(|place| self.contexts().contains(place));
            if is_here && row.action != Action::ProcessFirst && !actions.contains(&row.action) {
                actions.push(row.action);
            }
        }
        actions
    }

    /// The keys of an action in the table.
    #[must_use]
    pub fn keys(self, action: Action) -> Vec<Key> {
        let mut keys = Vec::new();
        for row in KEYS.iter().filter(|row| row.action == action) {
            if row.places.iter().any(|place| self.contexts().contains(place)) {
                keys.extend(
                    row.keys.iter().filter(|key| !keys.contains(*key)).copied().collect::<Vec<_>>(),
                );
            }
        }
        keys
    }
}
