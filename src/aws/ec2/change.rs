//! What changes instances, template versions and tags; EC2 alone can be asked first whether it would.

use super::templates::number;
use crate::aws::api::Api;
use crate::aws::call::Stop;
use crate::aws::change::{Done, Pen, inked};
use crate::aws::translate::{each, required, word};
use crate::gateway::change::{Answered, Miss, Moved};
use crate::gateway::{Change, Token};
use crate::model::{InstanceId, TemplateRef};
use aws_sdk_ec2::types::{
    DeleteSnapshotReturnCode, InstanceStateChange, LaunchTemplateSpecification, RequestLaunchTemplateData,
    ResourceType, Tag, TagSpecification,
};

/// Carries out a change of EC2, or asks whether it would be.
pub(in crate::aws) async fn change(pen: &Pen<'_>, change: &Change, token: &Token) -> Result<Done, Stop> {
    let ec2 = pen.desk().ec2();
    let texts = |ids: &[InstanceId]| -> Vec<String> { ids.iter().map(ToString::to_string).collect() };
    Ok(match change {
        Change::StopInstances { instances } => {
            let ids = texts(instances);
            let request = || {
                let ask = ec2.stop_instances().set_instance_ids(Some(ids.clone()));
                inked!(pen, aws_sdk_ec2, ask.set_dry_run(pen.dry()))
            };
            moved(pen.put(Api::StopInstances, request).await?.stopping_instances)
        }
        Change::StartInstances { instances } => {
            let ids = texts(instances);
            let request = || {
                let ask = ec2.start_instances().set_instance_ids(Some(ids.clone()));
                inked!(pen, aws_sdk_ec2, ask.set_dry_run(pen.dry()))
            };
            moved(pen.put(Api::StartInstances, request).await?.starting_instances)
        }
        Change::TerminateInstances { instances } => {
            let ids = texts(instances);
            let request = || {
                let ask = ec2.terminate_instances().set_instance_ids(Some(ids.clone()));
                inked!(pen, aws_sdk_ec2, ask.set_dry_run(pen.dry()))
            };
            moved(pen.put(Api::TerminateInstances, request).await?.terminating_instances)
        }
        Change::RebootInstances { instances } => {
            let ids = texts(instances);
            let request = || {
                let ask = ec2.reboot_instances().set_instance_ids(Some(ids.clone()));
                inked!(pen, aws_sdk_ec2, ask.set_dry_run(pen.dry()))
            };
            pen.put(Api::RebootInstances, request).await?;
            Answered::Yes.into()
        }
        Change::RunInstance { template, subnet, instance_type, tags } => {
            let spec = specification(template);
            let tagged: Vec<Tag> =
                tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
            let tagged = TagSpecification::builder()
                .resource_type(ResourceType::Instance)
                .set_tags(Some(tagged))
                .build();
            let request = || {
                let ask = ec2.run_instances().launch_template(spec.clone()).min_count(1).max_count(1);
                let ask = ask.set_subnet_id(subnet.as_ref().map(ToString::to_string));
                let ask = ask.set_instance_type(instance_type.as_ref().map(|kind| kind.as_str().into()));
                let ask = ask.tag_specifications(tagged.clone());
                // A dry run keeps no token, and AWS takes none for it.
                let ask = ask.set_client_token((!pen.is_dry()).then(|| token.as_str().to_owned()));
                inked!(pen, aws_sdk_ec2, ask.set_dry_run(pen.dry()))
            };
            let answer = pen.put(Api::RunInstances, request).await?;
            let first = answer.instances.unwrap_or_default().into_iter().next();
            Answered::Launched(InstanceId::new(required(first.and_then(|one| one.instance_id)))).into()
        }
        Change::CreateTemplateVersion { template, from, image, description } => {
            let data = RequestLaunchTemplateData::builder().image_id(image.as_str()).build();
            let request = || {
                let ask = ec2
                    .create_launch_template_version()
                    .launch_template_id(template.as_str())
                    .source_version(from.to_string())
                    .version_description(description)
                    .launch_template_data(data.clone())
                    .client_token(token.as_str());
                inked!(pen, aws_sdk_ec2, ask.set_dry_run(pen.dry()))
            };
            let answer = pen.put(Api::CreateLaunchTemplateVersion, request).await?;
            let made = answer.launch_template_version.and_then(|version| version.version_number);
            // EC2 makes a version that cannot be launched as well, and says what is wrong with it.
            let wrong = answer.warning.and_then(|warning| warning.errors).unwrap_or_default();
            let missed = wrong.into_iter().map(|one| Miss {
                target: template.as_str().into(),
                reason: required(one.code),
                detail: one.message,
            });
            Done { answered: Answered::Version(number(made)), missed: missed.collect() }
        }
        Change::SetDefaultVersion { template, version } => {
            let request = || {
                let ask = ec2
                    .modify_launch_template()
                    .launch_template_id(template.as_str())
                    .default_version(version.to_string())
                    .client_token(token.as_str());
                inked!(pen, aws_sdk_ec2, ask.set_dry_run(pen.dry()))
            };
            let template = pen.put(Api::ModifyLaunchTemplate, request).await?.launch_template;
            Answered::Version(number(template.and_then(|it| it.default_version_number))).into()
        }
        Change::DeleteVersions { template, versions } => {
            let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
            let request = || {
                let ask = ec2.delete_launch_template_versions().launch_template_id(template.as_str());
                inked!(pen, aws_sdk_ec2, ask.set_versions(Some(versions.clone())).set_dry_run(pen.dry()))
            };
            let answer = pen.put(Api::DeleteLaunchTemplateVersions, request).await?;
            let kept = answer.unsuccessfully_deleted_launch_template_versions.unwrap_or_default();
            let missed = kept.into_iter().filter_map(|one| {
                let error = one.response_error?;
                let reason = required(error.code.map(|code| code.as_str().to_owned()));
                // What is not there is deleted.
                (reason.as_str() != "launchTemplateVersionDoesNotExist").then(|| Miss {
                    target: template.as_str().into(),
                    reason,
                    detail: error.message,
                })
            });
            Done { answered: Answered::Yes, missed: missed.collect() }
        }
        Change::DeregisterImage { image, with_snapshots } => {
            let request = || {
                let ask = ec2.deregister_image().image_id(image.as_str());
                let ask = ask.delete_associated_snapshots(*with_snapshots);
                inked!(pen, aws_sdk_ec2, ask.set_dry_run(pen.dry()))
            };
            match pen.put(Api::DeregisterImage, request).await {
                Ok(answer) => {
                    let left = answer.delete_snapshot_results.unwrap_or_default();
                    Done {
                        answered: Answered::Yes,
                        missed: left.into_iter().filter_map(|it| kept(image.as_str(), it)).collect(),
                    }
                }
                Err(stop) if !pen.is_dry() && is_gone(&stop) => Answered::Yes.into(),
                Err(stop) => return Err(stop),
            }
        }
        Change::Tag { resources, tags } => {
            let resources: Vec<String> = resources.iter().map(ToString::to_string).collect();
            let tags: Vec<Tag> =
                tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
            let request = || {
                let ask = ec2.create_tags().set_resources(Some(resources.clone()));
                inked!(pen, aws_sdk_ec2, ask.set_tags(Some(tags.clone())).set_dry_run(pen.dry()))
            };
            pen.put(Api::CreateTags, request).await?;
            Answered::Yes.into()
        }
        Change::Untag { resources, keys } => {
            let resources: Vec<String> = resources.iter().map(ToString::to_string).collect();
            let tags: Vec<Tag> = keys.iter().map(|key| Tag::builder().key(key.as_str()).build()).collect();
            let request = || {
                let ask = ec2.delete_tags().set_resources(Some(resources.clone()));
                inked!(pen, aws_sdk_ec2, ask.set_tags(Some(tags.clone())).set_dry_run(pen.dry()))
            };
            pen.put(Api::DeleteTags, request).await?;
            Answered::Yes.into()
        }
        other => return Err(pen.elsewhere(other)),
    })
}

/// Asks whether one instance of a template version would be launched, as this type where one is named. Always dry, whatever the pen.
pub(in crate::aws) async fn launch(
    pen: &Pen<'_>,
    template: &TemplateRef,
    subnet: Option<&str>,
    kind: Option<&str>,
) -> Result<(), Stop> {
    let spec = specification(template);
    let request = || {
        let ask = pen.desk().ec2().run_instances().launch_template(spec.clone()).min_count(1).max_count(1);
        let ask = ask.set_instance_type(kind.map(Into::into)).set_subnet_id(subnet.map(str::to_owned));
        inked!(pen, aws_sdk_ec2, ask.dry_run(true))
    };
    pen.put(Api::RunInstances, request).await.map(|_| ())
}

fn specification(template: &TemplateRef) -> LaunchTemplateSpecification {
    let named = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    // A template is named by its id or by its name, never by both.
    let id = named(template.id.as_str());
    let name = if id.is_some() { None } else { named(&template.name) };
    LaunchTemplateSpecification::builder()
        .set_launch_template_id(id)
        .set_launch_template_name(name)
        .set_version(named(&template.version))
        .build()
}

/// Whether an image is not there any more.
fn is_gone(stop: &Stop) -> bool {
    matches!(stop.trouble.code.as_deref(), Some("InvalidAMIID.NotFound" | "InvalidAMIID.Unavailable"))
}

/// A snapshot that was to go with its image and stays, costing what it did: AWS takes the image all the same, and says of
/// each snapshot how it went.
fn kept(image: &str, it: DeleteSnapshotReturnCode) -> Option<Miss> {
    let reason = required(it.return_code.map(|code| code.as_str().to_owned()));
    let snapshot = required(it.snapshot_id);
    // An answer that says nothing of how it went says nothing of a failure.
    (!reason.is_empty() && reason != "success").then(|| Miss {
        target: image.into(),
        reason,
        detail: Some(format!(
            "the image is gone and {snapshot} stays; `aws ec2 delete-snapshot --snapshot-id {snapshot}` deletes it"
        )),
    })
}

fn moved(changes: Option<Vec<InstanceStateChange>>) -> Done {
    let state = |state: Option<aws_sdk_ec2::types::InstanceState>| {
        word(state.and_then(|state| state.name)).unwrap_or_default()
    };
    let one = |change: InstanceStateChange| Moved {
        id: InstanceId::new(required(change.instance_id)),
        before: state(change.previous_state),
        now: state(change.current_state),
    };
    Answered::Instances(each(changes, one)).into()
}
