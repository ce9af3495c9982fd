//! Operations on cores: a container on a docker host is stopped, started, restarted, through Systems Manager and fixed
//! documents of our own, and its load balancer's side goes along with it.

mod doors;
mod found;
mod papers;
mod power;

pub(super) use power::{restart, start, stop};
