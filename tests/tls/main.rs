//! Real TLS handshakes with a local server, and redirects: what is refused, how the error names it, and
//! that nothing was sent.

#![cfg(any(feature = "rustls", feature = "native-tls"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "these are tests")]

mod authority;
mod broken;
mod certificates;
mod logs;
mod redirects;
mod server;
