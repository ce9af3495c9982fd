//! The shell of pretended hosts: enough of it for the scripts that run there.
//!
//! Commands, `;`, `&&`, `||`, `!`, pipes, `if`, `for`, `while`, `until`, `case`, `{ … }`, variables, `$(…)`, `$((…))`, quotes and
//! redirections to nowhere, to the other stream, or to a file of `mktemp`. Programs are what a host has; everything else is `not found`, as on a real one, and what
//! cannot be read is a syntax error. Nothing of the machine that pretends is ever run.

mod run;

pub(crate) use self::run::{Ended, Programs, run};

/// A piece of a word.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    /// As it is.
    Text(String),
    /// What stands between `${` and `}`, or after `$`; in quotes it stays one word.
    Variable(String, bool),
    /// The output of commands.
    Output(String, bool),
    /// What stands between `$((` and `))`.
    Sum(String),
}

/// A word: its pieces, and whether any of it was quoted.
#[derive(Clone, Debug, Default, PartialEq)]
struct Word {
    pieces: Vec<Piece>,
    is_quoted: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(Word),
    /// `;` (a new line too), `;;`, `&&`, `||`, `|`, `)`
    Sign(&'static str),
}

/// What is run.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Simple(Vec<Word>),
    Not(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Pipe(Vec<Node>),
    If(Vec<(Vec<Node>, Vec<Node>)>, Vec<Node>),
    For(String, Vec<Word>, Vec<Node>),
    /// As long as the condition holds; with `until`, as long as it does not.
    While {
        condition: Vec<Node>,
        body: Vec<Node>,
        is_until: bool,
    },
    Case(Word, Vec<(Vec<Word>, Vec<Node>)>),
    Group(Vec<Node>),
}

/// What could not be read.
type Bad = String;

fn tokens(script: &str) -> Result<Vec<Token>, Bad> {
    let mut found = Vec::new();
    let mut word: Option<Word> = None;
    let mut chars = script.chars().peekable();
    let flush = |word: &mut Option<Word>, found: &mut Vec<Token>| {
        found.extend(word.take().map(Token::Word));
    };
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' => flush(&mut word, &mut found),
            '#' if word.is_none() => while chars.next_if(|next| *next != '\n').is_some() {},
            '\n' | ';' | '&' | '|' | ')' | '(' => {
                // A redirection such as `2>&1` or `>&2` holds its sign.
                let is_arrow = |word: &Word| match word.pieces.last() {
                    Some(Piece::Text(text)) => text.ends_with('>'),
                    _ => false,
                };
                if c == '&' && word.as_ref().is_some_and(is_arrow) {
                    push(&mut word, c);
                    continue;
                }
                flush(&mut word, &mut found);
                let sign = match (c, chars.peek()) {
                    ('&', Some('&')) => "&&",
                    ('|', Some('|')) => "||",
                    (';', Some(';')) => ";;",
                    ('|', _) => "|",
                    (')', _) => ")",
                    ('&' | '(', _) => return Err(format!("\"{c}\" unexpected")),
                    _ => ";",
                };
                if sign.len() == 2 {
                    chars.next();
                }
                found.push(Token::Sign(sign));
            }
            '\\' => match chars.next() {
                Some('\n') | None => {}
                Some(next) => push(&mut word, next),
            },
            '\'' => {
                let word = word.get_or_insert_default();
                word.is_quoted = true;
                let mut text = String::new();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(next) => text.push(next),
                        None => return Err("Unterminated quoted string".to_owned()),
                    }
                }
                word.pieces.push(Piece::Text(text));
            }
            '"' => {
                word.get_or_insert_default().is_quoted = true;
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => match chars.next() {
                            Some(next @ ('"' | '\\' | '$' | '`')) => push(&mut word, next),
                            Some('\n') => {}
                            Some(next) => {
                                push(&mut word, '\\');
                                push(&mut word, next);
                            }
                            None => return Err("Unterminated quoted string".to_owned()),
                        },
                        Some('$') => dollar(&mut word, &mut chars, true)?,
                        Some(next) => push(&mut word, next),
                        None => return Err("Unterminated quoted string".to_owned()),
                    }
                }
            }
            '$' => dollar(&mut word, &mut chars, false)?,
            '`' => return Err("\"`\" unexpected: write $(…)".to_owned()),
            _ => push(&mut word, c),
        }
    }
    flush(&mut word, &mut found);
    Ok(found)
}

fn push(word: &mut Option<Word>, c: char) {
    let word = word.get_or_insert_default();
    match word.pieces.last_mut() {
        Some(Piece::Text(text)) => text.push(c),
        _ => word.pieces.push(Piece::Text(c.to_string())),
    }
}

fn dollar(
    word: &mut Option<Word>,
    chars: &mut std::iter::Peekable<std::str::Chars>,
    is_quoted: bool,
) -> Result<(), Bad> {
    let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let enclosed = |chars: &mut std::iter::Peekable<std::str::Chars>, open: char, close: char| {
        let (mut text, mut depth) = (String::new(), 1);
        for c in chars.by_ref() {
            depth += i32::from(c == open) - i32::from(c == close);
            if depth == 0 {
                return Ok(text);
            }
            text.push(c);
        }
        Err(format!("{close} is missing"))
    };
    let piece = match chars.peek() {
        Some('{') => {
            chars.next();
            Piece::Variable(enclosed(chars, '{', '}')?, is_quoted)
        }
        Some('(') => {
            chars.next();
            let text = enclosed(chars, '(', ')')?;
            match text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
                Some(sum) => Piece::Sum(sum.to_owned()),
                None => Piece::Output(text, is_quoted),
            }
        }
        Some('?' | '#' | '@' | '*') => {
            Piece::Variable(chars.next().map(String::from).unwrap_or_default(), is_quoted)
        }
        Some(c) if is_name(c) => {
            let mut name = String::new();
            while let Some(c) = chars.next_if(is_name) {
                name.push(c);
            }
            Piece::Variable(name, is_quoted)
        }
        _ => Piece::Text("$".to_owned()),
    };
    word.get_or_insert_default().pieces.push(piece);
    Ok(())
}

impl Word {
    /// The word, if it is plain text without quotes.
    fn plain(&self) -> Option<&str> {
        match (self.is_quoted, self.pieces.as_slice()) {
            (false, [Piece::Text(text)]) => Some(text),
            _ => None,
        }
    }
}

/// Reads a script.
fn parse(script: &str) -> Result<Vec<Node>, Bad> {
    let tokens = tokens(script)?;
    let mut left = tokens.as_slice();
    let nodes = sequence(&mut left, &[])?;
    match left.first() {
        None => Ok(nodes),
        Some(token) => Err(unexpected(token)),
    }
}

fn unexpected(token: &Token) -> Bad {
    match token {
        Token::Word(word) => format!("\"{}\" unexpected", word.plain().unwrap_or("word")),
        Token::Sign(sign) => format!("\"{sign}\" unexpected"),
    }
}

fn peek<'t>(left: &&'t [Token]) -> Option<&'t str> {
    match left.first()? {
        Token::Word(word) => word.plain(),
        Token::Sign(sign) => Some(sign),
    }
}

fn skip(left: &mut &[Token]) {
    *left = left.get(1..).unwrap_or_default();
}

fn expect(left: &mut &[Token], wanted: &str) -> Result<(), Bad> {
    while wanted != ";" && peek(left) == Some(";") {
        skip(left);
    }
    if peek(left) != Some(wanted) {
        return Err(left.first().map_or_else(|| "end of file unexpected".to_owned(), unexpected));
    }
    skip(left);
    Ok(())
}

/// Commands up to one of these words.
fn sequence(left: &mut &[Token], ends: &[&str]) -> Result<Vec<Node>, Bad> {
    let mut nodes = Vec::new();
    loop {
        while peek(left) == Some(";") {
            skip(left);
        }
        match peek(left) {
            Some(word) if ends.contains(&word) => return Ok(nodes),
            _ if left.is_empty() => return Ok(nodes),
            _ => nodes.push(joined(left)?),
        }
    }
}

fn joined(left: &mut &[Token]) -> Result<Node, Bad> {
    let mut node = pipe(left)?;
    loop {
        let sign = peek(left);
        if !matches!(sign, Some("&&" | "||")) {
            return Ok(node);
        }
        skip(left);
        while peek(left) == Some(";") {
            skip(left);
        }
        let next = Box::new(pipe(left)?);
        node =
            if sign == Some("&&") { Node::And(Box::new(node), next) } else { Node::Or(Box::new(node), next) };
    }
}

fn pipe(left: &mut &[Token]) -> Result<Node, Bad> {
    if peek(left) == Some("!") {
        skip(left);
        return Ok(Node::Not(Box::new(pipe(left)?)));
    }
    let mut parts = vec![command(left)?];
    while peek(left) == Some("|") {
        skip(left);
        parts.push(command(left)?);
    }
    Ok(if parts.len() == 1 { parts.remove(0) } else { Node::Pipe(parts) })
}

fn word<'t>(left: &mut &'t [Token]) -> Result<&'t Word, Bad> {
    match left.first() {
        Some(Token::Word(word)) => {
            skip(left);
            Ok(word)
        }
        Some(token) => Err(unexpected(token)),
        None => Err("end of file unexpected".to_owned()),
    }
}

fn command(left: &mut &[Token]) -> Result<Node, Bad> {
    match peek(left) {
        Some("if") => {
            let mut branches = Vec::new();
            skip(left);
            loop {
                let condition = sequence(left, &["then"])?;
                expect(left, "then")?;
                branches.push((condition, sequence(left, &["elif", "else", "fi"])?));
                if peek(left) != Some("elif") {
                    break;
                }
                skip(left);
            }
            let mut otherwise = Vec::new();
            if peek(left) == Some("else") {
                skip(left);
                otherwise = sequence(left, &["fi"])?;
            }
            expect(left, "fi")?;
            Ok(Node::If(branches, otherwise))
        }
        Some("{") => {
            skip(left);
            let body = sequence(left, &["}"])?;
            expect(left, "}")?;
            Ok(Node::Group(body))
        }
        Some("for") => {
            skip(left);
            let name = word(left)?.plain().unwrap_or_default().to_owned();
            expect(left, "in")?;
            let mut words = Vec::new();
            while let Some(Token::Word(next)) = left.first() {
                words.push(next.clone());
                skip(left);
            }
            expect(left, "do")?;
            let body = sequence(left, &["done"])?;
            expect(left, "done")?;
            Ok(Node::For(name, words, body))
        }
        Some(word @ ("while" | "until")) => {
            skip(left);
            let condition = sequence(left, &["do"])?;
            expect(left, "do")?;
            let body = sequence(left, &["done"])?;
            expect(left, "done")?;
            Ok(Node::While { condition, body, is_until: word == "until" })
        }
        Some("case") => {
            skip(left);
            let subject = word(left)?.clone();
            expect(left, "in")?;
            let mut arms = Vec::new();
            loop {
                while matches!(peek(left), Some(";" | ";;")) {
                    skip(left);
                }
                if peek(left) == Some("esac") || left.is_empty() {
                    break;
                }
                let mut patterns = vec![word(left)?.clone()];
                while peek(left) == Some("|") {
                    skip(left);
                    patterns.push(word(left)?.clone());
                }
                expect(left, ")")?;
                arms.push((patterns, sequence(left, &[";;", "esac"])?));
            }
            expect(left, "esac")?;
            Ok(Node::Case(subject, arms))
        }
        Some(word @ ("then" | "else" | "elif" | "fi" | "do" | "done" | "esac" | "in" | "}")) => {
            Err(format!("\"{word}\" unexpected"))
        }
        _ => {
            let mut words = vec![word(left)?.clone()];
            while let Some(Token::Word(next)) = left.first() {
                words.push(next.clone());
                skip(left);
            }
            Ok(Node::Simple(words))
        }
    }
}
