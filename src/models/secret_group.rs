use std::sync::Arc;

use jiff::Timestamp;
use serde::ser::SerializeStruct as _;
use serde::{Deserializer, Serialize, Serializer};

use super::decode::{Context, FromWire, wire_object};
use super::fqn_part;
use super::ids::{IntegrationId, SecretGroupId};
use super::manifest::SecretGroupManifest;
use super::raw::Raw;
use super::secret::{Secret, WithoutValue};
use super::secret_ref::SecretRef;
use super::shared_str::SharedStr;
use super::subject::Subject;
use crate::Error;

/// What the API says about a group.
#[derive(Clone, Debug)]
struct Record {
    id: Option<SecretGroupId>,
    fqn: Option<SharedStr>,
    tenant_name: Option<SharedStr>,
    name: Option<SharedStr>,
    created_by: Option<Arc<Subject>>,
    secrets: Option<Vec<Secret>>,
    integration_id: Option<IntegrationId>,
    manifest: Option<SecretGroupManifest>,
    account_id: Option<SharedStr>,
    created_at: Option<Raw>,
    updated_at: Option<Raw>,
}

wire_object!(Record {
    required {}
    optional {
        id: "id",
        fqn: "fqn",
        tenant_name: "tenantName",
        name: "name",
        secrets: "associatedSecrets",
        integration_id: "integrationId",
        account_id: "accountId",
    }
    informational {
        created_by: "createdBySubject",
        manifest: "manifest",
        created_at: "createdAt",
        updated_at: "updatedAt",
    }
});

impl Record {
    fn fqn(&self) -> Option<&str> {
        self.fqn.as_ref().map(SharedStr::as_str)
    }
}

/// A secret group: a named set of secrets in one store. It never carries values.
///
/// Groups of one page share that page's text in memory until the last of them is dropped.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// let group = client.secret_groups().get_by_name("prod-secrets").await?;
/// println!("{}, changed {:?}", group.id(), group.updated_at());
/// let keys = group.secrets().unwrap_or_default().iter().filter_map(|secret| secret.key());
/// println!("{}", keys.collect::<Vec<_>>().join(", "));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SecretGroup {
    id: SecretGroupId,
    record: Record,
}

impl FromWire for SecretGroup {
    fn decode<'de, D: Deserializer<'de>>(
        context: &Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        let mut record = Record::decode(context, deserializer)?;
        if record.fqn.is_none() {
            return Err(serde::de::Error::missing_field("fqn"));
        }
        let id = record.id.take().ok_or_else(|| serde::de::Error::missing_field("id"))?;
        Ok(Self { id, record })
    }
}

/// A secret group with only the attributes that were requested
/// ([`SecretGroups::list_partial`](crate::SecretGroups::list_partial)); the others are `None`.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// use truefoundry_secrets::{Attribute, ListSecretGroups};
///
/// let params = ListSecretGroups::new();
/// let page = client.secret_groups().list_partial(&params, &[Attribute::Name]).await?;
/// for group in &page {
///     println!("{} {:?}", group.id(), group.name());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PartialSecretGroup {
    id: SecretGroupId,
    record: Record,
}

impl FromWire for PartialSecretGroup {
    fn decode<'de, D: Deserializer<'de>>(
        context: &Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        let mut record = Record::decode(context, deserializer)?;
        let id = record.id.take().ok_or_else(|| serde::de::Error::missing_field("id"))?;
        Ok(Self { id, record })
    }
}

/// A group as it would be according to a dry run
/// ([`SecretGroups::create_or_update_dry_run`](crate::SecretGroups::create_or_update_dry_run)); one
/// that would be created has no identifier yet.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client, manifest: truefoundry_secrets::SecretGroupManifest)
/// # -> truefoundry_secrets::Result<()> {
/// let would_be = client.secret_groups().create_or_update_dry_run(&manifest).await?;
/// println!("{:?} {}", would_be.name(), if would_be.id().is_some() { "exists" } else { "is new" });
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DryRunSecretGroup {
    record: Record,
}

impl FromWire for DryRunSecretGroup {
    fn decode<'de, D: Deserializer<'de>>(
        context: &Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        Ok(Self { record: Record::decode(context, deserializer)? })
    }
}

macro_rules! common_accessors {
    () => {
        /// The tenant's name, from the response's `tenantName`, else from the first part of the FQN.
        pub fn tenant_name(&self) -> Option<&str> {
            let own = self.record.tenant_name.as_ref().map(SharedStr::as_str);
            own.or_else(|| fqn_part(self.record.fqn()?, 0, 2))
        }

        /// The group's name, from the response's `name`, else from its manifest, else from the last part
        /// of the FQN.
        pub fn name(&self) -> Option<&str> {
            let own = self.record.name.as_ref().map(SharedStr::as_str);
            own.or_else(|| self.record.manifest.as_ref().map(SecretGroupManifest::name))
                .or_else(|| fqn_part(self.record.fqn()?, 1, 2))
        }

        /// The group's secrets, without values. A server may cut a long list;
        /// [`ListSecrets::in_group`](crate::ListSecrets::in_group) lists all of them. `None` if the
        /// response did not list them, which does not mean that the group is empty.
        pub fn secrets(&self) -> Option<&[Secret]> {
            self.record.secrets.as_deref()
        }

        /// Who created it.
        pub fn created_by(&self) -> Option<&Subject> {
            self.record.created_by.as_deref()
        }

        /// The store that the group's secrets are kept in.
        pub fn integration_id(&self) -> Option<&IntegrationId> {
            self.record.integration_id.as_ref()
        }

        /// The group's manifest: store and collaborators.
        pub fn manifest(&self) -> Option<&SecretGroupManifest> {
            self.record.manifest.as_ref()
        }

        /// The account that the group belongs to.
        pub fn account_id(&self) -> Option<&str> {
            self.record.account_id.as_ref().map(SharedStr::as_str)
        }

        /// When it was created.
        pub fn created_at(&self) -> Option<Timestamp> {
            self.record.created_at.as_ref().and_then(Raw::timestamp)
        }

        /// When it or one of its secrets was last changed.
        pub fn updated_at(&self) -> Option<Timestamp> {
            self.record.updated_at.as_ref().and_then(Raw::timestamp)
        }
    };
}

impl DryRunSecretGroup {
    common_accessors!();

    /// The identifier of a group that exists already.
    pub fn id(&self) -> Option<&SecretGroupId> {
        self.record.id.as_ref()
    }

    /// The fully qualified name, `tenant:group`.
    pub fn fqn(&self) -> Option<&str> {
        self.record.fqn()
    }
}

impl PartialSecretGroup {
    common_accessors!();

    /// The group's identifier, which is always returned.
    pub fn id(&self) -> &SecretGroupId {
        &self.id
    }

    /// The fully qualified name, `tenant:group`.
    pub fn fqn(&self) -> Option<&str> {
        self.record.fqn()
    }
}

impl SecretGroup {
    common_accessors!();

    /// The group's identifier.
    pub fn id(&self) -> &SecretGroupId {
        &self.id
    }

    /// The fully qualified name, `tenant:group`.
    pub fn fqn(&self) -> &str {
        self.record.fqn().unwrap_or_default()
    }

    /// What changes when the group does.
    pub(crate) fn marker(&self) -> Option<&Raw> {
        self.record.updated_at.as_ref()
    }

    /// The two parts of the FQN; a name with a colon is kept whole in the second one.
    pub(crate) fn tenant_and_name(&self) -> Option<(&str, &str)> {
        self.fqn().split_once(':').filter(|(tenant, name)| !tenant.is_empty() && !name.is_empty())
    }

    /// The reference to one of the group's keys, for a manifest: the group's FQN and the key.
    /// Whether the group has such a key is not checked.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if `key` cannot be part of a reference, or the group has no usable FQN: with a
    /// colon in its name the reference would name another group's key.
    pub fn reference(&self, key: &str) -> crate::Result<SecretRef> {
        let (tenant, name) = self.tenant_and_name().unwrap_or_default();
        SecretRef::new(tenant, name, key)
            .map_err(|error| Error::invalid_input("reference", error.to_string()))
    }
}

/// As the API writes it, without values.
impl Serialize for SecretGroup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let secrets: Option<Vec<_>> =
            self.secrets().map(|secrets| secrets.iter().map(WithoutValue).collect());
        let mut out = serializer.serialize_struct("SecretGroup", 11)?;
        out.serialize_field("id", self.id())?;
        out.serialize_field("fqn", &self.fqn())?;
        out.serialize_field("tenantName", &self.tenant_name())?;
        out.serialize_field("name", &self.name())?;
        out.serialize_field("createdBySubject", &self.created_by())?;
        out.serialize_field("associatedSecrets", &secrets)?;
        out.serialize_field("integrationId", &self.integration_id())?;
        out.serialize_field("manifest", &self.manifest())?;
        out.serialize_field("accountId", &self.account_id())?;
        out.serialize_field("createdAt", &self.record.created_at)?;
        out.serialize_field("updatedAt", &self.record.updated_at)?;
        out.end()
    }
}

/// An attribute of a secret group that a list can be narrowed to.
///
/// ```
/// use truefoundry_secrets::Attribute;
///
/// assert_eq!(Attribute::Secrets.as_str(), "associatedSecrets");
/// assert_eq!(Attribute::from("associatedSecrets"), Attribute::Secrets);
/// assert_eq!(Attribute::from("labels").as_str(), "labels");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Attribute {
    /// `id`, which is always returned.
    Id,
    /// `fqn`
    Fqn,
    /// `tenantName`
    TenantName,
    /// `name`
    Name,
    /// `createdBySubject`
    CreatedBy,
    /// `associatedSecrets`
    Secrets,
    /// `integrationId`
    IntegrationId,
    /// `manifest`
    Manifest,
    /// `accountId`
    AccountId,
    /// `createdAt`
    CreatedAt,
    /// `updatedAt`
    UpdatedAt,
    /// Another one, as the API spells it: `Attribute::from` makes it, and the pattern is `Other { .. }`. A later version
    /// may have a variant for it, so compare [`as_str`](Self::as_str).
    #[non_exhaustive]
    Other(String),
}

/// An attribute as the API spells it.
impl From<&str> for Attribute {
    fn from(name: &str) -> Self {
        const KNOWN: [Attribute; 11] = [
            Attribute::Id,
            Attribute::Fqn,
            Attribute::TenantName,
            Attribute::Name,
            Attribute::CreatedBy,
            Attribute::Secrets,
            Attribute::IntegrationId,
            Attribute::Manifest,
            Attribute::AccountId,
            Attribute::CreatedAt,
            Attribute::UpdatedAt,
        ];
        let known = KNOWN.into_iter().find(|known| known.as_str() == name);
        known.unwrap_or_else(|| Self::Other(name.to_owned()))
    }
}

impl Attribute {
    /// The attribute as the API spells it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Id => "id",
            Self::Fqn => "fqn",
            Self::TenantName => "tenantName",
            Self::Name => "name",
            Self::CreatedBy => "createdBySubject",
            Self::Secrets => "associatedSecrets",
            Self::IntegrationId => "integrationId",
            Self::Manifest => "manifest",
            Self::AccountId => "accountId",
            Self::CreatedAt => "createdAt",
            Self::UpdatedAt => "updatedAt",
            Self::Other(name) => name,
        }
    }
}
