use std::fmt;

use serde::Serialize;

use super::decode::{self, FromText, Lenient, wire_object};
use super::inputs::check_group_name;
use super::shared_str::SharedStr;
use crate::{Error, Result};

/// A secret group as its manifest describes it: name, store and who may do what. Secrets and their
/// values are not part of it.
///
/// One that came with a response ([`SecretGroup::manifest`](crate::SecretGroup::manifest)) has only
/// the fields that this crate knows: fields that the API may add later are not kept, and not sent
/// back.
///
/// ```
/// use truefoundry_secrets::{Collaborator, Role, SecretGroupManifest};
///
/// let manifest = SecretGroupManifest::new("prod-secrets", "my-org:aws:aws-1:secret-store:main")
///     .collaborator(Collaborator::new("user:ada@example.com", Role::Editor))
///     .collaborator(Collaborator::new("team:platform", Role::Admin));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretGroupManifest {
    #[serde(rename = "type")]
    kind: ManifestKind,
    name: SharedStr,
    #[serde(skip_serializing_if = "Option::is_none")]
    integration_fqn: Option<SharedStr>,
    /// Absent unless a response or the caller said who: an empty list states that the group has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    collaborators: Option<Vec<Collaborator>>,
    #[serde(rename = "ownedBy", skip_serializing_if = "Option::is_none")]
    owned_by: Option<OwnedBy>,
}

/// What a response's manifest holds; all of it can be missing on older control planes.
struct ManifestFields {
    name: Option<SharedStr>,
    integration_fqn: Option<SharedStr>,
    collaborators: Option<Vec<Collaborator>>,
    owned_by: Option<OwnedBy>,
}

wire_object!(ManifestFields {
    required {  }
    optional {
        collaborators: "collaborators",
        owned_by: "ownedBy",
    }
    informational {
        name: "name",
        integration_fqn: "integration_fqn",
    }
});

impl ManifestFields {
    /// `None` without a name, because it describes no group then. One without a store can be read, but
    /// [`SecretGroupManifest::check`] keeps it from being sent back.
    fn into_manifest(self) -> Option<SecretGroupManifest> {
        let Self { name, integration_fqn, collaborators, owned_by } = self;
        let (kind, name) = (ManifestKind::SecretGroup, name?);
        Some(SecretGroupManifest { kind, name, integration_fqn, collaborators, owned_by })
    }
}

impl decode::FromWire for SecretGroupManifest {
    fn decode<'de, D: serde::Deserializer<'de>>(
        context: &decode::Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        let fields = ManifestFields::decode(context, deserializer)?;
        fields.into_manifest().ok_or_else(|| serde::de::Error::missing_field("name"))
    }
}

impl Lenient for SecretGroupManifest {
    fn read<'de>(
        context: &decode::Context<'de>,
        raw: &'de str,
    ) -> Result<Option<Self>, serde_json::Error> {
        let fields = decode::object::<ManifestFields>(context, raw)?;
        Ok(fields.and_then(ManifestFields::into_manifest))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum ManifestKind {
    #[serde(rename = "secret-group")]
    SecretGroup,
}

impl SecretGroupManifest {
    /// A manifest for the group `name` in the store with this FQN
    /// ([`SecretStore::fqn`](crate::SecretStore::fqn)). It does not state collaborators.
    pub fn new(name: impl Into<String>, integration_fqn: impl Into<String>) -> Self {
        Self {
            kind: ManifestKind::SecretGroup,
            name: name.into().into(),
            integration_fqn: Some(integration_fqn.into().into()),
            collaborators: None,
            owned_by: None,
        }
    }

    /// Adds a collaborator.
    #[must_use]
    pub fn collaborator(mut self, collaborator: Collaborator) -> Self {
        self.collaborators.get_or_insert_default().push(collaborator);
        self
    }

    /// States that the group has no collaborators: anyone who has a role in it can lose it.
    #[must_use]
    pub fn no_collaborators(mut self) -> Self {
        self.collaborators = Some(Vec::new());
        self
    }

    /// Sets the account that owns the group.
    #[must_use]
    pub fn owned_by_account(mut self, account: impl Into<String>) -> Self {
        self.owned_by = Some(OwnedBy { account: Some(account.into().into()) });
        self
    }

    /// The group's name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The store's FQN; empty if the response did not carry it.
    pub fn integration_fqn(&self) -> &str {
        self.integration_fqn.as_ref().map_or("", SharedStr::as_str)
    }

    /// Who may do what with the group; `None` if neither the response nor the caller said.
    pub fn collaborators(&self) -> Option<&[Collaborator]> {
        self.collaborators.as_deref()
    }

    /// Refuses a manifest that would name no group, or another one than intended.
    pub(crate) fn check(&self) -> Result<()> {
        check_group_name(self.name())?;
        if self.integration_fqn().is_empty() {
            return Err(Error::invalid_input("manifest", "it does not name a store"));
        }
        Ok(())
    }

    /// The account that owns the group.
    pub fn owned_by(&self) -> Option<&str> {
        self.owned_by.as_ref()?.account.as_ref().map(SharedStr::as_str)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct OwnedBy {
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<SharedStr>,
}

wire_object!(OwnedBy {
    required {  }
    optional {
        account: "account",
    }
    informational {  }
});

/// Someone with a role in a secret group.
///
/// ```
/// use truefoundry_secrets::{Collaborator, Role};
///
/// let team = Collaborator::new("team:platform", Role::Admin);
/// assert_eq!((team.subject(), team.role()), ("team:platform", &Role::Admin));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Collaborator {
    subject: SharedStr,
    #[serde(rename = "role_id")]
    role: Role,
}

wire_object!(Collaborator {
    required { subject: "subject", role: "role_id" }
    optional {  }
    informational {  }
});

impl Collaborator {
    /// A collaborator with this role; `subject` is written `user:ada@example.com`, `team:platform` or
    /// `serviceaccount:ci`.
    pub fn new(subject: impl Into<String>, role: Role) -> Self {
        Self { subject: subject.into().into(), role }
    }

    /// Who: kind and name.
    pub fn subject(&self) -> &str {
        self.subject.as_str()
    }

    /// What they may do.
    pub fn role(&self) -> &Role {
        &self.role
    }
}

/// What a collaborator may do with a secret group.
///
/// ```
/// use truefoundry_secrets::Role;
///
/// assert_eq!(Role::Viewer.as_str(), "secret-group-viewer");
/// assert_eq!(Role::from("secret-group-viewer"), Role::Viewer);
/// assert_eq!(Role::from("secret-group-auditor").as_str(), "secret-group-auditor");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// `secret-group-admin`
    Admin,
    /// `secret-group-editor`
    Editor,
    /// `secret-group-viewer`
    Viewer,
    /// Another one, as the API spells it: `Role::from` makes it, and the pattern is `Other { .. }`. A later version
    /// may have a variant for it, so compare [`as_str`](Self::as_str).
    #[non_exhaustive]
    Other(String),
}

/// A role as the API spells it.
impl From<&str> for Role {
    fn from(role: &str) -> Self {
        match role {
            "secret-group-admin" => Self::Admin,
            "secret-group-editor" => Self::Editor,
            "secret-group-viewer" => Self::Viewer,
            _ => Self::Other(role.to_owned()),
        }
    }
}

impl Role {
    /// The role as the API spells it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Admin => "secret-group-admin",
            Self::Editor => "secret-group-editor",
            Self::Viewer => "secret-group-viewer",
            Self::Other(role) => role,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&crate::redact::escape_control(self.as_str()))
    }
}

impl Serialize for Role {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl super::decode::FromWire for Role {
    fn decode<'de, D: serde::Deserializer<'de>>(
        _: &super::decode::Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        deserializer.deserialize_str(FromText(|role: &str| Some(Self::from(role)), "a role"))
    }
}
