//! Whose rule ranks: the list of policies, and what choosing one does.

use super::menu::{Choice, Item, Menu};
use super::mode::Mode;
use super::{App, Level, Request};
use crate::policy::{self, POLICIES, Policy};

impl App {
    /// Opens the list of policies, in the order in which `--policy` names them.
    pub(super) fn open_policy_menu(&mut self) {
        let now = self.setup.policy;
        // A rule made from a pattern stands in no table.
        let made = POLICIES.iter().all(|policy| policy.id() != now.id()).then_some(now);
        let items = made.into_iter().chain(POLICIES.iter().copied()).map(|policy| Item {
            label: policy.id().to_owned(),
            hint: policy.title().to_owned(),
            on: policy.id() == now.id(),
            choice: Choice::Policy(policy.id()),
        });
        let mut menu = Menu::new("Whose rule ranks (v: the next)", items.collect());
        menu.narrows = true;
        self.mode = Mode::Menu(menu);
    }

    /// Ranks by the policy of this name, if there is one.
    pub(super) fn choose_policy(&mut self, id: &str) -> Vec<Request> {
        let now = self.setup.policy;
        let chosen = if now.id() == id { Some(now) } else { policy::by_id(id) };
        let Some(chosen) = chosen else { return Vec::new() };
        self.set_policy(chosen);
        self.look_again()
    }

    /// Ranks by this policy from now on.
    pub(super) fn set_policy(&mut self, policy: &'static dyn Policy) {
        self.setup.policy = policy;
        self.rank();
        self.ranking_before = self.ranking.clone();
        self.arrange();
        self.arrange_groups();
        self.arrange_verdicts();
        self.say(Level::Plain, format!("ranked by {}: {}", policy.id(), policy.title()));
    }
}
