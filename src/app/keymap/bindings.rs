//! The one table of keys: what a key means, where. The help page, the function bar, the palette and the
//! README are printed from it. A key is one row in `rows`. [`Keymap`] is the table with the user's own keys.

use crate::app::keymap::row::EVERYWHERE;
use crate::app::keymap::rows::{dialogs, pages, table, views};

pub use crate::app::keymap::action::Action;
pub use crate::app::keymap::key::{Key, KeyCode};
pub use crate::app::keymap::row::{KeyBinding, KeyContext};

/// Every key, in the order of help and palette. Digits in the table jump to a pid and have no row.
pub static KEYS: &[KeyBinding] = &ALL;

const COUNT: usize =
    table::ROWS.len() + views::ROWS.len() + dialogs::ROWS.len() + pages::ROWS.len();
static ALL: [KeyBinding; COUNT] = join();

const fn join() -> [KeyBinding; COUNT] {
    let mut all = [table::ROWS[0]; COUNT];
    let parts = [table::ROWS, views::ROWS, dialogs::ROWS, pages::ROWS];
    let (mut part, mut at) = (0, 0);
    while part < parts.len() {
        let mut row = 0;
        while row < parts[part].len() {
            all[at] = parts[part][row];
            row += 1;
            at += 1;
        }
        part += 1;
    }
    all
}

impl Action {
    /// Whether it means the same in the table and in every view beside it.
    #[must_use]
    pub fn is_everywhere(self) -> bool {
        KEYS.iter().any(|binding| binding.action == self && binding.places.starts_with(EVERYWHERE))
    }
}

/// The keys in force: the table, or the table with the keys that a preset and the user chose.
#[derive(Clone, Copy, Debug)]
pub struct Keymap(&'static [KeyBinding]);

impl PartialEq for Keymap {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Default for Keymap {
    fn default() -> Self {
        Self(KEYS)
    }
}

impl Keymap {
    /// Keys that stay for the rest of the program.
    pub(in crate::app::keymap) fn new(rows: Vec<KeyBinding>) -> Self {
        Self(Vec::leak(rows))
    }

    /// Every row, in the order of help and palette.
    #[must_use]
    pub const fn rows(self) -> &'static [KeyBinding] {
        self.0
    }

    /// The rows of a context.
    pub fn keys_of(self, place: KeyContext) -> impl Iterator<Item = &'static KeyBinding> {
        self.0.iter().filter(move |binding| binding.places.contains(&place))
    }

    /// The meaning of a key in a context.
    #[must_use]
    pub fn meaning(self, place: KeyContext, key: Key) -> Option<Action> {
        self.keys_of(place)
            .find(|binding| binding.keys.contains(&key))
            .map(|binding| binding.action)
    }

    /// The first key of an action in a context.
    #[must_use]
    pub fn key_of(self, place: KeyContext, action: Action) -> Option<Key> {
        let mut keys = self.keys_of(place).filter(|binding| binding.action == action);
        keys.find_map(|binding| binding.keys.first().copied())
    }

    /// The name of that key, for a sentence; the key of the palette with the name of the action where it has none.
    #[must_use]
    pub fn name_of(self, place: KeyContext, action: Action) -> String {
        let rows = self.keys_of(place).filter(|binding| binding.action == action);
        let keys: Vec<Key> = rows.flat_map(|binding| binding.keys.iter().copied()).collect();
        // A letter is easier to read than a function key.
        let is_letter = |key: &&Key| matches!(key.code, KeyCode::Char(_)) && !key.ctrl && !key.alt;
        if let Some(key) = keys.iter().find(is_letter).or(keys.first()) {
            return key.to_string();
        }
        let palette = self.key_of(KeyContext::Browse, Action::Palette);
        palette.map_or_else(|| action.name(), |key| format!("{key} {}", action.name()))
    }
}

/// The rows of a context in the table.
pub fn keys_of(place: KeyContext) -> impl Iterator<Item = &'static KeyBinding> {
    Keymap::default().keys_of(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_two_meanings_in_one_place() {
        for (nth, binding) in KEYS.iter().enumerate() {
            for key in binding.keys {
                for other in &KEYS[nth + 1..] {
                    let shared = other.places.iter().any(|place| binding.places.contains(place));
                    assert!(
                        !shared || !other.keys.contains(key),
                        "{key} in {:?} means {:?} and {:?}",
                        binding.places,
                        binding.action,
                        other.action
                    );
                }
            }
        }
    }

    #[test]
    fn every_row_is_explained() {
        for binding in KEYS {
            assert!(!binding.help.is_empty() && !binding.keys.is_empty(), "{binding:?}");
        }
    }
}
