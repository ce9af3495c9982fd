//! Pages: sizes, opaque tokens that are bound to the call, and tokens that are refused.

use super::dice::{hash, mix};
use super::fault::Fault;
use super::service::Call;

/// How one operation pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paging {
    /// The member that carries the page size.
    pub(crate) size: &'static str,
    /// The member that carries the token.
    pub(crate) token: &'static str,
    /// Rows when no size is given.
    pub(crate) default: i64,
    /// The smallest size.
    pub(crate) min: i64,
    /// The largest size.
    pub(crate) max: i64,
    /// The code for a size out of range.
    pub(crate) bad_size: &'static str,
    /// The code for a token that is not ours, or too old.
    pub(crate) bad_token: &'static str,
}

/// Seconds after which a token is refused.
const TOKEN_LIFE: i64 = 3600;

/// One page: how many rows, and after which key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    /// Rows at most.
    pub(crate) limit: usize,
    /// The key of the last row that was already given; keys begin at 1.
    pub(crate) after: u64,
}

impl Paging {
    /// Reads size and token of a call.
    pub(crate) fn of(&self, call: &Call) -> Result<Page, Fault> {
        let asked = call.input.number(self.size).map_err(|sent| {
            Fault::new(self.bad_size, format!("Value ( {sent} ) for parameter {} is invalid.", self.size))
        })?;
        if let Some(asked) = asked
            && !(self.min..=self.max).contains(&asked)
        {
            return Err(Fault::new(
                self.bad_size,
                format!(
                    "Value ( {asked} ) for parameter {} is invalid. Expecting a value from {} to {}.",
                    self.size, self.min, self.max
                ),
            ));
        }
        let limit = usize::try_from(asked.unwrap_or(self.default)).unwrap_or(1);
        let after = match call.input.text(self.token).filter(|token| !token.is_empty()) {
            None => 0,
            Some(token) => read(call, token).ok_or_else(|| {
                Fault::new(self.bad_token, format!("The token '{token}' is invalid or has expired."))
            })?,
        };
        Ok(Page { limit, after })
    }
}

impl Page {
    /// Takes this page of rows that come in the order of their keys; the token is there if more follow.
    pub(crate) fn take<'a, T>(
        &self,
        call: &Call,
        rows: impl IntoIterator<Item = (u64, &'a T)>,
    ) -> (Vec<&'a T>, Option<String>) {
        let mut taken = Vec::new();
        let mut last = 0;
        for (key, row) in rows {
            if key <= self.after {
                continue;
            }
            if taken.len() == self.limit {
                return (taken, Some(write(call, last)));
            }
            last = key;
            taken.push(row);
        }
        (taken, None)
    }
}

fn mark(call: &Call, after: u64, issued: i64) -> u64 {
    let issued_bits = u64::from_ne_bytes(issued.to_ne_bytes());
    mix(hash(call.operation)
        ^ hash(call.account)
        ^ mix(hash(call.region) ^ call.seed)
        ^ mix(after)
        ^ mix(issued_bits))
}

fn write(call: &Call, after: u64) -> String {
    let issued = call.now.0;
    let veil = mark(call, 0, 0);
    format!("{:016x}{:016x}{:016x}", mark(call, after, issued), after ^ veil, issued ^ 0x5bd1_e995_5bd1)
}

fn read(call: &Call, token: &str) -> Option<u64> {
    if token.len() != 48 || !token.is_ascii() {
        return None;
    }
    let part = |at: usize| u64::from_str_radix(token.get(at..at + 16)?, 16).ok();
    let after = part(16)? ^ mark(call, 0, 0);
    let issued = i64::try_from(part(32)?).ok()? ^ 0x5bd1_e995_5bd1;
    let fresh = call.now.0.saturating_sub(issued) <= TOKEN_LIFE * 1000;
    (part(0)? == mark(call, after, issued) && fresh).then_some(after)
}
