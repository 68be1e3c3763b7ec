//! The menu of policies.

use crate::app::dialog::menu::{Menu, MenuChoice, MenuItem};
use crate::app::mode::Mode;
use crate::app::{App, Request};

impl App {
    /// Opens the menu of policies, in the order of `--policy`.
    pub(crate) fn open_policy_menu(&mut self) {
        let now = self.policy();
        let items = self.policies().into_iter().map(|policy| MenuItem {
            label: policy.id().to_owned(),
            hint: policy.title().to_owned(),
            on: policy.id() == now.id(),
            choice: MenuChoice::Policy(policy.id()),
        });
        let mut menu = Menu::new("Policy that ranks (v: the next)", items.collect());
        menu.narrows = true;
        self.mode = Mode::Menu(menu);
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
}
