//! The example programs, run as a user runs them: as processes against a fake control plane.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

#[cfg(unix)]
mod confirmation;
mod deploy;
mod fake_server;
mod login;
#[path = "../../examples/secrets_before_deploy/manifest.rs"]
#[allow(dead_code, reason = "the program uses all of it")]
mod manifest;
mod manifest_text;
#[cfg(unix)]
mod outputs;
mod process;
mod programs;
mod references;
#[cfg(unix)]
mod run_with_secrets;
#[path = "../../examples/secrets_before_deploy/sensitive.rs"]
#[allow(dead_code, reason = "the program uses all of it")]
mod sensitive;
mod values;
