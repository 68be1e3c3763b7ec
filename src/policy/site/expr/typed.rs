//! The typed tree of an expression. Names are resolved to facts, every node has one type, and loops
//! over lists are unrolled, so the size of the tree bounds the cost of an evaluation.

use regex::bytes::Regex;

use crate::policy::site::diagnostic::Location;
use crate::policy::site::expr::syntax::Operator;
use crate::policy::site::facts::Fact;

/// The process that a fact is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The process that is judged.
    Judged,
    /// The victim, in `company`.
    Victim,
}

/// One node, and where it stands in the file.
pub(crate) struct TypedExpr {
    pub location: Location,
    pub node: TypedNode,
}

/// What a node computes.
pub(crate) enum TypedNode {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Box<str>),
    Fact(Subject, &'static Fact),
    Has(Subject, &'static Fact),
    Not(Box<TypedExpr>),
    Negative(Box<TypedExpr>),
    /// `&&` and `||`. A part that decides the result wins over one that fails.
    Chain {
        and: bool,
        parts: Vec<TypedExpr>,
    },
    Compare(Operator, Box<TypedExpr>, Box<TypedExpr>),
    Arithmetic(Operator, Box<TypedExpr>, Box<TypedExpr>),
    If(Box<TypedExpr>, Box<TypedExpr>, Box<TypedExpr>),
    In(Box<TypedExpr>, Vec<TypedExpr>),
    /// List elements that may fail, then the node to evaluate if none does.
    After(Vec<TypedExpr>, Box<TypedExpr>),
    Search(Search, Box<TypedExpr>, Box<TypedExpr>),
    /// The text, the pattern, and the cost of one byte of the text.
    Matches(Box<TypedExpr>, Regex, u64),
    Size(Box<TypedExpr>),
    ToInt(Box<TypedExpr>),
    ToDouble(Box<TypedExpr>),
    /// `math.greatest` and `math.least`.
    Extreme {
        greatest: bool,
        of: Vec<TypedExpr>,
    },
}

/// Where a text is searched for another one.
#[derive(Clone, Copy)]
pub(crate) enum Search {
    Start,
    End,
    Anywhere,
}
