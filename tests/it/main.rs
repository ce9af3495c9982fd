//! The one integration test binary: every further binary would link the whole AWS SDK again.
//!
//! Suites named `moto*` are judged by a stand-in for AWS that somebody else wrote; `docs/judges.md` says
//! which judge can see what.

mod architecture;
mod config;
