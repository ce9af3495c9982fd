//! Who listens on a port of this machine.

/// Who listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "nobody here can tell"))]
pub(super) enum Listener {
    /// Nobody.
    Nobody,
    /// The process that was asked about, or one that it started.
    Its,
    /// Somebody else.
    Another,
    /// This system does not say.
    Unknown,
}

/// Who listens on this port of 127.0.0.1, as seen from this process.
#[cfg(target_os = "linux")]
pub(super) fn listener(process: u32, port: u16) -> Listener {
    let Ok(table) = std::fs::read_to_string("/proc/self/net/tcp") else { return Listener::Unknown };
    let sockets = linux::listening(&table, port);
    if sockets.is_empty() {
        return Listener::Nobody;
    }
    let its = linux::sockets_of(process);
    // With several, nobody knows which of them a connection reaches.
    if sockets.iter().all(|socket| its.contains(socket)) { Listener::Its } else { Listener::Another }
}

/// Who listens on this port of 127.0.0.1: nobody here can tell.
#[cfg(not(target_os = "linux"))]
pub(super) fn listener(_: u32, _: u16) -> Listener {
    Listener::Unknown
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeSet;
    use std::fs;

    /// How the table says that a socket listens.
    const LISTENS: &str = "0A";

    /// The sockets that listen on a port of 127.0.0.1, by their inodes: those of the address itself, and else those of
    /// all addresses.
    pub(super) fn listening(table: &str, port: u16) -> BTreeSet<u64> {
        let (mut own, mut all) = (BTreeSet::new(), BTreeSet::new());
        // The table has an address as the machine has it in its memory.
        let loopback = format!("{:08X}:{port:04X}", u32::from_ne_bytes([127, 0, 0, 1]));
        let every = format!("{:08X}:{port:04X}", 0);
        for line in table.lines().skip(1) {
            let mut words = line.split_ascii_whitespace();
            let (Some(local), Some(state)) = (words.nth(1), words.nth(1)) else { continue };
            let Some(inode) = words.nth(5).and_then(|word| word.parse().ok()) else { continue };
            match state == LISTENS {
                true if local == loopback => own.insert(inode),
                true if local == every => all.insert(inode),
                _ => false,
            };
        }
        if own.is_empty() { all } else { own }
    }

    /// The sockets of a process and of those that it started, by their inodes.
    pub(super) fn sockets_of(process: u32) -> BTreeSet<u64> {
        let (mut found, mut left) = (BTreeSet::new(), vec![process]);
        let mut seen = BTreeSet::new();
        while let Some(process) = left.pop() {
            if !seen.insert(process) {
                continue;
            }
            let files = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
            found.extend(files.filter_map(|file| {
                let leads = fs::read_link(file.path()).ok()?;
                leads.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse::<u64>().ok()
            }));
            let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
            for thread in threads {
                // A kernel that does not tell leaves the process by itself, which is how the plugin is.
                let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
                left.extend(children.split_ascii_whitespace().filter_map(|word| word.parse::<u32>().ok()));
            }
        }
        found
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_port_is_of_whoever_listens_on_it_and_of_nobody_else() {
        let mine = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = mine.local_addr().unwrap().port();
        assert_eq!(listener(std::process::id(), port), Listener::Its);
        let other = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn();
        let mut other = other.unwrap();
        assert_eq!(listener(other.id(), port), Listener::Another);
        drop(other.stdin.take());
        other.wait().unwrap();
        drop(mine);
        assert_eq!(listener(std::process::id(), port), Listener::Nobody);
    }

    #[test]
    fn an_address_of_its_own_goes_before_all_addresses() {
        let line = |local: &str, state: &str, inode: u64| {
            format!(
                "   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  1000        0 {inode} 1\n"
            )
        };
        let loopback = format!("{:08X}", u32::from_ne_bytes([127, 0, 0, 1]));
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
        let every = line("00000000:0050", "0A", 7);
        let own = line(&format!("{loopback}:0050"), "0A", 8);
        let talks = line(&format!("{loopback}:0050"), "01", 9);
        let of = |lines: &[&String]| {
            let table: String = lines.iter().map(|line| line.as_str()).collect();
            linux::listening(&format!("{head}{table}"), 80).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(of(&[&every, &talks]), [7]);
        assert_eq!(of(&[&every, &own, &talks]), [8]);
        assert_eq!(of(&[&talks]), [0_u64; 0]);
    }
}
