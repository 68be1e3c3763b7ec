//! A menu: sort column, user, signal, columns, policy, copy, palette.

use crate::app::keymap::bindings::Action;
use crate::app::keymap::presets::KeyPreset;
use crate::app::setup::ThemeName;
use crate::model::{ProcId, Scope, Signal};
use crate::units::Bytes;

/// What a choice does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MenuChoice {
    /// Sort by the column of this name.
    Sort(&'static str),
    /// Show only the processes of this user; nothing: of all.
    User(Option<String>),
    /// Open the dialog of this signal for this process.
    Signal(ProcId, Signal),
    /// Open the dialog that kills all processes of this cgroup.
    KillCgroup(String),
    /// Show or hide the column of this name.
    Column(&'static str),
    /// Copy this text.
    Copy(String),
    /// Rank this domain.
    Scope(Scope),
    /// Rank by the policy of this name.
    Policy(&'static str),
    /// Show these colours.
    Theme(ThemeName),
    /// Use this set of keys.
    Preset(KeyPreset),
    /// Open the list of sets of keys.
    Presets,
    /// Write the settings to the user's file.
    SaveSettings,
    /// Carry out this action.
    Act(Action),
    /// Ask whether so much more memory would fit: this is no size.
    AskFits(String),
    /// Answer whether so much more memory would fit.
    Fits(Bytes),
}

/// A line of a menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuItem {
    /// Its name.
    pub label: String,
    /// A remark.
    pub hint: String,
    /// Whether it is on.
    pub on: bool,
    /// What it does when it is chosen.
    pub choice: MenuChoice,
}

impl MenuItem {
    /// Whether Space switches it.
    #[must_use]
    pub fn can_switch(&self) -> bool {
        matches!(self.choice, MenuChoice::Column(_) | MenuChoice::Act(Action::Mouse))
    }
}

/// A menu.
#[derive(Clone, Debug)]
pub struct Menu {
    /// Its title.
    pub title: String,
    /// Its lines.
    pub items: Vec<MenuItem>,
    /// The cursor, among the lines that match.
    pub at: usize,
    /// The text that narrows it, where it can be narrowed.
    pub typed: String,
    /// Whether typing narrows it.
    pub narrows: bool,
    /// Whether Space switches lines on and off.
    pub toggles: bool,
    /// Whether what is typed may be an action with a value.
    pub commands: bool,
    /// The theme from before the menu that shows the one under its cursor.
    pub theme_before: Option<ThemeName>,
}

impl Menu {
    /// A menu with the cursor on the first line that is on.
    #[must_use]
    pub fn new(title: impl Into<String>, items: Vec<MenuItem>) -> Self {
        let at = items.iter().position(|item| item.on).unwrap_or(0);
        Self {
            title: title.into(),
            items,
            at,
            typed: String::new(),
            narrows: false,
            toggles: false,
            commands: false,
            theme_before: None,
        }
    }

    /// The lines that match the text, first those that begin with it.
    pub fn matching(&self) -> impl Iterator<Item = &MenuItem> {
        let typed = self.typed.to_lowercase();
        let begins = move |item: &&MenuItem| item.label.to_lowercase().starts_with(&typed);
        let typed = self.typed.to_lowercase();
        let inside = move |item: &&MenuItem| {
            let (label, hint) = (item.label.to_lowercase(), item.hint.to_lowercase());
            !label.starts_with(&typed) && (label.contains(&typed) || hint.contains(&typed))
        };
        self.items.iter().filter(begins).chain(self.items.iter().filter(inside))
    }

    /// The line under the cursor.
    #[must_use]
    pub fn chosen(&self) -> Option<&MenuItem> {
        self.matching().nth(self.at)
    }

    /// Whether it is the menu of policies, and nothing was typed yet.
    #[must_use]
    pub fn cycles_policies(&self) -> bool {
        let policies = |item: &MenuItem| matches!(item.choice, MenuChoice::Policy(_));
        self.typed.is_empty() && self.items.first().is_some_and(policies)
    }

    /// Goes to the next line; after the last to the first.
    pub fn cycle(&mut self) {
        self.at = (self.at + 1) % self.matching().count().max(1);
    }

    /// Moves the cursor by `by` lines.
    pub fn step(&mut self, by: isize) {
        let last = self.matching().count().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
    }
}
