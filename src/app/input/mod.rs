//! Keys as they arrive: which handler receives them.

pub(crate) mod browse;
pub(crate) mod dialogs;
pub(crate) mod menus;
pub(crate) mod policy_menu;
