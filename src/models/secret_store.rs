use serde::Serialize;

use super::decode::{Context, FromText, FromWire, Lenient, wire_object};
use super::ids::IntegrationId;
use super::shared_str::SharedStr;
use crate::stores::SecretStoreKind;

/// The type of integrations that leave the kind of store to their manifest.
const ANY_STORE: &str = "secret-store";

/// A secret store that the customer connected: what the API calls an *integration* of the type
/// `secret-store`.
///
/// The store's own credentials, which the API may send along, are never kept: the response is wiped.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// for store in client.secret_stores().all().await? {
///     let kind = store.kind().map(ToString::to_string).unwrap_or_default();
///     println!("{} {kind} {:?}", store.id(), store.fqn());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretStore {
    id: IntegrationId,
    name: Option<SharedStr>,
    fqn: Option<SharedStr>,
    #[serde(rename = "type")]
    integration_type: Option<SecretStoreKind>,
    manifest: Option<StoreManifest>,
    provider_account_fqn: Option<SharedStr>,
    tenant_name: Option<SharedStr>,
}

wire_object!(SecretStore {
    required { id: "id" }
    optional {
        name: "name",
        fqn: "fqn",
        integration_type: "type",
        provider_account_fqn: "providerAccountFqn",
        tenant_name: "tenantName",
    }
    informational {
        manifest: "manifest",
    }
});

/// The one field of a store's manifest that is read; its neighbours are credentials.
#[derive(Clone, Debug, Serialize)]
struct StoreManifest {
    #[serde(rename = "type")]
    kind: Option<SecretStoreKind>,
}

wire_object!(StoreManifest {
    required {  }
    optional {  }
    informational {
        kind: "type",
    }
});

impl SecretStore {
    /// The identifier that a new group is created with.
    pub fn id(&self) -> &IntegrationId {
        &self.id
    }

    /// The store's name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(SharedStr::as_str)
    }

    /// The fully qualified name, such as `internal:aws:aws-1:secret-store:main`.
    pub fn fqn(&self) -> Option<&str> {
        self.fqn.as_ref().map(SharedStr::as_str)
    }

    /// What kind of store it is, if the response says so: in the manifest, or on older control planes in the
    /// integration's own type.
    pub fn kind(&self) -> Option<&SecretStoreKind> {
        let named = self.types().find(|one| one.is_api_type());
        named.or_else(|| self.types().find(|one| one.api_type() != ANY_STORE))
    }

    /// The types of the manifest and of the integration itself, if given.
    fn types(&self) -> impl Iterator<Item = &SecretStoreKind> {
        let manifest = self.manifest.as_ref().and_then(|manifest| manifest.kind.as_ref());
        manifest.into_iter().chain(&self.integration_type)
    }

    /// The provider account that it belongs to.
    pub fn provider_account_fqn(&self) -> Option<&str> {
        self.provider_account_fqn.as_ref().map(SharedStr::as_str)
    }

    /// The tenant's name.
    pub fn tenant_name(&self) -> Option<&str> {
        self.tenant_name.as_ref().map(SharedStr::as_str)
    }

    /// Whether it is a secret store: provider accounts list their other integrations, too, such as
    /// models. One without a type counts as a store, because stores were requested.
    pub(crate) fn is_secret_store(&self) -> bool {
        self.types().next().is_none()
            || self.types().any(|one| one.is_api_type() || one.api_type() == ANY_STORE)
    }
}

/// A provider account with its integrations.
#[derive(Clone, Debug)]
pub(crate) struct ProviderAccount {
    integrations: Option<Vec<SecretStore>>,
}

wire_object!(ProviderAccount {
    required {  }
    optional {
        integrations: "integrations",
    }
    informational {  }
});

impl ProviderAccount {
    pub(crate) fn into_stores(self) -> impl Iterator<Item = SecretStore> {
        self.integrations.unwrap_or_default().into_iter().filter(SecretStore::is_secret_store)
    }
}

impl Serialize for SecretStoreKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.api_type())
    }
}

impl FromWire for SecretStoreKind {
    fn decode<'de, D: serde::Deserializer<'de>>(
        _: &Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        deserializer
            .deserialize_str(FromText(|kind: &str| Some(Self::from_api_type(kind)), "a kind"))
    }
}

impl Lenient for SecretStoreKind {
    fn read<'de>(context: &Context<'de>, raw: &'de str) -> Result<Option<Self>, serde_json::Error> {
        Ok(Self::decode(context, &mut serde_json::Deserializer::from_str(raw)).ok())
    }
}
