//! Operations against the simulator, in pretended time: what they do, and what is left when they die.

mod bench;
mod closed;
mod journal;
mod sweep;
mod together;
