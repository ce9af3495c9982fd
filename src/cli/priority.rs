//! Who has the processor first: the thread that draws, and whoever works for a key that was pressed.

/// How much a thread that reads the fleet is nicer than the rest of the program. It gets a third of what another
/// that wants all it can have gets, and all of what nobody wants.
#[cfg(target_os = "linux")]
const NICER: i32 = 5;

/// Lets the thread that calls it give way to all others. Linux gives each thread a priority of its own; elsewhere
/// it is the whole program's, which gives way to nobody.
pub(super) fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(why) = rustix::process::getpriority_process(None)
        .and_then(|now| rustix::process::setpriority_process(None, now + NICER))
    {
        tracing::debug!(%why, "a thread that reads does not give way");
    }
}
