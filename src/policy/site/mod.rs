//! Rules of a site, from the text of a file: which processes to spare, which to prefer, and an
//! expression for the points (`assets/docs/site-policy.md`); or which `oom_score_adj` processes are to have
//! (`assets/docs/adj-rules.md`). [`FACTS`] is the table of what an expression can use.
//!
//! A rule file may be hostile, so its cost is bounded before it runs. The parser limits length and
//! depth. Names and types are resolved when the file is loaded, and the only loops (`exists`, `all`) run
//! over literal lists and are unrolled, so an expression has at most [`STEPS`] steps. A step may still
//! cost more for a longer name or pattern, so each process has a share of [`EvalBudget::REFRESH`], which is
//! counted, not timed. A process whose share is spent is spared. Evaluation cannot panic: an overflow, a
//! division by zero or an absent fact is an [`EvalError`]; the process is spared and the error shown.
//!
//! This room opens no files: the shell reads the text, watches the file, and loads new versions.

pub(crate) mod adj_rules;
pub(crate) mod diagnostic;
pub(crate) mod expr;
mod facts;
mod matcher;
mod rule_file;
mod site_policy;
mod toml_reader;
mod value;

pub use adj_rules::{AdjRule, AdjRules, RuleMatch, RuleSubject};
pub use diagnostic::{Diagnostic, Location, suggestion};
pub use expr::check::STEPS;
pub use expr::expression::Expression;
pub use facts::{FACTS, FAMILIES, Fact, FactCost, FactSource, FactView, table};
pub use matcher::{Glob, Matcher};
pub use site_policy::{SitePolicy, SiteRule, troubles};
pub use toml_reader::LARGEST;
pub use value::{EvalBudget, EvalError, EvalFailure, Value, ValueType};
