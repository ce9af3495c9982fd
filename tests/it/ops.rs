//! Operations against the simulator, in pretended time: what they do, and what is left when they die.

mod bench;
mod budget;
mod care;
mod closed;
mod codes;
mod config;
mod containers;
mod cores;
mod creation;
mod doubt;
mod figures;
mod fleetwide;
mod full;
mod groups;
mod homes;
mod inventory;
mod journal;
mod managed;
mod newcomers;
mod refresh;
mod rollout;
mod successors;
mod sweep;
mod together;
mod trouble;
mod verdict;
