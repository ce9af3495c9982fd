//! Whether one query asks for no more than another: what is typed letter by letter is looked for only where the
//! letters before it were found.

use super::expr::{Expr, Fits, Term};
use super::lex::Sign;
use super::parse::Query;
use super::pattern::Pattern;

impl Query {
    /// Tells whether each row that this one selects is selected by the other, and each that this one cannot decide
    /// is selected or not decided by the other, in the same fleet at any time. No says only that it is not
    /// obvious.
    pub fn narrows(&self, other: &Self) -> bool {
        self.kind() == other.kind()
            && parts(other.expr()).iter().all(|old| parts(self.expr()).iter().any(|new| implies(new, old)))
    }
}

/// What must all hold.
fn parts(expr: &Expr) -> &[Expr] {
    match expr {
        Expr::And(parts) => parts,
        one => std::slice::from_ref(one),
    }
}

fn implies(new: &Expr, old: &Expr) -> bool {
    let (Expr::Term(new), Expr::Term(old)) = (new, old) else { return false };
    // Ages and the like are compared with the present moment, which goes on.
    let is_text = |term: &Term| term.tests.iter().all(|test| matches!(test.fits, Fits::Text(_)));
    if new == old {
        return is_text(new);
    }
    let is_part = match (new.tests.as_slice(), old.tests.as_slice()) {
        ([new], [old]) => match (&new.fits, &old.fits) {
            (Fits::Text(Pattern::Within(new)), Fits::Text(Pattern::Within(old))) => new.holds(old),
            _ => false,
        },
        _ => false,
    };
    is_part && new.on == old.on && new.sign == Sign::Has && old.sign == Sign::Has
}

#[cfg(test)]
mod tests {
    use super::super::kind::Kind;
    use super::*;

    fn narrows(new: &str, old: &str) -> bool {
        let query = |text| Query::parse(text, Kind::Instances).unwrap();
        query(new).narrows(&query(old))
    }

    #[test]
    fn a_longer_word_and_a_word_more_ask_for_less() {
        assert!(narrows("prod", "pro"));
        assert!(narrows("a-prod-1", "PROD"));
        assert!(narrows("pro state:running", "pro"));
        assert!(narrows("state:running pro", "pro state:run"));
        assert!(narrows("pro name:/x/", "name:/x/"));
    }

    #[test]
    fn what_asks_for_other_rows_or_for_the_time_does_not() {
        assert!(!narrows("pro", "prod"));
        assert!(!narrows("prod", "name:prod"));
        assert!(!narrows("name:prod", "group:prod"));
        assert!(!narrows("!prod", "!pro"));
        assert!(!narrows("prod or x", "pro"));
        assert!(!narrows("name=prod", "name:pro"), "not obvious, and not needed");
        assert!(!narrows("pro age>1h", "age>1h"));
        assert!(!narrows("name:prod,x", "name:pro"));
        assert!(!narrows("pro", ""));
    }
}
