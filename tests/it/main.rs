//! The one integration test binary: every further binary would link the whole AWS SDK again.
//!
//! Suites named `moto*` are judged by a stand-in for AWS that somebody else wrote; `docs/judges.md` says
//! which judge can see what.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod architecture;
mod binary;
mod calls;
mod changes;
mod cli;
mod config;
mod core_api;
mod core_facts;
mod core_words;
mod docs;
mod fuzz;
mod history;
mod logs;
mod looks;
mod loopback;
mod moto;
mod names;
mod ops;
mod permissions;
mod planted;
mod plugin;
mod pty;
mod python;
mod residue;
mod screen;
mod shell;
mod sim;
mod sim_facts;
mod sim_faults;
mod sim_groups;
mod sim_hosts;
mod sim_judged;
mod sim_life;
mod sim_refreshes;
mod sim_script;
mod sim_services;
mod sim_wire;
mod traps;
mod trouble;
mod troubles_at_once;
mod tunnel;
mod under_fire;
mod usage;
