//! Names that a store keeps after a delete, so that they cannot be used again at once.

use super::entities::Store;
use super::response::Response;
use crate::error::SoftDeleteState;
use crate::stores::SecretStoreKind;

struct Tombstone {
    store_id: String,
    name: String,
    state: SoftDeleteState,
}

#[derive(Default)]
pub(super) struct Tombstones(Vec<Tombstone>);

impl Tombstones {
    pub(super) fn bury(&mut self, store: &Store, group: &str, key: &str, scheduled_deletion: bool) {
        let keeps = match store.kind {
            SecretStoreKind::AzureVault => true,
            SecretStoreKind::AwsSecretsManager => scheduled_deletion,
            _ => false,
        };
        if keeps {
            let name = stored_name(group, key);
            self.0.push(Tombstone {
                store_id: store.id.clone(),
                name,
                state: SoftDeleteState::Deleted,
            });
        }
    }

    /// Refuses a name that the store still holds, in the store's own words.
    pub(super) fn check(&self, store: &Store, group: &str, key: &str) -> Result<(), Response> {
        let name = stored_name(group, key);
        let Some(held) =
            self.0.iter().find(|stone| stone.store_id == store.id && stone.name == name)
        else {
            return Ok(());
        };
        if store.kind == SecretStoreKind::AwsSecretsManager {
            return Err(Response::error(
                400,
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            )
            .code("InvalidRequestException"));
        }
        let (message, code) = match held.state {
            SoftDeleteState::Deleted => (
                format!(
                    "Secret {name} is currently in a deleted but recoverable state, and its name cannot be \
                     reused; in this state, it can only be recovered or purged."
                ),
                "ObjectIsDeletedButRecoverable",
            ),
            SoftDeleteState::BeingDeleted => {
                (format!("Secret {name} is currently being deleted."), "ObjectIsBeingDeleted")
            }
            SoftDeleteState::BeingRecovered => (
                format!(
                    "Secret {name} is currently being recovered and cannot be re-created; retry later."
                ),
                "ObjectIsBeingRecovered",
            ),
        };
        Err(Response::error(409, message).code(code))
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.0.iter().map(|stone| stone.name.clone()).collect()
    }

    pub(super) fn set_state(&mut self, state: SoftDeleteState) {
        for stone in &mut self.0 {
            stone.state = state;
        }
    }

    pub(super) fn purge(&mut self) -> usize {
        std::mem::take(&mut self.0).len()
    }
}

fn stored_name(group: &str, key: &str) -> String {
    format!("{group}-{key}")
}
