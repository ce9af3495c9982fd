//! it

mod config;
