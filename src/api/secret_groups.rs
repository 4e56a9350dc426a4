//! `client.secret_groups()`: the groups.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::delete_options::DeleteOptions;
use super::items::{Items, PagedList};
use super::window::{Paged, Window, window_setters};
use crate::client::{Client, Written};
use crate::models::{
    Attribute, Data, DryRunSecretGroup, FullList, Listed, NewGroupRequest, NewSecretGroup, Page,
    PartialSecretGroup, SecretEntry, SecretGroup, SecretGroupId, SecretGroupManifest,
    check_group_name,
};
use crate::operation::{Operation, Resource};
use crate::redact::{List, Quoted};
use crate::transport::{Query, Request, json, json_with};
use crate::{Error, Result};

const COLLECTION: &str = "secret-groups";

/// The secret groups' methods, from [`Client::secret_groups`]. They borrow the client: keep a
/// [`Client`] (a clone is cheap) and call `secret_groups` when needed.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// let groups = client.secret_groups();
/// let group = groups.get_by_name("prod-secrets").await?;
/// groups.edit(group.id()).remove("OLD-KEY").apply().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SecretGroups<'a> {
    client: &'a Client,
}

/// Which groups to list.
///
/// ```
/// use truefoundry_secrets::ListSecretGroups;
///
/// let params = ListSecretGroups::new().search("prod").limit(20);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ListSecretGroups {
    window: Window,
    fqn: Option<String>,
    search: Option<String>,
}

impl Paged for ListSecretGroups {
    fn window(&mut self) -> &mut Window {
        &mut self.window
    }
}

window_setters!(ListSecretGroups, "groups");

impl ListSecretGroups {
    /// All groups that the API key may see.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only groups whose name, or the name of one of their secrets, contains `text`.
    #[must_use]
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.search = Some(text.into());
        self
    }

    /// Only the group with this fully qualified name (`tenant:group`).
    #[must_use]
    pub fn fqn(mut self, fqn: impl Into<String>) -> Self {
        self.fqn = Some(fqn.into());
        self
    }

    fn query(&self) -> Query {
        Query::default()
            .with("limit", self.window.limit)
            .with("offset", self.window.offset)
            .with_some("fqn", self.fqn.as_deref())
            .with_some("search", self.search.as_deref())
    }
}

impl Client {
    /// The secret groups' methods.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// let group = client.secret_groups().get_by_name("prod-secrets").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn secret_groups(&self) -> SecretGroups<'_> {
        SecretGroups { client: self }
    }

    /// Whether the control plane responds and accepts the key, in one request for one secret group.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// if let Err(error) = client.check().await {
    ///     eprintln!("not ready: {error}\nhint: {}", error.hint());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unauthorized`] if the key is rejected; [`Error::PermissionDenied`] if it is
    /// accepted but may not list groups; [`Error::Connect`], [`Error::Timeout`];
    /// [`Error::UnexpectedStatus`] or [`Error::Decode`] if something other than a control plane
    /// responds.
    pub async fn check(&self) -> Result<()> {
        self.secret_groups().list(&ListSecretGroups::new().limit(1)).await.map(drop)
    }
}

impl<'a> SecretGroups<'a> {
    pub(crate) fn client(self) -> &'a Client {
        self.client
    }

    /// One page of groups: `GET /secret-groups`.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::ListSecretGroups;
    ///
    /// let params = ListSecretGroups::new().search("prod").limit(20);
    /// let page = client.secret_groups().list(&params).await?;
    /// println!("{} of {:?}", page.items().len(), page.total());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unauthorized`], [`Error::PermissionDenied`].
    pub async fn list(self, params: &ListSecretGroups) -> Result<Page<SecretGroup>> {
        let request = Request::new(Operation::ListSecretGroups, COLLECTION)
            .or_not_found_some(Resource::SecretGroup, params.fqn.as_deref())
            .query(params.query());
        let Listed(page) = self.client.transport().call(request).await?;
        Ok(page)
    }

    /// One page of groups with these attributes only; `id` is always included.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::{Attribute, ListSecretGroups};
    ///
    /// let params = ListSecretGroups::new().limit(20);
    /// let attributes = [Attribute::Name, Attribute::UpdatedAt];
    /// for group in client.secret_groups().list_partial(&params, &attributes).await? {
    ///     println!("{:?}: {:?}", group.name(), group.updated_at());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`list`](Self::list); [`Error::InvalidInput`] for an empty list of attributes, which the server
    /// would read as all of them.
    pub async fn list_partial(
        self,
        params: &ListSecretGroups,
        attributes: &[Attribute],
    ) -> Result<Page<PartialSecretGroup>> {
        if attributes.is_empty() {
            return Err(Error::invalid_input("attributes", "the list is empty"));
        }
        let query = attributes
            .iter()
            .fold(params.query(), |query, attribute| query.with("attributes", attribute.as_str()));
        let request = Request::new(Operation::ListSecretGroups, COLLECTION)
            .or_not_found_some(Resource::SecretGroup, params.fqn.as_deref())
            .query(query);
        let Listed(page) = self.client.transport().call(request).await?;
        Ok(page)
    }

    /// All groups, page after page.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::ListSecretGroups;
    ///
    /// let mut groups = client.secret_groups().stream(ListSecretGroups::new().search("prod"));
    /// while let Some(group) = groups.next().await {
    ///     println!("{}", group?.fqn());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(self, params: ListSecretGroups) -> Items<SecretGroup> {
        let list = PagedList {
            client: self.client.clone(),
            operation: Operation::ListSecretGroups,
            collection: COLLECTION,
            name: |group: &SecretGroup| group.id().as_str(),
            keep: |_| true,
        };
        Items::of(list, params, async |client, params| client.secret_groups().list(&params).await)
    }

    /// All groups that the API key may see, in memory at once; [`stream`](Self::stream) holds one page at a
    /// time.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// for group in client.secret_groups().all().await? {
    ///     println!("{}", group.fqn());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`list`](Self::list); [`Error::Decode`] for a server that repeats itself endlessly.
    pub async fn all(self) -> Result<Vec<SecretGroup>> {
        self.stream(ListSecretGroups::new()).try_collect().await
    }

    /// All groups with these attributes only, page after page; see [`list_partial`](Self::list_partial).
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::{Attribute, ListSecretGroups};
    ///
    /// let groups = client.secret_groups();
    /// let mut names = groups.stream_partial(ListSecretGroups::new(), &[Attribute::Name]);
    /// while let Some(group) = names.next().await {
    ///     println!("{:?}", group?.name());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream_partial(
        self,
        params: ListSecretGroups,
        attributes: &[Attribute],
    ) -> Items<PartialSecretGroup> {
        let list = PagedList {
            client: self.client.clone(),
            operation: Operation::ListSecretGroups,
            collection: COLLECTION,
            name: |group: &PartialSecretGroup| group.id().as_str(),
            keep: |_| true,
        };
        let attributes: Arc<[Attribute]> = attributes.into();
        Items::of(list, params, move |client, params| {
            let attributes = Arc::clone(&attributes);
            async move { client.secret_groups().list_partial(&params, &attributes).await }
        })
    }

    /// One group with the names of its secrets, without values: `GET /secret-groups/{id}`.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// let group = client.secret_groups().get("sg-abc").await?;
    /// for secret in group.secrets().unwrap_or_default() {
    ///     println!("{:?}", secret.key());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::PermissionDenied`]; [`Error::InvalidInput`] for an identifier that is
    /// empty, or has a control character or a dot segment.
    pub async fn get(self, id: impl Into<SecretGroupId>) -> Result<SecretGroup> {
        let id = id.into();
        let request = Request::new(Operation::GetSecretGroup, COLLECTION).id(id.as_str())?;
        self.group(request).await
    }

    /// As [`get`](Self::get), without a retry.
    pub(crate) async fn get_once(self, id: &SecretGroupId) -> Result<SecretGroup> {
        let mut request = Request::new(Operation::GetSecretGroup, COLLECTION).id(id.as_str())?;
        request.single_attempt = true;
        self.group(request).await
    }

    /// The tenant's group with this name, in one request: `GET /secret-groups?fqn=tenant:name`.
    ///
    /// The tenant is the one set on the builder
    /// ([`ClientBuilder::tenant`](crate::ClientBuilder::tenant)), else that of a key that is a JWT,
    /// else that of a host under `truefoundry.cloud` or `truefoundry.com`. Otherwise the first
    /// look-up asks for it, with one request, or two on some control planes. The groups, secrets
    /// and stores that are read never change it.
    ///
    /// If an older control plane does not tell the tenant, each call searches the groups that the
    /// key may see (two requests in vain, then one per 100 groups found). It returns the only group
    /// of exactly this name, whichever tenant it belongs to.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// let group = client.secret_groups().get_by_name("prod-secrets").await?;
    /// println!("{}", group.reference("DB-PASSWORD")?); // tfy-secret://my-org:prod-secrets:DB-PASSWORD
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the name is empty, or has a colon or a control character, or if
    /// the control plane does not tell the tenant and several tenants have a group of this name;
    /// [`Error::NotFound`] if no such group exists, or the server returns another one. A transient
    /// failure to find out the tenant (a timeout, 5xx) is returned unchanged.
    pub async fn get_by_name(self, name: &str) -> Result<SecretGroup> {
        check_group_name(name)?;
        match self.client.tenant().await? {
            Some(tenant) => self.get_by_fqn(&tenant, name).await,
            None => self.search_by_name(name).await,
        }
    }

    async fn get_by_fqn(self, tenant: &str, name: &str) -> Result<SecretGroup> {
        let fqn = format!("{tenant}:{name}");
        let params = ListSecretGroups::new().fqn(&fqn);
        let request = Request::new(Operation::ListSecretGroups, COLLECTION)
            .or_not_found(Resource::SecretGroup, name)
            .query(params.query());
        let Listed(page) = self.client.transport().call::<Listed<SecretGroup>>(request).await?;
        page.into_iter().find(|group| group.fqn() == fqn).ok_or_else(|| self.no_group_named(name))
    }

    async fn search_by_name(self, name: &str) -> Result<SecretGroup> {
        let mut groups = self.stream(ListSecretGroups::new().search(name));
        let mut first = None;
        let mut fqns = BTreeSet::new();
        while let Some(group) = groups.next().await {
            let group = group?;
            // The search also matches parts of names, and names of secrets.
            if group.tenant_and_name().is_some_and(|(_, found)| found == name) {
                fqns.insert(group.fqn().to_owned());
                first.get_or_insert(group);
            }
        }
        if fqns.len() > 1 {
            let (name, fqns) = (Quoted(name), Vec::from_iter(fqns));
            let reason = format!(
                "several tenants have a group {name}: {}; say which with ClientBuilder::tenant",
                List(&fqns)
            );
            return Err(Error::invalid_input("group name", reason));
        }
        first.ok_or_else(|| self.no_group_named(name))
    }

    fn no_group_named(self, name: &str) -> Error {
        self.client.transport().not_found(Operation::ListSecretGroups, COLLECTION, name)
    }

    /// Creates a group: `POST /secret-groups`. Every secret begins at version 1.
    ///
    /// It is retried only if no connection was made. If the response is lost, the group may exist:
    /// [`Error::may_have_been_applied`] is then true, and [`get_by_name`](Self::get_by_name) finds
    /// out.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::{Error, NewSecretGroup, SecretStoreKind, SecretValue};
    ///
    /// let store = client.secret_stores().find(SecretStoreKind::AwsSecretsManager).await?;
    /// let new = NewSecretGroup::new("prod-secrets", &store)
    ///     .secret("DB_PASSWORD", SecretValue::from_env("DB_PASSWORD")?);
    /// match client.secret_groups().create(new).await {
    ///     Ok(group) => println!("{}", group.id()),
    ///     Err(Error::AlreadyExists { name, .. }) => println!("{name} exists already"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] and [`Error::KeyNotSupported`] before anything is sent;
    /// [`Error::AlreadyExists`], [`Error::SoftDeleted`], [`Error::MissingFields`],
    /// [`Error::StoreFailed`]; [`Error::NotFound`] for the store.
    pub async fn create(self, new: NewSecretGroup) -> Result<SecretGroup> {
        new.check()?;
        self.create_checked(new.as_request()).await
    }

    pub(crate) async fn create_checked(self, new: NewGroupRequest<'_>) -> Result<SecretGroup> {
        let values: Vec<_> = new.secrets.iter().map(|(_, value)| value).collect();
        let mut request = Request::new(Operation::CreateSecretGroup, COLLECTION)
            .or_not_found(Resource::SecretStore, new.integration_id.as_str())
            .claims_name(new.name)
            .body(json_with(&new.body(), &values)?);
        request.values = values;
        request.keys = new.secrets.iter().map(|(key, _)| key.as_str()).collect();
        let created = self.group(request).await;
        self.client.watches().told(&Written::GroupNamed(new.name), created)
    }

    pub(crate) async fn put_full_list(
        self,
        id: &SecretGroupId,
        secrets: &[SecretEntry<'_>],
    ) -> Result<SecretGroup> {
        let values: Vec<_> = secrets.iter().filter_map(|entry| entry.value).collect();
        let mut request = Request::new(Operation::UpdateSecretGroup, COLLECTION)
            .id(id.as_str())?
            .body(json_with(&FullList { secrets }, &values)?);
        request.values = values;
        for entry in secrets {
            let keys =
                if entry.value.is_some() { &mut request.keys } else { &mut request.kept_keys };
            keys.push(entry.key);
        }
        let written = self.group(request).await;
        self.client.watches().told(&Written::Group(id), written)
    }

    /// Creates the group that the manifest names, or changes its store and collaborators:
    /// `PUT /secret-groups`. Its secrets do not change.
    ///
    /// If the manifest does not state collaborators, neither does the request. The API does not
    /// document whether collaborators that a list leaves out lose their roles; expect that they do,
    /// and send the full list. It is retried only if no connection was made.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::{Collaborator, Role, SecretGroupManifest};
    ///
    /// let manifest = SecretGroupManifest::new("prod-secrets", "my-org:aws:aws-1:secret-store:main")
    ///     .collaborator(Collaborator::new("team:platform", Role::Admin));
    /// let group = client.secret_groups().create_or_update(&manifest).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a manifest without a store or with a name that
    /// [`get_by_name`](Self::get_by_name) refuses, before anything is sent;
    /// [`Error::InvalidRequest`], [`Error::PermissionDenied`], [`Error::Conflict`];
    /// [`Error::NotFound`] for the store.
    pub async fn create_or_update(self, manifest: &SecretGroupManifest) -> Result<SecretGroup> {
        let operation = Operation::CreateOrUpdateSecretGroup;
        let written = self.group(manifest_request(operation, manifest, false)?).await;
        self.client.watches().told(&Written::GroupNamed(manifest.name()), written)
    }

    /// What [`create_or_update`](Self::create_or_update) would return, without changing anything.
    /// It is retried.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client, manifest: truefoundry_secrets::SecretGroupManifest)
    /// # -> truefoundry_secrets::Result<()> {
    /// let would_be = client.secret_groups().create_or_update_dry_run(&manifest).await?;
    /// match would_be.id() {
    ///     Some(id) => println!("would change {id}"),
    ///     None => println!("would create {}", manifest.name()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`create_or_update`](Self::create_or_update).
    pub async fn create_or_update_dry_run(
        self,
        manifest: &SecretGroupManifest,
    ) -> Result<DryRunSecretGroup> {
        let request = manifest_request(Operation::DryRunSecretGroup, manifest, true)?;
        let Data(group) = self.client.transport().call(request).await?;
        Ok(group)
    }

    /// Deletes a group with all its secrets: `DELETE /secret-groups/{id}`.
    ///
    /// Azure Key Vault keeps the deleted secrets' names for 90 days by default: creating a group of
    /// the same name fails with [`Error::SoftDeleted`] until then. It is retried; a 404 after an
    /// attempt of unknown outcome is a success.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// let group = client.secret_groups().get_by_name("old-secrets").await?;
    /// client.secret_groups().delete(group.id()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::PermissionDenied`], [`Error::StoreFailed`] if the store cannot be
    /// reached ([`DeleteOptions::force`] deletes anyway); [`Error::InvalidInput`] for an identifier
    /// that is empty, or has a control character or a dot segment.
    pub async fn delete(self, id: impl Into<SecretGroupId>) -> Result<()> {
        self.delete_with(id, &DeleteOptions::default()).await
    }

    /// As [`delete`](Self::delete), with options.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::DeleteOptions;
    ///
    /// client.secret_groups().delete_with("sg-abc", &DeleteOptions::new().force()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    pub async fn delete_with(
        self,
        id: impl Into<SecretGroupId>,
        options: &DeleteOptions,
    ) -> Result<()> {
        let id = id.into();
        let request = Request::new(Operation::DeleteSecretGroup, COLLECTION)
            .id(id.as_str())?
            .query(options.query(Query::default()));
        let deleted = self.client.transport().delete(request).await.map(drop);
        self.client.watches().told(&Written::Group(&id), deleted)
    }

    async fn group(self, request: Request<'_>) -> Result<SecretGroup> {
        let Data(group) = self.client.transport().call(request).await?;
        Ok(group)
    }
}

fn manifest_request(
    operation: Operation,
    manifest: &SecretGroupManifest,
    dry_run: bool,
) -> Result<Request<'_>> {
    manifest.check()?;
    Ok(Request::new(operation, COLLECTION)
        .or_not_found(Resource::SecretStore, manifest.integration_fqn())
        .claims_name(manifest.name())
        .body(json(&ManifestBody { manifest, dry_run })?))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ManifestBody<'a> {
    manifest: &'a SecretGroupManifest,
    dry_run: bool,
}
