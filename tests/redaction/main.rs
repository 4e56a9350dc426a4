//! Goes through everything that can hold a secret and everything that can be printed, and searches
//! it for values and keys.
//!
//! What is walked is compared with `tests/public-api.txt`: a public type that holds a value, a type that
//! can be serialized, or an error variant that is not walked fails the test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unused_async,
    reason = "a test that cannot go on says so by panicking"
)]

mod api;
#[macro_use]
mod areas;
mod capture;
mod credentials;
mod echoes;
mod errors;
mod exports;
mod failures;
mod secrets;
mod types;
mod walk;

use std::time::Duration;

use walk::Books;

/// Edits after writes whose outcome is unclear need not wait here.
pub(crate) const SETTLE: Duration = Duration::from_millis(1);

areas! {
    types_handles: types::handles;
    types_values: types::values;
    types_inputs: types::inputs;
    types_identifiers_and_queries: types::identifiers_and_queries;
    types_outputs: types::outputs;
    types_edits: types::edits;
    types_resolved: types::resolved;
    types_watched: types::watched;
    types_server: types::server;
    types_values_where_none_belong: types::values_where_none_belong;
    types_stores: types::stores;
    credentials_of_a_login: credentials::login;
    credentials_tokens: credentials::tokens;
    echoes_of_values: echoes::values;
    echoes_of_the_key: echoes::the_key;
    echoes_to_writes_in_several_steps: echoes::writes_in_several_steps;
    errors_of_settings: errors::settings;
    errors_of_typed_settings: errors::typed_settings;
    errors_of_inputs: errors::inputs;
    errors_of_references: errors::texts_that_are_no_references;
    errors_by_kind: errors::classified;
    errors_of_decoding: errors::decoded;
    errors_of_edits: errors::edits;
    errors_of_resolving: errors::resolving;
    failures_of_the_wire: failures::wire;
    failures_retried: failures::retried;
    logs_of_verbose_connections: failures::verbose_connections;
}

#[test]
fn all_that_can_hold_a_secret_is_walked_and_the_logs_are_captured() {
    let mut all = Books::default();
    for area in &AREAS {
        all.add(&area.books());
    }
    all.logs_were_captured();
    all.are_complete(&api::Snapshot::read());
}
