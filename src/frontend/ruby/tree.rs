//! The part of Ruby's syntax that can be followed. What is not here is [`Kind::Other`].

use std::sync::Arc;

use crate::source::Span;

/// An expression; in Ruby everything is one.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: Kind,
    /// Where it is written.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `nil`, and what is left out.
    Nil,
    /// `true` and `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A string, a heredoc, with or without `#{…}`.
    Str(Vec<Piece>),
    /// `:name`, `"name":`.
    Symbol(Vec<Piece>),
    /// `__FILE__`.
    SourceFile,
    /// `/…/` without `#{…}`.
    Regex(String),
    /// `[…]`, `%w[…]`.
    Array(Vec<Expr>),
    /// `{…}`.
    Hash(Vec<Pair>),
    /// Keyword arguments.
    Keywords(Vec<Pair>),
    /// `a..b`, `a...b`.
    Range {
        /// The first.
        from: Box<Expr>,
        /// The last, or one past it.
        to: Box<Expr>,
        /// Three dots.
        excludes_end: bool,
    },
    /// A local variable.
    Local(String),
    /// `$name`, `@name`.
    Global(String),
    /// `NAME`, `A::B`.
    Constant(String),
    /// `target = value`, with several targets too.
    Assign(Box<Target>, Box<Expr>),
    /// `target += value`; `||` and `&&` are operators too.
    Update(Box<Target>, String, Box<Expr>),
    /// A method call.
    Call(Box<Call>),
    /// `if`, `unless`, `? :`.
    If {
        /// The question.
        condition: Box<Expr>,
        /// What is run if it is true.
        yes: Vec<Expr>,
        /// What is run if it is not.
        no: Vec<Expr>,
    },
    /// `case … when`.
    Case {
        /// What is compared.
        subject: Option<Box<Expr>>,
        /// What it is compared with, and what is then run.
        arms: Vec<(Vec<Expr>, Vec<Expr>)>,
        /// `else`.
        otherwise: Vec<Expr>,
    },
    /// `a && b`.
    And(Box<Expr>, Box<Expr>),
    /// `a || b`.
    Or(Box<Expr>, Box<Expr>),
    /// Several statements.
    Sequence(Vec<Expr>),
    /// `begin … rescue …`: the statements, and those that run only after an exception.
    Rescued(Vec<Expr>, Vec<Expr>),
    /// `def name`.
    Def(String, Arc<Block>),
    /// `-> (a) { … }`.
    Lambda(Arc<Block>),
    /// `return`, `next`, `break`.
    Jump(Jump, Box<Expr>),
    /// `*list` among arguments or elements.
    Splat(Box<Expr>),
    /// `while`, `until`: the body.
    Loop(Vec<Expr>),
    /// Anything else.
    Other,
}

/// Where control goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jump {
    /// Out of the method.
    Return,
    /// To the next turn of the block.
    Next,
    /// Out of the call that runs the block.
    Break,
}

/// Part of a string.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Text that stands in the source byte for byte.
    Literal(String, Span),
    /// Text that is written in another way: `\n`.
    Escaped(String, Span),
    /// `#{…}`.
    Code(Vec<Expr>, Span),
}

/// Part of a hash.
#[derive(Clone, Debug)]
pub enum Pair {
    /// `key => value`, `key: value`.
    Entry(Expr, Expr),
    /// `**hash`.
    Splat(Expr),
}

/// What a value is assigned to.
#[derive(Clone, Debug)]
pub enum Target {
    /// A local variable.
    Local(String),
    /// `$name`, `@name`.
    Global(String),
    /// A constant.
    Constant(String),
    /// `receiver[arguments]`.
    Index(Expr, Vec<Expr>),
    /// `receiver.name`.
    Attribute(Expr, String, Span),
    /// `a, (b, c)`.
    Several(Vec<Self>),
    /// Anything else.
    Other,
}

/// A method call.
#[derive(Clone, Debug)]
pub struct Call {
    /// What the method belongs to, if written.
    pub receiver: Option<Expr>,
    /// The method.
    pub name: String,
    /// Arguments; keyword arguments are a hash at the end.
    pub arguments: Vec<Expr>,
    /// `do |a| … end`.
    pub block: Option<Arc<Block>>,
    /// `&expression`.
    pub passed_block: Option<Expr>,
    /// `&.`: nothing happens to `nil`.
    pub is_safe: bool,
}

/// A block or the body of a method.
#[derive(Clone, Debug)]
pub struct Block {
    /// Parameters.
    pub parameters: Parameters,
    /// Statements.
    pub body: Vec<Expr>,
    /// The whole.
    pub span: Span,
}

/// Parameters of a block or method.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    /// Those by position, in order: `a`, `(a, b)`.
    pub required: Vec<Target>,
    /// `a = 1`.
    pub optional: Vec<(String, Expr)>,
    /// `*rest`.
    pub rest: Option<String>,
    /// `a:`, `a: 1`.
    pub keywords: Vec<(String, Option<Expr>)>,
    /// `**options`.
    pub keyword_rest: Option<String>,
}
