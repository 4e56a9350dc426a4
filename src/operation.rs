//! The operations of the API, and which of them may be retried.

use std::fmt;

use http::Method;

/// One operation of the API, as it appears in errors and traces.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// use truefoundry_secrets::Operation;
///
/// let Err(error) = client.check().await else { return Ok(()) };
/// if error.context().is_some_and(|it| it.operation() == Operation::ListSecretGroups) {
///     eprintln!("may this key list groups? {error}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// `GET /secret-groups`
    ListSecretGroups,
    /// `GET /secret-groups/{id}`
    GetSecretGroup,
    /// `POST /secret-groups`
    CreateSecretGroup,
    /// `PUT /secret-groups/{id}`
    UpdateSecretGroup,
    /// `PUT /secret-groups`
    CreateOrUpdateSecretGroup,
    /// `PUT /secret-groups` with `dryRun`
    DryRunSecretGroup,
    /// `DELETE /secret-groups/{id}`
    DeleteSecretGroup,
    /// `POST /secrets`
    ListSecrets,
    /// `GET /secrets/{id}`
    GetSecret,
    /// `GET /secrets/{id}/versions`
    ListSecretVersions,
    /// `DELETE /secrets/{id}`
    DeleteSecret,
    /// `GET /provider-accounts`
    ListProviderAccounts,
    /// `GET /provider-integrations`
    ListSecretStores,
    /// `GET /tenant-id`, which is sent without the API key
    GetTenantId,
    /// `GET /session`
    GetSession,
    /// `GET /min-cli-version`, which is sent without the API key
    GetCliSettings,
    /// `POST /oauth2/token`, or its older form, which are sent without the API key
    RefreshLogin,
}

/// What sending an operation a second time can do, in the terms of RFC 9110 (9.2). It depends on
/// what the service does, not on the method: the list of secrets is a `POST`, and a `PUT` undoes
/// what another client wrote in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idempotency {
    /// It only reads.
    Safe,
    /// A delete: it ends in the same state, but the second response can be 404.
    Idempotent,
    /// It can act twice, or undo what another client did in between.
    NonIdempotent,
}

impl Operation {
    pub(crate) fn method(self) -> Method {
        match self {
            Self::CreateSecretGroup | Self::ListSecrets | Self::RefreshLogin => Method::POST,
            Self::UpdateSecretGroup | Self::CreateOrUpdateSecretGroup | Self::DryRunSecretGroup => {
                Method::PUT
            }
            Self::DeleteSecretGroup | Self::DeleteSecret => Method::DELETE,
            _ => Method::GET,
        }
    }

    pub(crate) fn idempotency(self) -> Idempotency {
        match self {
            Self::CreateSecretGroup
            | Self::UpdateSecretGroup
            | Self::CreateOrUpdateSecretGroup
            // A refresh token works only once.
            | Self::RefreshLogin => Idempotency::NonIdempotent,
            Self::DeleteSecretGroup | Self::DeleteSecret => Idempotency::Idempotent,
            _ => Idempotency::Safe,
        }
    }

    /// Whether the response may carry values, tokens, or a store's credentials: its buffers must be
    /// wiped, and only the fields that are read may be kept.
    pub(crate) fn may_return_values(self) -> bool {
        matches!(
            self,
            Self::ListSecrets
                | Self::GetSecret
                | Self::ListSecretVersions
                | Self::ListProviderAccounts
                | Self::ListSecretStores
                | Self::RefreshLogin
        )
    }

    /// Whether the request carries the API key.
    pub(crate) fn sends_key(self) -> bool {
        !matches!(self, Self::GetTenantId | Self::GetCliSettings | Self::RefreshLogin)
    }

    /// The kind of resource that a 404 means is missing.
    pub(crate) fn resource(self) -> Resource {
        match self {
            Self::GetSecret | Self::ListSecretVersions | Self::DeleteSecret => Resource::Secret,
            Self::ListProviderAccounts | Self::ListSecretStores => Resource::SecretStore,
            _ => Resource::SecretGroup,
        }
    }

    fn phrase(self) -> &'static str {
        match self {
            Self::ListSecretGroups => "list secret groups",
            Self::GetSecretGroup => "get secret group",
            Self::CreateSecretGroup => "create secret group",
            Self::UpdateSecretGroup => "update secret group",
            Self::CreateOrUpdateSecretGroup => "create or update secret group",
            Self::DryRunSecretGroup => "dry-run secret group",
            Self::DeleteSecretGroup => "delete secret group",
            Self::ListSecrets => "list secrets",
            Self::GetSecret => "get secret",
            Self::ListSecretVersions => "list secret versions",
            Self::DeleteSecret => "delete secret",
            Self::ListProviderAccounts => "list provider accounts",
            Self::ListSecretStores => "list secret stores",
            Self::GetTenantId => "get tenant",
            Self::GetSession => "get session",
            Self::GetCliSettings => "get settings of the tfy CLI",
            Self::RefreshLogin => "refresh the login of the tfy CLI",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.phrase())
    }
}

/// What an identifier or a name stands for.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client, new: truefoundry_secrets::NewSecretGroup)
/// # -> truefoundry_secrets::Result<()> {
/// use truefoundry_secrets::{Error, Resource};
///
/// match client.secret_groups().create(new).await {
///     Err(Error::NotFound { resource: Resource::SecretStore, id, .. }) => {
///         eprintln!("no store {id} is connected");
///     }
///     result => println!("{}", result?.id()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resource {
    /// A secret group.
    SecretGroup,
    /// A secret in a group.
    Secret,
    /// A connected secret store.
    SecretStore,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::SecretGroup => "secret group",
            Self::Secret => "secret",
            Self::SecretStore => "secret store",
        })
    }
}
