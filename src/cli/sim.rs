//! `coredeck sim`: a pretended AWS on this machine.

use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

/// `coredeck sim`
#[derive(Args, Clone, Debug)]
pub(super) struct SimArgs {
    /// Where to listen; loopback only, port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub(super) listen: SocketAddr,
    /// How many accounts it has
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(super) accounts: usize,
    /// A region that holds a fleet; may be repeated
    #[arg(long = "fleet-region", default_value = "us-east-1", value_name = "REGION")]
    pub(super) regions: Vec<String>,
    /// At least so many instances in each region
    #[arg(long, value_name = "N")]
    pub(super) instances: Option<usize>,
    /// What all chance comes from
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Pretended seconds that pass in a second
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    pub(super) speed: f64,
    /// Start with nothing instead of with the demo fleet
    #[arg(long)]
    pub(super) empty: bool,
    /// Write every call to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(super) record: Option<PathBuf>,
}
