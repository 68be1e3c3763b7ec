//! A tree to code: names to facts, types settled, loops over written-out lists unrolled. What is
//! left has a known type and a known size, and no loop: that size bounds what a judgement costs.

use std::borrow::Cow;

use regex::bytes::{Regex, RegexBuilder};

use crate::policy::site::diagnostic::{ExprDiagnostic, Location, meant};
use crate::policy::site::facts::{FACTS, FAMILIES, Fact, FactSource, FactView};
use crate::policy::site::parse::{Operator, SyntaxNode, SyntaxTree};
use crate::policy::site::value::{EvalError, EvalFailure, Value, ValueType};

/// The most steps that an expression may take for one process.
pub const STEPS: usize = 2000;
/// The most memory that a pattern may take when it is compiled, in bytes.
const PATTERN: usize = 16 * 1024;
/// The most patterns of an expression.
const PATTERNS: usize = 16;

/// The deepest code.
const DEEPEST: usize = 96;

/// Of whom a fact is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Judged,
    Victim,
}

/// One step, and where it was written.
struct Code {
    spot: Location,
    step: Step,
}

enum Step {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Box<str>),
    Fact(Whose, &'static Fact),
    Has(Whose, &'static Fact),
    Not(Box<Code>),
    Negative(Box<Code>),
    /// `&&` and `||`: a part that decides it outweighs one that fails.
    Chain {
        and: bool,
        parts: Vec<Code>,
    },
    Compare(Operator, Box<Code>, Box<Code>),
    Count(Operator, Box<Code>, Box<Code>),
    If(Box<Code>, Box<Code>, Box<Code>),
    In(Box<Code>, Vec<Code>),
    /// The elements of a list that could fail, and what comes after none did.
    After(Vec<Code>, Box<Code>),
    Search(Search, Box<Code>, Box<Code>),
    /// With what a byte of the text costs.
    Matches(Box<Code>, Regex, u64),
    Size(Box<Code>),
    ToInt(Box<Code>),
    ToDouble(Box<Code>),
    Best {
        greatest: bool,
        of: Vec<Code>,
    },
}

#[derive(Clone, Copy)]
enum Search {
    Start,
    End,
    Anywhere,
}

/// An expression that was understood: its type is known, and it can be worked out for any process.
pub struct Expression {
    code: Code,
    kind: ValueType,
    steps: usize,
    facts: Vec<&'static Fact>,
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a {} in {} steps", self.kind.word(), self.steps)
    }
}

/// What an expression may speak of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FactUse {
    /// The process that is judged, and the moment.
    Judged,
    /// The victim too.
    Company,
    /// Only what the process itself shows.
    Own,
}

impl Expression {
    /// Checks a tree. `place` tells where a byte of the expression stands in the file.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(crate) fn new(
        tree: &SyntaxTree,
        reach: FactUse,
        place: &dyn Fn(usize) -> Location,
    ) -> Result<Self, ExprDiagnostic> {
        let (bound, facts) = (Vec::new(), Vec::new());
        let mut checker = Checker { reach, place, bound, steps: 0, depth: 0, patterns: 0, facts };
        let (code, kind) = checker.check(tree)?;
        Ok(Self { code, kind, steps: checker.steps, facts: checker.facts })
    }

    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> ValueType {
        self.kind
    }

    /// How many steps it takes at most.
    #[must_use]
    pub const fn steps(&self) -> usize {
        self.steps
    }

    /// The facts that it asks for.
    #[must_use]
    pub fn facts(&self) -> &[&'static Fact] {
        &self.facts
    }

    /// Works it out.
    ///
    /// # Errors
    /// A fact is absent, or a number went wrong.
    pub fn value<'a>(&'a self, view: &FactView<'a>) -> Result<Value<'a>, EvalError> {
        self.code.value(view)
    }

    /// Works out whether it holds.
    ///
    /// # Errors
    /// The same.
    pub fn holds(&self, view: &FactView<'_>) -> Result<bool, EvalError> {
        self.code.holds(view)
    }
}

/// A variable of `exists` or `all`, while its body is unrolled.
struct Bound<'t> {
    name: &'t str,
    value: &'t SyntaxTree,
    /// How many variables were there where the list was written.
    outer: usize,
}

struct Checker<'t> {
    reach: FactUse,
    place: &'t dyn Fn(usize) -> Location,
    bound: Vec<Bound<'t>>,
    steps: usize,
    depth: usize,
    patterns: usize,
    facts: Vec<&'static Fact>,
}

const METHODS: &str = "size, startsWith, endsWith, contains, matches, exists, all";
const FUNCTIONS: [&str; 4] = ["has", "size", "int", "double"];

impl<'t> Checker<'t> {
    fn check(&mut self, tree: &'t SyntaxTree) -> Result<(Code, ValueType), ExprDiagnostic> {
        self.steps += 1;
        if self.steps > STEPS {
            let what = format!("this takes more than {STEPS} steps for each process; shorten it");
            return Err(ExprDiagnostic::new(tree.at, what));
        }
        // Elements of lists may hold further lists, so the code may be deeper than its tree.
        if self.depth >= DEEPEST {
            return Err(ExprDiagnostic::new(
                tree.at,
                "lists are nested too deep here; make it flatter",
            ));
        }
        self.depth += 1;
        let checked = self.check_node(tree);
        self.depth -= 1;
        checked
    }

    fn check_node(&mut self, tree: &'t SyntaxTree) -> Result<(Code, ValueType), ExprDiagnostic> {
        let (step, kind) = match &tree.node {
            SyntaxNode::Bool(value) => (Step::Bool(*value), ValueType::Bool),
            SyntaxNode::Int(value) => (Step::Int(*value), ValueType::Int),
            SyntaxNode::Double(value) => (Step::Double(*value), ValueType::Double),
            SyntaxNode::Text(value) => (Step::Text(value.as_str().into()), ValueType::Text),
            SyntaxNode::Null => {
                let help = "null is no value here; has(p.swap) tells whether a fact is there";
                return Err(ExprDiagnostic::new(tree.at, help));
            }
            SyntaxNode::Name(name) => return self.name(tree.at, name),
            SyntaxNode::Field(on, field) => {
                let (whose, fact) = self.fact(tree.at, on, field)?;
                (Step::Fact(whose, fact), fact.kind)
            }
            SyntaxNode::List(_) => {
                let help = "a list stands only after in, or before .exists( ) and .all( )";
                return Err(ExprDiagnostic::new(tree.at, help));
            }
            SyntaxNode::Not(inner) => {
                (Step::Not(self.of(inner, ValueType::Bool, "!")?), ValueType::Bool)
            }
            SyntaxNode::Negative(inner) => {
                let (code, kind) = self.number(inner, "-")?;
                (Step::Negative(code.into()), kind)
            }
            SyntaxNode::Chain { and, parts } => {
                let sign = if *and { "&&" } else { "||" };
                let mut all = Vec::with_capacity(parts.len());
                for part in parts {
                    all.push(*self.of(part, ValueType::Bool, sign)?);
                }
                (Step::Chain { and: *and, parts: all }, ValueType::Bool)
            }
            SyntaxNode::Binary(Operator::In, left, right) => {
                (self.is_in(left, right)?, ValueType::Bool)
            }
            SyntaxNode::Binary(operator, left, right) => {
                self.binary(tree.at, *operator, left, right)?
            }
            SyntaxNode::If(condition, then, other) => {
                let condition = self.of(condition, ValueType::Bool, "before ?")?;
                let (then, kind) = self.check(then)?;
                let (other_code, other_kind) = self.check(other)?;
                if kind != other_kind {
                    let words = (kind.word(), other_kind.word());
                    let what = format!(
                        "both sides of : must be of one type, but they are {} and {}",
                        words.0, words.1
                    );
                    return Err(ExprDiagnostic::new(other.at, what));
                }
                (Step::If(condition, then.into(), other_code.into()), kind)
            }
            SyntaxNode::Call { on: None, name, arguments } => {
                self.function(tree.at, name, arguments)?
            }
            SyntaxNode::Call { on: Some(on), name, arguments } => {
                self.method(tree.at, on, name, arguments)?
            }
        };
        Ok((Code { spot: (self.place)(tree.at), step }, kind))
    }

    fn name(&mut self, at: usize, name: &str) -> Result<(Code, ValueType), ExprDiagnostic> {
        let Some(found) = self.bound.iter().rposition(|bound| bound.name == name) else {
            let what = if FAMILIES.contains(&name) || name == "victim" {
                format!("{name} is no value; a fact of it is, as {name}.{}", sample_of(name))
            } else {
                let all = FACTS.iter().map(|fact| fact.path);
                let bare = FACTS.iter().find(|fact| fact.name == name);
                let help = bare.map(|fact| format!("did you mean {}?", fact.path));
                let help = help.unwrap_or_else(|| match meant(name, all) {
                    near if near.starts_with("did") => near,
                    _ => "facts begin with p., machine. or psi.; a text stands in quotes".into(),
                });
                format!("{name} is not known; {help}")
            };
            return Err(ExprDiagnostic::new(at, what));
        };
        // What the list holds was written where its own variables were not there yet.
        let (value, outer) = (self.bound[found].value, self.bound[found].outer);
        let inner = self.bound.split_off(outer);
        let checked = self.check(value);
        self.bound.extend(inner);
        checked
    }

    fn fact(
        &mut self,
        at: usize,
        on: &SyntaxTree,
        field: &str,
    ) -> Result<(Whose, &'static Fact), ExprDiagnostic> {
        let SyntaxNode::Name(family) = &on.node else {
            return Err(ExprDiagnostic::new(
                at,
                "only p, machine and psi have facts, one dot deep",
            ));
        };
        let shadowed = self.bound.iter().any(|bound| bound.name == family);
        let (whose, table) = match family.as_str() {
            _ if shadowed => {
                let what = format!("{family} is an element of a list here, and has no facts");
                return Err(ExprDiagnostic::new(at, what));
            }
            "victim" if self.reach == FactUse::Company => (Whose::Victim, "p"),
            "victim" => {
                return Err(ExprDiagnostic::new(at, "victim is known in company only"));
            }
            other => (Whose::Judged, other),
        };
        if !FAMILIES.contains(&table) {
            let what = format!("{family} is not known; facts begin with p., machine. or psi.");
            return Err(ExprDiagnostic::new(at, what));
        }
        let of_family = || FACTS.iter().filter(|fact| fact.family == table);
        let Some(fact) = of_family().find(|fact| fact.name == field) else {
            let written = format!("{table}.{field}");
            let help = meant(&written, of_family().map(|fact| fact.path));
            return Err(ExprDiagnostic::new(
                at,
                format!("there is no fact {family}.{field}; {help}"),
            ));
        };
        if self.reach == FactUse::Own && !matches!(fact.source, FactSource::Own(_)) {
            let what = format!(
                "the signal is chosen by what the process itself shows, and {} needs the moment",
                fact.path
            );
            return Err(ExprDiagnostic::new(at, what));
        }
        if !self.facts.iter().any(|known| std::ptr::eq(*known, fact)) {
            self.facts.push(fact);
        }
        Ok((whose, fact))
    }

    /// Code of this type.
    fn of(
        &mut self,
        tree: &'t SyntaxTree,
        wanted: ValueType,
        by: &str,
    ) -> Result<Box<Code>, ExprDiagnostic> {
        let (code, kind) = self.check(tree)?;
        if kind == wanted {
            return Ok(code.into());
        }
        let what = format!("{by} takes a {}, and this is a {}", wanted.word(), kind.word());
        Err(ExprDiagnostic::new(tree.at, what))
    }

    fn number(
        &mut self,
        tree: &'t SyntaxTree,
        by: &str,
    ) -> Result<(Code, ValueType), ExprDiagnostic> {
        let (code, kind) = self.check(tree)?;
        if kind.is_number() {
            return Ok((code, kind));
        }
        Err(ExprDiagnostic::new(
            tree.at,
            format!("{by} takes a number, and this is a {}", kind.word()),
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
    ) -> Result<(Step, ValueType), ExprDiagnostic> {
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
                    "{sign} takes two int or two double; write double(…) round the int, or int(…) \
                     round the double"
                );
                return Err(ExprDiagnostic::new(at, what));
            }
            if operator == Operator::Modulo && kind == ValueType::Double {
                return Err(ExprDiagnostic::new(at, "% takes two int; write int(…)"));
            }
            return Ok((Step::Count(operator, a.into(), b.into()), kind));
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
        Ok((Step::Compare(operator, a.into(), b.into()), ValueType::Bool))
    }

    fn is_in(
        &mut self,
        left: &'t SyntaxTree,
        right: &'t SyntaxTree,
    ) -> Result<Step, ExprDiagnostic> {
        let SyntaxNode::List(elements) = &right.node else {
            return Err(ExprDiagnostic::new(
                right.at,
                "after in a list is needed: p.name in [\"a\", \"b\"]",
            ));
        };
        let (code, kind) = self.check(left)?;
        let mut all = Vec::with_capacity(elements.len());
        for element in elements {
            let (one, other) = self.check(element)?;
            Self::comparable(element.at, "in", kind, other)?;
            all.push(one);
        }
        Ok(Step::In(code.into(), all))
    }

    fn takes(
        at: usize,
        name: &str,
        count: usize,
        arguments: &[SyntaxTree],
    ) -> Result<(), ExprDiagnostic> {
        if arguments.len() == count {
            return Ok(());
        }
        let what = format!("{name}( ) takes {count} argument(s), and here are {}", arguments.len());
        Err(ExprDiagnostic::new(at, what))
    }

    fn function(
        &mut self,
        at: usize,
        name: &str,
        arguments: &'t [SyntaxTree],
    ) -> Result<(Step, ValueType), ExprDiagnostic> {
        if !FUNCTIONS.contains(&name) {
            let known = FUNCTIONS.into_iter().chain(["math.greatest", "math.least"]);
            return Err(ExprDiagnostic::new(
                at,
                format!("there is no {name}( ); {}", meant(name, known)),
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
                        "has( ) takes a fact, as has(p.swap)",
                    ));
                };
                let (whose, fact) = self.fact(argument.at, on, field)?;
                (Step::Has(whose, fact), ValueType::Bool)
            }
            "size" => (Step::Size(self.of(argument, ValueType::Text, "size( )")?), ValueType::Int),
            "int" => {
                let (code, kind) = self.number(argument, "int( )")?;
                let step =
                    if kind == ValueType::Int { code.step } else { Step::ToInt(code.into()) };
                (step, ValueType::Int)
            }
            _ => {
                let (code, kind) = self.number(argument, "double( )")?;
                let step =
                    if kind == ValueType::Double { code.step } else { Step::ToDouble(code.into()) };
                (step, ValueType::Double)
            }
        })
    }

    fn method(
        &mut self,
        at: usize,
        on: &'t SyntaxTree,
        name: &str,
        arguments: &'t [SyntaxTree],
    ) -> Result<(Step, ValueType), ExprDiagnostic> {
        if let SyntaxNode::Name(family) = &on.node
            && family == "math"
        {
            return self.best(at, name, arguments);
        }
        if matches!(name, "exists" | "all") {
            return self.unroll(at, on, name, arguments);
        }
        if matches!(name, "map" | "filter" | "exists_one") {
            let what = format!("{name} is not known here; exists and all are");
            return Err(ExprDiagnostic::new(at, what));
        }
        let search = match name {
            "size" => {
                Self::takes(at, name, 0, arguments)?;
                return Ok((Step::Size(self.of(on, ValueType::Text, "size( )")?), ValueType::Int));
            }
            "startsWith" => Some(Search::Start),
            "endsWith" => Some(Search::End),
            "contains" => Some(Search::Anywhere),
            "matches" => None,
            _ => {
                let help = meant(name, METHODS.split(", "));
                return Err(ExprDiagnostic::new(at, format!("there is no .{name}( ); {help}")));
            }
        };
        Self::takes(at, name, 1, arguments)?;
        let Some(argument) = arguments.first() else {
            return Err(ExprDiagnostic::new(at, format!("{name}( ) takes 1 argument")));
        };
        let before = self.of(on, ValueType::Text, &format!(".{name}( )"))?;
        let Some(search) = search else {
            let (pattern, cost) = self.pattern(argument)?;
            return Ok((Step::Matches(before, pattern, cost), ValueType::Bool));
        };
        let needle = self.of(argument, ValueType::Text, &format!("{name}( )"))?;
        Ok((Step::Search(search, before, needle), ValueType::Bool))
    }

    /// A pattern is compiled now, so it must be written out; a variable of `exists` may stand for it.
    fn pattern(&mut self, argument: &'t SyntaxTree) -> Result<(Regex, u64), ExprDiagnostic> {
        let (code, _) = self.check(argument)?;
        let Step::Text(pattern) = &code.step else {
            return Err(ExprDiagnostic::new(argument.at, "matches( ) takes a text in quotes"));
        };
        self.patterns += 1;
        if self.patterns > PATTERNS {
            let what = format!("an expression has at most {PATTERNS} patterns; join them by |");
            return Err(ExprDiagnostic::new(argument.at, what));
        }
        // As in RE2, which CEL means, \w and \d are those of ASCII. How large it is when compiled is how
        // much a byte may cost; the smallest limit that it passes tells.
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
                    let what = format!("this is no regular expression: {last}");
                    return Err(ExprDiagnostic::new(argument.at, what));
                }
            }
        }
    }

    fn best(
        &mut self,
        at: usize,
        name: &str,
        arguments: &'t [SyntaxTree],
    ) -> Result<(Step, ValueType), ExprDiagnostic> {
        let greatest = match name {
            "greatest" => true,
            "least" => false,
            _ => {
                let help = meant(name, ["greatest", "least"]);
                return Err(ExprDiagnostic::new(at, format!("there is no math.{name}( ); {help}")));
            }
        };
        let mut of = Vec::with_capacity(arguments.len());
        let mut found = None;
        for argument in arguments {
            let (code, kind) = self.number(argument, &format!("math.{name}( )"))?;
            if *found.get_or_insert(kind) != kind {
                let what = format!("math.{name}( ) takes numbers of one type; write double(…)");
                return Err(ExprDiagnostic::new(argument.at, what));
            }
            of.push(code);
        }
        let kind = found.ok_or_else(|| {
            ExprDiagnostic::new(at, format!("math.{name}( ) takes one number or more"))
        })?;
        Ok((Step::Best { greatest, of }, kind))
    }

    /// `[…].exists(x, body)` is the body for each element, joined by `||`; `all` by `&&`.
    fn unroll(
        &mut self,
        at: usize,
        on: &'t SyntaxTree,
        name: &str,
        arguments: &'t [SyntaxTree],
    ) -> Result<(Step, ValueType), ExprDiagnostic> {
        let SyntaxNode::List(elements) = &on.node else {
            return Err(ExprDiagnostic::new(
                at,
                format!("before .{name}( ) a list in [ ] is needed"),
            ));
        };
        let [variable, body] = arguments else {
            let what =
                format!("{name} takes a name and a condition: [\"a\"].{name}(x, p.name == x)");
            return Err(ExprDiagnostic::new(at, what));
        };
        let SyntaxNode::Name(variable) = &variable.node else {
            return Err(ExprDiagnostic::new(variable.at, "a name for the element is needed here"));
        };
        let outer = self.bound.len();
        let mut parts = Vec::with_capacity(elements.len());
        let mut first = Vec::new();
        for element in elements {
            let (code, _) = self.check(element)?;
            if !matches!(code.step, Step::Bool(_) | Step::Int(_) | Step::Double(_) | Step::Text(_))
            {
                first.push(code);
            }
            self.bound.push(Bound { name: variable, value: element, outer });
            let part = self.of(body, ValueType::Bool, name);
            self.bound.truncate(outer);
            parts.push(*part?);
        }
        let chain = Step::Chain { and: name == "all", parts };
        if first.is_empty() {
            return Ok((chain, ValueType::Bool));
        }
        let chain = Code { spot: (self.place)(at), step: chain };
        Ok((Step::After(first, chain.into()), ValueType::Bool))
    }
}

/// A fact of a family, as an example.
fn sample_of(family: &str) -> &'static str {
    let family = if family == "victim" { "p" } else { family };
    FACTS.iter().find(|fact| fact.family == family).map_or("", |fact| fact.name)
}

impl Code {
    fn fails(&self, why: EvalFailure) -> EvalError {
        EvalError { spot: self.spot, why }
    }

    fn holds(&self, view: &FactView<'_>) -> Result<bool, EvalError> {
        match self.value(view)? {
            Value::Bool(value) => Ok(value),
            _ => Err(self.fails(EvalFailure::Range)),
        }
    }

    fn read<'a>(whose: Whose, fact: &Fact, view: &FactView<'a>) -> Option<Value<'a>> {
        let of = match whose {
            Whose::Judged => view.process,
            Whose::Victim => view.victim?,
        };
        let found = match fact.source {
            FactSource::Own(get) => get(of, view),
            FactSource::Scene(get) => {
                view.fuel.spend(20);
                get(of, view)
            }
            FactSource::Moment(get) => get(view.scene?),
        };
        view.fuel.spend(match (&found, fact.path) {
            (Some(Value::Text(text)), _) => 5 + text.len() as u64 / 16,
            (Some(Value::Int(children)), "p.children") => children.unsigned_abs() / 4,
            _ => 1,
        });
        found
    }

    /// Spends what reading so many bytes costs.
    fn pays(&self, view: &FactView<'_>, units: u64) -> Result<(), EvalError> {
        if view.fuel.spend(units) { Ok(()) } else { Err(self.fails(EvalFailure::Costs)) }
    }

    fn value<'a>(&'a self, view: &FactView<'a>) -> Result<Value<'a>, EvalError> {
        if !view.fuel.spend(1) {
            return Err(self.fails(EvalFailure::Costs));
        }
        Ok(match &self.step {
            Step::Bool(value) => Value::Bool(*value),
            Step::Int(value) => Value::Int(*value),
            Step::Double(value) => Value::Double(*value),
            Step::Text(value) => Value::text(value),
            Step::Fact(whose, fact) => Self::read(*whose, fact, view)
                .ok_or_else(|| self.fails(EvalFailure::Absent(fact.path)))?,
            Step::Has(whose, fact) => Value::Bool(Self::read(*whose, fact, view).is_some()),
            Step::Not(inner) => Value::Bool(!inner.holds(view)?),
            Step::Negative(inner) => match inner.value(view)? {
                Value::Int(value) => Value::Int(
                    value.checked_neg().ok_or_else(|| self.fails(EvalFailure::Overflow))?,
                ),
                Value::Double(value) => Value::Double(-value),
                other => other,
            },
            Step::Chain { and, parts } => {
                let mut failed = None;
                for part in parts {
                    match part.holds(view) {
                        Ok(value) if value != *and => return Ok(Value::Bool(value)),
                        Ok(_) => {}
                        Err(trouble) => failed = failed.or(Some(trouble)),
                    }
                }
                match failed {
                    Some(trouble) => return Err(trouble),
                    None => Value::Bool(*and),
                }
            }
            Step::Compare(operator, left, right) => {
                let order = left.value(view)?.compare(&right.value(view)?);
                Value::Bool(match (operator, order) {
                    (Operator::Unequal, order) => order.is_none_or(|order| order.is_ne()),
                    (_, None) => false,
                    (Operator::Equal, Some(order)) => order.is_eq(),
                    (Operator::Less, Some(order)) => order.is_lt(),
                    (Operator::AtMost, Some(order)) => order.is_le(),
                    (Operator::More, Some(order)) => order.is_gt(),
                    (_, Some(order)) => order.is_ge(),
                })
            }
            Step::Count(operator, left, right) => {
                self.count(*operator, left.value(view)?, right.value(view)?)?
            }
            Step::If(condition, then, other) => {
                (if condition.holds(view)? { then } else { other }).value(view)?
            }
            Step::In(one, all) => {
                // All of them are looked at: a list with an element that fails is none.
                let (one, mut found) = (one.value(view)?, false);
                for other in all {
                    found |= one.compare(&other.value(view)?).is_some_and(|order| order.is_eq());
                }
                Value::Bool(found)
            }
            Step::After(all, then) => {
                for one in all {
                    one.value(view)?;
                }
                then.value(view)?
            }
            Step::Search(search, text, needle) => {
                let (text, needle) = (text.text(view)?, needle.text(view)?);
                self.pays(view, 2 + (text.len() + needle.len()) as u64 / 4)?;
                Value::Bool(match search {
                    Search::Start => text.starts_with(&*needle),
                    Search::End => text.ends_with(&*needle),
                    Search::Anywhere => text.contains(&*needle),
                })
            }
            Step::Matches(text, pattern, cost) => {
                let text = text.text(view)?;
                self.pays(view, 10 + cost * text.len() as u64)?;
                Value::Bool(pattern.is_match(text.as_bytes()))
            }
            Step::Size(text) => {
                let text = text.text(view)?;
                self.pays(view, text.len() as u64 / 8)?;
                Value::count(text.chars().count() as u64)
            }
            Step::ToInt(inner) => match inner.value(view)? {
                // Doubles just below 2^63 are whole numbers that fit; 2^63 itself does not.
                Value::Double(value) if value > -9.2e18 && value < 9.2e18 => {
                    Value::Int(value as i64)
                }
                Value::Double(_) => return Err(self.fails(EvalFailure::Range)),
                other => other,
            },
            Step::ToDouble(inner) => match inner.value(view)? {
                Value::Int(value) => Value::Double(value as f64),
                other => other,
            },
            Step::Best { greatest, of } => {
                let mut best: Option<Value<'a>> = None;
                for one in of {
                    let value = one.value(view)?;
                    let wanted = if *greatest {
                        std::cmp::Ordering::Greater
                    } else {
                        std::cmp::Ordering::Less
                    };
                    if best.as_ref().is_none_or(|best| value.compare(best) == Some(wanted)) {
                        best = Some(value);
                    }
                }
                best.ok_or_else(|| self.fails(EvalFailure::Range))?
            }
        })
    }

    fn text<'a>(&'a self, view: &FactView<'a>) -> Result<Cow<'a, str>, EvalError> {
        match self.value(view)? {
            Value::Text(text) => Ok(text),
            _ => Err(self.fails(EvalFailure::Range)),
        }
    }

    fn count<'a>(
        &self,
        operator: Operator,
        left: Value<'a>,
        right: Value<'a>,
    ) -> Result<Value<'a>, EvalError> {
        match (left, right) {
            (Value::Int(a), Value::Int(b)) => {
                let divides = matches!(operator, Operator::Divide | Operator::Modulo);
                if divides && b == 0 {
                    return Err(self.fails(EvalFailure::Zero));
                }
                let value = match operator {
                    Operator::Plus => a.checked_add(b),
                    Operator::Minus => a.checked_sub(b),
                    Operator::Times => a.checked_mul(b),
                    Operator::Divide => a.checked_div(b),
                    _ => a.checked_rem(b),
                };
                value.map(Value::Int).ok_or_else(|| self.fails(EvalFailure::Overflow))
            }
            (Value::Double(a), Value::Double(b)) => Ok(Value::Double(match operator {
                Operator::Plus => a + b,
                Operator::Minus => a - b,
                Operator::Times => a * b,
                _ => a / b,
            })),
            _ => Err(self.fails(EvalFailure::Range)),
        }
    }
}
