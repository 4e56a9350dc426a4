//! The endpoints: one handle per resource, and lists as streams.

mod group_list;
mod items;
mod secret_groups;
mod secret_stores;
mod secrets;
mod store_cache;

pub(crate) use group_list::{GroupList, Name, Names, READS, unreadable};
pub(crate) use items::End;
pub use items::{Items, Page};
pub use secret_groups::{DeleteOptions, ListSecretGroups, SecretGroups};
pub use secret_stores::{ListSecretStores, SecretStores};
pub use secrets::{ListSecrets, Secrets};
pub(crate) use store_cache::{FoundStore, StoreCache};
