//! Launch templates, and those of their versions that something uses: which to ask for, and what they say.
//!
//! User data is never kept: people put secrets there.

use crate::aws::translate::{moment, required, tags, text};
use crate::model::{InstanceType, Template, TemplateId, TemplateRef, TemplateVersion};
use aws_sdk_ec2::types::{LaunchTemplate, LaunchTemplateVersion, MarketType};
use std::collections::BTreeSet;

/// Returns a template that has no versions yet.
pub(super) fn template(raw: LaunchTemplate) -> Template {
    Template {
        id: raw.launch_template_id.map(TemplateId::from).unwrap_or_default(),
        name: required(raw.launch_template_name),
        default_version: number(raw.default_version_number),
        latest_version: number(raw.latest_version_number),
        created_at: moment(raw.create_time),
        created_by: text(raw.created_by),
        tags: tags(raw.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value))),
        versions: Vec::new(),
    }
}

/// Returns a version, and the id of the template that it belongs to.
pub(super) fn version(raw: LaunchTemplateVersion) -> (TemplateId, TemplateVersion) {
    let data = raw.launch_template_data;
    let by_attributes = data.as_ref().is_some_and(|data| data.instance_requirements.is_some());
    let (image, kind, market, key) = match data {
        Some(data) => (data.image_id, data.instance_type, data.instance_market_options, data.key_name),
        None => (None, None, None, None),
    };
    let version = TemplateVersion {
        number: number(raw.version_number),
        description: text(raw.version_description),
        created_at: moment(raw.create_time),
        image: text(image),
        instance_type: kind.map(|kind| InstanceType::new(kind.as_str())),
        is_spot: market.and_then(|market| market.market_type) == Some(MarketType::Spot),
        key_name: text(key),
        by_attributes,
    };
    (raw.launch_template_id.map(TemplateId::from).unwrap_or_default(), version)
}

pub(super) fn number(raw: Option<i64>) -> u64 {
    raw.and_then(|number| u64::try_from(number).ok()).unwrap_or(0)
}

/// Puts versions with their templates, by rising number, each once. Versions of a template that is not
/// in the list (deleted between two calls) have nowhere to go and are left out.
pub(super) fn attach(templates: &mut [Template], versions: Vec<(TemplateId, TemplateVersion)>) {
    for (id, version) in versions {
        let Some(template) = templates.iter_mut().find(|template| template.id == id) else { continue };
        match template.versions.binary_search_by_key(&version.number, |known| known.number) {
            Ok(_) => {}
            Err(at) => template.versions.insert(at, version),
        }
    }
}

/// Returns, per template, the numbers of the versions that are still to be read: default, latest and
/// those in use, less those that it has. References to templates that are gone name nothing to read.
pub(super) fn missing(templates: &[Template], in_use: &[TemplateRef]) -> Vec<(TemplateId, Vec<u64>)> {
    templates
        .iter()
        .filter_map(|template| {
            let mut wanted = BTreeSet::from([template.default_version, template.latest_version]);
            wanted.extend(
                in_use.iter().filter(|it| names(it, template)).filter_map(|it| resolve(it, template)),
            );
            let has = |number: &u64| template.versions.iter().any(|version| version.number == *number);
            let wanted: Vec<u64> = wanted.into_iter().filter(|n| *n > 0 && !has(n)).collect();
            (!wanted.is_empty()).then(|| (template.id.clone(), wanted))
        })
        .collect()
}

fn names(reference: &TemplateRef, template: &Template) -> bool {
    if reference.id.is_empty() { reference.name == template.name } else { reference.id == template.id }
}

/// Returns the number that a reference means now; nothing written means the default version, as in AWS.
fn resolve(reference: &TemplateRef, template: &Template) -> Option<u64> {
    match reference.version.as_str() {
        "$Latest" => Some(template.latest_version),
        "$Default" | "" => Some(template.default_version),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types as sdk;
    use aws_smithy_types::DateTime;

    fn made(id: &str, default: i64, latest: i64) -> Template {
        let raw = LaunchTemplate::builder()
            .launch_template_id(id)
            .launch_template_name(format!("{id}-name"))
            .default_version_number(default)
            .latest_version_number(latest);
        template(raw.build())
    }

    fn numbered(id: &str, number: i64) -> (TemplateId, TemplateVersion) {
        version(LaunchTemplateVersion::builder().launch_template_id(id).version_number(number).build())
    }

    fn named(id: &str, name: &str, version: &str) -> TemplateRef {
        TemplateRef { id: id.into(), name: name.into(), version: version.into() }
    }

    #[test]
    fn a_template_is_carried_over() {
        let raw = LaunchTemplate::builder()
            .launch_template_id("lt-1")
            .launch_template_name("prod")
            .default_version_number(3)
            .latest_version_number(9)
            .create_time(DateTime::from_secs(1_700_000_000))
            .created_by("arn:aws:iam::1:user/x")
            .tags(sdk::Tag::builder().key("tier").value("production").build());
        let got = template(raw.build());
        assert_eq!((got.id.as_str(), got.name.as_str()), ("lt-1", "prod"));
        assert_eq!((got.default_version, got.latest_version), (3, 9));
        assert_eq!(got.created_at.map(|at| at.as_second()), Some(1_700_000_000));
        assert_eq!(got.created_by.as_deref(), Some("arn:aws:iam::1:user/x"));
        assert_eq!(got.tags.get("tier"), Some("production"));
    }

    #[test]
    fn a_version_is_carried_over_without_its_user_data() {
        let data = sdk::ResponseLaunchTemplateData::builder()
            .image_id("resolve:ssm:/aws/service/x")
            .instance_type(sdk::InstanceType::T3Small)
            .key_name("ops")
            .user_data("c2VjcmV0")
            .instance_market_options(
                sdk::LaunchTemplateInstanceMarketOptions::builder().market_type(MarketType::Spot).build(),
            );
        let raw = LaunchTemplateVersion::builder()
            .launch_template_id("lt-1")
            .version_number(4)
            .version_description("new kernel")
            .create_time(DateTime::from_secs(7))
            .launch_template_data(data.build());
        let (id, got) = version(raw.build());
        assert_eq!(id.as_str(), "lt-1");
        assert_eq!(got.number, 4);
        assert_eq!(got.description.as_deref(), Some("new kernel"));
        assert_eq!(got.image.as_deref(), Some("resolve:ssm:/aws/service/x"));
        assert_eq!(got.instance_type.as_ref().map(InstanceType::as_str), Some("t3.small"));
        assert_eq!(got.key_name.as_deref(), Some("ops"));
        assert!(got.is_spot);
        assert!(!format!("{got:?}").contains("c2VjcmV0"));
    }

    #[test]
    fn empty_answers_are_empty_templates_and_versions() {
        let got = template(LaunchTemplate::builder().build());
        assert_eq!((got.default_version, got.latest_version, got.created_at), (0, 0, None));
        let (_, got) = version(LaunchTemplateVersion::builder().build());
        assert_eq!((got.number, got.image, got.is_spot), (0, None, false));
        assert_eq!(missing(&[template(LaunchTemplate::builder().build())], &[]), vec![]);
    }

    #[test]
    fn what_is_still_to_read_is_default_latest_and_in_use_each_once() {
        let mut templates = vec![made("lt-1", 2, 5), made("lt-2", 1, 1)];
        attach(&mut templates, vec![numbered("lt-1", 5), numbered("lt-2", 1), numbered("lt-9", 1)]);
        let in_use = [
            named("lt-1", "", "3"),
            named("", "lt-1-name", "3"),
            named("lt-1", "lt-1-name", "$Latest"),
            named("lt-1", "", ""),
            named("lt-2", "", "words"),
            named("lt-gone", "", "1"),
        ];
        assert_eq!(missing(&templates, &in_use), vec![("lt-1".into(), vec![2, 3])]);
    }

    #[test]
    fn versions_stand_in_order_and_once() {
        let mut templates = vec![made("lt-1", 1, 3)];
        attach(&mut templates, vec![numbered("lt-1", 3), numbered("lt-1", 1), numbered("lt-1", 3)]);
        let numbers: Vec<_> = templates[0].versions.iter().map(|version| version.number).collect();
        assert_eq!(numbers, [1, 3]);
    }
}
