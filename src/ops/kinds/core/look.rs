//! Before cores are moved, or made like others, their hosts are asked what their containers were made with: a plan that
//! forgot a table prefix would make a core that answers well and knows nobody.

use super::carried::read;
use super::found::silence;
use super::papers::LOOK;
use crate::fleet::Fleet;
use crate::model::{Core, Home, InstanceId, Scope, Text};
use crate::ops::hosts::{Answers, Asking, Question, put};
use crate::ops::intent::{Intent, Looked};
use futures::future::join_all;
use std::collections::BTreeMap;

/// Asks what the containers were made with that an intent makes others like, and writes it into the intent. An intent
/// that needs none of it stays as it is. Changes nothing, but that the document is put into an account that lacks it,
/// where that is wished.
pub async fn look_at_cores(asking: &Asking<'_>, fleet: &Fleet, intent: &mut Intent) {
    let wish = intent.options.core.as_deref();
    let ids: Vec<String> = match (intent.verb.as_str(), wish.and_then(|wish| wish.like.clone())) {
        ("core move", _) => intent.targets.clone(),
        ("core create", Some(like)) => vec![like],
        _ => return,
    };
    let cores = fleet.cores.iter().filter(|core| ids.iter().any(|id| core.id.as_str() == id));
    let asked = cores.enumerate().filter_map(|(number, core)| {
        let Home::Container { instance_id: Some(host), container: Some(container) } = &core.home else {
            return None;
        };
        Some(one(asking, fleet, core, number, host, container))
    });
    let looked = join_all(asked).await;
    intent.options.core.get_or_insert_default().looked = looked;
}

async fn one(
    asking: &Asking<'_>,
    fleet: &Fleet,
    core: &Core,
    number: usize,
    host: &InstanceId,
    container: &Text,
) -> Looked {
    let trouble = |why: String| Looked { core: core.id.to_string(), trouble: Some(why), ..Looked::default() };
    let Some(row) = fleet.instances.iter().find(|row| row.it.id == *host) else {
        return trouble(format!("its host {host} does not exist"));
    };
    if let Some((why, _)) = silence(row) {
        return trouble(format!("its host {host}: {why}"));
    }
    let port = core.port.unwrap_or(3567);
    let parameters =
        [("Container", container.to_string()), ("Core", core.id.to_string()), ("Port", port.to_string())];
    let parameters: BTreeMap<Text, Vec<Text>> =
        parameters.into_iter().map(|(name, value)| (Text::new(name), vec![Text::new(value)])).collect();
    let is_cut = |printed: &str| !printed.lines().any(|line| line == "end");
    let question =
        Question { name: LOOK.name, content: LOOK.content(), hash: LOOK.hash(), parameters, is_cut };
    // A command is found again by its comment, which no other one may have.
    let asking = Asking { mark: format!("{} {number}", asking.mark), ..*asking };
    let place: (Scope, InstanceId) = ((*row.scope).clone(), host.clone());
    let mut answers: Answers = put(&asking, &question, std::slice::from_ref(&place)).await;
    match answers.remove(&place).map(|told| told.printed) {
        Some(Ok(printed)) => read(core.id.as_str(), port, &printed)
            .unwrap_or_else(|| trouble("its answer was cut off".to_owned())),
        Some(Err(why)) => trouble(why),
        None => trouble("it was not asked".to_owned()),
    }
}
