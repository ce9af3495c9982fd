//! The dialog before something is changed: what is wanted, the fields that can still be chosen, the plan that
//! was made of it, and what has been typed to confirm it. Plain data.

mod field;

pub(super) use field::{Content, Field, Name, options};

use super::line::Line;
use crate::ops::counter::{Declined, Offer};
use crate::ops::{Confirm, Intent, Verb};
use std::sync::Arc;

/// An open dialog.
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    pub(super) what: What,
    /// What is wanted, in a few words.
    pub(super) title: String,
    /// Something to know about the targets, before any plan.
    pub(super) note: Option<String>,
    pub(super) fields: Vec<Field>,
    /// The field that has the keys; the confirmation after the last.
    pub(super) focus: usize,
    pub(super) stage: Stage,
    /// What was typed to confirm it.
    pub(super) typed: Line,
    /// By which the answer that is waited for is known.
    pub(super) ticket: u64,
    /// The first line of the plan that shows.
    pub(super) top: usize,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// A change: a verb and targets; the fields say the rest.
    Change(Intent),
    /// What an operation did is to be taken back.
    TakeBack(String),
    /// An operation is to do something.
    Ask(String, Verb),
}

/// How far it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stage {
    /// Something must be given first, or what was given is wrong.
    Lacking(String),
    /// The fleet is read and the plan is made; how far that is, as soon as it is told.
    Planning(Option<String>),
    /// It is there to be looked at.
    Planned(Arc<Offer>),
    /// There will be none.
    Declined(Declined),
    /// It was confirmed and is being begun.
    Beginning(Arc<Offer>),
    /// There is no plan to it: it only has to be confirmed.
    Ready,
}

impl Dialog {
    /// A dialog in which nothing was typed yet.
    pub(super) fn new(what: What, title: String, fields: Vec<Field>) -> Self {
        // Where something must be given, that is first.
        let is_first = |field: &Field| field.name.must_be_filled();
        let focus = fields.iter().position(is_first).unwrap_or(fields.len());
        Self {
            what,
            title,
            note: None,
            fields,
            focus,
            stage: Stage::Ready,
            typed: Line::default(),
            ticket: 0,
            top: 0,
        }
    }

    /// The field that has the keys; none while that is the confirmation.
    pub(super) fn field(&self) -> Option<&Field> {
        self.fields.get(self.focus)
    }

    /// Whether the keys go to the confirmation.
    pub(super) fn is_confirming(&self) -> bool {
        self.field().is_none()
    }

    /// How it is confirmed; none while there is nothing to confirm.
    pub(super) fn confirm(&self) -> Option<Confirm> {
        match &self.stage {
            Stage::Planned(offer) => Some(Confirm::of(&offer.plan)),
            Stage::Ready => Some(Confirm::Yes),
            _ => None,
        }
    }

    /// Why, as far as it was typed.
    pub(super) fn reason(&self) -> Option<String> {
        let field = self.fields.iter().find(|field| field.name == Name::Reason)?;
        let text = field.text().trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Whether an answer is being waited for.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Planning(_) | Stage::Beginning(_))
    }

    /// Hears how far the plan is that it waits for.
    pub(super) fn hear(&mut self, ticket: u64, said: &str) {
        if let Stage::Planning(so_far) = &mut self.stage
            && self.ticket == ticket
        {
            *so_far = Some(said.to_owned());
        }
    }

    /// The intent with what the fields say.
    ///
    /// # Errors
    ///
    /// A sentence about the field that is wrong or missing.
    pub(super) fn intent(&self) -> Result<Option<Intent>, String> {
        let What::Change(intent) = &self.what else { return Ok(None) };
        let options = options(&self.fields)?;
        if intent.verb == "scale"
            && options.desired.is_none()
            && options.min.is_none()
            && options.max.is_none()
        {
            return Err("how many? type a number and press enter".to_owned());
        }
        let lacks =
            |name: Name| self.fields.iter().any(|field| field.name == name && field.text().trim().is_empty());
        let wanted = match intent.verb.as_str() {
            "core upgrade" if lacks(Name::To) => "to which version? type it and press enter",
            "core create" if lacks(Name::Ids) => "what is it called? type an id, or several, and press enter",
            "core create" if lacks(Name::Tier) && lacks(Name::Like) => {
                "of which tier? tab leads to it; or name a core that it is to be like"
            }
            "core config set" if lacks(Name::Set) && lacks(Name::Secrets) && lacks(Name::Unset) => {
                "which setting? type NAME=VALUE and press enter"
            }
            "core keys rotate" if lacks(Name::NewKey) && lacks(Name::Generate) => {
                "which key? type the name of the SecureString that it lies in, or is to be made into, and press enter"
            }
            "core keys retire" if lacks(Name::Keep) => {
                "which key stays? type the name of the SecureString that it lies in and press enter"
            }
            _ => "",
        };
        if !wanted.is_empty() {
            return Err(wanted.to_owned());
        }
        if intent.verb == "spot-share" && options.share.is_none() {
            return Err("which share? type the percent on demand, or the types, and press enter".to_owned());
        }
        if intent.verb == "tune" && options.tuning.is_none() {
            return Err("which setting? type or choose one and press enter".to_owned());
        }
        if matches!(intent.verb.as_str(), "suspend" | "resume") && options.processes.is_empty() {
            return Err("which processes? type their names and press enter".to_owned());
        }
        let typed = self.fields.iter().find(|field| field.name == Name::Ids).map(|field| {
            let ids = field.text().split([' ', ',']).filter(|id| !id.is_empty());
            ids.map(str::to_owned).collect()
        });
        let targets = typed.unwrap_or_else(|| intent.targets.clone());
        Ok(Some(Intent { options, targets, ..intent.clone() }))
    }
}
