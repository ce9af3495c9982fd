//! How one process wakes another: a datagram without content to every socket in a folder.
//!
//! What there is to know stands in the journal; the bell only says that it is worth a look. A bell that
//! cannot be hung up (the path is too long for a socket) is no error: whoever listens looks at a slow
//! deadline besides.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

/// Something that waits to be woken.
#[derive(Debug)]
pub struct Bell {
    socket: Option<tokio::net::UnixDatagram>,
    path: PathBuf,
}

impl Bell {
    /// Hangs a bell up in a folder under a name that no other process has.
    /// Must be called inside a tokio runtime.
    pub(super) fn hang(folder: &Path, name: &str) -> Self {
        let path = folder.join(format!("{name}.{}", std::process::id()));
        let hung = crate::store::private_folder(folder).and_then(|()| {
            // Left by a process that had this number before.
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            tokio::net::UnixDatagram::bind(&path)
        });
        let socket = hung
            .inspect_err(|error| {
                tracing::warn!(%error, path = %path.display(), "no bell: looks at its deadlines only");
            })
            .ok();
        Self { socket, path }
    }

    /// A bell that never rings.
    pub fn silent() -> Self {
        Self { socket: None, path: PathBuf::new() }
    }

    /// Whether it can ring at all.
    pub fn is_hung(&self) -> bool {
        self.socket.is_some()
    }

    /// Waits until it rings. Several rings may be heard as one.
    pub async fn rings(&self) {
        let Some(socket) = &self.socket else { return std::future::pending().await };
        let mut nothing = [0_u8; 1];
        if socket.recv(&mut nothing).await.is_err() {
            std::future::pending::<()>().await;
        }
        while socket.try_recv(&mut nothing).is_ok() {}
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        if self.socket.is_some() {
            // Somebody cleaned up already: nothing to take down.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Rings every bell in a folder whose name begins so, and takes down those that nobody listens to any more.
pub(super) fn ring(folder: &Path, name: &str) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let Ok(socket) = UnixDatagram::unbound() else { return };
    // A listener that does not empty its socket has been rung already.
    if socket.set_nonblocking(true).is_err() {
        return;
    }
    for entry in entries.flatten() {
        let is_meant = entry
            .file_name()
            .to_str()
            .is_some_and(|file| file.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')));
        if !is_meant {
            continue;
        }
        if let Err(error) = socket.send_to(&[0], entry.path())
            && error.kind() == ErrorKind::ConnectionRefused
        {
            // Another ringer may have been faster.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
