//! Operations on cores: a container on a docker host is stopped, started, restarted, through Systems Manager and fixed
//! documents of our own, and its load balancer's side goes along with it.

mod carried;
mod create;
mod doors;
mod found;
mod launch;
mod look;
mod made;
mod memory;
mod newcomer;
mod papers;
mod pattern;
mod power;
mod price;
mod relocate;
mod replica;
mod stands;
mod upgrade;

pub(super) use create::create;
pub use look::look_at_cores;
pub(super) use power::{restart, start, stop};
pub(super) use relocate::relocate;
pub(super) use stands::targets_of;
pub(super) use upgrade::upgrade;
