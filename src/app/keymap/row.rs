//! A row of the table of keys, and the contexts in which keys are looked up.

use crate::app::keymap::action::Action;
use crate::app::keymap::key::{Key, KeyCode};

/// Where a key has its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyContext {
    /// The table of processes.
    Browse,
    /// The tree of memory cgroups.
    Cgroups,
    /// The list of policies and their verdicts.
    Verdicts,
    /// The machine's memory through time.
    Memory,
    /// What happened.
    Events,
    /// The editor of oom_score_adj.
    Adjust,
    /// The editor of the kernel's switches.
    Sysctl,
    /// The page of the rules of adj.
    AdjRules,
    /// A dialog that asks before it acts.
    Confirm,
    /// A list to choose from.
    Menu,
    /// A page to read: help, explain.
    Page,
    /// The journal of the session.
    Journal,
    /// The page that tells how to keep a value.
    Persist,
}

/// A row of the table of keys.
#[derive(Clone, Copy, Debug)]
pub struct KeyBinding {
    /// Where: in one place, or in several that share it.
    pub places: &'static [KeyContext],
    /// Which keys.
    pub keys: &'static [Key],
    /// What they mean.
    pub action: Action,
    /// In the function bar (short); empty: not there.
    pub label: &'static str,
    /// In help, palette and README.
    pub help: &'static str,
}

pub(in crate::app::keymap) const fn c(c: char) -> Key {
    Key::char(c)
}

pub(in crate::app::keymap) const fn k(code: KeyCode) -> Key {
    Key::plain(code)
}

pub(in crate::app::keymap) const fn row(
    places: &'static [KeyContext],
    keys: &'static [Key],
    action: Action,
    label: &'static str,
    help: &'static str,
) -> KeyBinding {
    KeyBinding { places, keys, action, label, help }
}

/// The table of processes, and the views beside it.
pub(in crate::app::keymap) const EVERYWHERE: &[KeyContext] = &[
    KeyContext::Browse,
    KeyContext::Cgroups,
    KeyContext::Verdicts,
    KeyContext::Memory,
    KeyContext::Events,
];
/// The same, and pages over them.
pub(in crate::app::keymap) const EVERYWHERE_AND_PAGES: &[KeyContext] = &[
    KeyContext::Browse,
    KeyContext::Cgroups,
    KeyContext::Verdicts,
    KeyContext::Memory,
    KeyContext::Events,
    KeyContext::Page,
];
/// The views beside the table.
pub(in crate::app::keymap) const VIEWS: &[KeyContext] =
    &[KeyContext::Cgroups, KeyContext::Verdicts, KeyContext::Memory, KeyContext::Events];
pub(in crate::app::keymap) const MEMORY: &[KeyContext] = &[KeyContext::Memory];
pub(in crate::app::keymap) const EVENTS: &[KeyContext] = &[KeyContext::Events];
pub(in crate::app::keymap) const BROWSE: &[KeyContext] = &[KeyContext::Browse];
pub(in crate::app::keymap) const CGROUPS: &[KeyContext] = &[KeyContext::Cgroups];
pub(in crate::app::keymap) const VERDICTS: &[KeyContext] = &[KeyContext::Verdicts];
pub(in crate::app::keymap) const EDIT: &[KeyContext] = &[KeyContext::Adjust];
pub(in crate::app::keymap) const KNOBS: &[KeyContext] = &[KeyContext::Sysctl];
pub(in crate::app::keymap) const RULES: &[KeyContext] = &[KeyContext::AdjRules];
pub(in crate::app::keymap) const CONFIRM: &[KeyContext] = &[KeyContext::Confirm];
pub(in crate::app::keymap) const MENU: &[KeyContext] = &[KeyContext::Menu];
pub(in crate::app::keymap) const PAGE: &[KeyContext] = &[KeyContext::Page];
pub(in crate::app::keymap) const JOURNAL: &[KeyContext] = &[KeyContext::Journal];
pub(in crate::app::keymap) const KEEP: &[KeyContext] = &[KeyContext::Persist];
/// The pages with a cursor.
pub(in crate::app::keymap) const LISTS: &[KeyContext] = &[KeyContext::Journal, KeyContext::Persist];
