//! What bare words are looked for in, of each of many instances: its own texts in one stretch of memory, one row's behind
//! the other's, and beside them with which others it shares the rest, which filters and sorts by that rest go by too. In the rows themselves those lie all over memory, and
//! a filter of a hundred thousand would wait for each.

use super::InstanceRow;
use crate::model::{GroupName, Health, InstanceState, Keys, Make, Tags, TierName};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Rows that are known together: where one of them changes, so many are read again.
pub const PIECE: usize = 1_024;

/// Stands behind each text. One that is looked for and does not hold it is never found where two of them meet.
pub const END: char = '\0';

/// Values of tags that so many rows of a piece share are looked into once. Those of fewer are each row's own.
const SHARED: u32 = 8;

/// The gist of many instances, in the order of their rows.
#[derive(Debug)]
pub struct Gist {
    pieces: Vec<Arc<Piece>>,
    kins: Vec<Kin>,
}

/// The gist of some rows that follow one another.
#[derive(Debug)]
struct Piece {
    /// Of each row its own texts, in lower case as far as ASCII goes.
    text: Box<str>,
    /// Of each row where its texts end, and the number of its kin.
    rows: Box<[(u32, u32)]>,
}

/// What instances have in common, a few hundred or thousand of which there are.
#[derive(Clone, Debug)]
pub struct Kin {
    /// Where in its life it is.
    pub state: InstanceState,
    /// How well it is.
    pub health: Health,
    /// How it was launched.
    pub make: Arc<Make>,
    /// The keys of its tags.
    pub keys: Option<Arc<Keys>>,
    /// Its tags, where others have the very same: otherwise their values are its own texts.
    pub tags: Option<Tags>,
    /// Its tier.
    pub tier: Option<TierName>,
    /// Its group.
    pub group: Option<GroupName>,
}

impl Kin {
    /// What this row has in common with others.
    fn of(row: &InstanceRow, has_own_tags: bool) -> Self {
        Self {
            state: row.it.state,
            health: row.health,
            make: Arc::clone(&row.it.make),
            keys: row.it.tags.keys().cloned(),
            tags: (!has_own_tags).then(|| row.it.tags.clone()),
            tier: row.tier.clone(),
            group: row.group.clone(),
        }
    }

    fn look(&self) -> Look<'_> {
        Look {
            state: self.state,
            health: self.health,
            make: Arc::as_ptr(&self.make),
            keys: self.keys.as_ref().map(Arc::as_ptr),
            tags: self.tags.as_ref().map(Tags::place),
            tier: self.tier.as_ref(),
            group: self.group.as_ref(),
        }
    }
}

/// What a kin is told from others by. What lies in one place is one thing: to compare what is there would take longer than
/// to hold it twice.
#[derive(PartialEq, Eq, Hash)]
struct Look<'a> {
    state: InstanceState,
    health: Health,
    make: *const Make,
    keys: Option<*const Keys>,
    tags: Option<usize>,
    tier: Option<&'a TierName>,
    group: Option<&'a GroupName>,
}

impl<'a> Look<'a> {
    /// That of a row's kin.
    fn of(row: &'a InstanceRow, has_own_tags: bool) -> Self {
        Self {
            state: row.it.state,
            health: row.health,
            make: Arc::as_ptr(&row.it.make),
            keys: row.it.tags.keys().map(Arc::as_ptr),
            tags: (!has_own_tags).then(|| row.it.tags.place()),
            tier: row.tier.as_ref(),
            group: row.group.as_ref(),
        }
    }
}

impl PartialEq for Kin {
    fn eq(&self, other: &Self) -> bool {
        self.look() == other.look()
    }
}

impl Eq for Kin {}

impl Hash for Kin {
    fn hash<H: Hasher>(&self, to: &mut H) {
        self.look().hash(to);
    }
}

/// Some rows that were read, whose kin have no numbers yet.
#[derive(Debug)]
pub struct Read {
    text: String,
    /// Of each row where its texts end, and its kin among these.
    rows: Vec<(u32, usize)>,
    kins: Vec<Kin>,
}

impl Read {
    /// Reads rows: `PIECE` of them, or what is left. None where their texts are too long for that, which no instances' are.
    pub fn of(rows: &[InstanceRow]) -> Option<Self> {
        let mut read = Self { text: String::new(), rows: Vec::with_capacity(rows.len()), kins: Vec::new() };
        let mut known: HashMap<Kin, usize> = HashMap::new();
        let mut last: Option<usize> = None;
        let mut sharers: HashMap<usize, u32> = HashMap::new();
        for row in rows {
            *sharers.entry(row.it.tags.place()).or_default() += 1;
        }
        for row in rows {
            let (it, text) = (&row.it, &mut read.text);
            let has_own_tags = sharers.get(&it.tags.place()).is_none_or(|sharers| *sharers < SHARED);
            let own = [Some(it.id.as_str()), it.private_ip.as_deref()].into_iter().flatten();
            for own in own.chain(it.tags.values().take(if has_own_tags { usize::MAX } else { 0 })) {
                text.push_str(own);
                text.push(END);
            }
            // Those that are alike mostly stand together.
            let look = Look::of(row, has_own_tags);
            let alike = last.filter(|last| read.kins.get(*last).is_some_and(|kin| kin.look() == look));
            let kin = alike.unwrap_or_else(|| {
                let kin = Kin::of(row, has_own_tags);
                *known.entry(kin).or_insert_with_key(|kin| {
                    read.kins.push(kin.clone());
                    read.kins.len() - 1
                })
            });
            last = Some(kin);
            read.rows.push((u32::try_from(text.len()).ok()?, kin));
        }
        read.text.make_ascii_lowercase();
        Some(read)
    }
}

/// A gist that is put together from the first row on.
#[derive(Debug, Default)]
pub struct Gathered {
    pieces: Vec<Arc<Piece>>,
    kins: Vec<Kin>,
    numbers: HashMap<Kin, u32>,
}

impl Gathered {
    /// Begins with what is known of the kin of the rows before.
    pub fn after(before: &Gist) -> Self {
        let kins = before.kins.clone();
        let numbers = kins.iter().cloned().zip(0..).collect();
        Self { pieces: Vec::with_capacity(before.pieces.len()), kins, numbers }
    }

    /// The next rows are those of this piece of what it began with.
    pub fn keep(&mut self, before: &Gist, piece: usize) -> Option<()> {
        self.pieces.push(Arc::clone(before.pieces.get(piece)?));
        Some(())
    }

    /// The next rows are these.
    pub fn add(&mut self, read: Read) -> Option<()> {
        let Self { kins, numbers, .. } = self;
        let number = |kin: Kin| match numbers.get(&kin) {
            Some(number) => Some(*number),
            None => {
                let number = u32::try_from(kins.len()).ok()?;
                kins.push(kin.clone());
                numbers.insert(kin, number);
                Some(number)
            }
        };
        let own: Vec<u32> = read.kins.into_iter().map(number).collect::<Option<_>>()?;
        let rows = read.rows.iter().map(|(end, kin)| Some((*end, *own.get(*kin)?)));
        let rows = rows.collect::<Option<_>>()?;
        self.pieces.push(Arc::new(Piece { text: read.text.into_boxed_str(), rows }));
        Some(())
    }

    /// How many kin there are, with those that no row has any more.
    pub fn kins(&self) -> usize {
        self.kins.len()
    }

    /// All rows were added.
    pub fn done(self) -> Gist {
        Gist { pieces: self.pieces, kins: self.kins }
    }
}

impl Gist {
    /// A row's own texts and the number of its kin.
    pub fn row(&self, at: usize) -> Option<(&str, u32)> {
        let piece = self.pieces.get(at / PIECE)?;
        let at = at % PIECE;
        let (end, kin) = *piece.rows.get(at)?;
        let start =
            at.checked_sub(1).map_or(Some(0), |before| piece.rows.get(before).map(|(end, _)| *end))?;
        Some((piece.text.get(start as usize..end as usize)?, kin))
    }

    /// The number of a row's kin.
    pub fn kin(&self, at: usize) -> Option<u32> {
        Some(self.pieces.get(at / PIECE)?.rows.get(at % PIECE)?.1)
    }

    /// All kin, each in the place of its number.
    pub fn kins(&self) -> &[Kin] {
        &self.kins
    }
}
