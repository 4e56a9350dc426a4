//! Typed async SDK for TrueFoundry secret groups and secrets.
//!
//! It is for applications and tools that create, read, rotate and delete secrets on a TrueFoundry
//! control plane, or deploy manifests that refer to them. Values print masked, edits name what they
//! change and leave other keys alone, and every error says what to do next.
//!
//! ```no_run
//! use truefoundry_secrets::{Client, Result, SecretValue};
//!
//! #[tokio::main]
//! async fn main() -> Result<()> {
//!     let client = Client::from_env()?; // TFY_BASE_URL and TFY_API_KEY
//!     let password = SecretValue::from_env("DB_PASSWORD")?;
//!     let edit = client.secret_groups().edit_by_name("prod-secrets").set("DB_PASSWORD", password);
//!     println!("{}", edit.apply().await?); // ~ DB_PASSWORD  = 4 kept
//!     Ok(())
//! }
//! ```
//!
//! # Where to find what
//!
//! | For | see |
//! |---|---|
//! | connecting, timeouts, proxies, roots | [`Client`], [`ClientBuilder`], [`RetryPolicy`] |
//! | API keys that change or expire, and who owns them | [`KeyFile`], [`Credentials`], [`Token`], [`Client::whoami`] |
//! | the login of the `tfy` CLI | [`Client::infer`], [`CliLogin`] |
//! | connected secret stores | [`SecretStores`], [`SecretStore`], [`SecretStoreKind`] |
//! | listing, creating and deleting groups | [`SecretGroups`], [`SecretGroup`], [`NewSecretGroup`] |
//! | adding, rotating and removing keys | [`SecretGroups::edit`], [`Edit`], [`EditPlan`] |
//! | bringing a group to a desired state, copies | [`SecretGroups::sync`], [`SecretMap::renamed_for`] |
//! | making sure that keys exist | [`SecretGroups::ensure`], [`Ensured`] |
//! | single secrets, their values and versions | [`Secrets`], [`Secret`], [`SecretValue`] |
//! | a whole group's values, or an environment | [`Client::resolve_group`], [`SecretMap`] |
//! | values that stay fresh | [`Client::watch_group`], [`Watch`] |
//! | references in manifests | [`SecretRef`], [`find_refs`], [`rewrite_refs`], [`Client::resolve_all`] |
//! | lists, page by page or as a stream | [`Page`], [`Items`] |
//! | errors, and what to do about them | [`Error`] and its [`hint`](Error::hint) |
//!
//! [`SecretGroups::replace_secrets`] is the API's own update, which **deletes every key that is left out**; prefer
//! [`SecretGroups::edit`].
//!
//! # Requests
//!
//! | Call | Requests |
//! |---|---|
//! | 50 references: `resolve_all`, `check_refs` | 1 |
//! | 250 references | 3, concurrently |
//! | a group of fewer than 100 keys by its name: `resolve_group` | 2, and 1 more per 100 keys |
//! | the same by identifier: `resolve_group_by_id` | 1, and 1 more per 100 keys |
//!
//! If a control plane leaves values out of lists, each value takes one more request, at most 10 at
//! a time. The first look-up by name takes one or two more to find out the tenant's name, unless
//! the key is a JWT that names it or the host is under `truefoundry.cloud` or `truefoundry.com`;
//! set it on the builder (`tenant`) to save them. If an older control plane does not tell the
//! tenant, every look-up by name asks for it again and then searches the groups.
//!
//! # Defaults
//!
//! | Setting | Default | Method of [`ClientBuilder`] |
//! |---|---|---|
//! | one call of the API, retries and waits included | 60 s | `timeout`; for a clone `Client::with_timeout` |
//! | making a connection | 10 s | `connect_timeout` |
//! | an edit's wait for an earlier write of the same group whose outcome is unknown | 60 s at most | `unconfirmed_write_timeout` |
//! | retries | 3, exponential backoff with full jitter (up to 200, 400, 800 ms), in addition to `Retry-After` | `retry` |
//! | what is retried | reads and deletes; a create or update only if no connection was made | |
//! | after a 401 | one more try, if [`Credentials`] have another token | `credentials` |
//! | how long [`Credentials`] may take | 20 s | |
//! | longest response | 16 MiB | `response_limit` |
//! | plain `http://` | to this machine only | `allow_insecure_http` |
//! | redirects | never followed | |
//! | proxies | from `HTTPS_PROXY` or `HTTP_PROXY`, else `ALL_PROXY`; none for hosts in `NO_PROXY` or for this machine; an unusable variable is an error of `build` | `http` |
//! | TLS roots | the system's; on Linux, if `SSL_CERT_FILE` is set, those in that file instead | `tls_certs_only`, `tls_certs_merge` |
//! | HTTP | version 1.1, without compression | |
//!
//! # Features
//!
//! - `rustls` (default): TLS through rustls with the system's roots.
//! - `native-tls`: TLS through the operating system's library. If both are enabled, rustls is used.
//! - `tracing`: at level DEBUG the spans `truefoundry_secrets.call` (`operation`) and
//!   `truefoundry_secrets.attempt` (`attempt`), with the events `response` (`status`), `no response` and
//!   `retrying` (`wait_ms`); at level WARN problems that do not fail a call, such as
//!   `the token in use is kept` (`error`); never values, keys, bodies or queries.
//! - `testing`: `testing::FakeTrueFoundry`, a control plane in the same process.
//!
//! # What is promised about secrets
//!
//! A [`SecretValue`] prints masked, cannot be serialized, and is wiped when it is dropped. The
//! buffers that this crate owns are wiped too, even after an error or a cancelled call. The crate
//! writes no value and no API key into an error or a trace, and withholds a server's message that
//! echoes what was sent.
//!
//! Copies can remain in memory. The crate tries to wipe HTTP/1.1 responses as far as the HTTP
//! library releases them. Its test `memory` searches a whole process: it finds no copy over plain
//! HTTP and, with rustls, one per connection and parts of others, however many calls that carries.
//! More can remain
//! - of a response of over 8 KiB, and of what its connection receives until a later request for
//!   values closes it;
//! - of what had not been handed over when a call was cancelled;
//! - of the API key;
//! - in the kernel, in swap and in core dumps.
//!
//! `SECURITY.md` has the whole list. To wipe all freed memory, a binary can install an allocator
//! that does so; the example `zero_on_free` shows how.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
mod client;
mod edit;
mod error;
mod models;
mod operation;
mod redact;
mod references;
mod secret_value;
mod stores;
#[cfg(feature = "testing")]
pub mod testing;
mod transport;
mod watch;
mod wipe;

pub use api::{
    DeleteOptions, Items, ListSecretGroups, ListSecretStores, ListSecrets, SecretGroups,
    SecretStores, Secrets,
};
pub use client::{CliLogin, Client, ClientBuilder, KeyFile};
pub use edit::{AppliedEdit, Edit, EditPlan, Ensured};
pub use error::{
    BoxError, CallContext, ConnectReason, Error, RecoveryOption, Result, SoftDeleteState,
    SoftDeleted,
};
pub use models::{
    Attribute, Collaborator, DryRunSecretGroup, Identity, IntegrationId, NewSecretGroup, Page,
    ParseSecretRefError, ParseSecretRefReason, PartialSecretGroup, Role, Secret, SecretGroup,
    SecretGroupId, SecretGroupManifest, SecretId, SecretRef, SecretStore, SecretUpdate,
    SecretVersion, SecretVersionId, Subject,
};
pub use operation::{Operation, Resource};
pub use references::{
    CheckedRefs, EnvValue, FindRefs, FoundRef, MalformedRef, ResolvedSecrets, SecretMap,
    UnwritableRef, env_name, find_refs, rewrite_refs,
};
pub use secret_value::SecretValue;
pub use stores::{KeyProblem, KeyProblemReason, SecretStoreKind, ValueProblem};
pub use transport::{Credentials, RetryPolicy, Token};
pub use watch::{Change, Changes, Watch, WatchGroup};

/// Times are its [`Timestamp`](jiff::Timestamp).
pub use jiff;
/// For [`ClientBuilder::http`].
pub use reqwest;

/// Compiles the README's programs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
