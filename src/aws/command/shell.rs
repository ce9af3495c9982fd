//! Words for a POSIX shell: quoted where they must be, so that a command can be pasted.

/// The text as one word.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,-=".contains(c);
    // zsh looks for a program behind a leading `=`.
    if !text.is_empty() && !text.starts_with('=') && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;
    use proptest::prelude::*;
    use std::process::Command;

    #[test]
    fn only_what_needs_quotes_has_them() {
        assert_eq!(quoted("arn:aws:ecs:us-east-1:1:cluster/a"), "arn:aws:ecs:us-east-1:1:cluster/a");
        assert_eq!(quoted("=ls"), "'=ls'");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_shell_reads_back_what_was_meant(texts in prop::collection::vec("[^\0]{0,20}", 1..20)) {
            let words: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            let script = format!("printf '%s\\0' {}", words.join(" "));
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            let read: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
            let meant: Vec<&[u8]> = texts.iter().map(String::as_bytes).chain([&b""[..]]).collect();
            prop_assert_eq!(read, meant);
        }
    }
}
