//! The screen: keys in, picture out, by the same state and drawing as in a terminal; and the bytes it costs.

mod acts;
mod bytes;
mod changes;
mod cores;
mod demo;
mod every;
mod fleet;
mod honest;
mod large;
mod logs;
mod matrix;
mod pages;
mod painting;
mod past;
mod props;
mod pty;
mod relations;
mod rich;
mod rollout;
mod seat;
mod silence;
mod spared;
mod tables;
mod trends;
mod wishes;
