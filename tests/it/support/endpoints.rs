//! Every endpoint, with one way to call it.

use truefoundry_secrets::{
    Attribute, Client, Error, ListSecretGroups, ListSecretStores, ListSecrets, NewSecretGroup,
    SecretGroupManifest, SecretUpdate,
};

/// A value that is sent by the endpoints that send one.
pub(crate) const SENT: &str = "s3nt-value-that-nobody-may-see";
pub(crate) const GROUP: &str = r#"{"data":{"id":"g-1","fqn":"my-tenant:app"}}"#;
pub(crate) const GROUPS: &str = r#"{"data":[{"id":"g-1","fqn":"my-tenant:app"}]}"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    ListGroups,
    ListPartial,
    GetGroup,
    GetByName,
    CreateGroup,
    UpdateGroup,
    CreateOrUpdate,
    DryRun,
    DeleteGroup,
    ListSecrets,
    GetSecret,
    Versions,
    DeleteSecret,
    ListStores,
    ListAccounts,
    Whoami,
}

use Endpoint::*;

pub(crate) const ALL: [Endpoint; 16] = [
    ListGroups,
    ListPartial,
    GetGroup,
    GetByName,
    CreateGroup,
    UpdateGroup,
    CreateOrUpdate,
    DryRun,
    DeleteGroup,
    ListSecrets,
    GetSecret,
    Versions,
    DeleteSecret,
    ListStores,
    ListAccounts,
    Whoami,
];

impl Endpoint {
    pub(crate) async fn call(self, client: &Client) -> Result<(), Error> {
        let groups = client.secret_groups();
        let secrets = client.secrets();
        let stores = client.secret_stores();
        let manifest = SecretGroupManifest::new("app", "my-tenant:store");
        match self {
            ListGroups => groups.list(&ListSecretGroups::new()).await.map(drop),
            ListPartial => {
                groups.list_partial(&ListSecretGroups::new(), &[Attribute::Id]).await.map(drop)
            }
            GetGroup => groups.get("g-1").await.map(drop),
            GetByName => groups.get_by_name("app").await.map(drop),
            CreateGroup => {
                let new = NewSecretGroup::in_integration("app", "i-1").secret("K", SENT);
                groups.create(new).await.map(drop)
            }
            UpdateGroup => {
                groups.replace_secrets("g-1", &[SecretUpdate::set("K", SENT)]).await.map(drop)
            }
            CreateOrUpdate => groups.create_or_update(&manifest).await.map(drop),
            DryRun => groups.create_or_update_dry_run(&manifest).await.map(drop),
            DeleteGroup => groups.delete("g-1").await,
            ListSecrets => secrets.list(&ListSecrets::in_group("g-1")).await.map(drop),
            GetSecret => secrets.get("s-1").await.map(drop),
            Versions => secrets.versions("s-1").await.map(drop),
            DeleteSecret => secrets.delete("s-1").await.map(drop),
            ListStores => stores.list(&ListSecretStores::new()).await.map(drop),
            ListAccounts => stores.list_by_provider_account().await.map(drop),
            Whoami => client.whoami().await.map(drop),
        }
    }

    /// A body that this endpoint reads as a success.
    pub(crate) fn success(self) -> &'static str {
        match self {
            ListGroups | ListPartial | GetByName => GROUPS,
            GetGroup | CreateGroup | UpdateGroup | CreateOrUpdate | DryRun => GROUP,
            DeleteGroup => "{}",
            DeleteSecret => "2",
            ListSecrets | Versions | ListStores => r#"{"data":[{"id":"x-1"}]}"#,
            GetSecret => r#"{"data":{"id":"s-1","value":"v"}}"#,
            ListAccounts => r#"{"data":[{"integrations":[{"id":"i-1"}]}]}"#,
            Whoami => r#"{"user":{"email":"ada@example.com"}}"#,
        }
    }

    /// It can act twice, so it is retried only if nothing was sent.
    pub(crate) fn is_write(self) -> bool {
        matches!(self, CreateGroup | UpdateGroup | CreateOrUpdate)
    }

    pub(crate) fn is_delete(self) -> bool {
        matches!(self, DeleteGroup | DeleteSecret)
    }
}
