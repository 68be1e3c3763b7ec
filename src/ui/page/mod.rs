//! Pages over the table, to read and to scroll.

pub(crate) mod adj_rules;
pub(crate) mod alarms;
pub(crate) mod bulk_result;
pub(crate) mod command_line;
pub(crate) mod commitments;
pub(crate) mod end_card;
pub(crate) mod explain;
pub(crate) mod fits;
pub(crate) mod help;
pub(crate) mod incident;
pub(crate) mod journal;
pub(crate) mod persist;
