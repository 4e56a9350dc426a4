//! Tokens that come, change and expire.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

mod common;
mod expiry;
mod failures;
mod identity;
mod key_file;
#[cfg(unix)]
mod login;
mod refusals;
#[path = "../it/support/mod.rs"]
#[allow(dead_code, reason = "these tests need a part of it")]
mod support;
