//! The screen: keys in, picture out, by the same state and drawing as in a terminal; and the bytes it costs.

mod bytes;
mod demo;
mod every;
mod fleet;
mod honest;
mod pages;
mod props;
mod pty;
mod relations;
mod rich;
mod seat;
mod tables;
