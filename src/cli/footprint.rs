//! Lets go of memory that is not used any more: of the pages of the program file above all that only the start ran.
//!
//! Reading arguments, files and certificates runs a third of all the code that a session ever runs, and runs it once. The
//! kernel keeps what it mapped for that as long as nobody else wants the memory; a bastion on which ten people look at a
//! fleet would rather have it back. What is needed again is mapped again, from the machine's own copy of the file
//! (docs/speed.md has what it is worth).

use crate::clock::monotonic;
use crate::world::World;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// When nothing new has come for so long, the fleet has been read.
const QUIET: Duration = Duration::from_secs(2);

/// A fleet that never comes to rest is taken to be read after so many changes: the screen shows at most ten a second.
const MOST_CHANGES: usize = 300;

/// What was run since is let go of again after so long, when something new is read anyway: a page that was looked at once
/// is not held for hours. What goes on running comes back, some hundred page faults later.
const SOONEST: Duration = Duration::from_secs(60);

/// Where nothing but that was held, there is twice as long until the next time, up to this.
const LATEST: Duration = Duration::from_secs(15 * 60);

/// As much more than last time is worth letting go of soon.
const WORTH: usize = 1 << 20;

/// Waits until the fleet has been read once, then lets go, and does so again now and then. Ends without a word where there
/// is no more world, or no `/proc`: nothing but memory is lost.
pub(super) async fn let_go_once_read(mut world: watch::Receiver<Arc<World>>) {
    for _ in 0..MOST_CHANGES {
        match tokio::time::timeout(QUIET, world.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => break,
        }
    }
    let Ok(program) = std::env::current_exe() else { return };
    // Where they are does not change, and to ask the kernel for it takes longer than all else.
    let Ok(told) = std::fs::read_to_string("/proc/self/smaps") else { return };
    let pages = untouched(&told, &program);
    drop(told);
    let (mut held, mut pause) = (None, SOONEST);
    loop {
        pages.iter().copied().for_each(let_go);
        give_back();
        let again = monotonic() + pause;
        // No clock wakes anybody for this: where nothing is read nothing is run either.
        while monotonic() < again {
            if world.changed().await.is_err() {
                return;
            }
        }
        let now = resident();
        pause = next_pause(pause, held, now);
        held = now;
    }
}

/// How long to wait after a time at which so much was held, by what was held the time before.
fn next_pause(pause: Duration, before: Option<usize>, now: Option<usize>) -> Duration {
    match (before, now) {
        (Some(before), Some(now)) if now <= before + WORTH => (pause * 2).min(LATEST),
        _ => SOONEST,
    }
}

/// The bytes of memory that this process holds; none where the system has no `/proc`.
fn resident() -> Option<usize> {
    let told = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = told.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: usize = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kib << 10)
}

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pages {
    from: usize,
    to: usize,
}

/// The mappings of the program file in which every page is what the file says: nobody may write to them, and no page of
/// them has become the process's own, as those have in which the loader put addresses.
fn untouched(smaps: &str, program: &Path) -> Vec<Pages> {
    let mut found = Vec::new();
    let mut candidate = None;
    for line in smaps.lines() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words.as_slice() {
            [range, "r--p" | "r-xp", _, _, _, file] if Path::new(file) == program => {
                candidate = parsed(range);
            }
            ["Anonymous:", "0", "kB"] => found.extend(candidate.take()),
            // The head of another mapping, or one with pages of its own.
            ["Anonymous:", ..] => candidate = None,
            [first, ..] if !first.ends_with(':') => candidate = None,
            _ => {}
        }
    }
    found
}

/// Reads `55d0c0a00000-55d0c0b00000`.
fn parsed(range: &str) -> Option<Pages> {
    let (from, to) = range.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    let pages = Pages { from: address(from)?, to: address(to)? };
    (pages.from < pages.to).then_some(pages)
}

#[cfg(target_os = "linux")]
fn let_go(Pages { from, to }: Pages) {
    #[expect(
        unsafe_code,
        reason = "there is no other way to tell the kernel; docs/speed.md says what it is worth"
    )]
    // SAFETY: these pages can only be read, and none of them differed from the file when that was looked at (`untouched`), after
    // the loader had done its work; nothing here ever makes them writable. Nor does the kernel let anybody write to the file
    // while it runs. Whoever reads them afterwards reads the same, after a page fault. A debugger that has set breakpoints in
    // them since loses those.
    let done = unsafe { libc::madvise(from as *mut libc::c_void, to - from, libc::MADV_DONTNEED) };
    if done != 0 {
        tracing::debug!(error = %std::io::Error::last_os_error(), "the kernel keeps the pages of the start");
    }
}

#[cfg(not(target_os = "linux"))]
fn let_go(_: Pages) {}

/// Gives back what was freed between things that are still there: lists that were read again leave such room.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_back() {
    #[expect(unsafe_code, reason = "the allocator does this by itself only at the end of its heap")]
    // SAFETY: it takes the allocator's own locks and touches nothing that is in use. Whether there was anything to give
    // back, which it answers, changes nothing.
    let _ = unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}

#[cfg(test)]
mod tests {
    use super::{LATEST, Pages, SOONEST, WORTH, next_pause, resident, untouched};
    use std::path::Path;

    const SMAPS: &str = "\
1000-3000 r--p 00000000 fe:00 42                         /usr/bin/coredeck
Size:                  8 kB
Anonymous:             0 kB
VmFlags: rd mr mw me
3000-9000 r-xp 00002000 fe:00 42                         /usr/bin/coredeck
Private_Dirty:         8 kB
Anonymous:             0 kB
9000-a000 r--p 00008000 fe:00 42                         /usr/bin/coredeck
Anonymous:             4 kB
a000-b000 rw-p 00009000 fe:00 42                         /usr/bin/coredeck
Anonymous:             0 kB
c000-d000 r-xp 00000000 fe:00 43                         /usr/lib/libc.so.6
Anonymous:             0 kB
e000-f000 rw-p 00000000 00:00 0
Anonymous:             0 kB
";

    #[test]
    fn only_pages_of_the_program_that_nobody_wrote_to_are_let_go() {
        let found = untouched(SMAPS, Path::new("/usr/bin/coredeck"));
        assert_eq!(found, [Pages { from: 0x1000, to: 0x3000 }, Pages { from: 0x3000, to: 0x9000 }]);
        assert_eq!(untouched(SMAPS, Path::new("/usr/bin/other")), []);
        assert_eq!(untouched("junk\n1-0 r-xp 0 0 0 /p\nAnonymous: 0 kB", Path::new("/p")), []);
    }

    #[test]
    fn what_nobody_uses_more_of_is_let_go_of_ever_more_rarely() {
        let held = 25 << 20;
        assert_eq!(next_pause(SOONEST, None, Some(held)), SOONEST);
        assert_eq!(next_pause(SOONEST, Some(held), Some(held + WORTH)), 2 * SOONEST);
        assert_eq!(next_pause(LATEST, Some(held), Some(held)), LATEST);
        assert_eq!(next_pause(LATEST, Some(held), Some(held + WORTH + 1)), SOONEST, "somebody did something");
        assert_eq!(next_pause(LATEST, None, None), SOONEST);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn it_is_known_how_much_is_held() {
        assert!(resident().is_some_and(|held| (1 << 20..1 << 40).contains(&held)));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_program_goes_on_after_its_pages_were_let_go() {
        let program = std::env::current_exe().unwrap();
        let told = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let all = untouched(&told, &program);
        assert!(!all.is_empty(), "{told}");
        all.into_iter().for_each(super::let_go);
        assert_eq!(untouched(SMAPS, Path::new("/usr/bin/coredeck")).len(), 2);
    }
}
