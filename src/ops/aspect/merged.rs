//! Looks put together: one call where one can answer for several facts.

use crate::gateway::Look;
use crate::gateway::core::CoreLook;

/// One look for several, where one call can answer them all.
pub fn merged(looks: impl IntoIterator<Item = Look>) -> Vec<Look> {
    let mut all: Vec<Look> = Vec::new();
    'next: for look in looks {
        for had in &mut all {
            match (had, &look) {
                (Look::Instances { of }, Look::Instances { of: more }) => {
                    add(of, more);
                    continue 'next;
                }
                (Look::Readiness { of }, Look::Readiness { of: more }) => {
                    add(of, more);
                    continue 'next;
                }
                (Look::Templates { of }, Look::Templates { of: more }) => {
                    add(of, more);
                    continue 'next;
                }
                (Look::Groups { of }, Look::Groups { of: more }) => {
                    add(of, more);
                    continue 'next;
                }
                (Look::Hosts { cluster, of }, Look::Hosts { cluster: same, of: more }) if cluster == same => {
                    add(of, more);
                    continue 'next;
                }
                (Look::Services { cluster, of }, Look::Services { cluster: same, of: more })
                    if cluster == same =>
                {
                    add(of, more);
                    continue 'next;
                }
                (Look::Tasks { cluster, of }, Look::Tasks { cluster: same, of: more }) if cluster == same => {
                    add(of, more);
                    continue 'next;
                }
                (Look::Measures { of }, Look::Measures { of: more }) => {
                    add(of, more);
                    continue 'next;
                }
                (Look::Parameters { of }, Look::Parameters { of: more }) => {
                    add(of, more);
                    continue 'next;
                }
                (
                    Look::Core { of: CoreLook::Domains { at, secrets } },
                    Look::Core { of: CoreLook::Domains { at: same, secrets: more } },
                ) if at == same => {
                    secrets.extend(more.iter().cloned());
                    continue 'next;
                }
                (Look::Commands { document, since }, Look::Commands { document: same, since: earlier })
                    if document == same =>
                {
                    *since = (*since).min(*earlier);
                    continue 'next;
                }
                (
                    Look::Outcomes { document, since, of },
                    Look::Outcomes { document: same, since: earlier, of: more },
                ) if document == same => {
                    *since = (*since).min(*earlier);
                    add(of, more);
                    continue 'next;
                }
                (had, look) if had == look => continue 'next,
                _ => {}
            }
        }
        all.push(look);
    }
    all
}

fn add<T: Clone + PartialEq>(of: &mut Vec<T>, more: &[T]) {
    for one in more {
        if !of.contains(one) {
            of.push(one.clone());
        }
    }
}
