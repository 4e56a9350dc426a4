//! What the types allow: most of these tests pass by compiling.

use std::error::Error as StdError;

use futures_core::Stream;
use truefoundry_secrets::{
    AppliedEdit, Changes, CheckedRefs, Client, ClientBuilder, Edit, EditPlan, Ensured, Error,
    IntegrationId, Items, ListSecretGroups, ListSecretStores, ListSecrets, NewSecretGroup, Page,
    ResolvedSecrets, RetryPolicy, Secret, SecretGroup, SecretGroupId, SecretGroups, SecretId,
    SecretMap, SecretRef, SecretStore, SecretStoreKind, SecretStores, SecretUpdate, SecretValue,
    Secrets, Token, Watch, WatchGroup,
};

use crate::support::endpoints::{self, GROUP};
use crate::support::raw::{RawServer, ok};
use crate::support::{client, tenant_client};

fn is_send<T: Send>(_: T) {}

#[test]
fn values_cross_threads_and_handles_are_copied() {
    fn shared<T: Send + Sync + 'static>() {}
    fn cloned<T: Clone + Send + Sync + 'static>() {}
    fn copied<T: Copy + Send + Sync>() {}
    cloned::<Client>();
    cloned::<SecretGroup>();
    cloned::<Secret>();
    cloned::<SecretStore>();
    cloned::<SecretValue>();
    cloned::<Page<SecretGroup>>();
    cloned::<NewSecretGroup>();
    cloned::<ListSecrets>();
    cloned::<SecretMap>();
    cloned::<SecretRef>();
    cloned::<ResolvedSecrets>();
    cloned::<AppliedEdit>();
    cloned::<Token>();
    cloned::<RetryPolicy>();
    cloned::<Watch<SecretMap>>();
    shared::<Edit>();
    shared::<EditPlan>();
    shared::<Ensured>();
    shared::<WatchGroup>();
    shared::<Changes>();
    shared::<CheckedRefs>();
    shared::<ClientBuilder>();
    shared::<Error>();
    copied::<SecretGroups<'_>>();
    copied::<Secrets<'_>>();
    copied::<SecretStores<'_>>();
}

#[test]
fn streams_are_send_unpin_and_static() {
    fn stream<T: Stream + Send + Unpin + 'static>() {}
    stream::<Items<SecretGroup>>();
    stream::<Items<Secret>>();
    stream::<Items<SecretStore>>();
}

#[test]
fn errors_are_small_and_fit_everywhere() {
    fn boxed(error: Error) -> Box<dyn StdError + Send + Sync> {
        error.into()
    }
    assert!(size_of::<Error>() <= 64, "{}", size_of::<Error>());
    assert!(size_of::<Result<(), Error>>() <= 64);
    let error = boxed(Client::builder().build().unwrap_err());
    assert!(error.downcast_ref::<Error>().is_some());
}

/// Callers keep many of them: 64 calls at a time touch less memory, and are faster for it.
#[test]
fn the_future_of_a_call_is_small() {
    let client = client("http://127.0.0.1:1");
    let size = size_of_val(&client.secrets().get("secret-1"));
    assert!(size <= 2048, "{size}");
}

#[test]
fn every_future_is_send() {
    let client = client("http://127.0.0.1:1");
    for endpoint in endpoints::ALL {
        is_send(endpoint.call(&client));
    }
    is_send(client.check());
    is_send(client.secret_stores().all());
    is_send(client.secret_stores().find(SecretStoreKind::AzureVault));
    is_send(client.secret_groups().stream(ListSecretGroups::new()).try_collect());
    is_send(client.secret_stores().stream(ListSecretStores::new()).try_collect());
    is_send(async {
        let mut items = client.secrets().stream(ListSecrets::new());
        items.next().await
    });
}

#[tokio::test]
async fn identifiers_are_given_in_any_form() {
    let server = RawServer::always(ok(GROUP));
    let client = client(server.url());
    let groups = client.secret_groups();
    let (text, id) = ("g-1".to_owned(), SecretGroupId::from("g-1"));
    groups.get("g-1").await.unwrap();
    groups.get(&text).await.unwrap();
    groups.get(text.clone()).await.unwrap();
    groups.get(&id).await.unwrap();
    groups.get(id.clone()).await.unwrap();
    let one = [SecretUpdate::keep("K")];
    groups.replace_secrets(&id, &one).await.unwrap();
    groups.replace_secrets(&text, &one).await.unwrap();
    let integration = IntegrationId::from(text.clone());
    groups.create(NewSecretGroup::in_integration(&text, &integration)).await.unwrap();
    let secret = SecretId::from(&text);
    let _ = client.secrets().get(&secret).await.unwrap();
    let _ = ListSecrets::in_group(&id);
    let _ = ListSecretStores::new().id(&integration);
    assert!(server.requests().iter().take(5).all(|seen| seen.path().ends_with("/g-1")));
    assert_eq!((server.count(), id.as_str()), (9, secret.as_str()));
}

#[tokio::test]
async fn calls_are_made_from_iterators_and_run_at_the_same_time() {
    let server = RawServer::always(ok(GROUP));
    let client = client(server.url());
    let ids: Vec<_> = (0..20).map(|n| SecretGroupId::from(format!("g-{n}"))).collect();
    let calls: Vec<_> = ids.iter().map(|id| client.secret_groups().get(id)).collect();
    for call in calls {
        call.await.unwrap();
    }
    let spawned = ids.into_iter().map(|id| {
        let client = client.clone();
        tokio::spawn(async move { client.secret_groups().get(id).await.map(drop) })
    });
    for task in spawned.collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
    assert_eq!(server.count(), 40);
}

#[tokio::test]
async fn a_call_that_is_never_awaited_sends_nothing() {
    let server = RawServer::always(ok(GROUP));
    let client = tenant_client(server.url());
    for endpoint in endpoints::ALL {
        drop(endpoint.call(&client));
    }
    drop(client.secret_groups().stream(ListSecretGroups::new()));
    assert_eq!(server.connections(), 0);
}
