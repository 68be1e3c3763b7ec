//! Keys: each key goes to the focused mode, which changes the state or opens a dialog.

pub(crate) mod dialog;
pub(crate) mod dispatch;
pub(crate) mod global;
pub(crate) mod kill_banner;
pub(crate) mod may_act;
pub(crate) mod menu;
pub(crate) mod mouse;
pub(crate) mod page;
pub(crate) mod prompt;
pub(crate) mod protection;
pub(crate) mod sort;
pub(crate) mod time;
pub(crate) mod view;
