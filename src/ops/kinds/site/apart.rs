//! Processes of one core that do not hold the same settings: each is put by itself, and gets its own back.

use super::super::super::desk::{Desk, Draft};
use super::super::super::telling::setup;
use super::{Site, refuse, seen};
use crate::error::Result;
use crate::gateway::core::{CoreLook, CoreSeen};
use crate::model::Setting;
use crate::model::setting::protected;
use std::collections::BTreeSet;

impl Site {
    /// Takes the processes out that set other values for a place than the one that is asked: each is a site of its own,
    /// whose values are put and set back there. What the processes hold that set nothing, and differs, is said.
    pub(in super::super) async fn split(
        &mut self,
        desk: &Desk<'_>,
        keys: &[&str],
        draft: &mut Draft,
    ) -> Result<Vec<Self>> {
        let others = self.replicas.split_off(1);
        let (scope, place) = (&self.scope, &self.place);
        let asked = others.into_iter().map(|at| async move {
            let domains = CoreLook::Domains { at: at.clone(), secrets: BTreeSet::new() };
            let settings = CoreLook::Settings { at: at.clone(), place: place.clone() };
            let heard = futures::future::try_join(seen(desk, scope, domains), seen(desk, scope, settings));
            heard.await.map(|(domains, settings)| (at, domains, settings))
        });
        let heard = futures::future::try_join_all(asked).await?;
        let mut apart = Vec::new();
        for (at, domains, settings) in heard {
            let effective = match settings {
                CoreSeen::Settings(Ok(effective)) => effective,
                // What it would not tell it does not tell where it is looked at either, and that is said there.
                _ => Vec::new(),
            };
            let domains = match domains {
                CoreSeen::Domains { domains: Ok(domains), .. } => domains,
                // What nobody knows of it cannot be put back there.
                CoreSeen::Domains { domains: Err(error), .. } => {
                    refuse(draft, at.core.as_str(), &error);
                    continue;
                }
                _ => Vec::new(),
            };
            let is_open = effective.is_empty() || effective.iter().any(|one| protected(&one.key).is_some());
            let withheld = keys.iter().find(|key| !is_open && protected(key).is_some());
            if let Some(key) = withheld.filter(|_| self.shows_protected()) {
                let why = format!(
                    "the key that opens it is not the secret of the shared core, so that it does not tell {key}: nobody can \
                     say whether it differs from what {} holds, nor put it back",
                    self.first().core
                );
                let mend =
                    "--key-parameter NAME names the SecureString with the secret, for all its processes";
                draft.refuse(at.core.as_str(), why, mend);
                continue;
            }
            let Some(own) = setup(&domains, &self.place) else {
                draft.warn(format!(
                    "{} does not know {} yet, which {} does: it learns of it with the put",
                    at.core,
                    self.place,
                    self.first().core
                ));
                self.replicas.push(at);
                continue;
            };
            let differs: Vec<&str> =
                keys.iter().copied().filter(|key| own.get(*key) != self.own(key)).collect();
            for key in keys.iter().copied().filter(|key| !differs.contains(key) && !own.contains_key(*key)) {
                let theirs = effective.iter().find(|one| one.key == key).map(|one| &one.value);
                let Some((mine, theirs)) = self.held(key).map(|one| &one.value).zip(theirs) else { continue };
                if mine != theirs {
                    let (mine, theirs) = told_apart(Some(mine), Some(theirs));
                    draft.warn(format!(
                        "{key} is set by none of them, and what they were started with differs: {mine} at {}, {theirs} at \
                         {}; taken back, each has its own again",
                        self.first().core, at.core
                    ));
                }
            }
            if differs.is_empty() {
                self.replicas.push(at);
                continue;
            }
            for key in &differs {
                let (mine, theirs) = told_apart(self.own(key), own.get(*key));
                draft.warn(format!(
                    "{key} of {} differs now: {mine} at {}, {theirs} at {}; each is put by itself, and taken back each \
                     gets its own again",
                    self.place,
                    self.first().core,
                    at.core
                ));
            }
            apart.push(Self {
                scope: self.scope.clone(),
                replicas: vec![at],
                place: self.place.clone(),
                domains,
                effective,
                kept_under: self.kept_under.clone(),
            });
        }
        Ok(apart)
    }
}

/// Two settings as a person tells them apart who may see neither where they are secrets.
fn told_apart(mine: Option<&Setting>, theirs: Option<&Setting>) -> (String, String) {
    let word = |setting: Option<&Setting>| setting.map_or_else(|| "not set".to_owned(), Setting::shown);
    let (mine, theirs) = (word(mine), word(theirs));
    if mine == theirs { (mine, "another one".to_owned()) } else { (mine, theirs) }
}
