//! Evaluates a typed tree for one process. Each step is paid for from the [`EvalBudget`], so an
//! evaluation always ends; it allocates only for texts that need escapes, and cannot panic.
//!
//! [`EvalBudget`]: crate::policy::site::value::EvalBudget

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::policy::site::expr::syntax::Operator;
use crate::policy::site::expr::typed::{Search, Subject, TypedExpr, TypedNode};
use crate::policy::site::facts::{Fact, FactSource, FactView};
use crate::policy::site::value::{EvalError, EvalFailure, Value};

impl TypedExpr {
    fn error(&self, why: EvalFailure) -> EvalError {
        EvalError { location: self.location, why }
    }

    pub(crate) fn holds(&self, view: &FactView<'_>) -> Result<bool, EvalError> {
        match self.value(view)? {
            Value::Bool(value) => Ok(value),
            _ => Err(self.error(EvalFailure::Range)),
        }
    }

    fn read<'a>(subject: Subject, fact: &Fact, view: &FactView<'a>) -> Option<Value<'a>> {
        let of = match subject {
            Subject::Judged => view.process,
            Subject::Victim => view.victim?,
        };
        let found = match fact.source {
            FactSource::Own(get) => get(of, view),
            FactSource::Scene(get) => {
                view.budget.spend(20);
                get(of, view)
            }
            FactSource::Machine(get) => get(view.scene?),
        };
        view.budget.spend(match &found {
            Some(Value::Text(text)) => 5 + text.len() as u64 / 16,
            _ => 1,
        });
        found
    }

    /// Takes units from the budget.
    fn charge(&self, view: &FactView<'_>, units: u64) -> Result<(), EvalError> {
        if view.budget.spend(units) { Ok(()) } else { Err(self.error(EvalFailure::Costs)) }
    }

    pub(crate) fn value<'a>(&'a self, view: &FactView<'a>) -> Result<Value<'a>, EvalError> {
        if !view.budget.spend(1) {
            return Err(self.error(EvalFailure::Costs));
        }
        Ok(match &self.node {
            TypedNode::Bool(value) => Value::Bool(*value),
            TypedNode::Int(value) => Value::Int(*value),
            TypedNode::Double(value) => Value::Double(*value),
            TypedNode::Text(value) => Value::text(value),
            TypedNode::Fact(subject, fact) => Self::read(*subject, fact, view)
                .ok_or_else(|| self.error(EvalFailure::Absent(fact.path)))?,
            TypedNode::Has(subject, fact) => {
                Value::Bool(Self::read(*subject, fact, view).is_some())
            }
            TypedNode::Not(inner) => Value::Bool(!inner.holds(view)?),
            TypedNode::Negative(inner) => match inner.value(view)? {
                Value::Int(value) => Value::Int(
                    value.checked_neg().ok_or_else(|| self.error(EvalFailure::Overflow))?,
                ),
                Value::Double(value) => Value::Double(-value),
                other => other,
            },
            TypedNode::Chain { and, parts } => Value::Bool(chain(*and, parts, view)?),
            TypedNode::Compare(operator, left, right) => {
                let order = left.value(view)?.compare(&right.value(view)?);
                Value::Bool(compares(*operator, order))
            }
            TypedNode::Arithmetic(operator, left, right) => {
                self.arithmetic(*operator, left.value(view)?, right.value(view)?)?
            }
            TypedNode::If(condition, then, other) => {
                (if condition.holds(view)? { then } else { other }).value(view)?
            }
            TypedNode::In(one, all) => {
                // Evaluates every element, because one that fails makes the whole list fail.
                let (one, mut found) = (one.value(view)?, false);
                for other in all {
                    found |= one.compare(&other.value(view)?).is_some_and(|order| order.is_eq());
                }
                Value::Bool(found)
            }
            TypedNode::After(all, then) => {
                for one in all {
                    one.value(view)?;
                }
                then.value(view)?
            }
            TypedNode::Search(search, text, needle) => {
                let (text, needle) = (text.text(view)?, needle.text(view)?);
                self.charge(view, 2 + (text.len() + needle.len()) as u64 / 4)?;
                Value::Bool(match search {
                    Search::Start => text.starts_with(&*needle),
                    Search::End => text.ends_with(&*needle),
                    Search::Anywhere => text.contains(&*needle),
                })
            }
            TypedNode::Matches(text, pattern, cost) => {
                let text = text.text(view)?;
                self.charge(view, 10 + cost * text.len() as u64)?;
                Value::Bool(pattern.is_match(text.as_bytes()))
            }
            TypedNode::Size(text) => {
                let text = text.text(view)?;
                self.charge(view, text.len() as u64 / 8)?;
                Value::count(text.chars().count() as u64)
            }
            TypedNode::ToInt(inner) => match inner.value(view)? {
                // Doubles just below 2^63 are whole numbers that fit; 2^63 itself does not.
                Value::Double(value) if value > -9.2e18 && value < 9.2e18 => {
                    Value::Int(value as i64)
                }
                Value::Double(_) => return Err(self.error(EvalFailure::Range)),
                other => other,
            },
            TypedNode::ToDouble(inner) => match inner.value(view)? {
                Value::Int(value) => Value::Double(value as f64),
                other => other,
            },
            TypedNode::Extreme { greatest, of } => {
                let best = extreme(*greatest, of, view)?;
                best.ok_or_else(|| self.error(EvalFailure::Range))?
            }
        })
    }

    fn text<'a>(&'a self, view: &FactView<'a>) -> Result<Cow<'a, str>, EvalError> {
        match self.value(view)? {
            Value::Text(text) => Ok(text),
            _ => Err(self.error(EvalFailure::Range)),
        }
    }

    fn arithmetic<'a>(
        &self,
        operator: Operator,
        left: Value<'a>,
        right: Value<'a>,
    ) -> Result<Value<'a>, EvalError> {
        match (left, right) {
            (Value::Int(a), Value::Int(b)) => {
                let divides = matches!(operator, Operator::Divide | Operator::Modulo);
                if divides && b == 0 {
                    return Err(self.error(EvalFailure::Zero));
                }
                let value = match operator {
                    Operator::Plus => a.checked_add(b),
                    Operator::Minus => a.checked_sub(b),
                    Operator::Times => a.checked_mul(b),
                    Operator::Divide => a.checked_div(b),
                    _ => a.checked_rem(b),
                };
                value.map(Value::Int).ok_or_else(|| self.error(EvalFailure::Overflow))
            }
            (Value::Double(a), Value::Double(b)) => Ok(Value::Double(match operator {
                Operator::Plus => a + b,
                Operator::Minus => a - b,
                Operator::Times => a * b,
                _ => a / b,
            })),
            _ => Err(self.error(EvalFailure::Range)),
        }
    }
}

/// `&&` (`and`) or `||`. A part that decides the result wins over one that fails.
fn chain(and: bool, parts: &[TypedExpr], view: &FactView<'_>) -> Result<bool, EvalError> {
    let mut failed = None;
    for part in parts {
        match part.holds(view) {
            Ok(value) if value != and => return Ok(value),
            Ok(_) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(and), Err)
}

/// Whether a comparison holds for this order. NaN is unequal to everything, and neither less nor greater.
const fn compares(operator: Operator, order: Option<Ordering>) -> bool {
    match (operator, order) {
        (Operator::Unequal, None) => true,
        (_, None) => false,
        (Operator::Unequal, Some(order)) => order.is_ne(),
        (Operator::Equal, Some(order)) => order.is_eq(),
        (Operator::Less, Some(order)) => order.is_lt(),
        (Operator::AtMost, Some(order)) => order.is_le(),
        (Operator::More, Some(order)) => order.is_gt(),
        (_, Some(order)) => order.is_ge(),
    }
}

/// The greatest or least value; `None` for an empty list.
fn extreme<'a>(
    greatest: bool,
    of: &'a [TypedExpr],
    view: &FactView<'a>,
) -> Result<Option<Value<'a>>, EvalError> {
    let wanted = if greatest { Ordering::Greater } else { Ordering::Less };
    let mut best: Option<Value<'a>> = None;
    for one in of {
        let value = one.value(view)?;
        if best.as_ref().is_none_or(|best| value.compare(best) == Some(wanted)) {
            best = Some(value);
        }
    }
    Ok(best)
}
