//! Asking EC2 whether it would do what a plan wants of it. What several lanes want alike is one question, and questions are
//! asked side by side: how fast they go is for the rates of AWS to say.

use super::desk::Desk;
use super::guard::{Refusal, refused};
use super::plan::{Lane, Proof, Step};
use crate::error::{Error, Result};
use crate::gateway::change::{self, Change, WriteError};
use crate::model::{Scope, Tags};
use futures::StreamExt;

/// Questions that are under way at once.
const AT_ONCE: usize = 8;

/// What is asked of EC2, without what makes no difference to its answer.
type Question = (Scope, Change);

/// What EC2 said to a question.
type Answer = std::result::Result<change::Proof, WriteError>;

/// Asks about every step, and returns what a person should know.
///
/// # Errors
///
/// AWS would not do it, or a change is not well formed.
pub(super) async fn prove(desk: &Desk<'_>, lanes: &mut [Lane]) -> Result<Vec<String>> {
    let mut questions: Vec<Question> = Vec::new();
    let mut asks: Vec<(Scope, &Change)> = Vec::new();
    for lane in lanes.iter() {
        for change in lane.steps.iter().flat_map(|step| step.go.act.proved()) {
            if let Some(fault) = change.fault() {
                return Err(Error::failed(format!("{}: {fault}", lane.name)));
            }
        }
        for change in lane.steps.iter().flat_map(asked) {
            let question = (lane.scope.clone(), untagged(change));
            if !questions.contains(&question) {
                questions.push(question);
                asks.push((lane.scope.clone(), change));
            }
        }
    }
    let answers: Vec<Answer> = match desk.writer {
        None => Vec::new(),
        Some(writer) => {
            let mut proofs = Vec::new();
            for (scope, change) in &asks {
                proofs.push(writer.prove(scope, change));
            }
            futures::stream::iter(proofs).buffered(AT_ONCE).collect().await
        }
    };
    let known: Vec<(&Question, &Answer)> = questions.iter().zip(&answers).collect();
    let mut warnings = Vec::new();
    for lane in lanes {
        for step in &mut lane.steps {
            let proof = judged(&lane.scope, &lane.name, step, &known, &mut warnings)?;
            step.proof = proof.unwrap_or_else(|| step.proof.clone());
        }
    }
    Ok(warnings)
}

/// What of a step can be tried out. What is made on the way cannot be before.
fn asked(step: &Step) -> impl Iterator<Item = &Change> {
    let is_open = !matches!(step.proof, Proof::Unproved(_));
    step.go.act.proved().into_iter().filter(move |change| is_open && change.can_be_proved())
}

/// What the answers say of a step; none where it was not asked about.
fn judged(
    scope: &Scope,
    name: &str,
    step: &Step,
    known: &[(&Question, &Answer)],
    warnings: &mut Vec<String>,
) -> Result<Option<Proof>> {
    let mut proof = None;
    for change in asked(step) {
        let question = (scope.clone(), untagged(change));
        let Some((_, answer)) = known.iter().find(|(asked, _)| **asked == question) else {
            proof = Some(Proof::Unproved("in read-only mode AWS is not asked".to_owned()));
            continue;
        };
        let said = match answer {
            Ok(change::Proof::Proved { .. }) => Proof::Proved,
            Ok(change::Proof::None) => Proof::Checked,
            Err(WriteError::Refused(trouble)) => {
                let mend = trouble.hint.clone().unwrap_or_else(|| "see docs/iam.md".to_owned());
                let why = format!("AWS would not do it: {}", trouble.message);
                return Err(refused(&step.title, vec![Refusal::new(name, why, mend)]));
            }
            Err(error) => {
                warnings.push(format!("{name}: AWS could not be asked if it would: {error}"));
                Proof::Unproved(error.to_string())
            }
        };
        let is_proved = said == Proof::Proved;
        proof = Some(said);
        if !is_proved {
            break;
        }
    }
    Ok(proof)
}

/// Launches that differ in their tags alone are one question: AWS lets few of them be asked.
fn untagged(change: &Change) -> Change {
    match change {
        Change::RunInstance { template, subnet, instance_type, .. } => Change::RunInstance {
            template: template.clone(),
            subnet: subnet.clone(),
            instance_type: instance_type.clone(),
            tags: Tags::default(),
        },
        other => other.clone(),
    }
}
