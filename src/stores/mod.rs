//! The secret stores: their kinds, and what each accepts.

mod kind;
mod rules;

pub use kind::SecretStoreKind;
pub use rules::{KeyProblem, KeyProblemReason, ValueProblem};
