//! Checks the calls in an expression: functions, methods, patterns, `exists` and `all`.

use regex::bytes::{Regex, RegexBuilder};

use crate::policy::site::diagnostic::{ExprDiagnostic, suggestion};
use crate::policy::site::expr::check::{Bound, Checker};
use crate::policy::site::expr::syntax::{SyntaxNode, SyntaxTree};
use crate::policy::site::expr::typed::{Search, TypedExpr, TypedNode};
use crate::policy::site::value::ValueType;

/// Maximum memory that a compiled pattern may take, in bytes.
const PATTERN: usize = 16 * 1024;
/// Maximum number of patterns in an expression.
const PATTERNS: usize = 16;

const METHODS: &str = "size, startsWith, endsWith, contains, matches, exists, all";
const FUNCTIONS: [&str; 4] = ["has", "size", "int", "double"];

impl<'t> Checker<'t> {
    fn takes(
        at: usize,
        name: &str,
        count: usize,
        arguments: &[SyntaxTree],
    ) -> Result<(), ExprDiagnostic> {
        if arguments.len() == count {
            return Ok(());
        }
        let what = format!("{name}( ) takes {count} argument(s), not {}", arguments.len());
        Err(ExprDiagnostic::new(at, what))
    }

    pub fn function(
        &mut self,
        at: usize,
        name: &str,
        arguments: &'t [SyntaxTree],
    ) -> Result<(TypedNode, ValueType), ExprDiagnostic> {
        if !FUNCTIONS.contains(&name) {
            let known = FUNCTIONS.into_iter().chain(["math.greatest", "math.least"]);
            return Err(ExprDiagnostic::new(
                at,
                format!("unknown function {name}( ); {}", suggestion(name, known)),
            ));
        }
        Self::takes(at, name, 1, arguments)?;
        let Some(argument) = arguments.first() else {
            return Err(ExprDiagnostic::new(at, format!("{name}( ) takes 1 argument")));
        };
        Ok(match name {
            "has" => {
                let SyntaxNode::Field(on, field) = &argument.node else {
                    return Err(ExprDiagnostic::new(
                        argument.at,
                        "has( ) takes a fact: has(p.swap)",
                    ));
                };
                let (subject, fact) = self.fact(argument.at, on, field)?;
                (TypedNode::Has(subject, fact), ValueType::Bool)
            }
            "size" => {
                (TypedNode::Size(self.typed(argument, ValueType::Text, "size( )")?), ValueType::Int)
            }
            "int" => {
                let (code, kind) = self.number(argument, "int( )")?;
                let node =
                    if kind == ValueType::Int { code.node } else { TypedNode::ToInt(code.into()) };
                (node, ValueType::Int)
            }
            _ => {
                let (code, kind) = self.number(argument, "double( )")?;
                let node = if kind == ValueType::Double {
                    code.node
                } else {
                    TypedNode::ToDouble(code.into())
                };
                (node, ValueType::Double)
            }
        })
    }

    pub fn method(
        &mut self,
        at: usize,
        on: &'t SyntaxTree,
        name: &str,
        arguments: &'t [SyntaxTree],
    ) -> Result<(TypedNode, ValueType), ExprDiagnostic> {
        if let SyntaxNode::Name(family) = &on.node
            && family == "math"
        {
            return self.extreme(at, name, arguments);
        }
        if matches!(name, "exists" | "all") {
            return self.unroll(at, on, name, arguments);
        }
        if matches!(name, "map" | "filter" | "exists_one") {
            let what = format!("{name} is not supported; use exists or all");
            return Err(ExprDiagnostic::new(at, what));
        }
        let search = match name {
            "size" => {
                Self::takes(at, name, 0, arguments)?;
                return Ok((
                    TypedNode::Size(self.typed(on, ValueType::Text, "size( )")?),
                    ValueType::Int,
                ));
            }
            "startsWith" => Some(Search::Start),
            "endsWith" => Some(Search::End),
            "contains" => Some(Search::Anywhere),
            "matches" => None,
            _ => {
                let help = suggestion(name, METHODS.split(", "));
                return Err(ExprDiagnostic::new(at, format!("unknown method .{name}( ); {help}")));
            }
        };
        Self::takes(at, name, 1, arguments)?;
        let Some(argument) = arguments.first() else {
            return Err(ExprDiagnostic::new(at, format!("{name}( ) takes 1 argument")));
        };
        let before = self.typed(on, ValueType::Text, &format!(".{name}( )"))?;
        let Some(search) = search else {
            let (pattern, cost) = self.pattern(argument)?;
            return Ok((TypedNode::Matches(before, pattern, cost), ValueType::Bool));
        };
        let needle = self.typed(argument, ValueType::Text, &format!("{name}( )"))?;
        Ok((TypedNode::Search(search, before, needle), ValueType::Bool))
    }

    /// Compiles a pattern. It must be a literal, or a variable of `exists` that stands for one.
    fn pattern(&mut self, argument: &'t SyntaxTree) -> Result<(Regex, u64), ExprDiagnostic> {
        let (code, _) = self.check(argument)?;
        let TypedNode::Text(pattern) = &code.node else {
            return Err(ExprDiagnostic::new(argument.at, "matches( ) takes a text in quotes"));
        };
        self.patterns += 1;
        if self.patterns > PATTERNS {
            let what = format!("an expression has at most {PATTERNS} patterns; join them with |");
            return Err(ExprDiagnostic::new(argument.at, what));
        }
        // As in RE2, which CEL prescribes, \w and \d match ASCII only. The cost of a byte grows with the
        // compiled size, which the smallest accepted limit shows.
        let build = |limit: usize| {
            RegexBuilder::new(pattern).unicode(false).size_limit(limit).nest_limit(20).build()
        };
        let mut limit = 1024;
        loop {
            match build(limit) {
                Ok(built) => return Ok((built, (limit as u64 / 64).max(4))),
                Err(regex::Error::CompiledTooBig(_)) if limit < PATTERN => limit *= 2,
                Err(regex::Error::CompiledTooBig(_)) => {
                    return Err(ExprDiagnostic::new(
                        argument.at,
                        "this pattern is too large; shorten it",
                    ));
                }
                Err(error) => {
                    let text = error.to_string();
                    let last = text.lines().last().unwrap_or_default();
                    let last = last.trim_start_matches("error: ");
                    let what = format!("invalid regular expression: {last}");
                    return Err(ExprDiagnostic::new(argument.at, what));
                }
            }
        }
    }

    fn extreme(
        &mut self,
        at: usize,
        name: &str,
        arguments: &'t [SyntaxTree],
    ) -> Result<(TypedNode, ValueType), ExprDiagnostic> {
        let greatest = match name {
            "greatest" => true,
            "least" => false,
            _ => {
                let help = suggestion(name, ["greatest", "least"]);
                return Err(ExprDiagnostic::new(
                    at,
                    format!("unknown function math.{name}( ); {help}"),
                ));
            }
        };
        let mut of = Vec::with_capacity(arguments.len());
        let mut found = None;
        for argument in arguments {
            let (code, kind) = self.number(argument, &format!("math.{name}( )"))?;
            if *found.get_or_insert(kind) != kind {
                let what =
                    format!("math.{name}( ) takes numbers of one type; convert with double(…)");
                return Err(ExprDiagnostic::new(argument.at, what));
            }
            of.push(code);
        }
        let kind = found.ok_or_else(|| {
            ExprDiagnostic::new(at, format!("math.{name}( ) takes one number or more"))
        })?;
        Ok((TypedNode::Extreme { greatest, of }, kind))
    }

    /// Unrolls `[…].exists(x, body)` to the body for each element, joined by `||`; `all` by `&&`.
    fn unroll(
        &mut self,
        at: usize,
        on: &'t SyntaxTree,
        name: &str,
        arguments: &'t [SyntaxTree],
    ) -> Result<(TypedNode, ValueType), ExprDiagnostic> {
        let SyntaxNode::List(elements) = &on.node else {
            return Err(ExprDiagnostic::new(
                at,
                format!(".{name}( ) needs a list in [ ] before it"),
            ));
        };
        let [variable, body] = arguments else {
            let what =
                format!("{name} takes a name and a condition: [\"a\"].{name}(x, p.name == x)");
            return Err(ExprDiagnostic::new(at, what));
        };
        let SyntaxNode::Name(variable) = &variable.node else {
            return Err(ExprDiagnostic::new(
                variable.at,
                "this must be a name for the list element",
            ));
        };
        let outer = self.bound.len();
        let mut parts = Vec::with_capacity(elements.len());
        let mut first = Vec::new();
        for element in elements {
            let (code, _) = self.check(element)?;
            if !matches!(
                code.node,
                TypedNode::Bool(_) | TypedNode::Int(_) | TypedNode::Double(_) | TypedNode::Text(_)
            ) {
                first.push(code);
            }
            self.bound.push(Bound { name: variable, value: element, outer });
            let part = self.typed(body, ValueType::Bool, name);
            self.bound.truncate(outer);
            parts.push(*part?);
        }
        let chain = TypedNode::Chain { and: name == "all", parts };
        if first.is_empty() {
            return Ok((chain, ValueType::Bool));
        }
        let chain = TypedExpr { location: (self.locate)(at), node: chain };
        Ok((TypedNode::After(first, chain.into()), ValueType::Bool))
    }
}
