//! One forwarded port: the plugin that carries it, and its end.

use super::AGAIN;
use super::listener::{Listener, listener};
use crate::cli::shell::Plugin;
use crate::gateway::Opened;
use crate::model::{Scope, Text};
use rustix::process::{Pid, Signal, kill_process};
use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::sync::{Mutex as Turn, OwnedSemaphorePermit};

/// How long a plugin may take to close its session before it is killed.
const MOMENT: Duration = Duration::from_secs(2);

/// A forwarded port.
pub(super) struct Port {
    /// The port of this machine.
    pub(super) local: u16,
    /// Kept until it was taken in: as long as that has not been, its number is its own.
    child: Turn<Child>,
    id: Text,
    scope: Scope,
    /// Given back when the plugin has ended.
    _room: OwnedSemaphorePermit,
}

impl Port {
    /// Lets the plugin carry a session.
    pub(super) fn start(
        plugin: Plugin,
        opened: &Opened,
        scope: Scope,
        local: u16,
        room: OwnedSemaphorePermit,
    ) -> std::io::Result<Self> {
        let mut command = plugin.command(opened);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // In our own process group: what ends us from the keyboard ends it too. Where that was meant for a shell, it is
        // opened again.
        let child = Turn::new(command.kill_on_drop(true).spawn()?);
        Ok(Self { local, child, id: opened.id.clone(), scope, _room: room })
    }

    /// Who listens on it: nobody where the plugin has ended.
    fn listener(child: &mut Child, local: u16) -> Listener {
        match (child.try_wait(), child.id()) {
            (Ok(None), Some(process)) => listener(process, local),
            _ => Listener::Nobody,
        }
    }

    /// Whether the plugin lives and is the one that listens.
    pub(super) fn stands(&self) -> bool {
        // Somebody who has it is about to end it.
        let Ok(mut child) = self.child.try_lock() else { return false };
        matches!(Self::listener(&mut child, self.local), Listener::Its | Listener::Unknown)
    }

    /// Waits until it takes connections. It says itself when it never will; how long is waited is the caller's to say.
    pub(super) async fn takes_connections(&self) -> Result<(), String> {
        let mut child = self.child.lock().await;
        loop {
            if !child.try_wait().is_ok_and(|ended| ended.is_none()) {
                return Err("the plugin ended before its port was open".to_owned());
            }
            match Self::listener(&mut child, self.local) {
                Listener::Its => return Ok(()),
                Listener::Another => {
                    return Err(format!(
                        "another process of this machine listens on port {}, which the plugin was to have; nothing was sent",
                        self.local
                    ));
                }
                Listener::Unknown if TcpStream::connect((Ipv4Addr::LOCALHOST, self.local)).await.is_ok() => {
                    return Ok(());
                }
                Listener::Nobody | Listener::Unknown => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    /// The session that it carries, and where.
    pub(super) fn session(&self) -> (Scope, Text) {
        (self.scope.clone(), self.id.clone())
    }

    /// Asks the plugin to end its session, and gives it a moment; afterwards there is no plugin. Whether it has ended
    /// by itself, and may have told the host's agent.
    pub(super) async fn stop(&self) -> bool {
        let mut child = self.child.lock().await;
        if !child.try_wait().is_ok_and(|ended| ended.is_none()) {
            // An interrupt from the keyboard reaches it, too.
            return true;
        }
        // One that was taken in has no number any more.
        let number = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let asked = number.is_some_and(|number| kill_process(number, Signal::INT).is_ok());
        if asked && tokio::time::timeout(MOMENT, child.wait()).await.is_ok() {
            return true;
        }
        // It fails where it has ended meanwhile.
        let _ = child.kill().await;
        false
    }
}
