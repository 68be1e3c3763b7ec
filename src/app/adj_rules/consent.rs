//! The consent to adj rules, and the dialog that gives it.

use std::sync::Arc;

use crate::app::keymap::press::{KeyPress, ShownSince};
use crate::policy::site::AdjRules;
use crate::units::Adj;

/// The consent that was given once for these rules, whoever they will mean. Nothing but
/// `Ask::agree` makes one, and there is no second of it.
#[derive(Debug)]
pub struct RuleConsent {
    rules: Arc<AdjRules>,
}

impl RuleConsent {
    /// The rules that it was given for.
    #[must_use]
    pub const fn rules(&self) -> &Arc<AdjRules> {
        &self.rules
    }
}

/// The dialog that asks whether the rules shall be carried out from now on.
#[derive(Clone, Debug)]
pub struct RuleConsentDialog {
    /// The file's name.
    pub file: String,
    /// For each rule: what it is for, the value, and how many it would write now.
    pub lines: Vec<(String, Adj, usize)>,
    /// How many would be written now: this is what is typed.
    pub count: usize,
    /// Typed so far.
    pub typed: String,
    /// Since when it is on the screen.
    pub shown: ShownSince,
    rules: Arc<AdjRules>,
}

impl RuleConsentDialog {
    pub(crate) fn new(
        file: String,
        lines: Vec<(String, Adj, usize)>,
        count: usize,
        rules: Arc<AdjRules>,
    ) -> Self {
        Self { file, lines, count, typed: String::new(), shown: ShownSince::default(), rules }
    }

    /// The consent, where the count was typed and the key pressed with all of it in view.
    pub(crate) fn agree(&self, press: KeyPress) -> Option<RuleConsent> {
        let agreed = self.shown.confirms_at(press) && self.typed.parse() == Ok(self.count);
        agreed.then(|| RuleConsent { rules: Arc::clone(&self.rules) })
    }
}
