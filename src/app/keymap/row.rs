//! A row of the table of keys, and the contexts in which keys are looked up.

use crate::app::keymap::action::Action;
use crate::app::keymap::key::{Key, KeyCode};

/// A context in which keys have their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyContext {
    /// The table of processes.
    Browse,
    /// The tree of memory cgroups.
    Cgroups,
    /// The policies and their verdicts.
    Verdicts,
    /// The machine's memory over time.
    Memory,
    /// OOM events.
    Events,
    /// The adj editor.
    Adjust,
    /// The sysctl editor.
    Sysctl,
    /// The page of adj rules.
    AdjRules,
    /// A dialog that asks before it acts.
    Confirm,
    /// A menu.
    Menu,
    /// The page about a process: why it has its rank.
    Explain,
    /// The page about a kill.
    Incident,
    /// The help.
    Help,
    /// Any other page that is only read.
    Page,
    /// The journal of the session.
    Journal,
    /// The page that shows how to make a value persistent.
    Persist,
    /// The page of the alarms.
    Alarms,
    /// The page about what fits.
    Fits,
    /// The page at the end of the demo.
    EndCard,
}

impl KeyContext {
    /// All contexts, in the order of help and documentation, with the heading of each.
    pub const ALL: [(Self, &str); 19] = [
        (Self::Browse, "In the Processes view"),
        (Self::Cgroups, "In the Cgroups view"),
        (Self::Verdicts, "In the Verdicts view"),
        (Self::Memory, "In the Memory view"),
        (Self::Events, "In the Events view"),
        (Self::Adjust, "In the editor of oom_score_adj"),
        (Self::Sysctl, "In the editor of the sysctls"),
        (Self::AdjRules, "On the page of the adj rules"),
        (Self::Confirm, "In a confirmation"),
        (Self::Menu, "In a list"),
        (Self::Explain, "On the page that explains a process"),
        (Self::Incident, "On the page about a kill"),
        (Self::Help, "In the help"),
        (Self::Page, "On another page to read"),
        (Self::Journal, "In the journal"),
        (Self::Persist, "On the page of the ways to make a value persistent"),
        (Self::Alarms, "On the page of the alarms"),
        (Self::Fits, "On the page about what fits"),
        (Self::EndCard, "At the end of the demo"),
    ];
}

/// A row of the table of keys.
#[derive(Clone, Copy, Debug)]
pub struct KeyBinding {
    /// The contexts in which it applies.
    pub places: &'static [KeyContext],
    /// The keys.
    pub keys: &'static [Key],
    /// Their meaning.
    pub action: Action,
    /// The label in the function bar; empty where it is not there.
    pub label: &'static str,
    /// The text in help, palette and README.
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
/// The same, and the pages over them.
pub(in crate::app::keymap) const EVERYWHERE_AND_PAGES: &[KeyContext] = &[
    KeyContext::Browse,
    KeyContext::Cgroups,
    KeyContext::Verdicts,
    KeyContext::Memory,
    KeyContext::Events,
    KeyContext::Explain,
    KeyContext::Incident,
    KeyContext::Help,
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
pub(in crate::app::keymap) const SYSCTL: &[KeyContext] = &[KeyContext::Sysctl];
pub(in crate::app::keymap) const RULES: &[KeyContext] = &[KeyContext::AdjRules];
pub(in crate::app::keymap) const CONFIRM: &[KeyContext] = &[KeyContext::Confirm];
pub(in crate::app::keymap) const MENU: &[KeyContext] = &[KeyContext::Menu];
/// The pages that are only read and scrolled.
pub(in crate::app::keymap) const PAGES: &[KeyContext] =
    &[KeyContext::Explain, KeyContext::Incident, KeyContext::Help, KeyContext::Page];
/// The pages and dialogs that the help explains.
pub(in crate::app::keymap) const EXPLAINED: &[KeyContext] = &[
    KeyContext::Adjust,
    KeyContext::Sysctl,
    KeyContext::AdjRules,
    KeyContext::Confirm,
    KeyContext::Menu,
    KeyContext::Explain,
    KeyContext::Incident,
    KeyContext::Page,
    KeyContext::Journal,
    KeyContext::Persist,
    KeyContext::Alarms,
    KeyContext::Fits,
];
pub(in crate::app::keymap) const EXPLAIN: &[KeyContext] = &[KeyContext::Explain];
pub(in crate::app::keymap) const INCIDENT: &[KeyContext] = &[KeyContext::Incident];
pub(in crate::app::keymap) const HELP: &[KeyContext] = &[KeyContext::Help];
pub(in crate::app::keymap) const JOURNAL: &[KeyContext] = &[KeyContext::Journal];
pub(in crate::app::keymap) const PERSIST: &[KeyContext] = &[KeyContext::Persist];
pub(in crate::app::keymap) const END_CARD: &[KeyContext] = &[KeyContext::EndCard];
/// The pages with a cursor.
pub(in crate::app::keymap) const LISTS: &[KeyContext] =
    &[KeyContext::Journal, KeyContext::Persist, KeyContext::Alarms, KeyContext::Fits];
pub(in crate::app::keymap) const FITS: &[KeyContext] = &[KeyContext::Fits];
pub(in crate::app::keymap) const ALARMS: &[KeyContext] = &[KeyContext::Alarms];
