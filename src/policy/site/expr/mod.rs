//! The expressions of a site rule, a subset of CEL: text, tokens, syntax tree, typed tree, value.

pub(crate) mod calls;
pub(crate) mod check;
mod eval;
pub(crate) mod expression;
mod lexer;
mod parser;
mod syntax;
mod typed;
