//! Where requests went: AWS's addresses are computed deep in the SDK, and a person who looks for a broken
//! name or route wants to read them.

use super::api::Api;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The last address per call.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<BTreeMap<Api, String>>);

impl Places {
    /// Notes where a request is sent. Only scheme and host: a path may name things.
    pub(super) fn note(&self, api: Api, url: &str) {
        let mut parts = url.splitn(4, '/');
        let (Some(scheme), Some(_), Some(host)) = (parts.next(), parts.next(), parts.next()) else { return };
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.insert(api, format!("{scheme}//{host}"));
    }

    /// Where requests of this call go.
    pub(super) fn of(&self, api: Api) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&api).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::api::Api;
    use super::Places;

    #[test]
    fn keeps_scheme_and_host() {
        let places = Places::default();
        places.note(Api::DescribeRegions, "https://ec2.eu-west-9.amazonaws.com/secret?x=1");
        assert_eq!(places.of(Api::DescribeRegions).unwrap(), "https://ec2.eu-west-9.amazonaws.com");
        assert_eq!(places.of(Api::ListTasks), None);
    }
}
