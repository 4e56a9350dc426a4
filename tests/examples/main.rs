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
mod found;
#[path = "../../examples/secrets_before_deploy/judge/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the program uses all of it")]
mod judge;
#[cfg(unix)]
mod login;
#[path = "../../examples/secrets_before_deploy/manifest/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the program uses all of it")]
mod manifest;
mod manifest_text;
#[cfg(unix)]
mod outputs;
mod process;
mod programs;
mod references;
#[cfg(unix)]
mod run_with_secrets;
mod shapes;
mod sync;
mod values;
