//! What can be copied of a row, and how it reaches the clipboard: through the terminal itself, so that it works
//! from a bastion, and wrapped for the multiplexers that stand between.

use crate::fleet::Fleet;
use crate::model::text::harmless;
use crate::query::{Ctx, Kind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The most that is copied, in bytes: xterm takes no more.
pub(super) const MOST: usize = 74_000;

/// What of a row is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Id,
    Row,
    Command,
    Json,
}

/// The text of a part of a row; the error says why there is none.
pub(super) fn text(
    part: Part,
    kind: Kind,
    ctx: Ctx<'_>,
    at: usize,
    shown: &[&str],
) -> Result<String, String> {
    let clean = |text: &str| harmless(text).into_owned();
    match part {
        Part::Id => Some(kind.id(ctx, at)).filter(|id| !id.is_empty()).map(|id| clean(&id)),
        Part::Row => {
            let cells = shown.iter().filter_map(|name| kind.column(name).ok());
            Some(
                cells
                    .map(|column| clean(&(column.get)(ctx, at).show(column.unit, ctx.now)))
                    .collect::<Vec<_>>()
                    .join("\t"),
            )
        }
        Part::Json => {
            let fields = kind.columns().iter().map(|column| (column.name.to_owned(), column.json(ctx, at)));
            let object: serde_json::Map<_, _> = fields.collect();
            serde_json::to_string_pretty(&object)
                .ok()
                .map(|json| json.lines().map(clean).collect::<Vec<_>>().join("\n"))
        }
        Part::Command => command(kind, ctx, at),
    }
    .ok_or_else(|| format!("{} {} has nothing like that to copy", article(kind.singular()), kind.singular()))
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// The aws command that shows the row.
fn command(kind: Kind, ctx: Ctx<'_>, at: usize) -> Option<String> {
    let fleet: &Fleet = ctx.fleet;
    let id = kind.id(ctx, at).into_owned();
    let words: Vec<String> = match kind {
        Kind::Instances => words("ec2 describe-instances --instance-ids", &id),
        Kind::Groups | Kind::Drift => {
            words("autoscaling describe-auto-scaling-groups --auto-scaling-group-names", &id)
        }
        Kind::Templates => words("ec2 describe-launch-template-versions --launch-template-id", &id),
        Kind::Images => words("ec2 describe-images --image-ids", &id),
        Kind::Clusters => words("ecs describe-clusters --clusters", &id),
        Kind::Services => {
            let it = &fleet.services.get(at)?.it;
            let mut words = words("ecs describe-services --cluster", it.cluster.as_str());
            words.extend(self::words("--services", it.arn.as_str()));
            words
        }
        Kind::Tasks => {
            let it = &fleet.tasks.get(at)?.it;
            let mut words = words("ecs describe-tasks --cluster", it.cluster.as_str());
            words.extend(self::words("--tasks", it.arn.as_str()));
            words
        }
        Kind::Hosts => {
            let it = &fleet.hosts.get(at)?.it;
            let mut words = words("ecs describe-container-instances --cluster", it.cluster.as_str());
            words.extend(self::words("--container-instances", it.arn.as_str()));
            words
        }
        Kind::Targets => {
            words("elbv2 describe-target-health --target-group-arn", fleet.targets.get(at)?.it.group.as_str())
        }
        Kind::Rules => words("elbv2 describe-rules --rule-arns", fleet.rules.get(at)?.it.arn.as_str()),
        Kind::Alarms => {
            words("cloudwatch describe-alarms --alarm-names", fleet.alarms.get(at)?.it.name.as_str())
        }
        Kind::TargetGroups => words(
            "elbv2 describe-target-groups --target-group-arns",
            fleet.target_groups.get(at)?.it.arn.as_str(),
        ),
        Kind::Cores | Kind::Tenants | Kind::Events => return None,
        Kind::Calls => {
            let command = kind.column("command").ok()?;
            return Some(harmless(&(command.get)(ctx, at).show(command.unit, ctx.now)).into_owned());
        }
    };
    let mut line = format!("aws {}", words.join(" "));
    if let Some(scope) = kind.scope(ctx, at) {
        line.push_str(&format!(" --region {}", quoted(scope.region.as_str())));
    }
    Some(line)
}

/// A command that is ours, and an argument that may be anybody's.
fn words(ours: &str, argument: &str) -> Vec<String> {
    ours.split(' ').map(str::to_owned).chain([quoted(argument)]).collect()
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    let word = harmless(word);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// What stands between us and the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    /// Nothing that we know of.
    Nothing,
    /// tmux, which passes on what is wrapped where `allow-passthrough` is set.
    Tmux,
    /// GNU screen, which passes on short pieces.
    Screen,
}

impl Between {
    /// What the environment says.
    pub fn of(env: impl Fn(&str) -> Option<String>) -> Self {
        let is_set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
        if is_set("TMUX") {
            Self::Tmux
        } else if is_set("STY") {
            Self::Screen
        } else {
            Self::Nothing
        }
    }
}

/// The bytes that put text into the clipboard: OSC 52.
pub(super) fn clipboard(text: &str, between: Between) -> Vec<u8> {
    let plain = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
    match between {
        Between::Nothing => plain.into_bytes(),
        // tmux itself takes the plain one where `set-clipboard` is on, and passes the other on where it may.
        Between::Tmux => format!("{plain}\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b")).into_bytes(),
        // The sequence is ASCII, so it may be cut anywhere.
        Between::Screen => {
            plain.as_bytes().chunks(252).flat_map(|piece| [b"\x1bP", piece, b"\x1b\\"].concat()).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clipboard_is_reached_through_multiplexers() {
        assert_eq!(clipboard("i-1", Between::Nothing), b"\x1b]52;c;aS0x\x07");
        assert_eq!(
            String::from_utf8(clipboard("i-1", Between::Tmux)).unwrap(),
            "\x1b]52;c;aS0x\x07\x1bPtmux;\x1b\x1b]52;c;aS0x\x07\x1b\\"
        );
        let long = clipboard(&"x".repeat(600), Between::Screen);
        let text = String::from_utf8(long).unwrap();
        let pieces: Vec<&str> = text.split_inclusive("\x1b\\").collect();
        assert!(pieces.len() > 2 && pieces.iter().all(|piece| piece.len() <= 256), "{pieces:?}");
        let whole: String = pieces.iter().map(|piece| &piece[2..piece.len() - 2]).collect();
        assert_eq!(whole, String::from_utf8(clipboard(&"x".repeat(600), Between::Nothing)).unwrap());
    }

    #[test]
    fn a_shell_takes_a_word_as_it_is() {
        assert_eq!(quoted("i-0a"), "i-0a");
        assert_eq!(quoted("a b'c"), "'a b'\\''c'");
        assert_eq!(quoted("$(x)\u{1b}"), "'$(x)␛'");
        assert_eq!(quoted(""), "''");
    }
}
