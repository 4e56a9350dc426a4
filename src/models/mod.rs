//! The API's objects: what comes back, and what is sent.

pub(crate) mod decode;
mod envelope;
mod identity;
mod ids;
mod inputs;
mod manifest;
mod page;
mod raw;
mod secret;
mod secret_group;
mod secret_ref;
mod secret_store;
mod shared_str;
mod subject;
mod unescape;

pub(crate) use secret_ref::SCHEME;
pub use secret_ref::{ParseSecretRefError, ParseSecretRefReason, SecretRef};
pub(crate) use shared_str::SharedStr;

pub(crate) use envelope::{Data, Listed};
pub use identity::Identity;
pub(crate) use identity::Tenant;
pub use ids::{IntegrationId, SecretGroupId, SecretId, SecretVersionId};
pub(crate) use inputs::{
    Checks, FullList, NewGroupPlace, NewGroupRequest, SecretEntry, check_group_name, check_secrets,
    entries,
};
pub use inputs::{NewSecretGroup, SecretUpdate};
pub use manifest::{Collaborator, Role, SecretGroupManifest};
pub(crate) use page::DEFAULT_LIMIT;
pub use page::Page;
pub(crate) use secret::Marker;
pub use secret::{Secret, SecretVersion};
pub use secret_group::{Attribute, DryRunSecretGroup, PartialSecretGroup, SecretGroup};
pub(crate) use secret_store::ProviderAccount;
pub use secret_store::SecretStore;
pub use subject::Subject;

/// One of the `of` parts of a fully qualified name; colons beyond them belong to the last part.
pub(crate) fn fqn_part(fqn: &str, index: usize, of: usize) -> Option<&str> {
    fqn.splitn(of, ':').nth(index).filter(|part| !part.is_empty())
}
