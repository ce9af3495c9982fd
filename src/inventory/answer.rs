//! What a host answered to our document: containers, a line each, and a last line that says that it is all.
//!
//! Strict: a line that is not as it should be spoils the whole answer, since nobody knows what else is wrong
//! with it. Systems Manager cuts long answers, and then the last line is missing.

use crate::model::{CoreId, Text, TierName};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The first line of an answer.
const HEAD: &str = "coredeck-containers 2";
/// The last one.
const END: &str = "end";
/// What Systems Manager puts between what was printed and what was complained of.
const COMPLAINTS: &str = "----------ERROR-------";
/// What Systems Manager writes where it cut, in one spelling or another.
const CUT: [&str; 3] = ["---Output truncated", "--output truncated", "---Error truncated"];
/// Characters of a field that are read at most.
const LONGEST: usize = 512;

/// A container of a host.
#[derive(Clone, Debug, PartialEq)]
pub struct Container {
    /// Its name, without docker's slash.
    pub name: Text,
    /// Its image as it was asked for.
    pub image: Text,
    /// `running`, `exited`, `restarting`, …
    pub state: Text,
    /// When it was last started.
    pub started_at: Option<Timestamp>,
    /// MiB that it may use; none for no limit.
    pub memory_mib: Option<u64>,
    /// Thousandths of a processor that it may use; none for no limit.
    pub cpu_millis: Option<u64>,
    /// Ports of the host, and in the container.
    pub ports: Vec<(u16, u16)>,
    /// The path that its calls stand below.
    pub base_path: Option<Text>,
    /// The core that it says it is.
    pub core: Option<CoreId>,
    /// The fleet that it says it belongs to.
    pub fleet: Option<Text>,
    /// The tier that it says it is of.
    pub tier: Option<TierName>,
    /// Whether it is a core, by its labels or its image.
    pub is_core: bool,
    /// Whether ECS keeps it.
    pub is_of_ecs: bool,
}

impl Container {
    /// Whether it runs.
    pub fn runs(&self) -> bool {
        self.state == "running"
    }

    /// The port of the host at which its core listens: the one that leads to 3567, or else the only one.
    pub fn core_port(&self) -> Option<u16> {
        let usual = self.ports.iter().find(|(_, inner)| *inner == 3567);
        match (usual, self.ports.as_slice()) {
            (Some((host, _)), _) | (None, [(host, _)]) => Some(*host),
            _ => None,
        }
    }

    /// The version that its image's tag names.
    pub fn version(&self) -> Option<Text> {
        let (_, tag) = self.image.rsplit_once(':')?;
        let is_tag = !tag.contains('/') && tag.starts_with(|c: char| c.is_ascii_digit());
        is_tag.then(|| Text::new(tag))
    }
}

/// What a host answered.
#[derive(Clone, Debug, PartialEq)]
pub enum HostAnswer {
    /// Its containers.
    Containers {
        /// Which.
        all: Vec<Container>,
        /// Whether these are all; otherwise the answer was cut.
        is_whole: bool,
    },
    /// There is no docker on it.
    NoDocker,
}

/// Reads what a host printed.
///
/// # Errors
///
/// It is not an answer to our document: what is wrong, without what it says.
pub fn parse(printed: &str) -> Result<HostAnswer, String> {
    let printed = printed.split(COMPLAINTS).next().unwrap_or_default();
    // What was cut carries a mark of AWS's, at the end of the line that was cut or below it.
    let cut = CUT.iter().filter_map(|mark| printed.find(mark)).min().unwrap_or(printed.len());
    let printed = printed.get(..cut).unwrap_or_default().trim_end_matches(['\n', '-']);
    let mut lines: Vec<&str> = printed.lines().map(str::trim_end).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let (Some(first), rest) = (lines.first(), lines.get(1..).unwrap_or_default()) else {
        return Err("it printed nothing".to_owned());
    };
    if *first == format!("{HEAD} none") {
        return Ok(HostAnswer::NoDocker);
    }
    if *first != HEAD {
        return Err("what it printed is not the answer of our document".to_owned());
    }
    let is_whole = rest.last() == Some(&END);
    // Where it was cut, it was cut within a line.
    let body = rest.get(..rest.len().saturating_sub(1)).unwrap_or_default();
    let mut all = Vec::with_capacity(body.len());
    for (at, line) in body.iter().enumerate() {
        let read = container(line);
        all.push(read.map_err(|why| format!("line {} of what it printed: {why}", at + 2))?);
    }
    Ok(HostAnswer::Containers { all, is_whole })
}

fn container(line: &str) -> Result<Container, String> {
    let fields: Vec<&str> = line.split('|').collect();
    let [name, image, state, started, memory, cpus, ports, core, fleet, tier, kind, cluster, base] =
        fields.as_slice()
    else {
        return Err(format!("{} fields where 13 belong", fields.len()));
    };
    let plain = |what: &str, raw: &str| {
        let is_plain = raw.len() <= LONGEST && raw.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        if is_plain { Ok(Text::new(raw)) } else { Err(format!("the {what} is no plain text")) }
    };
    // Old versions of docker write what a map lacks as `<no value>`.
    let label = |what: &str, raw: &str| {
        plain(what, raw).map(|text| Some(text).filter(|text| !text.is_empty() && text != "<no value>"))
    };
    let number = |what: &str, raw: &str| raw.parse::<u64>().map_err(|_| format!("the {what} is no number"));
    let (memory, cpus) = (number("memory limit", memory)?, number("processor limit", cpus)?);
    let started_at: Option<Timestamp> = started.parse().ok();
    let core = label("core's label", core)?;
    let is_session_service = label("type's label", kind)?.as_deref() == Some("session-service");
    let image = plain("image", image)?;
    let is_supertokens = image.split(['/', ':']).any(|part| part.starts_with("supertokens"));
    Ok(Container {
        name: plain("name", name.trim_start_matches('/'))?,
        state: plain("state", state)?,
        // Docker's year one: it never ran.
        started_at: started_at.filter(|at| *at > Timestamp::UNIX_EPOCH),
        memory_mib: (memory > 0).then_some(memory / 1_048_576),
        cpu_millis: (cpus > 0).then_some(cpus / 1_000_000),
        ports: bindings(ports)?,
        is_core: core.is_some() || is_session_service || is_supertokens,
        core: core.map(|id| CoreId::new(&id)),
        fleet: label("fleet's label", fleet)?,
        tier: label("tier's label", tier)?.map(|tier| TierName::new(&tier)),
        is_of_ecs: label("cluster's label", cluster)?.is_some(),
        base_path: below(&plain("path of its calls", base)?),
        image,
    })
}

/// A path with a slash before it; none for the root.
fn below(raw: &str) -> Option<Text> {
    let path = raw.trim_matches(['/', ' ']);
    (!path.is_empty()).then(|| Text::from(format!("/{path}")))
}

/// `{"3567/tcp":[{"HostIp":"","HostPort":"3568"}]}`
fn bindings(raw: &str) -> Result<Vec<(u16, u16)>, String> {
    #[derive(serde::Deserialize)]
    struct Binding {
        #[serde(rename = "HostPort")]
        host_port: String,
    }
    let wrong = || "the ports are not as docker writes them".to_owned();
    let all: Option<BTreeMap<String, Option<Vec<Binding>>>> =
        serde_json::from_str(raw).map_err(|_| wrong())?;
    let mut found = Vec::new();
    for (inner, bound) in all.unwrap_or_default() {
        let (inner, _) = inner.split_once('/').ok_or_else(wrong)?;
        let inner: u16 = inner.parse().map_err(|_| wrong())?;
        for Binding { host_port } in bound.unwrap_or_default() {
            // A port that docker chooses by itself is not written here.
            if !host_port.is_empty() {
                let pair = (host_port.parse().map_err(|_| wrong())?, inner);
                if !found.contains(&pair) {
                    found.push(pair);
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"/supertokens-dev-1|supertokens/supertokens-postgresql:11.0.4|running|2026-11-20T10:00:00.5Z|268435456|500000000|{"3567/tcp":[{"HostIp":"0.0.0.0","HostPort":"3568"},{"HostIp":"::","HostPort":"3568"}]}|dev-1|main|development|session-service||"#;

    fn all(printed: &str) -> (Vec<Container>, bool) {
        match parse(printed).unwrap() {
            HostAnswer::Containers { all, is_whole } => (all, is_whole),
            HostAnswer::NoDocker => panic!("there is docker"),
        }
    }

    #[test]
    fn a_container_is_read_with_labels_ports_times_and_limits() {
        let (containers, is_whole) = all(&format!("{HEAD}\n{LINE}\nend\n"));
        assert!(is_whole);
        let one = &containers[0];
        assert_eq!((one.name.as_str(), one.core_port()), ("supertokens-dev-1", Some(3568)));
        assert_eq!((one.memory_mib, one.cpu_millis), (Some(256), Some(500)));
        assert_eq!(one.core.as_ref().map(|id| id.as_str()), Some("dev-1"));
        assert_eq!((one.version().as_deref(), one.base_path.as_deref()), (Some("11.0.4"), None));
        let (below, _) = all(&format!("{HEAD}\n{LINE}auth/\nend\n"));
        assert_eq!(below[0].base_path.as_deref(), Some("/auth"));
        assert!(one.is_core && one.runs() && !one.is_of_ecs && one.started_at.is_some());
    }

    #[test]
    fn a_cut_answer_is_not_whole_and_loses_its_last_line() {
        let whole = format!("{HEAD}\n{LINE}\n{LINE}\nend\n");
        for cut in HEAD.len()..whole.len() - 5 {
            let (containers, is_whole) = all(&whole[..cut]);
            assert!(!is_whole && containers.len() <= 1, "{cut}: {}", containers.len());
        }
        assert!(all(&format!("{HEAD}\n{LINE}\nend\n\n{COMPLAINTS}\nError: No such object: x")).1);
    }

    #[test]
    fn garbage_is_said_and_not_repeated() {
        for garbage in [
            "",
            "hunter2",
            "coredeck-containers 2\nhunter2|x\nend",
            &format!("{HEAD}\n{}\nend", LINE.replace("268435456", "hunter2")),
            &format!("{HEAD}\n{}\nend", LINE.replace("dev-1|main", "hunter2\u{1b}[2J|main")),
            &format!("{HEAD}\n{}\nend", LINE.replace("3567/tcp", "hunter2")),
        ] {
            let why = parse(garbage).unwrap_err();
            assert!(!why.contains("hunter2") && !why.is_empty(), "{why}");
        }
        assert_eq!(parse("coredeck-containers 2 none\n"), Ok(HostAnswer::NoDocker));
        assert_eq!(all(&format!("{HEAD}\nend\n")), (Vec::new(), true));
    }

    #[test]
    fn what_has_no_label_is_known_by_its_image() {
        let bare = LINE.replace("|dev-1|main|development|session-service|", "|||<no value>||");
        let (containers, _) = all(&format!("{HEAD}\n{bare}\nend\n"));
        let one = &containers[0];
        assert!(one.is_core && one.core.is_none() && one.tier.is_none());
        let other = bare.replace("supertokens/supertokens-postgresql:11.0.4", "nginx");
        let (containers, _) = all(&format!("{HEAD}\n{other}\nend\n"));
        assert!(!containers[0].is_core && containers[0].version().is_none());
    }
}
