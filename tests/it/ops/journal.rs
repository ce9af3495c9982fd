//! The journal by itself: only added to, chained, held by one, and readable when it is broken.

use super::bench::{start, who};
use coredeck::error::{Error, ErrorKind};
use coredeck::store::journal::{Claim, Grip, Journal, Ledger, LedgerError, OpRecord, Salvage};
use std::path::Path;

fn record(id: &str) -> OpRecord {
    OpRecord {
        id: id.to_owned(),
        fleet: "f".to_owned(),
        kind: "drain".to_owned(),
        title: "drain 1 instance".to_owned(),
        plan_id: "p".to_owned(),
        plan: "{}".to_owned(),
        reach: Vec::new(),
        who: who("anna"),
        reason: None,
        at: start(),
    }
}

fn entered(file: &Path, id: &str, target: &str, grip: Grip) -> Result<Journal, LedgerError> {
    let journal = Journal::open(file).unwrap();
    journal.begin(&record(id), &[(target.to_owned(), grip)])?;
    Ok(journal)
}

#[test]
fn records_are_chained_and_cannot_be_changed() {
    let folder = crate::residue::Folder::new();
    let file = folder.path().join("journal.db");
    let journal = entered(&file, "op-1", "a", Grip::Alone).unwrap();
    let epoch = journal.claim("op-1", &who("anna"), start(), false).unwrap();
    journal.append("op-1", epoch, start(), "left", r#"{"event":"left","why":"x"}"#).unwrap();
    assert_eq!(journal.verify().unwrap().faults, Vec::<String>::new());
    let db = rusqlite::Connection::open(&file).unwrap();
    for sql in
        ["update event set body = 'x'", "delete from event", "delete from op", "update op set record = ''"]
    {
        assert!(db.execute(sql, []).unwrap_err().to_string().contains("never"), "{sql}");
    }
    // Whoever takes the triggers away is found out.
    db.execute_batch(
        "drop trigger event_stays; update event set body = replace(body, 'x', 'y') where seq = 2",
    )
    .unwrap();
    let faults = journal.verify().unwrap().faults;
    assert!(
        faults.iter().any(|fault| fault.contains("record 2 of operation op-1 was changed")),
        "{faults:?}"
    );
}

#[test]
fn one_runner_at_a_time_and_the_old_one_is_fenced() {
    let folder = crate::residue::Folder::new();
    let file = folder.path().join("journal.db");
    let old = entered(&file, "op-1", "a", Grip::Alone).unwrap();
    let new = Journal::open(&file).unwrap();
    let first = old.claim("op-1", &who("anna"), start(), false).unwrap();
    let error = new.claim("op-1", &who("ben"), start(), false).unwrap_err();
    assert!(error.to_string().contains("anna@bastion"), "{error}");
    assert_eq!(Error::from(error).kind, ErrorKind::Held);
    let second = new.claim("op-1", &who("ben"), start(), true).unwrap();
    assert!(second > first);
    let fenced = old.append("op-1", first, start(), "x", "{}").unwrap_err();
    assert!(matches!(fenced, LedgerError::Fenced { .. }), "{fenced}");
    new.append("op-1", second, start(), "x", "{}").unwrap();
    // A runner whose process is gone needs no force.
    drop(new);
    drop(old);
    let third = Journal::open(&file).unwrap();
    assert!(!third.runner("op-1").unwrap().unwrap().1);
    assert!(third.claim("op-1", &who("cleo"), start(), false).unwrap() > second);
}

#[test]
fn targets_are_held_alone_or_shared_and_the_other_is_told_by_whom() {
    let folder = crate::residue::Folder::new();
    let file = folder.path().join("journal.db");
    let first = entered(&file, "op-1", "group", Grip::Shared).unwrap();
    entered(&file, "op-2", "group", Grip::Shared).unwrap();
    let held = entered(&file, "op-3", "group", Grip::Alone).unwrap_err();
    assert!(held.to_string().contains("held by operation op-1 (drain 1 instance) of anna@bastion"), "{held}");
    assert_eq!(ErrorKind::Held.exit_code(), 4);
    let error = Error::from(held);
    assert_eq!(error.kind, ErrorKind::Held);
    let epoch = first.claim("op-1", &who("anna"), start(), false).unwrap();
    first.release("op-1", epoch, start(), true).unwrap();
    assert!(entered(&file, "op-4", "group", Grip::Alone).is_err(), "op-2 has it still");
    assert!(first.op("op-4").is_err(), "what is refused is not entered");
}

#[test]
fn a_budget_is_shared_and_what_was_given_back_lately_still_counts() {
    let folder = crate::residue::Folder::new();
    let file = folder.path().join("journal.db");
    let one = entered(&file, "op-1", "a", Grip::Alone).unwrap();
    let two = entered(&file, "op-2", "b", Grip::Alone).unwrap();
    let mine = one.claim("op-1", &who("anna"), start(), false).unwrap();
    let other = two.claim("op-2", &who("ben"), start(), false).unwrap();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let wanted = names(&["a", "b", "c"]);
    let down = names(&["z"]);
    let claim = |wanted, down, seen_at| Claim { pool: "f/prod", wanted, down, most: 3, seen_at };
    assert_eq!(one.reserve("op-1", mine, &claim(&wanted, &down, start())).unwrap(), ["a", "b"]);
    let more = names(&["d", "z"]);
    assert_eq!(
        two.reserve("op-2", other, &claim(&more, &down, start())).unwrap(),
        ["z"],
        "it is down already"
    );
    assert_eq!(
        one.reserve("op-1", mine, &claim(&wanted, &down, start())).unwrap(),
        ["a", "b"],
        "asked again"
    );
    let later = super::bench::later(1);
    one.give_back("op-1", "f/prod", "a", later).unwrap();
    let stale = claim(&more, &down, start());
    assert_eq!(two.reserve("op-2", other, &stale).unwrap(), ["z"], "the look is older than what it misses");
    let fresh = claim(&more, &down, super::bench::later(2));
    assert_eq!(two.reserve("op-2", other, &fresh).unwrap(), ["d", "z"]);
}

#[test]
fn a_journal_that_is_locked_or_damaged_is_still_read() {
    let folder = crate::residue::Folder::new();
    let file = folder.path().join("journal.db");
    drop(entered(&file, "op-1", "a", Grip::Alone).unwrap());
    let lock = rusqlite::Connection::open(&file).unwrap();
    lock.execute_batch("pragma locking_mode = exclusive; begin exclusive").unwrap();
    let locked = Salvage::read(&file).unwrap();
    assert_eq!(locked.ops.len(), 1, "{locked:?}");
    drop(lock);
    // Everything behind the first page is overwritten: what stands there can be read, or it says why not.
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[4096..].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    match Salvage::read(&file) {
        Ok(found) => assert!(!found.faults.is_empty()),
        Err(error) => assert!(matches!(error, LedgerError::Corrupt(..)), "{error}"),
    }
    std::fs::write(&file, b"this is no database at all, but it is long enough to look like one").unwrap();
    let error = Journal::open(&file).unwrap_err();
    assert!(matches!(error, LedgerError::Corrupt(..)), "{error}");
    assert!(Error::from(error).hints.iter().any(|hint| hint.contains("op export")));
}

#[test]
fn a_runner_that_took_over_lives_on_when_the_old_one_ends() {
    let folder = crate::residue::Folder::new();
    let file = folder.path().join("journal.db");
    let old = entered(&file, "op-1", "a", Grip::Alone).unwrap();
    old.claim("op-1", &who("anna"), start(), false).unwrap();
    let new = Journal::open(&file).unwrap();
    assert!(matches!(new.claim("op-1", &who("ben"), start(), false), Err(LedgerError::Running(_))));
    let epoch = new.claim("op-1", &who("ben"), start(), true).unwrap();
    // The process that it was taken from ends only now.
    drop(old);
    let third = Journal::open(&file).unwrap();
    let (runner, lives) = third.runner("op-1").unwrap().unwrap();
    assert!(lives && runner.who.user == "ben", "{runner:?}");
    assert!(matches!(third.claim("op-1", &who("eve"), start(), false), Err(LedgerError::Running(_))));
    new.release("op-1", epoch, start(), false).unwrap();
    assert!(!third.runner("op-1").unwrap().unwrap().1);
    third.claim("op-1", &who("eve"), start(), false).unwrap();
    drop(third);
    let (_, lives) = new.runner("op-1").unwrap().unwrap();
    assert!(!lives, "a process that ended without a word is dead");
}
