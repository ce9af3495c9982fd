//! it

mod sim_judged;
