//! The dialog before an act on several processes: it lists every one of them, and only its own
//! confirmation releases the intents.

use crate::app::keymap::press::ShownSince;
use crate::intent::Intent;
use crate::model::ProcId;
use crate::units::Millis;

/// What it takes to confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BulkConsent {
    /// Enter.
    Enter,
    /// The count of those that are touched, typed so far, then Enter.
    Count(String),
}

/// One process of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkItem {
    /// Who.
    pub who: ProcId,
    /// The name the user saw.
    pub name: String,
    /// What happens to it; or why it is left alone.
    pub what: String,
    /// The wish; nothing where it is left alone, or where one wish is about all.
    pub intent: Option<Intent>,
}

/// The dialog.
#[derive(Clone, Debug)]
pub struct BulkDialog {
    /// The question: `Set oom_score_adj of 3 processes of this name?`
    pub title: String,
    /// Those that are reached.
    pub items: Vec<BulkItem>,
    /// What it takes.
    pub consent: BulkConsent,
    /// Whether something is lost by it: the frame says so.
    pub grave: bool,
    /// What else there is to know, a line each.
    pub notes: Vec<String>,
    /// The one wish about all of them, in place of one for each.
    pub whole: Option<Intent>,
    /// The first item on the screen.
    pub top: usize,
    /// So many items were on the screen, from the first one on.
    pub seen: usize,
    /// Since when it is on the screen.
    pub shown: ShownSince,
}

impl BulkDialog {
    /// Opens it.
    #[must_use]
    pub fn new(title: impl Into<String>, items: Vec<BulkItem>, consent: BulkConsent) -> Self {
        Self {
            title: title.into(),
            items,
            grave: matches!(consent, BulkConsent::Count(_)),
            consent,
            notes: Vec::new(),
            whole: None,
            top: 0,
            seen: 0,
            shown: ShownSince::default(),
        }
    }

    /// Whether something happens to this one.
    #[must_use]
    pub const fn touches(&self, item: &BulkItem) -> bool {
        self.whole.is_some() || item.intent.is_some()
    }

    /// How many are touched.
    #[must_use]
    pub fn touched(&self) -> usize {
        self.items.iter().filter(|item| self.touches(item)).count()
    }

    /// Whether what was typed is enough.
    #[must_use]
    pub fn is_agreed(&self) -> bool {
        match &self.consent {
            BulkConsent::Enter => true,
            BulkConsent::Count(typed) => typed.parse() == Ok(self.touched()),
        }
    }

    /// A digit of the count.
    pub fn push(&mut self, digit: char) {
        if let BulkConsent::Count(typed) = &mut self.consent
            && typed.len() < 7
        {
            typed.push(digit);
        }
    }

    /// Takes the last digit back.
    pub fn pop(&mut self) {
        if let BulkConsent::Count(typed) = &mut self.consent {
            typed.pop();
        }
    }

    /// Notes a picture with so many items on it.
    pub fn drawn(&mut self, at: Millis, whole: bool, page: u16) {
        if whole {
            self.seen = self.seen.max(self.top + usize::from(page));
        }
        self.shown.drawn(at, whole);
    }

    /// How many nobody has seen yet: a count that is typed speaks for them, Enter does not.
    #[must_use]
    pub fn unseen(&self) -> usize {
        match self.consent {
            BulkConsent::Enter => self.items.len().saturating_sub(self.seen),
            BulkConsent::Count(_) => 0,
        }
    }

    /// Scrolls the list by so many items; `page` of them are on the screen.
    pub fn scroll(&mut self, by: isize, page: u16) {
        let last = self.items.len().saturating_sub(usize::from(page).max(1));
        self.top = self.top.saturating_add_signed(by).min(last);
    }

    /// The wishes, once they were confirmed.
    pub fn intents(&self) -> impl Iterator<Item = Intent> {
        let each = self.items.iter().filter(|_| self.whole.is_none());
        self.whole.iter().chain(each.filter_map(|item| item.intent.as_ref())).cloned()
    }
}
