//! Reads expressions: numbers, ids, operators by their strength, calls, lists of ids.

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sim::cloudwatch) enum Expr {
    Number(f64),
    Text(String),
    Id(String),
    Negated(Box<Expr>),
    Binary(Op, Box<Expr>, Box<Expr>),
    /// A function in capitals; a list in brackets is a call of `LIST`.
    Call(String, Vec<Expr>),
}

/// An operator between two figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim::cloudwatch) enum Op {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
    Equal,
    Unequal,
    And,
    Or,
}

/// Operators with their strength, longest words first.
const OPERATORS: &[(&str, Op, u8)] = &[
    ("||", Op::Or, 1),
    ("OR", Op::Or, 1),
    ("&&", Op::And, 2),
    ("AND", Op::And, 2),
    ("==", Op::Equal, 3),
    ("!=", Op::Unequal, 3),
    ("<=", Op::LessOrEqual, 3),
    (">=", Op::MoreOrEqual, 3),
    ("<", Op::Less, 3),
    (">", Op::More, 3),
    ("+", Op::Add, 4),
    ("-", Op::Subtract, 4),
    ("*", Op::Multiply, 5),
    ("/", Op::Divide, 5),
    ("^", Op::Power, 7),
];

/// The strength of a sign before a figure: weaker than a power, stronger than a product.
const SIGN: u8 = 6;

/// The most brackets within each other.
const DEEPEST: usize = 60;

/// Reads an expression; the error is what cannot be understood.
pub(in crate::sim::cloudwatch) fn read(text: &str) -> Result<Expr, String> {
    let mut reader = Reader { rest: text, depth: 0 };
    let expr = reader.above(0)?;
    reader.skip();
    if reader.rest.is_empty() { Ok(expr) } else { Err(format!("'{}' is not understood", reader.rest)) }
}

struct Reader<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn takes(&mut self, word: &str) -> bool {
        self.skip();
        let Some(rest) = self.rest.strip_prefix(word) else { return false };
        // A word is an operator only where it ends.
        let goes_on = word.ends_with(|last: char| last.is_ascii_alphabetic())
            && rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
        if !goes_on {
            self.rest = rest;
        }
        !goes_on
    }

    fn needs(&mut self, word: &str) -> Result<(), String> {
        if self.takes(word) { Ok(()) } else { Err(format!("'{word}' is missing before '{}'", self.rest)) }
    }

    /// Everything whose operators are stronger than `weakest`.
    fn above(&mut self, weakest: u8) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("it is nested too deeply".into());
        }
        let mut left =
            if self.takes("-") { Expr::Negated(Box::new(self.above(SIGN - 1)?)) } else { self.operand()? };
        'more: loop {
            for (word, op, strength) in OPERATORS {
                if *strength > weakest && self.takes(word) {
                    // Powers are taken from the right, everything else from the left.
                    let right = self.above(if *op == Op::Power { strength - 1 } else { *strength })?;
                    left = Expr::Binary(*op, Box::new(left), Box::new(right));
                    continue 'more;
                }
            }
            break;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<Expr, String> {
        if self.takes("(") {
            let inner = self.above(0)?;
            self.needs(")")?;
            return Ok(inner);
        }
        if self.takes("[") {
            return Ok(Expr::Call("LIST".to_owned(), self.list("]")?));
        }
        self.skip();
        for quote in ['"', '\''] {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                let (text, rest) = rest.split_once(quote).ok_or("a text has no end")?;
                self.rest = rest;
                return Ok(Expr::Text(text.to_owned()));
            }
        }
        let is_part = |one: char| one.is_ascii_alphanumeric() || one == '_' || one == '.';
        let end = self.rest.find(|one| !is_part(one)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if word.is_empty() {
            return Err(format!("'{}' is not understood", self.rest));
        }
        self.rest = rest;
        if word.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
            return word.parse().map(Expr::Number).map_err(|_| format!("{word} is no number"));
        }
        if self.takes("(") {
            return Ok(Expr::Call(word.to_owned(), self.list(")")?));
        }
        Ok(Expr::Id(word.to_owned()))
    }

    fn list(&mut self, end: &str) -> Result<Vec<Expr>, String> {
        let mut items = Vec::new();
        if self.takes(end) {
            return Ok(items);
        }
        loop {
            items.push(self.above(0)?);
            if !self.takes(",") {
                self.needs(end)?;
                return Ok(items);
            }
        }
    }
}
