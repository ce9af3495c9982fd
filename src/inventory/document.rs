//! The document of Systems Manager that lists a host's containers: fixed, without parameters, held to its hash.

use sha2::{Digest, Sha256};

/// What it is called; a new content gets a new name.
pub const NAME: &str = "coredeck-list-containers-2";

/// What it says. Two braces in a row would be a parameter of Systems Manager's, so its script puts docker's
/// templates together itself.
pub const CONTENT: &str = include_str!("list-containers.json");

/// The hash that it must have in the account.
pub fn hash() -> String {
    Sha256::digest(CONTENT.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::CONTENT;
    use serde_json::Value;

    #[test]
    fn it_takes_nothing_from_outside_and_changes_nothing() {
        let document: Value = serde_json::from_str(CONTENT).unwrap();
        assert_eq!(document["schemaVersion"], "2.2");
        assert!(document.get("parameters").is_none() && !CONTENT.contains("{{"));
        let script = document["mainSteps"][0]["inputs"]["runCommand"].to_string();
        let verbs: Vec<&str> =
            script.split("docker ").skip(1).filter_map(|rest| rest.split(' ').next()).collect();
        assert_eq!(
            verbs.iter().filter(|verb| !matches!(**verb, "ps" | "inspect" | "does" | ">/dev/null")).count(),
            0,
            "{verbs:?}"
        );
        // Environments hold secrets: of one variable the value is printed, and of the others nothing.
        let of_env: Vec<&str> = script.split(".Config.Env").skip(1).collect();
        let split = r#"${c}${o}\\$p := split . \\\"BASE_PATH=\\\"${c}${o}if index \\$p 0${c}${o}else${c}${o}range \\$p${c}${o}.${c}"#;
        assert!(of_env.len() == 1 && of_env[0].starts_with(split), "{of_env:?}");
    }
}
