//! `tfy-secret://` references: found in texts, and resolved to values.

mod batch;
mod dotenv;
mod find_refs;
mod renames;
mod resolve;
mod resolved;
mod rewrite;
mod secret_map;
mod settings;

pub(crate) use batch::try_join_ordered;
pub use find_refs::{FindRefs, FoundRef, MalformedRef, find_refs};
pub(crate) use resolve::Found;
pub use resolved::{CheckedRefs, ResolvedSecrets};
pub use rewrite::{UnwritableRef, rewrite_refs};
pub use secret_map::{EnvValue, SecretMap, env_name};
