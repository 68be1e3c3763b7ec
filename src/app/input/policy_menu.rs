//! Whose rule ranks: the list of policies, and what choosing one does.

use crate::app::dialog::menu::{Menu, MenuChoice, MenuItem};
use crate::app::dialog::mode::Mode;
use crate::app::{App, NoticeLevel, Request};
use crate::forecast::killer_opinion::all_policies;
use crate::policy::Policy;

impl App {
    /// Opens the list of policies, in the order in which `--policy` names them.
    pub(crate) fn open_policy_menu(&mut self) {
        let now = self.setup.policy;
        let items = self.policies().into_iter().map(|policy| MenuItem {
            label: policy.id().to_owned(),
            hint: policy.title().to_owned(),
            on: policy.id() == now.id(),
            choice: MenuChoice::Policy(policy.id()),
        });
        let mut menu = Menu::new("Whose rule ranks (v: the next)", items.collect());
        menu.narrows = true;
        self.mode = Mode::Menu(menu);
    }

    /// Every policy there is here: what stands in no table first (the site's own rule, and one that was
    /// made from a pattern), then the table.
    pub(crate) fn policies(&self) -> Vec<&'static dyn Policy> {
        let mut all = all_policies(self.setup.policy);
        let known = |own: &&dyn Policy| all.iter().any(|policy| policy.id() == own.id());
        if let Some(own) = self.site.filter(|own| !known(own)) {
            all.insert(0, own);
        }
        all
    }

    /// Ranks by the policy of this name, if there is one.
    pub(crate) fn choose_policy(&mut self, id: &str) -> Vec<Request> {
        let all = self.policies();
        let Some(chosen) = all.into_iter().find(|policy| policy.id() == id) else {
            return Vec::new();
        };
        self.set_policy(chosen);
        self.sample_again()
    }

    /// Ranks by this policy from now on.
    pub(crate) fn set_policy(&mut self, policy: &'static dyn Policy) {
        self.setup.policy = policy;
        self.rank_anew();
        self.arrange();
        self.say(NoticeLevel::Plain, format!("ranked by {}: {}", policy.id(), policy.title()));
        self.trouble = None;
        self.report_rule_errors();
    }
}
