//! A TrueFoundry in a box: a stateful control plane on loopback, for tests and examples.
//!
//! [`FakeTrueFoundry`] speaks the service's API over a real socket and remembers what it is told:
//! secret groups, secrets and their versions, secret stores and the rules of each. It needs no
//! account and no network, and one starts in well under a millisecond, so every test can have its own.
//!
//! ```no_run
//! # async fn demo() {
//! use truefoundry_secrets::SecretStoreKind;
//! use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
//!
//! let fake = FakeTrueFoundry::start()
//!     .await
//!     .with_store(SecretStoreKind::AzureVault)
//!     .with_group("prod-secrets", [("DB-PASSWORD", "correct horse"), ("API-KEY", "battery staple")]);
//!
//! // Point whatever is to be tested at `fake.base_url()` with the key `fake.api_key()`.
//!
//! // What it did, and what came of it:
//! for request in fake.requests() {
//!     assert_eq!(request.operation(), Some("secret_groups.get"));
//! }
//! assert_eq!(fake.value("prod-secrets", "API-KEY").as_deref(), Some("battery staple"));
//!
//! // Bad weather: two refusals, then a response that never arrives although the work was done.
//! fake.inject(Fault::status(503).times(2).retry_after("1").on("GET /secret-groups"));
//! fake.inject(Fault::drop_after().on("secret_groups.update"));
//!
//! // An order of events that would otherwise need luck:
//! let gate = fake.hold("PUT /secret-groups/");
//! // ... start the edit in another task ...
//! gate.reached().await;
//! fake.set_value("prod-secrets", "ADDED-MEANWHILE", "by another client");
//! gate.release();
//! # }
//! ```
//!
//! # Patterns
//!
//! Faults, gates and hooks say which requests they are for:
//!
//! | pattern | matches |
//! |---|---|
//! | `PUT /secret-groups/` | that method on anything below that path |
//! | `PUT /secret-groups` | that method on exactly that path |
//! | `GET /secrets/*/versions` | `*` is one segment; `*` as the method is every method |
//! | `DELETE` | every request with that method |
//! | `secret_groups.update` | one endpoint, by [`RecordedRequest::operation`] |
//! | nothing, or `*` | every request |
//!
//! Paths are relative to `/api/svc/v1` and compared before percent-decoding. The endpoints are
//! `secret_groups.list`, `.create`, `.create_or_update`, `.get`, `.update`, `.delete`; `secrets.list`, `.get`,
//! `.delete`, `.versions`; `provider_accounts.list`; `provider_integrations.list`; `tenant_id.get`;
//! `session.get`; `min_cli_version.get`, `oauth2.token`, and `oauth.refresh` with
//! [`with_older_login`](FakeTrueFoundry::with_older_login). A pattern that names none of them matches nothing.
//!
//! # What is not known of the service
//!
//! What the public documentation leaves open is settled here in one way, which proves nothing
//! about the real service: lists are in the order of creation; `search` ignores case; a group's
//! store cannot be changed by its manifest; a dry run that would create a group responds without an
//! `id`; a deleted last secret leaves an empty group; versions carry their values unless viewing is
//! switched off; a stored name is `<group>-<key>`.

mod body;
mod clock;
mod entities;
mod fake;
mod faults;
mod from_json;
mod gate;
mod groups;
mod inspect;
mod logins;
mod manifest;
mod parsed_request;
mod pattern;
mod recorded;
mod render;
mod response;
mod routes;
mod rules;
mod secrets;
mod server;
mod setup;
mod state;
mod stores;
mod tenant;
mod tombstones;

pub use fake::FakeTrueFoundry;
pub use faults::Fault;
pub use from_json::{Model, error_from_response, from_json};
pub use gate::Gate;
pub use logins::FakeLogin;
pub use recorded::RecordedRequest;
