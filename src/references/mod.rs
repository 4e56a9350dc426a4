//! `tfy-secret://` references: found in texts, and resolved to values.

mod batch;
mod find_refs;
mod resolve;
mod resolved;

pub use find_refs::{FindRefs, FoundRef, MalformedRef, find_refs};
pub use resolved::{CheckedRefs, EnvValue, ResolvedSecrets};
