//! Goes through everything that can hold a secret and everything that can be printed, and looks for
//! values and keys in it.
//!
//! What is walked is compared with `tests/public-api.txt`: a public type that holds a value, a type that
//! can be serialized, or an error variant that is not walked fails the test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on says so by panicking"
)]

mod api;
mod capture;
mod echoes;
mod errors;
mod exports;
mod failures;
mod secrets;
mod types;
mod walk;

use std::time::Duration;

use walk::Walk;

/// Edits after writes whose outcome is unclear need not wait here.
pub(crate) const SETTLE: Duration = Duration::from_millis(1);

/// One test, because the loggers that it captures are the process's own.
#[test]
fn no_value_and_no_key_is_in_anything_that_can_be_printed() {
    let capture = capture::install();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut walk = Walk::new(capture);
    runtime.block_on(async {
        types::walk(&mut walk).await;
        echoes::walk(&mut walk).await;
        errors::walk(&mut walk).await;
        failures::walk(&mut walk).await;
    });
    walk.logs_were_captured();
    walk.is_complete(&api::Snapshot::read());
}
