//! Turns a syntax tree into a typed tree: resolves names to facts and checks the type of every node.

use crate::policy::site::diagnostic::{ExprDiagnostic, Location, suggestion};
use crate::policy::site::expr::syntax::{Operator, SyntaxNode, SyntaxTree};
use crate::policy::site::expr::typed::{Subject, TypedExpr, TypedNode};
use crate::policy::site::facts::{FACTS, FAMILIES, Fact, FactSource};
use crate::policy::site::value::ValueType;

/// Maximum number of steps of one evaluation.
pub const STEPS: usize = 2000;
/// Maximum depth of the typed tree.
const DEEPEST: usize = 96;

/// The facts that an expression may use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AllowedFacts {
    /// Those of the judged process and of the machine.
    Judged,
    /// Those of the victim too.
    WithVictim,
    /// Only those that the process itself shows.
    Own,
}

/// A variable of `exists` or `all` while its body is unrolled.
pub(crate) struct Bound<'t> {
    pub name: &'t str,
    pub value: &'t SyntaxTree,
    /// The number of variables in scope where the list was written.
    pub outer: usize,
}

/// The state of checking one expression.
pub(crate) struct Checker<'t> {
    allowed: AllowedFacts,
    pub locate: &'t dyn Fn(usize) -> Location,
    pub bound: Vec<Bound<'t>>,
    pub steps: usize,
    depth: usize,
    pub patterns: usize,
    pub facts: Vec<&'static Fact>,
}

impl<'t> Checker<'t> {
    pub fn new(allowed: AllowedFacts, locate: &'t dyn Fn(usize) -> Location) -> Self {
        let (bound, facts) = (Vec::new(), Vec::new());
        Self { allowed, locate, bound, steps: 0, depth: 0, patterns: 0, facts }
    }

    /// The typed tree of a syntax tree, and its type.
    pub fn check(
        &mut self,
        tree: &'t SyntaxTree,
    ) -> Result<(TypedExpr, ValueType), ExprDiagnostic> {
        self.steps += 1;
        if self.steps > STEPS {
            let what = format!(
                "this expression takes more than {STEPS} steps for each process; shorten it"
            );
            return Err(ExprDiagnostic::new(tree.at, what));
        }
        // List elements may hold further lists, so the typed tree may be deeper than the syntax tree.
        if self.depth >= DEEPEST {
            return Err(ExprDiagnostic::new(tree.at, "lists are nested too deeply; flatten them"));
        }
        self.depth += 1;
        let checked = self.check_node(tree);
        self.depth -= 1;
        checked
    }

    fn check_node(
        &mut self,
        tree: &'t SyntaxTree,
    ) -> Result<(TypedExpr, ValueType), ExprDiagnostic> {
        let (node, kind) = match &tree.node {
            SyntaxNode::Bool(value) => (TypedNode::Bool(*value), ValueType::Bool),
            SyntaxNode::Int(value) => (TypedNode::Int(*value), ValueType::Int),
            SyntaxNode::Double(value) => (TypedNode::Double(*value), ValueType::Double),
            SyntaxNode::Text(value) => (TypedNode::Text(value.as_str().into()), ValueType::Text),
            SyntaxNode::Null => {
                let help = "null is not supported; has(p.swap) tests whether a fact is known";
                return Err(ExprDiagnostic::new(tree.at, help));
            }
            SyntaxNode::Name(name) => return self.name(tree.at, name),
            SyntaxNode::Field(on, field) => {
                let (subject, fact) = self.fact(tree.at, on, field)?;
                (TypedNode::Fact(subject, fact), fact.kind)
            }
            SyntaxNode::List(_) => {
                let help = "a list is allowed only after in, or before .exists( ) and .all( )";
                return Err(ExprDiagnostic::new(tree.at, help));
            }
            SyntaxNode::Not(inner) => {
                (TypedNode::Not(self.typed(inner, ValueType::Bool, "!")?), ValueType::Bool)
            }
            SyntaxNode::Negative(inner) => {
                let (code, kind) = self.number(inner, "-")?;
                (TypedNode::Negative(code.into()), kind)
            }
            SyntaxNode::Chain { and, parts } => {
                let sign = if *and { "&&" } else { "||" };
                let mut all = Vec::with_capacity(parts.len());
                for part in parts {
                    all.push(*self.typed(part, ValueType::Bool, sign)?);
                }
                (TypedNode::Chain { and: *and, parts: all }, ValueType::Bool)
            }
            SyntaxNode::Binary(Operator::In, left, right) => {
                (self.is_in(left, right)?, ValueType::Bool)
            }
            SyntaxNode::Binary(operator, left, right) => {
                self.binary(tree.at, *operator, left, right)?
            }
            SyntaxNode::If(condition, then, other) => {
                let condition = self.typed(condition, ValueType::Bool, "before ?")?;
                let (then, kind) = self.check(then)?;
                let (other_code, other_kind) = self.check(other)?;
                if kind != other_kind {
                    let words = (kind.word(), other_kind.word());
                    let what = format!(
                        "both sides of : must have the same type, but are {} and {}",
                        words.0, words.1
                    );
                    return Err(ExprDiagnostic::new(other.at, what));
                }
                (TypedNode::If(condition, then.into(), other_code.into()), kind)
            }
            SyntaxNode::Call { on: None, name, arguments } => {
                self.function(tree.at, name, arguments)?
            }
            SyntaxNode::Call { on: Some(on), name, arguments } => {
                self.method(tree.at, on, name, arguments)?
            }
        };
        Ok((TypedExpr { location: (self.locate)(tree.at), node }, kind))
    }

    fn name(&mut self, at: usize, name: &str) -> Result<(TypedExpr, ValueType), ExprDiagnostic> {
        let Some(found) = self.bound.iter().rposition(|bound| bound.name == name) else {
            let what = if FAMILIES.contains(&name) || name == "victim" {
                format!(
                    "{name} is not a value; write one of its facts, for example {name}.{}",
                    sample_of(name)
                )
            } else {
                let all = FACTS.iter().map(|fact| fact.path);
                let bare = FACTS.iter().find(|fact| fact.name == name);
                let help = bare.map(|fact| format!("did you mean {}?", fact.path));
                let help = help.unwrap_or_else(|| match suggestion(name, all) {
                    near if near.starts_with("did") => near,
                    _ => "facts begin with p., machine. or psi.; texts need quotes".into(),
                });
                format!("unknown name {name}; {help}")
            };
            return Err(ExprDiagnostic::new(at, what));
        };
        // The elements were written outside the scope of the list's own variable.
        let (value, outer) = (self.bound[found].value, self.bound[found].outer);
        let inner = self.bound.split_off(outer);
        let checked = self.check(value);
        self.bound.extend(inner);
        checked
    }

    pub fn fact(
        &mut self,
        at: usize,
        on: &SyntaxTree,
        field: &str,
    ) -> Result<(Subject, &'static Fact), ExprDiagnostic> {
        let SyntaxNode::Name(family) = &on.node else {
            return Err(ExprDiagnostic::new(
                at,
                "facts are written as p.name, machine.name or psi.name",
            ));
        };
        let shadowed = self.bound.iter().any(|bound| bound.name == family);
        let (subject, table) = match family.as_str() {
            _ if shadowed => {
                let what = format!("{family} is a list element here, and has no facts");
                return Err(ExprDiagnostic::new(at, what));
            }
            "victim" if self.allowed == AllowedFacts::WithVictim => (Subject::Victim, "p"),
            "victim" => {
                return Err(ExprDiagnostic::new(at, "victim is available only in company"));
            }
            other => (Subject::Judged, other),
        };
        if !FAMILIES.contains(&table) {
            let what = format!("unknown name {family}; facts begin with p., machine. or psi.");
            return Err(ExprDiagnostic::new(at, what));
        }
        let of_family = || FACTS.iter().filter(|fact| fact.family == table);
        let Some(fact) = of_family().find(|fact| fact.name == field) else {
            let written = format!("{table}.{field}");
            let help = suggestion(&written, of_family().map(|fact| fact.path));
            return Err(ExprDiagnostic::new(
                at,
                format!("there is no fact {family}.{field}; {help}"),
            ));
        };
        if self.allowed == AllowedFacts::Own && !matches!(fact.source, FactSource::Own(_)) {
            let what = format!(
                "signal can use only facts of the process itself, and {} depends on the machine",
                fact.path
            );
            return Err(ExprDiagnostic::new(at, what));
        }
        if !self.facts.iter().any(|known| std::ptr::eq(*known, fact)) {
            self.facts.push(fact);
        }
        Ok((subject, fact))
    }

    /// The typed tree, which must have this type.
    pub fn typed(
        &mut self,
        tree: &'t SyntaxTree,
        wanted: ValueType,
        by: &str,
    ) -> Result<Box<TypedExpr>, ExprDiagnostic> {
        let (code, kind) = self.check(tree)?;
        if kind == wanted {
            return Ok(code.into());
        }
        let what = format!("{by} takes a {}, but this is a {}", wanted.word(), kind.word());
        Err(ExprDiagnostic::new(tree.at, what))
    }

    pub fn number(
        &mut self,
        tree: &'t SyntaxTree,
        by: &str,
    ) -> Result<(TypedExpr, ValueType), ExprDiagnostic> {
        let (code, kind) = self.check(tree)?;
        if kind.is_number() {
            return Ok((code, kind));
        }
        Err(ExprDiagnostic::new(
            tree.at,
            format!("{by} takes a number, but this is a {}", kind.word()),
        ))
    }

    fn comparable(
        at: usize,
        sign: &str,
        left: ValueType,
        right: ValueType,
    ) -> Result<(), ExprDiagnostic> {
        if left == right || (left.is_number() && right.is_number()) {
            return Ok(());
        }
        let what = format!("{sign} cannot compare a {} with a {}", left.word(), right.word());
        Err(ExprDiagnostic::new(at, what))
    }

    fn binary(
        &mut self,
        at: usize,
        operator: Operator,
        left: &'t SyntaxTree,
        right: &'t SyntaxTree,
    ) -> Result<(TypedNode, ValueType), ExprDiagnostic> {
        let sign = operator.sign();
        if matches!(
            operator,
            Operator::Plus
                | Operator::Minus
                | Operator::Times
                | Operator::Divide
                | Operator::Modulo
        ) {
            let (a, kind) = self.number(left, sign)?;
            let (b, other) = self.number(right, sign)?;
            if kind != other {
                let what = format!(
                    "{sign} takes two int or two double; convert one side with double(…) or int(…)"
                );
                return Err(ExprDiagnostic::new(at, what));
            }
            if operator == Operator::Modulo && kind == ValueType::Double {
                return Err(ExprDiagnostic::new(at, "% takes two int; convert with int(…)"));
            }
            return Ok((TypedNode::Arithmetic(operator, a.into(), b.into()), kind));
        }
        let (a, kind) = self.check(left)?;
        let (b, other) = self.check(right)?;
        Self::comparable(at, sign, kind, other)?;
        if kind == ValueType::Bool && !matches!(operator, Operator::Equal | Operator::Unequal) {
            return Err(ExprDiagnostic::new(
                at,
                format!("{sign} compares numbers or texts, not bool"),
            ));
        }
        Ok((TypedNode::Compare(operator, a.into(), b.into()), ValueType::Bool))
    }

    fn is_in(
        &mut self,
        left: &'t SyntaxTree,
        right: &'t SyntaxTree,
    ) -> Result<TypedNode, ExprDiagnostic> {
        let SyntaxNode::List(elements) = &right.node else {
            return Err(ExprDiagnostic::new(right.at, "in needs a list: p.name in [\"a\", \"b\"]"));
        };
        let (code, kind) = self.check(left)?;
        let mut all = Vec::with_capacity(elements.len());
        for element in elements {
            let (one, other) = self.check(element)?;
            Self::comparable(element.at, "in", kind, other)?;
            all.push(one);
        }
        Ok(TypedNode::In(code.into(), all))
    }
}

/// The name of some fact of a family, as an example.
fn sample_of(family: &str) -> &'static str {
    let family = if family == "victim" { "p" } else { family };
    FACTS.iter().find(|fact| fact.family == family).map_or("", |fact| fact.name)
}
