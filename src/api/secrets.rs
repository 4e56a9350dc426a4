//! `client.secrets()`: single secrets and their values.

use serde::Serialize;

use super::delete_options::DeleteOptions;
use super::items::{Items, PagedList};
use super::window::{Paged, Window, window_setters};
use crate::client::{Client, Written};
use crate::models::{Data, Listed, Page, Secret, SecretGroupId, SecretId, SecretVersion};
use crate::operation::{Operation, Resource};
use crate::transport::{Deletion, Query, Request, json};
use crate::{Error, Result};

const COLLECTION: &str = "secrets";

/// The secrets' methods, from [`Client::secrets`]. They borrow the client: keep a [`Client`] (a
/// clone is cheap) and call `secrets` when needed.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// use truefoundry_secrets::ListSecrets;
///
/// let secrets = client.secrets();
/// for secret in secrets.list(&ListSecrets::in_group("sg-abc")).await? {
///     println!("{:?}: {} versions", secret.key(), secrets.versions(secret.id()).await?.len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Secrets<'a> {
    client: &'a Client,
}

/// Which secrets to list, and whether with their values.
///
/// ```
/// use truefoundry_secrets::ListSecrets;
///
/// let with_values = ListSecrets::in_group("sg-abc").with_values().limit(50);
/// let by_name = ListSecrets::by_fqns(["my-org:prod:DB-PASSWORD", "my-org:prod:API-KEY"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ListSecrets(ListBody);

/// The request body.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ListBody {
    #[serde(flatten)]
    window: Window,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_group_id: Option<SecretGroupId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_fqns: Option<Vec<String>>,
    with_value: bool,
}

impl Paged for ListSecrets {
    fn window(&mut self) -> &mut Window {
        &mut self.0.window
    }
}

window_setters!(ListSecrets, "secrets");

impl ListSecrets {
    /// All secrets that the API key may see.
    pub fn new() -> Self {
        Self::default()
    }

    /// The secrets of one group.
    pub fn in_group(id: impl Into<SecretGroupId>) -> Self {
        let mut params = Self::default();
        params.0.secret_group_id = Some(id.into());
        params
    }

    /// The secrets with these fully qualified names (`tenant:group:key`).
    pub fn by_fqns(fqns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut params = Self::default();
        params.0.secret_fqns = Some(fqns.into_iter().map(Into::into).collect());
        params
    }

    /// Requests the values, too. Default: no.
    #[must_use]
    pub fn with_values(mut self) -> Self {
        self.0.with_value = true;
        self
    }

    pub(crate) fn page_limit(&self) -> u64 {
        self.0.window.limit
    }

    /// What a 404 means is missing; with several names, the server does not say which.
    fn not_found_subject(&self) -> Option<(Resource, &str)> {
        match (&self.0.secret_group_id, self.0.secret_fqns.as_deref()) {
            (Some(id), _) => Some((Resource::SecretGroup, id.as_str())),
            (None, Some([fqn])) => Some((Resource::Secret, fqn)),
            (None, Some(_)) => Some((Resource::Secret, "")),
            (None, None) => None,
        }
    }
}

impl Client {
    /// The secrets' methods.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// let value = client.secrets().get("secret-id").await?.into_value()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn secrets(&self) -> Secrets<'_> {
        Secrets { client: self }
    }
}

impl Secrets<'_> {
    /// One page of secrets: `POST /secrets`, which only reads and is retried.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::ListSecrets;
    ///
    /// let params = ListSecrets::in_group("sg-abc").with_values();
    /// for secret in client.secrets().list(&params).await? {
    ///     println!("{:?}: {:?}", secret.key(), secret.value()); // the value prints masked
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::PermissionDenied`](crate::Error::PermissionDenied) and
    /// [`Error::NotFound`](crate::Error::NotFound) for a group or name in the request;
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for an empty list of names, which the
    /// server could read as all secrets.
    pub async fn list(self, params: &ListSecrets) -> Result<Page<Secret>> {
        if params.0.secret_fqns.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::invalid_input("names", "the list is empty"));
        }
        let mut request = Request::new(Operation::ListSecrets, COLLECTION).body(json(&params.0)?);
        request.not_found_subject = params.not_found_subject();
        let Listed(page) = self.client.transport().call(request).await?;
        Ok(page)
    }

    /// All secrets, page after page.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::ListSecrets;
    ///
    /// let mut secrets = client.secrets().stream(ListSecrets::in_group("sg-abc"));
    /// while let Some(secret) = secrets.next().await {
    ///     println!("{:?}", secret?.key());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(self, params: ListSecrets) -> Items<Secret> {
        let list = PagedList {
            client: self.client.clone(),
            operation: Operation::ListSecrets,
            collection: COLLECTION,
            name: |secret: &Secret| secret.id().as_str(),
            keep: |_| true,
        };
        Items::of(list, params, async |client, params| client.secrets().list(&params).await)
    }

    /// One secret with its value, unless the control plane hides values: `GET /secrets/{id}`.
    ///
    /// To read a value by group and key, use [`Client::resolve`] with a reference (as from
    /// [`SecretGroup::reference`](crate::SecretGroup::reference)), or [`Client::resolve_group`] and
    /// [`SecretMap::get`](crate::SecretMap::get).
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// let secret = client.secrets().get("secret-id").await?;
    /// println!("last changed: {:?}", secret.updated_at());
    /// let value = secret.into_value()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound),
    /// [`Error::PermissionDenied`](crate::Error::PermissionDenied);
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for an identifier that is empty, or has a control
    /// character or a dot segment. A hidden value is not an error here; [`Secret::into_value`]
    /// reports it.
    pub async fn get(self, id: impl Into<SecretId>) -> Result<Secret> {
        let id = id.into();
        let request = Request::new(Operation::GetSecret, COLLECTION).id(id.as_str())?;
        let Data(secret) = self.client.transport().call(request).await?;
        Ok(secret)
    }

    /// All versions of one secret: `GET /secrets/{id}/versions`.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// for version in client.secrets().versions("secret-id").await? {
    ///     println!("{:?}: {:?}", version.version(), version.created_at());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound),
    /// [`Error::PermissionDenied`](crate::Error::PermissionDenied).
    pub async fn versions(self, id: impl Into<SecretId>) -> Result<Vec<SecretVersion>> {
        let id = id.into();
        let request = Request::new(Operation::ListSecretVersions, COLLECTION)
            .id(id.as_str())?
            .child("versions");
        let Data(versions) = self.client.transport().call(request).await?;
        Ok(versions)
    }

    /// Deletes one secret with all its versions: `DELETE /secrets/{id}`. Returns the number that
    /// the server says it deleted, or `None` if it does not say.
    ///
    /// It is retried; a 404 after an attempt of unknown outcome is a success, `None`.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// if let Some(versions) = client.secrets().delete("secret-id").await? {
    ///     println!("deleted: {versions}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound),
    /// [`Error::PermissionDenied`](crate::Error::PermissionDenied),
    /// [`Error::StoreFailed`](crate::Error::StoreFailed) if the store cannot be reached.
    pub async fn delete(self, id: impl Into<SecretId>) -> Result<Option<u64>> {
        self.delete_with(id, &DeleteOptions::default()).await
    }

    /// As [`delete`](Self::delete), with options.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::DeleteOptions;
    ///
    /// client.secrets().delete_with("secret-id", &DeleteOptions::new().force()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    pub async fn delete_with(
        self,
        id: impl Into<SecretId>,
        options: &DeleteOptions,
    ) -> Result<Option<u64>> {
        match self.try_delete(&id.into(), options).await? {
            Deletion::Done(count) => Ok(count),
            Deletion::NotFound => Ok(None),
        }
    }

    pub(crate) async fn try_delete(
        self,
        id: &SecretId,
        options: &DeleteOptions,
    ) -> Result<Deletion> {
        let request = Request::new(Operation::DeleteSecret, COLLECTION)
            .id(id.as_str())?
            .query(options.query(Query::default()));
        let deleted = self.client.transport().delete(request).await;
        self.client.watches().told(&Written::Secret(id), deleted)
    }
}
