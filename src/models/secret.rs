use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde::ser::SerializeStruct as _;

use super::decode::wire_object;
use super::fqn_part;
use super::ids::{SecretGroupId, SecretId, SecretVersionId};
use super::raw::Raw;
use super::secret_ref::SecretRef;
use super::shared_str::SharedStr;
use super::subject::Subject;
use crate::secret_value::SecretValue;
use crate::{Error, Result};

/// One secret: a key in a group, with its value if the response carried it.
///
/// It cannot be serialized, because it may hold a value; `Debug` prints the value masked.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// let secret = client.secrets().get("secret-id").await?;
/// println!("{:?}, changed {:?}", secret.key(), secret.updated_at());
/// let reference = secret.reference()?; // tfy-secret://my-org:prod-secrets:DB-PASSWORD
/// let value = secret.into_value()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Secret {
    id: SecretId,
    fqn: Option<SharedStr>,
    name: Option<SharedStr>,
    group_id: Option<SecretGroupId>,
    value: Option<SecretValue>,
    created_by: Option<Arc<Subject>>,
    created_at: Option<Raw>,
    updated_at: Option<Raw>,
    versions: Option<Vec<SecretVersion>>,
    active_deployments: Option<u64>,
}

wire_object!(Secret {
    required { id: "id" }
    optional {
        fqn: "fqn",
        name: "name",
        group_id: "secretGroupId",
        value: "value",
    }
    informational {
        created_by: "createdBySubject",
        created_at: "createdAt",
        updated_at: "updatedAt",
        versions: "secretVersions",
        active_deployments: "activeDeploymentsCount",
    }
});

impl Secret {
    /// The secret's identifier.
    pub fn id(&self) -> &SecretId {
        &self.id
    }

    /// The fully qualified name, `tenant:group:key`.
    pub fn fqn(&self) -> Option<&str> {
        self.fqn.as_ref().map(SharedStr::as_str)
    }

    /// The key, from the response's `name`, else from the last part of [`fqn`](Self::fqn).
    pub fn key(&self) -> Option<&str> {
        self.name.as_ref().map(SharedStr::as_str).or_else(|| fqn_part(self.fqn()?, 2, 3))
    }

    /// The group it belongs to.
    pub fn secret_group_id(&self) -> Option<&SecretGroupId> {
        self.group_id.as_ref()
    }

    /// The value, if it was requested and the control plane shows it.
    pub fn value(&self) -> Option<&SecretValue> {
        self.value.as_ref()
    }

    /// The value alone; the rest is dropped.
    ///
    /// # Errors
    /// [`Error::ValueHidden`] if the response carried none.
    pub fn into_value(self) -> Result<SecretValue> {
        let Self { id, value, .. } = self;
        value.ok_or_else(|| Error::ValueHidden { id: id.as_str().into() })
    }

    /// Who created it.
    pub fn created_by(&self) -> Option<&Subject> {
        self.created_by.as_deref()
    }

    /// When it was created.
    pub fn created_at(&self) -> Option<Timestamp> {
        self.created_at.as_ref().and_then(Raw::timestamp)
    }

    /// When it was last changed.
    pub fn updated_at(&self) -> Option<Timestamp> {
        self.updated_at.as_ref().and_then(Raw::timestamp)
    }

    /// What changes when the secret does.
    pub(crate) fn marker(&self) -> Marker {
        // The order of versions is not documented, and a list may have the newest only.
        let newest = self.versions.iter().flatten().max_by_key(|one| (one.version(), &one.id));
        Marker {
            updated_at: self.updated_at.clone(),
            newest: newest.map(|version| (version.id.clone(), version.version.clone())),
        }
    }

    /// Its versions, if the response carried them; [`Secrets::versions`](crate::Secrets::versions)
    /// requests them.
    pub fn versions(&self) -> Option<&[SecretVersion]> {
        self.versions.as_deref()
    }

    /// How many active deployments use it.
    pub fn active_deployments(&self) -> Option<u64> {
        self.active_deployments
    }

    /// The reference to it, for a manifest.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the response did not carry the FQN, or the group's name has a colon, so that
    /// the reference would name another group's key.
    pub fn reference(&self) -> Result<SecretRef> {
        let fqn = self.fqn().unwrap_or_default();
        let reference: SecretRef =
            fqn.parse().map_err(|error: super::secret_ref::ParseSecretRefError| {
                Error::invalid_input("secret", format!("it has no usable FQN: {error}"))
            })?;
        if self.key() != Some(reference.key()) {
            return Err(Error::invalid_input("secret", "its FQN does not end in its key"));
        }
        Ok(reference)
    }
}

/// What shows that a secret was changed, as written in the response.
#[derive(Clone, Debug)]
pub(crate) struct Marker {
    updated_at: Option<Raw>,
    /// The newest version.
    newest: Option<(SecretVersionId, Option<Raw>)>,
}

impl Marker {
    /// Whether a change cannot be detected.
    pub(crate) fn is_absent(&self) -> bool {
        self.updated_at.is_none() && self.newest.is_none()
    }

    /// Whether the secret was changed between the two. What only one of them has does not count:
    /// the lists of a group and of secrets need not carry the same fields.
    pub(crate) fn differs(&self, other: &Self) -> bool {
        fn differ<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            one.zip(other).is_some_and(|(one, other)| one != other)
        }
        differ(self.updated_at.as_ref(), other.updated_at.as_ref())
            || differ(self.newest.as_ref(), other.newest.as_ref())
    }
}

/// One version of a secret.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// let versions = client.secrets().versions("secret-id").await?;
/// if let Some(newest) = versions.iter().max_by_key(|one| one.version()) {
///     println!("version {:?} of {:?}", newest.version(), newest.created_at());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SecretVersion {
    id: SecretVersionId,
    fqn: Option<SharedStr>,
    version: Option<Raw>,
    value: Option<SecretValue>,
    secret_id: Option<SecretId>,
    created_at: Option<Raw>,
    updated_at: Option<Raw>,
}

wire_object!(SecretVersion {
    required { id: "id" }
    optional {
        fqn: "fqn",
        value: "value",
        secret_id: "secretId",
    }
    informational {
        version: "version",
        created_at: "createdAt",
        updated_at: "updatedAt",
    }
});

impl SecretVersion {
    /// The version's own identifier.
    pub fn id(&self) -> &SecretVersionId {
        &self.id
    }

    /// The fully qualified name, `tenant:group:key:version`.
    pub fn fqn(&self) -> Option<&str> {
        self.fqn.as_ref().map(SharedStr::as_str)
    }

    /// The version's number, from 1.
    pub fn version(&self) -> Option<u64> {
        self.version.as_ref().and_then(Raw::whole_number)
    }

    /// The value, if the control plane shows it.
    pub fn value(&self) -> Option<&SecretValue> {
        self.value.as_ref()
    }

    /// The secret that this is a version of.
    pub fn secret_id(&self) -> Option<&SecretId> {
        self.secret_id.as_ref()
    }

    /// When it was created.
    pub fn created_at(&self) -> Option<Timestamp> {
        self.created_at.as_ref().and_then(Raw::timestamp)
    }

    /// When it was last changed.
    pub fn updated_at(&self) -> Option<Timestamp> {
        self.updated_at.as_ref().and_then(Raw::timestamp)
    }
}

/// A secret as it appears in a serialized group: everything but values.
pub(super) struct WithoutValue<'a>(pub(super) &'a Secret);

impl Serialize for WithoutValue<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let secret = self.0;
        let mut out = serializer.serialize_struct("Secret", 7)?;
        out.serialize_field("id", &secret.id)?;
        out.serialize_field("fqn", &secret.fqn)?;
        out.serialize_field("name", &secret.key())?;
        out.serialize_field("secretGroupId", &secret.group_id)?;
        out.serialize_field("createdBySubject", &secret.created_by.as_deref())?;
        out.serialize_field("createdAt", &secret.created_at)?;
        out.serialize_field("updatedAt", &secret.updated_at)?;
        out.end()
    }
}
