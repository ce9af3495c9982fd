//! What sends commands to instances, puts our own documents into an account, and writes the registry.

use crate::aws::api::Api;
use crate::aws::call::Stop;
use crate::aws::change::{Done, Hand, Pen, inked};
use crate::aws::translate::{required, text};
use crate::gateway::Change;
use crate::gateway::change::Answered;
use crate::gateway::core::Sealing;
use crate::model::Sealed;
use aws_sdk_ssm::types::{DocumentFormat, DocumentHashType, DocumentType, ParameterType};
use std::collections::HashMap;

/// Writes a SecureString.
pub(in crate::aws) async fn seal(pen: &Pen<'_>, sealing: &Sealing, value: &Sealed) -> Result<Done, Stop> {
    let ssm = pen.desk().ssm();
    let request = || {
        let ask = ssm.put_parameter().name(sealing.parameter.as_str()).value(value.open());
        let ask = ask.r#type(ParameterType::SecureString).description(&sealing.description);
        inked!(pen, aws_sdk_ssm, ask.overwrite(sealing.overwrites))
    };
    let version = pen.put(Api::PutParameter, request).await?.version;
    Ok(Answered::Version(u64::try_from(version).unwrap_or_default()).into())
}

/// Carries out a change of Systems Manager.
pub(in crate::aws) async fn change(pen: &Pen<'_>, change: &Change) -> Result<Done, Stop> {
    let ssm = pen.desk().ssm();
    Ok(match change {
        Change::SendCommand {
            document,
            instances,
            parameters,
            comment,
            deliver_within_s,
            errors,
            concurrency,
        } => {
            let ids: Vec<String> = instances.iter().map(ToString::to_string).collect();
            let parameters: HashMap<String, Vec<String>> = parameters
                .iter()
                .map(|(name, values)| (name.to_string(), values.iter().map(ToString::to_string).collect()))
                .collect();
            let parameters = (!parameters.is_empty()).then_some(parameters);
            let hash_type = document.sha256.as_ref().map(|_| DocumentHashType::Sha256);
            let deliver_within_s = i32::try_from(*deliver_within_s).unwrap_or(i32::MAX);
            let request = || {
                let ask = ssm
                    .send_command()
                    .document_name(document.name.as_str())
                    .set_document_version(document.version.as_ref().map(ToString::to_string))
                    .set_document_hash(document.sha256.as_ref().map(ToString::to_string))
                    .set_document_hash_type(hash_type.clone())
                    .set_instance_ids(Some(ids.clone()))
                    .set_parameters(parameters.clone())
                    .comment(comment)
                    .timeout_seconds(deliver_within_s)
                    .max_errors(errors.to_string())
                    .max_concurrency(concurrency.to_string());
                inked!(pen, aws_sdk_ssm, ask)
            };
            let answer = pen.put(Api::SendCommand, request).await?;
            let id = answer.command.and_then(|command| text(command.command_id));
            Answered::Command(id.unwrap_or_default()).into()
        }
        Change::CancelCommand { command } => {
            let request = || inked!(pen, aws_sdk_ssm, ssm.cancel_command().command_id(command.as_str()));
            pen.put(Api::CancelCommand, request).await?;
            Answered::Yes.into()
        }
        Change::CreateDocument { name, content } => {
            let request = || {
                let ask = ssm.create_document().name(name.as_str()).content(content);
                let ask = ask.document_type(DocumentType::Command).document_format(DocumentFormat::Json);
                inked!(pen, aws_sdk_ssm, ask)
            };
            let told = pen.put(Api::CreateDocument, request).await?.document_description;
            let (version, hash) = told.map_or((None, None), |told| (told.document_version, told.hash));
            Answered::Document { version: required(version), sha256: text(hash) }.into()
        }
        Change::PutParameter { name, value, description, overwrites } => {
            let request = || {
                let ask = ssm.put_parameter().name(name.as_str()).value(value).r#type(ParameterType::String);
                let ask = ask.description(description).overwrite(*overwrites);
                inked!(pen, aws_sdk_ssm, ask)
            };
            let version = pen.put(Api::PutParameter, request).await?.version;
            Answered::Version(u64::try_from(version).unwrap_or_default()).into()
        }
        Change::DeleteParameter { name } => {
            let request = || inked!(pen, aws_sdk_ssm, ssm.delete_parameter().name(name.as_str()));
            pen.put(Api::DeleteParameter, request).await?;
            Answered::Yes.into()
        }
        Change::SealSecret { sealing } => {
            // What is sealed is known to whoever stands before this one; a preview shows that it is not.
            let Hand::Pencil(_) = pen.hand() else { return Err(pen.elsewhere(change)) };
            seal(pen, sealing, &Sealed::new("hidden")).await?
        }
        other => return Err(pen.elsewhere(other)),
    })
}
