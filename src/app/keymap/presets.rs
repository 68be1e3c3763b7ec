//! Presets of keys for users of other programs. Each is a list of changes to the table.

use crate::app::keymap::action::Action;
use crate::app::keymap::group::KeyGroup;
use crate::app::keymap::key::{Key, KeyCode};
use crate::app::keymap::row::{c, k};

/// A change of the table: the keys of an action in the views or on the pages.
pub type PresetRow = (KeyGroup, Action, &'static [Key]);

/// A set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum KeyPreset {
    /// The table as it is: the keys of htop.
    #[default]
    Htop,
    /// h, j, k and l move.
    Vim,
    /// Letters of procps top.
    Top,
}

impl KeyPreset {
    /// Every preset.
    pub const ALL: [Self; 3] = [Self::Htop, Self::Vim, Self::Top];

    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Htop => "htop",
            Self::Vim => "vim",
            Self::Top => "top",
        }
    }

    /// One line about it.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Htop => "the keys of htop",
            Self::Vim => {
                "h j k l move; K signals, H helps, L goes to now, N finds the previous match"
            }
            Self::Top => "r adjusts, L finds, s sets the delay, z changes the colours",
        }
    }

    /// What it changes.
    #[must_use]
    pub const fn rows(self) -> &'static [PresetRow] {
        match self {
            Self::Htop => &[],
            Self::Vim => VIM,
            Self::Top => TOP,
        }
    }
}

const VIM: &[PresetRow] = &[
    (KeyGroup::Views, Action::Up, &[k(KeyCode::Up), c('k')]),
    (KeyGroup::Views, Action::Down, &[k(KeyCode::Down), c('j')]),
    (KeyGroup::Views, Action::ColumnsLeft, &[k(KeyCode::Left), c('h')]),
    (KeyGroup::Views, Action::ColumnsRight, &[k(KeyCode::Right), c('l')]),
    (KeyGroup::Views, Action::SignalMenu, &[k(KeyCode::F(9)), c('K')]),
    (KeyGroup::Views, Action::KernelThreads, &[Key::alt('k')]),
    (KeyGroup::Views, Action::Help, &[k(KeyCode::F(1)), c('?'), c('H')]),
    (KeyGroup::Views, Action::Threads, &[]),
    (KeyGroup::Views, Action::NotVim, &[]),
    (KeyGroup::Views, Action::Now, &[c('L')]),
    (KeyGroup::Views, Action::SearchPrevious, &[c('N'), Key::shift(KeyCode::F(3))]),
    (KeyGroup::Views, Action::SortPid, &[]),
    (KeyGroup::Pages, Action::Up, &[k(KeyCode::Up), c('k')]),
    (KeyGroup::Pages, Action::Down, &[k(KeyCode::Down), c('j')]),
    (KeyGroup::Pages, Action::SignalMenu, &[k(KeyCode::F(9)), c('K')]),
];

const TOP: &[PresetRow] = &[
    (KeyGroup::Views, Action::Adjust, &[c('a'), c('r')]),
    (KeyGroup::Views, Action::Revert, &[Key::alt('z')]),
    (KeyGroup::Views, Action::Search, &[k(KeyCode::F(3)), c('/'), c('L')]),
    (KeyGroup::Views, Action::Delay, &[c('d'), c('s')]),
    (KeyGroup::Views, Action::ScopeMenu, &[Key::alt('s')]),
    (KeyGroup::Views, Action::ThemeMenu, &[Key::alt('t'), c('z')]),
    (KeyGroup::Views, Action::Pause, &[c('Z')]),
];
