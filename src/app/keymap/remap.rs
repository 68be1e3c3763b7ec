//! The table of keys with those that a preset and the user chose. A key has one meaning in each context, and no
//! key can both open a question and answer it.

use crate::app::keymap::action::Action;
use crate::app::keymap::bindings::{KEYS, Keymap};
use crate::app::keymap::group::KeyGroup;
use crate::app::keymap::key::Key;
use crate::app::keymap::presets::KeyPreset;
use crate::app::keymap::row::{KeyBinding, KeyContext, VIEWS};

/// A change by the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebinding {
    /// Where.
    pub group: KeyGroup,
    /// Of what.
    pub action: Action,
    /// Its keys from now on.
    pub keys: Vec<Key>,
    /// Where it is written: `config.toml:12`.
    pub place: String,
}

/// The row of a table that is being built, and where its keys are from.
struct Draft {
    /// The number of the row in the table: help and palette keep its order.
    nth: usize,
    row: KeyBinding,
    from: String,
}

/// The table with a preset and the user's own keys.
///
/// # Errors
/// Each conflict, with both places: one line each.
pub fn remapped(preset: KeyPreset, own: &[Rebinding]) -> Result<Keymap, Vec<String>> {
    if preset == KeyPreset::Htop && own.is_empty() {
        return Ok(Keymap::default());
    }
    let table = format!("preset {}", KeyPreset::Htop.name());
    let mut drafts = drafts(&table);
    for &(group, action, keys) in preset.rows() {
        rebind(&mut drafts, group, action, keys, &format!("preset {}", preset.name()));
    }
    let mut faults = Vec::new();
    for change in own {
        // The keys that it has already, some of them only in some places, as the template writes them.
        if has_keys(&drafts, change) {
            continue;
        }
        faults.extend(fault_of(change));
        let keys: &'static [Key] = Vec::leak(change.keys.clone());
        rebind(&mut drafts, change.group, change.action, keys, &change.place);
    }
    faults.extend(conflicts(&drafts));
    if !faults.is_empty() {
        return Err(faults);
    }
    let first = process_first(&drafts);
    drafts.extend(first);
    drafts.sort_by_key(|draft| draft.nth);
    Ok(Keymap::new(drafts.into_iter().map(|draft| draft.row).collect()))
}

/// The table, without the row that follows from the others.
fn drafts(from: &str) -> Vec<Draft> {
    let rows = KEYS.iter().enumerate().filter(|(_, row)| row.action != Action::ProcessFirst);
    rows.map(|(nth, row)| Draft { nth, row: *row, from: from.to_owned() }).collect()
}

/// Whether an action has just these keys in a group, all rows together.
fn has_keys(drafts: &[Draft], change: &Rebinding) -> bool {
    let is_there = |row: &KeyBinding| {
        row.action == change.action
            && row.places.iter().any(|place| change.group.contexts().contains(place))
    };
    let rows = drafts.iter().map(|draft| &draft.row).filter(|row| is_there(row));
    let has: Vec<Key> = rows.flat_map(|row| row.keys.iter().copied()).collect();
    has.iter().all(|key| change.keys.contains(key))
        && change.keys.iter().all(|key| has.contains(key))
}

/// Gives the rows of an action in a group other keys. A row that also lies outside of it is split.
fn rebind(
    drafts: &mut Vec<Draft>,
    group: KeyGroup,
    action: Action,
    keys: &'static [Key],
    from: &str,
) {
    let mut at = 0;
    while at < drafts.len() {
        let row = drafts[at].row;
        let (inside, outside): (Vec<KeyContext>, Vec<KeyContext>) =
            row.places.iter().partition(|place| group.contexts().contains(place));
        if row.action == action && !inside.is_empty() {
            if !outside.is_empty() {
                let row = KeyBinding { places: Vec::leak(outside), ..row };
                let (nth, from) = (drafts[at].nth, drafts[at].from.clone());
                drafts.insert(at + 1, Draft { nth, row, from });
                drafts[at].row.places = Vec::leak(inside);
            }
            drafts[at].row.keys = keys;
            from.clone_into(&mut drafts[at].from);
        }
        at += 1;
    }
}

/// What is wrong with a change by itself.
fn fault_of(change: &Rebinding) -> Vec<String> {
    let (place, name) = (&change.place, change.action.name());
    let mut faults = Vec::new();
    for key in &change.keys {
        if change.group == KeyGroup::Views && key.digit().is_some() {
            faults.push(format!("{place}: {name}: {key} cannot be used: digits select a pid"));
        }
        if change.action.opens_a_question() && confirms(*key) {
            faults.push(format!(
                "{place}: {key} also confirms the question that {name} opens; choose another key"
            ));
        }
    }
    if change.keys.is_empty() && matches!(change.action, Action::Quit | Action::Help) {
        faults.push(format!("{place}: {name} needs a key"));
    }
    faults
}

/// Whether a key confirms in a dialog or switches rules on.
fn confirms(key: Key) -> bool {
    let asks = |place: &KeyContext| {
        use KeyContext::{AdjRules, Adjust, Confirm, Sysctl};
        matches!(place, AdjRules | Adjust | Confirm | Sysctl)
    };
    let rows = KEYS.iter().filter(|row| row.places.iter().any(asks));
    let confirming =
        |row: &&KeyBinding| matches!(row.action, Action::Yes | Action::Apply | Action::SwitchOn);
    rows.filter(confirming).any(|row| row.keys.contains(&key))
}

/// Keys with two meanings in one context.
fn conflicts(drafts: &[Draft]) -> Vec<String> {
    let mut found = Vec::new();
    for (nth, one) in drafts.iter().enumerate() {
        for other in &drafts[nth + 1..] {
            let place = one.row.places.iter().find(|place| other.row.places.contains(place));
            let Some(place) = place.filter(|_| one.row.action != other.row.action) else {
                continue;
            };
            let Some(key) = one.row.keys.iter().find(|key| other.row.keys.contains(key)) else {
                continue;
            };
            let (a, b) = (one.row.action.name(), other.row.action.name());
            let title = KeyContext::ALL.iter().find(|(it, _)| it == place).map_or("", |it| it.1);
            let title = title.to_lowercase();
            // The user's own line first: it is the one to change.
            let (first, second) = if one.from.starts_with("preset") {
                ((&other.from, b), (&one.from, a))
            } else {
                ((&one.from, a), (&other.from, b))
            };
            found.push(format!(
                "{}: {key} means {} and, by {}, {} {title}; give one of them another key",
                first.0, first.1, second.0, second.1
            ));
        }
    }
    found.dedup();
    found
}

/// The row of the other views for the keys that act on a process in the table, as far as they have no meaning of
/// their own there.
fn process_first(drafts: &[Draft]) -> Option<Draft> {
    let nth = KEYS.iter().position(|row| row.action == Action::ProcessFirst)?;
    let is_taken = |key: &Key| {
        let there = drafts.iter().filter(|it| it.row.places.iter().any(|at| VIEWS.contains(at)));
        there.into_iter().any(|draft| draft.row.keys.contains(key))
    };
    let acts = |it: &&Draft| {
        // The rules, the sysctls and the palette belong to no process.
        it.row.places.contains(&KeyContext::Browse)
            && (it.row.action == Action::Persist
                || (it.row.action.opens_a_question() && it.row.action != Action::Redo))
    };
    let keys = drafts.iter().filter(acts).flat_map(|draft| draft.row.keys.iter().copied());
    let keys: Vec<Key> = keys.filter(|key| !is_taken(key)).collect();
    let row = KeyBinding { keys: Vec::leak(keys), ..KEYS[nth] };
    Some(Draft { nth, row, from: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::keymap::key::KeyCode;

    fn own(action: Action, keys: &[Key], line: u32) -> Rebinding {
        let place = format!("config.toml:{line}");
        Rebinding { group: KeyGroup::Views, action, keys: keys.to_vec(), place }
    }

    #[test]
    fn every_preset_is_free_of_conflicts_and_reaches_every_act() {
        for preset in KeyPreset::ALL {
            let keys = remapped(preset, &[]).unwrap_or_else(|faults| panic!("{faults:?}"));
            let acts = KEYS.iter().map(|row| row.action).filter(|action| action.opens_a_question());
            for action in acts {
                assert!(keys.key_of(KeyContext::Browse, action).is_some(), "{preset:?} {action:?}");
            }
            for action in [Action::Quit, Action::Help, Action::Back] {
                assert!(keys.key_of(KeyContext::Browse, action).is_some(), "{preset:?} {action:?}");
            }
        }
        let vim = remapped(KeyPreset::Vim, &[]).expect("vim");
        assert_eq!(vim.meaning(KeyContext::Browse, Key::char('k')), Some(Action::Up));
        assert_eq!(vim.meaning(KeyContext::Explain, Key::char('k')), Some(Action::Up));
        assert_eq!(vim.meaning(KeyContext::Memory, Key::char('K')), Some(Action::ProcessFirst));
        assert_eq!(vim.meaning(KeyContext::Memory, Key::char('k')), Some(Action::Up));
    }

    #[test]
    fn the_row_of_other_views_is_derived_as_the_table_has_it() {
        let mut derived = process_first(&drafts("")).expect("a row").row.keys.to_vec();
        let row = KEYS.iter().find(|row| row.action == Action::ProcessFirst).expect("a row");
        let mut table = row.keys.to_vec();
        let by_name = |key: &Key| key.to_string();
        derived.sort_by_key(by_name);
        table.sort_by_key(by_name);
        assert_eq!(derived, table);
    }

    #[test]
    fn a_conflict_names_both_places() {
        let sort = own(Action::SortRss, &[Key::char('q')], 3);
        let faults = remapped(KeyPreset::Htop, &[sort]).expect_err("q quits");
        assert!(
            faults[0].starts_with("config.toml:3: q means sort-rss and, by preset htop, quit"),
            "{faults:?}"
        );
        let two =
            [own(Action::SortRss, &[Key::alt('q')], 3), own(Action::SortCpu, &[Key::alt('q')], 4)];
        let faults = remapped(KeyPreset::Htop, &two).expect_err("the same key");
        assert!(
            faults[0].contains("config.toml:3") && faults[0].contains("config.toml:4"),
            "{faults:?}"
        );
        // The other one moves out of the way.
        let moved =
            [own(Action::SortRss, &[Key::char('m')], 1), own(Action::Header, &[Key::char('M')], 2)];
        let keys = remapped(KeyPreset::Htop, &moved).expect("no conflict");
        assert_eq!(keys.meaning(KeyContext::Browse, Key::char('m')), Some(Action::SortRss));
        assert_eq!(keys.meaning(KeyContext::Memory, Key::char('M')), Some(Action::Header));
    }

    #[test]
    fn no_key_both_opens_a_question_and_confirms_it() {
        for key in [Key::char('y'), Key::plain(KeyCode::Enter)] {
            for action in KeyGroup::Views.actions() {
                let faults = remapped(KeyPreset::Htop, &[own(action, &[key], 1)]);
                if action.opens_a_question() {
                    let faults = faults.expect_err("refused");
                    assert!(
                        faults.iter().any(|it| it.contains("also confirms the question that")),
                        "{faults:?}"
                    );
                }
            }
        }
        let keys =
            remapped(KeyPreset::Vim, &[own(Action::Sacrifice, &[Key::alt('s')], 1)]).expect("good");
        for (place, _) in KeyContext::ALL {
            let (before, after) = (Keymap::default(), keys);
            use KeyContext::{AdjRules, Adjust, Confirm, EndCard, Menu, Sysctl};
            if matches!(place, AdjRules | Adjust | Confirm | EndCard | Menu | Sysctl) {
                let names = |keys: Keymap| {
                    keys.keys_of(place)
                        .map(|row| (row.action, row.keys.to_vec()))
                        .collect::<Vec<_>>()
                };
                assert_eq!(names(before), names(after), "{place:?}");
            }
        }
        assert_eq!(keys.meaning(KeyContext::Browse, Key::char('X')), None);
        // On a page it keeps its key.
        assert_eq!(keys.meaning(KeyContext::Explain, Key::char('X')), Some(Action::Sacrifice));
    }

    #[test]
    fn every_key_of_the_table_is_read_as_it_is_shown() {
        for row in KEYS {
            for key in row.keys {
                assert_eq!(Key::parse(&key.to_string()), Some(*key), "{key}");
            }
        }
        assert_eq!(Key::parse("ctrl-A"), Some(Key::ctrl('a')));
        assert_eq!(Key::parse("Shift-F3"), Some(Key::shift(KeyCode::F(3))));
        assert_eq!(Key::parse("^"), Some(Key::char('^')));
        for wrong in ["", "^^a", "ctrl-i", "F0", "F99", "foo", "S-a", "ab"] {
            assert_eq!(Key::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn quit_and_help_keep_a_key_and_digits_their_meaning() {
        for (action, keys) in [(Action::Quit, &[][..]), (Action::SortRss, &[Key::char('5')])] {
            assert!(remapped(KeyPreset::Htop, &[own(action, keys, 1)]).is_err());
        }
    }
}
