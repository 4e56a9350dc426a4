//! What the examples share: connecting, arguments, confirmation, tables, and how a program ends.

#![allow(dead_code, unused_imports, reason = "every example uses a part of this")]

mod args;
mod confirm;
mod connect;
mod failure;
mod groups;
mod keys;
mod out_file;
mod output;
mod refs;
mod reserved;
mod stores;
mod table;

pub(crate) use args::Args;
pub(crate) use confirm::{Change, Consent, confirm};
pub(crate) use connect::{Connection, connect, connect_without_login, fake_with_data};
pub(crate) use failure::{Failure, run};
pub(crate) use groups::{GroupArgument, groups_table, keys_table, name_of, secret_of, secrets_of};
pub(crate) use keys::{
    Asked, KeyFromEnv, is_variable_name, keys_from_arguments, mapping_lines, may_be_a_value,
    read_keys,
};
pub(crate) use out_file::OutFile;
pub(crate) use output::{ask, print, print_exactly, print_json, shown, tell};
pub(crate) use refs::{MISSING, Reading, not_resolved, read_text};
pub(crate) use stores::{choose_store, describe};
pub(crate) use table::{masked, table};

/// Random enough for a name that no other run uses at the same time; no secret is made of it alone.
pub(crate) fn random_word() -> String {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    format!("{:08x}", RandomState::new().build_hasher().finish() >> 32)
}
