//! The request path against real sockets: what goes over the wire, and how responses are read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on says so by panicking"
)]

mod advice;
mod allocations;
mod config;
mod hostile;
mod identifiers;
mod matrix;
mod models;
mod odd_servers;
mod pagination;
mod proxies;
mod responses;
mod retry;
mod runtimes;
mod support;
#[cfg(feature = "tracing")]
mod tracing;
mod traits;
mod wire;
