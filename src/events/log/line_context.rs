//! What the lines before a line mean for it: the columns of a dump, and tables whose rows have no words of
//! their own.

/// What the lines before mean for the next one.
#[derive(Clone, Debug, Default)]
pub(super) struct LineContext {
    /// Columns of the open dump.
    pub columns: Option<Vec<String>>,
    /// The statistics of a memory cgroup follow, one key in a line.
    pub in_stat: bool,
    /// The table of slabs follows.
    pub in_slabs: bool,
}

/// What a line means for the lines after it.
#[derive(Clone, Debug)]
pub(super) enum ContextChange {
    Nothing,
    Columns(Vec<String>),
    Stat,
    Slabs,
    Anew,
    Other,
}

impl LineContext {
    /// Learns from a line that was read.
    pub fn learn(&mut self, change: ContextChange) {
        match change {
            ContextChange::Nothing => {}
            ContextChange::Columns(columns) => {
                *self = Self { columns: Some(columns), ..Self::default() };
            }
            ContextChange::Stat => self.in_stat = true,
            ContextChange::Slabs => self.in_slabs = true,
            ContextChange::Anew => *self = Self::default(),
            ContextChange::Other => (self.in_stat, self.in_slabs) = (false, false),
        }
    }
}
