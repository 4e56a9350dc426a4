//! The safe edit and `ensure`, against the fake control plane on a real socket.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::format_push_string,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unchecked_time_subtraction,
    reason = "these are tests"
)]

mod attacks;
mod cancelled;
mod common;
mod counts;
mod dying;
mod ensure;
mod liar;
mod lies;
mod markers;
mod plans;
mod processes;
mod queues;
mod random;
mod reads;
mod removals;
mod retries;
mod storm;
mod sync;
mod sync_storm;
mod unclear;
mod validation;
mod window;
