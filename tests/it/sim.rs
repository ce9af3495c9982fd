//! The simulator's wire and world, asked directly.
