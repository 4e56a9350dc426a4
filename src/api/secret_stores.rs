//! `client.secret_stores()`: the stores that the customer connected.

use super::items::{Items, PagedList};
use super::window::{Paged, Window, window_setters};
use crate::client::Client;
use crate::models::{Data, IntegrationId, Listed, Page, ProviderAccount, SecretStore};
use crate::operation::{Operation, Resource};
use crate::stores::SecretStoreKind;
use crate::transport::{Query, Request};
use crate::{Error, Result};

const COLLECTION: &str = "provider-integrations";
const SECRET_STORE: &str = "secret-store";

/// The secret stores' methods, from [`Client::secret_stores`]. They borrow the client: keep a
/// [`Client`] (a clone is cheap) and call `secret_stores` when needed.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// for store in client.secret_stores().all().await? {
///     println!("{} {:?}", store.id(), store.fqn());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SecretStores<'a> {
    client: &'a Client,
}

/// Which stores to list.
///
/// ```
/// use truefoundry_secrets::ListSecretStores;
///
/// let one = ListSecretStores::new().fqn("my-org:aws:aws-1:secret-store:main");
/// let third_page = ListSecretStores::new().limit(20).offset(40);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ListSecretStores {
    window: Window,
    fqn: Option<String>,
    id: Option<IntegrationId>,
}

impl Paged for ListSecretStores {
    fn window(&mut self) -> &mut Window {
        &mut self.window
    }
}

window_setters!(ListSecretStores, "stores");

impl ListSecretStores {
    /// All stores that the API key may see.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only the store with this fully qualified name.
    #[must_use]
    pub fn fqn(mut self, fqn: impl Into<String>) -> Self {
        self.fqn = Some(fqn.into());
        self
    }

    /// Only the store with this identifier.
    #[must_use]
    pub fn id(mut self, id: impl Into<IntegrationId>) -> Self {
        self.id = Some(id.into());
        self
    }
}

impl Client {
    /// The secret stores' methods.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::SecretStoreKind;
    ///
    /// let store = client.secret_stores().find(SecretStoreKind::AzureVault).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn secret_stores(&self) -> SecretStores<'_> {
        SecretStores { client: self }
    }
}

impl SecretStores<'_> {
    /// One page of stores: `GET /provider-integrations?type=secret-store`.
    ///
    /// Older control planes do not have this endpoint and respond with 404;
    /// [`list_by_provider_account`](Self::list_by_provider_account) works there, too. Integrations
    /// that are not stores, which some control planes list as well, are left out, so a page can be
    /// shorter.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::ListSecretStores;
    ///
    /// let params = ListSecretStores::new().fqn("my-org:aws:aws-1:secret-store:main");
    /// let page = client.secret_stores().list(&params).await?;
    /// let store = page.into_items().pop();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unauthorized`], [`Error::PermissionDenied`]; on an older control plane
    /// [`Error::UnexpectedStatus`], or [`Error::NotFound`] if an identifier or FQN was given.
    pub async fn list(self, params: &ListSecretStores) -> Result<Page<SecretStore>> {
        let mut page = self.page(params).await?;
        page.retain(SecretStore::is_secret_store);
        Ok(page)
    }

    /// Includes integrations that are not stores, because paging counts them.
    async fn page(self, params: &ListSecretStores) -> Result<Page<SecretStore>> {
        let query = Query::default()
            .with("limit", params.window.limit)
            .with("offset", params.window.offset)
            .with("type", SECRET_STORE)
            .with_some("fqn", params.fqn.as_deref())
            .with_some("id", params.id.as_ref().map(IntegrationId::as_str));
        let not_found_subject =
            params.id.as_ref().map(IntegrationId::as_str).or(params.fqn.as_deref());
        let request = Request::new(Operation::ListSecretStores, COLLECTION)
            .or_not_found_some(Resource::SecretStore, not_found_subject)
            .query(query);
        let Listed(page) = self.client.transport().call(request).await?;
        Ok(page)
    }

    /// All stores, page after page.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::ListSecretStores;
    ///
    /// let mut stores = client.secret_stores().stream(ListSecretStores::new());
    /// while let Some(store) = stores.next().await {
    ///     println!("{}", store?.id());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(self, params: ListSecretStores) -> Items<SecretStore> {
        let list = PagedList {
            client: self.client.clone(),
            operation: Operation::ListSecretStores,
            collection: COLLECTION,
            name: |store: &SecretStore| store.id().as_str(),
            keep: SecretStore::is_secret_store,
        };
        Items::of(list, params, async |client, params| client.secret_stores().page(&params).await)
    }

    /// All stores, read from the provider accounts: `GET /provider-accounts?type=secret-store`.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// for store in client.secret_stores().list_by_provider_account().await? {
    ///     println!("{} of {:?}", store.id(), store.provider_account_fqn());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unauthorized`], [`Error::PermissionDenied`].
    pub async fn list_by_provider_account(self) -> Result<Vec<SecretStore>> {
        let request = Request::new(Operation::ListProviderAccounts, "provider-accounts")
            .query(Query::default().with("type", SECRET_STORE));
        let Data(accounts) =
            self.client.transport().call::<Data<Vec<ProviderAccount>>>(request).await?;
        Ok(accounts.into_iter().flat_map(ProviderAccount::into_stores).collect())
    }

    /// All stores: through the newer endpoint, or through the provider accounts on a control plane that
    /// does not have it.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// for store in client.secret_stores().all().await? {
    ///     if let Some(kind) = store.kind() {
    ///         println!("{}: {kind}", store.id());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn all(self) -> Result<Vec<SecretStore>> {
        match self.stream(ListSecretStores::new()).try_collect().await {
            Err(error) if error.status() == Some(404) => self.list_by_provider_account().await,
            stores => stores,
        }
    }

    /// The one store of this kind.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::{NewSecretGroup, SecretStoreKind};
    ///
    /// let store = client.secret_stores().find(SecretStoreKind::AzureVault).await?;
    /// let new = NewSecretGroup::new("prod-secrets", &store);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSecretStore`] if none of this kind is connected; [`Error::InvalidInput`], listing the
    /// choices, if several are, so that a person chooses one.
    pub async fn find(self, kind: SecretStoreKind) -> Result<SecretStore> {
        let mut stores = self.all().await?;
        stores.retain(|store| store.kind() == Some(&kind));
        match stores.as_slice() {
            [] => Err(Error::NoSecretStore { kind: Some(Box::new(kind)), context: None }),
            [store] => Ok(store.clone()),
            several => Err(several_stores(&kind, several)),
        }
    }
}

fn several_stores(kind: &SecretStoreKind, stores: &[SecretStore]) -> Error {
    let choices: Vec<String> = stores
        .iter()
        .map(|store| match store.fqn().or(store.name()) {
            Some(name) => format!("{} ({name})", store.id()),
            None => store.id().to_string(),
        })
        .collect();
    let choices = crate::redact::List(&choices);
    Error::invalid_input("store", format!("several of the kind {kind} are connected: {choices}"))
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::ListSecretStores;
    use crate::models::SecretStore;
    use crate::stores::SecretStoreKind;
    use crate::testing::FakeTrueFoundry;

    #[tokio::test]
    async fn of_a_stores_own_credentials_nothing_is_kept() {
        let fake = FakeTrueFoundry::start()
            .await
            .with_store(SecretStoreKind::AzureVault)
            .with_store(SecretStoreKind::HashicorpVault);
        let client = fake.client();
        let stores = client.secret_stores();
        let listed = stores.list(&ListSecretStores::new()).await.unwrap().into_items();
        let by_account = stores.list_by_provider_account().await.unwrap();
        let credentials = fake.store_credentials();
        assert_eq!((listed.len(), by_account.len(), credentials.len()), (2, 2, 2));
        for store in listed.iter().chain(&by_account) {
            let kept_keys = store.id().0.whole_buffer();
            assert!(kept_keys.contains(store.id().as_str()));
            assert!(
                credentials.iter().all(|credential| !kept_keys.contains(credential)),
                "{kept_keys}"
            );
            assert!(!kept_keys.contains("auth_data"), "{kept_keys}");
        }
        assert_eq!(listed.first().and_then(SecretStore::kind), Some(&SecretStoreKind::AzureVault));
    }
}
