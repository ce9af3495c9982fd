//! argv → lib → exit code.

fn main() {}
