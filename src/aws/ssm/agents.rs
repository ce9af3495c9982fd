//! `DescribeInstanceInformation`: what the agents of managed instances last said.

use crate::aws::translate::{fractional_moment, text, word};
use crate::model::{Agent, InstanceId, Text};
use aws_sdk_ssm::types::InstanceInformation;

/// Returns an agent.
pub(super) fn agent(raw: InstanceInformation) -> Agent {
    Agent {
        id: raw.instance_id.map(InstanceId::from).unwrap_or_default(),
        ping: word(raw.ping_status).unwrap_or_default(),
        last_ping_at: fractional_moment(raw.last_ping_date_time),
        version: text(raw.agent_version),
        platform: platform(raw.platform_name.as_deref(), raw.platform_version.as_deref()),
    }
}

fn platform(name: Option<&str>, version: Option<&str>) -> Option<Text> {
    match (name, version) {
        (Some(name), Some(version)) => Some(format!("{name} {version}").into()),
        (one, other) => one.or(other).map(Text::new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ssm::types as sdk;
    use aws_smithy_types::DateTime;

    #[test]
    fn an_agent_is_carried_over() {
        let raw = InstanceInformation::builder()
            .instance_id("mi-1")
            .ping_status(sdk::PingStatus::ConnectionLost)
            .last_ping_date_time(DateTime::from_secs_and_nanos(1, 500_000_000))
            .agent_version("3.3.1")
            .platform_name("Amazon Linux")
            .platform_version("2023");
        let got = agent(raw.build());
        assert_eq!((got.id.as_str(), got.ping.as_str()), ("mi-1", "ConnectionLost"));
        assert_eq!(got.last_ping_at.map(|at| at.to_string()).as_deref(), Some("1970-01-01T00:00:01.5Z"));
        assert_eq!(got.version.as_deref(), Some("3.3.1"));
        assert_eq!(got.platform.as_deref(), Some("Amazon Linux 2023"));
    }

    #[test]
    fn an_empty_agent_is_empty() {
        let got = agent(InstanceInformation::builder().build());
        assert_eq!((got.ping.as_str(), got.last_ping_at, got.platform), ("", None, None));
        assert_eq!(platform(Some("Ubuntu"), None).as_deref(), Some("Ubuntu"));
    }
}
