//! The fake control plane, tested from outside: every request goes over a real socket.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "these are tests")]

mod faults;
mod gates;
mod groups;
mod logins;
mod raw;
mod records;
mod secrets;
mod server;
mod stores;
mod tenants;
