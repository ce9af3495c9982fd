//! Who has the processor first: the thread that draws, and whoever works for a key that was pressed.

/// How much a thread that reads the fleet is nicer than the rest of the program. It gets a third of what another
/// that wants all it can have gets, and all of what nobody wants.
#[cfg(target_os = "linux")]
const NICER: i32 = 5;

/// Returns what a thread does to give way to the one that calls this. Linux gives each thread a priority of its own, which
/// those that it starts inherit: it is counted from here, so that threads started by threads give way no further.
/// Elsewhere it is the whole program's, and nobody gives way.
pub(super) fn give_way() -> impl Fn() + Send + Sync + 'static {
    #[cfg(target_os = "linux")]
    let usual = rustix::process::getpriority_process(None);
    move || {
        #[cfg(target_os = "linux")]
        if let Err(why) = usual.and_then(|usual| rustix::process::setpriority_process(None, usual + NICER)) {
            tracing::debug!(%why, "a thread that reads does not give way");
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{NICER, give_way};
    use rustix::process::getpriority_process;
    use std::thread;

    #[test]
    fn a_thread_that_a_giving_thread_starts_gives_way_no_further() {
        let usual = getpriority_process(None).unwrap();
        let give = give_way();
        let (first, second) = thread::scope(|scope| {
            let first = || {
                give();
                let inner = || {
                    give();
                    getpriority_process(None).unwrap()
                };
                (
                    getpriority_process(None).unwrap(),
                    thread::scope(|scope| scope.spawn(inner).join().unwrap()),
                )
            };
            scope.spawn(first).join().unwrap()
        });
        // Nineteen is the nicest.
        let wanted = (usual + NICER).min(19);
        assert_eq!((first, second), (wanted, wanted));
        assert_eq!(getpriority_process(None).unwrap(), usual, "who asked for it stays as it was");
    }
}
