//! The syntax tree of an expression, as it was written.

/// One node of the tree.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SyntaxTree {
    /// The byte where it begins, or where its operator stands.
    pub at: usize,
    /// Its kind and operands.
    pub node: SyntaxNode,
    /// The number of levels below it.
    pub height: u16,
}

/// The kind of a node, with its operands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SyntaxNode {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    Null,
    Name(String),
    Field(Box<SyntaxTree>, String),
    Call {
        on: Option<Box<SyntaxTree>>,
        name: String,
        arguments: Vec<SyntaxTree>,
    },
    List(Vec<SyntaxTree>),
    Not(Box<SyntaxTree>),
    Negative(Box<SyntaxTree>),
    /// A chain of `&&`, or of `||`.
    Chain {
        and: bool,
        parts: Vec<SyntaxTree>,
    },
    Binary(Operator, Box<SyntaxTree>, Box<SyntaxTree>),
    If(Box<SyntaxTree>, Box<SyntaxTree>, Box<SyntaxTree>),
}

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
    In,
    Plus,
    Minus,
    Times,
    Divide,
    Modulo,
}

impl Operator {
    /// The operator as it is written.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::In => "in",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
        }
    }

    /// Higher binds tighter.
    pub const fn precedence(self) -> u8 {
        match self {
            Self::Plus | Self::Minus => 4,
            Self::Times | Self::Divide | Self::Modulo => 5,
            _ => 3,
        }
    }
}
