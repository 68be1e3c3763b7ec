//! A compiled expression.

use crate::policy::site::diagnostic::{ExprDiagnostic, Location};
use crate::policy::site::expr::check::{AllowedFacts, Checker};
use crate::policy::site::expr::parser::parse;
use crate::policy::site::expr::typed::TypedExpr;
use crate::policy::site::facts::{Fact, FactView};
use crate::policy::site::value::{EvalError, Value, ValueType};

/// A compiled expression: its type is known, and it can be evaluated for any process.
pub struct Expression {
    root: TypedExpr,
    kind: ValueType,
    steps: usize,
    facts: Vec<&'static Fact>,
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a {} in {} steps", self.kind.word(), self.steps)
    }
}

impl Expression {
    /// Compiles a text. `locate` maps a byte of the text to its location in the file.
    ///
    /// # Errors
    /// The first error in the text.
    pub(crate) fn compile(
        text: &str,
        allowed: AllowedFacts,
        locate: &dyn Fn(usize) -> Location,
    ) -> Result<Self, ExprDiagnostic> {
        let tree = parse(text)?;
        let mut checker = Checker::new(allowed, locate);
        let (root, kind) = checker.check(&tree)?;
        Ok(Self { root, kind, steps: checker.steps, facts: checker.facts })
    }

    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> ValueType {
        self.kind
    }

    /// Maximum number of steps of one evaluation.
    #[must_use]
    pub const fn steps(&self) -> usize {
        self.steps
    }

    /// The facts that it reads.
    #[must_use]
    pub fn facts(&self) -> &[&'static Fact] {
        &self.facts
    }

    /// Evaluates it for one process.
    ///
    /// # Errors
    /// A fact is absent, a computation fails, or the budget is spent.
    pub fn value<'a>(&'a self, view: &FactView<'a>) -> Result<Value<'a>, EvalError> {
        self.root.value(view)
    }

    /// Evaluates a condition for one process.
    ///
    /// # Errors
    /// As [`Expression::value`].
    pub fn holds(&self, view: &FactView<'_>) -> Result<bool, EvalError> {
        self.root.holds(view)
    }
}
