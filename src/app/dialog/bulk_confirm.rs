//! The dialog before an act on several processes. It lists all of them; only its own confirmation sends
//! the intents.

use crate::app::keymap::press_time::ShownSince;
use crate::intent::Intent;
use crate::model::ProcId;
use crate::units::Millis;

/// What it takes to confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BulkConsent {
    /// Enter.
    Enter,
    /// The number of processes that are acted on, typed so far, then Enter.
    Count(String),
}

/// A process of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkItem {
    /// The process.
    pub who: ProcId,
    /// The name the user saw.
    pub name: String,
    /// What happens to it, or why it is left alone.
    pub what: String,
    /// Its intent; nothing where it is left alone, or where one intent is about all.
    pub intent: Option<Intent>,
}

/// The dialog.
#[derive(Clone, Debug)]
pub struct BulkDialog {
    /// The question: `Set oom_score_adj of 3 processes of this name?`
    pub title: String,
    /// The processes.
    pub items: Vec<BulkItem>,
    /// What it takes to confirm.
    pub consent: BulkConsent,
    /// Whether the act is destructive: the frame shows it.
    pub destructive: bool,
    /// Notes, a line each.
    pub notes: Vec<String>,
    /// One intent about all of them, in place of one for each.
    pub whole: Option<Intent>,
    /// The first item on the screen.
    pub top: usize,
    /// Number of items that have been on the screen, from the first one on.
    pub seen: usize,
    /// Since when it is on the screen.
    pub shown: ShownSince,
}

impl BulkDialog {
    /// Opens the dialog.
    #[must_use]
    pub fn new(title: impl Into<String>, items: Vec<BulkItem>, consent: BulkConsent) -> Self {
        Self {
            title: title.into(),
            items,
            destructive: matches!(consent, BulkConsent::Count(_)),
            consent,
            notes: Vec::new(),
            whole: None,
            top: 0,
            seen: 0,
            shown: ShownSince::default(),
        }
    }

    /// Whether this process is acted on.
    #[must_use]
    pub const fn touches(&self, item: &BulkItem) -> bool {
        self.whole.is_some() || item.intent.is_some()
    }

    /// Number of processes that are acted on.
    #[must_use]
    pub fn touched(&self) -> usize {
        self.items.iter().filter(|item| self.touches(item)).count()
    }

    /// Whether the typed count is right, where one is needed.
    #[must_use]
    pub fn is_agreed(&self) -> bool {
        match &self.consent {
            BulkConsent::Enter => true,
            BulkConsent::Count(typed) => typed.parse() == Ok(self.touched()),
        }
    }

    /// Adds a digit of the count.
    pub fn push(&mut self, digit: char) {
        if let BulkConsent::Count(typed) = &mut self.consent
            && typed.len() < 7
        {
            typed.push(digit);
        }
    }

    /// Removes the last digit.
    pub fn pop(&mut self) {
        if let BulkConsent::Count(typed) = &mut self.consent {
            typed.pop();
        }
    }

    /// Notes a frame with `page` items on it.
    pub fn drawn(&mut self, at: Millis, whole: bool, page: u16) {
        if whole {
            self.seen = self.seen.max(self.top + usize::from(page));
        }
        self.shown.drawn(at, whole);
    }

    /// Number of items that have not been on the screen. A typed count confirms them too, Enter alone
    /// does not.
    #[must_use]
    pub fn unseen(&self) -> usize {
        match self.consent {
            BulkConsent::Enter => self.items.len().saturating_sub(self.seen),
            BulkConsent::Count(_) => 0,
        }
    }

    /// Scrolls the list by `by` items; `page` of them are on the screen.
    pub fn scroll(&mut self, by: isize, page: u16) {
        let last = self.items.len().saturating_sub(usize::from(page).max(1));
        self.top = self.top.saturating_add_signed(by).min(last);
    }

    /// The intents, to be sent once they were confirmed.
    pub fn intents(&self) -> impl Iterator<Item = Intent> {
        let each = self.items.iter().filter(|_| self.whole.is_none());
        self.whole.iter().chain(each.filter_map(|item| item.intent.as_ref())).cloned()
    }
}
