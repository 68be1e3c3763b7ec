//! The parts of the screen around the view: layout, header, headline, footer.

pub(crate) mod footer;
pub(crate) mod header;
pub(crate) mod headline;
pub(crate) mod layout;
