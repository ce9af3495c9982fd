//! Truth with a third value, so that what is not known is never taken for a yes or a no.

/// Kleene's three values, in order: `and` is the least of its sides, `or` the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// It does not hold.
    False,
    /// Not enough is known to say.
    Unknown,
    /// It holds.
    True,
}

impl Truth {
    /// Holds when both hold.
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Holds when either holds.
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// Tells whether it holds for certain: only then is a row selected.
    pub fn is_true(self) -> bool {
        self == Self::True
    }
}

impl std::ops::Not for Truth {
    type Output = Self;
    /// Holds when this does not; what is unknown stays unknown.
    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, False, True, Unknown};

    const ALL: [Truth; 3] = [False, Unknown, True];

    #[test]
    fn kleene_laws_hold_for_all_values() {
        for a in ALL {
            assert_eq!(!!a, a);
            assert_eq!(a.and(True), a);
            assert_eq!(a.or(False), a);
            assert_eq!(a.and(False), False);
            assert_eq!(a.or(True), True);
            for b in ALL {
                assert_eq!(!a.and(b), (!a).or(!b));
                assert_eq!(!a.or(b), (!a).and(!b));
                assert_eq!(a.and(b), b.and(a));
                assert_eq!(a.or(a.and(b)), a);
                for c in ALL {
                    assert_eq!(a.and(b.or(c)), a.and(b).or(a.and(c)));
                    assert_eq!(a.or(b.or(c)), a.or(b).or(c));
                }
            }
        }
    }

    #[test]
    fn what_is_unknown_is_neither_selected_nor_selected_by_its_negation() {
        assert!(!Unknown.is_true() && !(!Unknown).is_true());
        assert_eq!(Unknown.or(!Unknown), Unknown);
    }
}
