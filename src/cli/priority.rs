//! Who has the processor first: the thread that draws, whoever works for a key that was pressed, and every program
//! that is started from here.

use crate::error::{Error, Result};
use std::process::{Child, Command};
use std::sync::mpsc::{SyncSender, sync_channel};
#[cfg(target_os = "linux")]
use std::time::Duration;
use tokio::sync::oneshot;

/// How much a thread that reads the fleet is nicer than the rest of the program. It gets a third of what another
/// that wants all it can have gets, and all of what nobody wants.
#[cfg(target_os = "linux")]
const NICER: i32 = 5;

/// How long a turn on the processor the thread that draws asks for: a frame takes it a few of them. Whoever asks for so
/// little is let on at once (Linux 6.12 and later: `sched_attr::sched_runtime` of a usual thread is its slice).
#[cfg(target_os = "linux")]
const TURN: Duration = Duration::from_micros(100);

/// And a thread that gives way. Until its turn is over it may not be interrupted, whatever its priority; the usual turn is
/// three milliseconds, which a key would wait.
#[cfg(target_os = "linux")]
const GIVING_TURN: Duration = Duration::from_micros(500);

/// Makes the thread that calls this one that draws: those that it starts are as well.
pub(super) fn draw_first() {
    #[cfg(target_os = "linux")]
    turns_of(TURN);
}

/// Returns what a thread does to give way to the one that calls this. Linux gives each thread a priority of its own, which
/// those that it starts inherit: it is counted from here, so that threads started by threads give way no further.
/// Elsewhere it is the whole program's, and nobody gives way.
pub(super) fn give_way() -> impl Fn() + Send + Sync + 'static {
    #[cfg(target_os = "linux")]
    let usual = rustix::process::getpriority_process(None);
    move || {
        #[cfg(target_os = "linux")]
        {
            if let Err(why) =
                usual.and_then(|usual| rustix::process::setpriority_process(None, usual + NICER))
            {
                tracing::debug!(%why, "a thread that reads does not give way");
            }
            turns_of(GIVING_TURN);
        }
    }
}

/// Asks for turns of such a length for this thread. A kernel that knows of none passes it over.
#[cfg(target_os = "linux")]
fn turns_of(length: Duration) {
    let asked = turn().and_then(|now| {
        // Who runs in real time, or only when nobody else does, was put there by somebody.
        let is_usual = [libc::SCHED_OTHER, libc::SCHED_BATCH].contains(&now.sched_policy.cast_signed());
        if is_usual {
            take_turns(libc::sched_attr { sched_runtime: nanoseconds(length), ..now })
        } else {
            Ok(())
        }
    });
    if let Err(why) = asked {
        tracing::debug!(%why, "the length of a thread's turns is what it was");
    }
}

#[cfg(target_os = "linux")]
fn nanoseconds(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

/// How this thread is scheduled.
#[cfg(target_os = "linux")]
fn turn() -> std::io::Result<libc::sched_attr> {
    let size = u32::try_from(size_of::<libc::sched_attr>()).unwrap_or_default();
    let mut attr = libc::sched_attr {
        size,
        sched_policy: 0,
        sched_flags: 0,
        sched_nice: 0,
        sched_priority: 0,
        sched_runtime: 0,
        sched_deadline: 0,
        sched_period: 0,
    };
    #[expect(
        unsafe_code,
        reason = "neither rustix nor nix has the call; docs/speed.md says what it is worth"
    )]
    // SAFETY: the kernel writes at most the `size` bytes that are given, into a value of plain numbers that is ours.
    let done = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attr, size, 0) };
    if done == 0 { Ok(attr) } else { Err(std::io::Error::last_os_error()) }
}

#[cfg(target_os = "linux")]
fn take_turns(attr: libc::sched_attr) -> std::io::Result<()> {
    #[expect(
        unsafe_code,
        reason = "neither rustix nor nix has the call; docs/speed.md says what it is worth"
    )]
    // SAFETY: the kernel reads the `size` bytes that the value says it has, and keeps none of it.
    let done = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0) };
    if done == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// A program that is to be started, and whom to tell of it.
type Wanted = (Command, oneshot::Sender<std::io::Result<Child>>);

/// Who starts programs that live on without us. One that is started by a thread that gives way would give way for all
/// its life: only root may take that back.
#[derive(Clone, Debug, Default)]
pub struct Starter {
    /// A thread that gives way to nobody; without it, whoever asks starts the program itself.
    aside: Option<SyncSender<Wanted>>,
}

impl Starter {
    /// One who starts programs with the priority of the thread that calls this. The thread that it keeps for that ends
    /// with its last copy.
    pub(super) fn here() -> Result<Self> {
        // Whoever asks waits for the answer, so nobody waits in line for long.
        let (aside, asked) = sync_channel::<Wanted>(1);
        let work = move || {
            for (mut command, tell) in asked {
                // Who has gone meanwhile has a program all the same, as if it had been started in time.
                let _ = tell.send(command.spawn());
            }
        };
        std::thread::Builder::new()
            .name("starter".to_owned())
            .spawn(work)
            .map_err(|why| Error::failed("no thread could be started to start programs").because(why))?;
        Ok(Self { aside: Some(aside) })
    }

    /// Starts a program.
    pub(super) async fn start(&self, mut command: Command) -> std::io::Result<Child> {
        let Some(aside) = &self.aside else { return command.spawn() };
        let gone = |_| std::io::Error::other("the thread that starts programs is gone");
        let (tell, told) = oneshot::channel();
        aside.send((command, tell)).map_err(|_| gone(()))?;
        told.await.map_err(|_| gone(()))?
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{GIVING_TURN, NICER, Starter, TURN, draw_first, give_way, nanoseconds, turn};
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

    #[test]
    fn who_draws_asks_for_short_turns_and_keeps_its_priority() {
        let before = turn().unwrap();
        let (drawing, giving) = thread::scope(|scope| {
            let give = give_way();
            let drawing = scope.spawn(|| {
                draw_first();
                turn().unwrap()
            });
            let giving = scope.spawn(move || {
                give();
                turn().unwrap()
            });
            (drawing.join().unwrap(), giving.join().unwrap())
        });
        assert_eq!((drawing.sched_policy, drawing.sched_nice), (before.sched_policy, before.sched_nice));
        assert_eq!(giving.sched_nice, (before.sched_nice + NICER).min(19), "and who gives way gives way");
        // A kernel before 6.12 tells of no turns.
        if before.sched_runtime > 0 {
            assert_eq!(drawing.sched_runtime, nanoseconds(TURN));
            assert_eq!(giving.sched_runtime, nanoseconds(GIVING_TURN));
        }
    }

    #[test]
    fn a_program_does_not_inherit_that_a_thread_gives_way() {
        let usual = getpriority_process(None).unwrap();
        let niceness = |pid: u32| -> i32 {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            // The name may hold blanks and parentheses; the nineteenth of all is the seventeenth after it.
            stat.rsplit_once(')').unwrap().1.split_whitespace().nth(16).unwrap().parse().unwrap()
        };
        let (give, starter) = (give_way(), Starter::here().unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread().on_thread_start(give).build().unwrap();
        let of = |starter: Starter| {
            let child = async move {
                let mut command = std::process::Command::new("cat");
                command.stdin(std::process::Stdio::piped());
                let mut child = starter.start(command).await.unwrap();
                let nice = niceness(child.id());
                // It ends with what it reads.
                drop(child.stdin.take());
                child.wait().unwrap();
                nice
            };
            runtime.block_on(runtime.spawn(child)).unwrap()
        };
        assert_eq!(of(Starter::default()), (usual + NICER).min(19), "a thread that gives way hands it on");
        assert_eq!(of(starter), usual);
    }
}
