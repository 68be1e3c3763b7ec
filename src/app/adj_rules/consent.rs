//! The consent to adj rules, and the dialog that gives it.

use std::sync::Arc;

use crate::app::keymap::press_time::{KeyPress, ShownSince};
use crate::policy::site::AdjRules;
use crate::units::Adj;

/// The consent to these rules, for every process that they will match. Only
/// `RuleConsentDialog::agree` makes one, and it cannot be copied.
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

/// The dialog that asks whether to switch the rules on.
#[derive(Clone, Debug)]
pub struct RuleConsentDialog {
    /// The name of the file.
    pub file: String,
    /// For each rule: its description, its value, and the number of values it would write now.
    pub lines: Vec<(String, Adj, usize)>,
    /// The number of values that would be written now: the user types it to confirm.
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

    /// The consent, where the count was typed and the key was pressed after the dialog was seen.
    pub(crate) fn agree(&self, press: KeyPress) -> Option<RuleConsent> {
        let agreed = self.shown.confirms_at(press) && self.typed.parse() == Ok(self.count);
        agreed.then(|| RuleConsent { rules: Arc::clone(&self.rules) })
    }
}
