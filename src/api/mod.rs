//! The endpoints: one handle per resource, and lists as streams.

mod delete_options;
mod group_list;
mod items;
mod paging;
mod secret_groups;
mod secret_stores;
mod secrets;
mod store_cache;
mod whoami;
mod window;

pub use delete_options::DeleteOptions;
pub(crate) use group_list::{GroupList, Name, Names, READS, names_another_group, unreadable};
pub use items::Items;
pub(crate) use paging::End;
pub use secret_groups::{ListSecretGroups, SecretGroups};
pub use secret_stores::{ListSecretStores, SecretStores};
pub use secrets::{ListSecrets, Secrets};
pub(crate) use store_cache::FoundStore;
