//! The one table of keys: what a key means, where. The help page, the function bar, the palette and the
//! README are printed from it. A key is one row in `rows`.

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

/// The rows of a context.
pub fn keys_of(place: KeyContext) -> impl Iterator<Item = &'static KeyBinding> {
    KEYS.iter().filter(move |binding| binding.places.contains(&place))
}

/// The meaning of a key in a context.
#[must_use]
pub fn meaning(place: KeyContext, key: Key) -> Option<Action> {
    keys_of(place).find(|binding| binding.keys.contains(&key)).map(|binding| binding.action)
}

/// The first key of an action in a context.
#[must_use]
pub fn key_of(place: KeyContext, action: Action) -> Option<Key> {
    let binding = keys_of(place).find(|binding| binding.action == action);
    binding.and_then(|binding| binding.keys.first().copied())
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
