//! The parts of the screen around the view: layout, header, status line and function bar.

pub(crate) mod alignment;
pub(crate) mod facts;
pub(crate) mod function_bar;
pub(crate) mod header;
pub(crate) mod headline;
pub(crate) mod kill_banner;
pub(crate) mod layout;
pub(crate) mod machine_lines;
pub(crate) mod meters;
pub(crate) mod nearest_limit;
pub(crate) mod note;
pub(crate) mod psi;
pub(crate) mod status_line;
pub(crate) mod title;
pub(crate) mod warnings;
