//! Who has the processor first: the thread that draws, whoever works for a key that was pressed, and every program
//! that is started from here.

use crate::error::{Error, Result};
use std::process::{Child, Command};
use std::sync::mpsc::{SyncSender, sync_channel};
use tokio::sync::oneshot;

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
    use super::{NICER, Starter, give_way};
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
