//! Failures of the connection, and the options of other libraries that log its traffic.

use std::time::Duration;

use serde_json::json;
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
use truefoundry_secrets::{
    Client, ClientBuilder, ListSecrets, NewSecretGroup, RetryPolicy, reqwest,
};

use crate::SETTLE;
use crate::secrets::VALUES;
use crate::walk::Walk;

fn everything() -> NewSecretGroup {
    let new = NewSecretGroup::in_integration("new", "store");
    VALUES.iter().enumerate().fold(new, |new, (n, value)| new.secret(format!("K{n}"), *value))
}

fn once(builder: ClientBuilder) -> Client {
    builder.retry(RetryPolicy::none()).unconfirmed_write_timeout(SETTLE).build().unwrap()
}

async fn start(walk: &mut Walk) -> FakeTrueFoundry {
    let fake = FakeTrueFoundry::start().await;
    walk.uses_key(fake.api_key());
    fake
}

pub(crate) async fn wire(walk: &mut Walk) {
    let fake = start(walk).await;
    let client = once(fake.client_builder());

    for (name, fault) in [
        ("lost response", Fault::drop_after()),
        ("dropped request", Fault::drop_before()),
        ("cut response", Fault::cut_body()),
    ] {
        fake.inject(fault);
        let error = client.secret_groups().create(everything()).await.unwrap_err();
        walk.error(name, error);
        walk.look_at_logs(name);
    }

    let hasty = once(fake.client_builder().timeout(Duration::from_millis(50)));
    fake.inject(Fault::delay(Duration::from_secs(5)));
    walk.error("timeout", hasty.secret_groups().create(everything()).await.unwrap_err());

    let unreachable = once(fake.client_builder().base_url("http://127.0.0.1:9"));
    walk.error(
        "no connection",
        unreachable.secret_groups().create(everything()).await.unwrap_err(),
    );

    let narrow = once(fake.client_builder().response_limit(16));
    fake.inject(Fault::status(200).json(json!({"data": {"id": "g", "fqn": VALUES[3]}})));
    walk.error("long response", narrow.secret_groups().create(everything()).await.unwrap_err());
}

/// Waits and retries are logged, too.
pub(crate) async fn retried(walk: &mut Walk) {
    let fake = start(walk).await;
    let patient = fake.client_builder().retry(RetryPolicy::default().base_delay(Duration::ZERO));
    fake.inject(Fault::status(503).message(fake.api_key()).forever());
    let error = patient.build().unwrap().secrets().list(&ListSecrets::new()).await.unwrap_err();
    fake.clear_faults();
    walk.error("repeated failure", error);
}

/// reqwest can log whole requests and responses, decrypted. A caller's own builder may enable that.
pub(crate) async fn verbose_connections(walk: &mut Walk) {
    let fake = start(walk).await;
    let verbose = reqwest::Client::builder().connection_verbose(true);
    let client = once(fake.client_builder().http(verbose));
    let group =
        client.secret_groups().ensure(everything_in_the_store(&client).await).await.unwrap();
    let params = ListSecrets::in_group(group.group().id()).with_values();
    let secrets = client.secrets().list(&params).await.unwrap();
    assert_eq!(secrets.items().len(), VALUES.len());
    assert!(secrets.iter().all(|secret| secret.value().is_some()));
    walk.look_at_logs("a client with verbose connections");
}

async fn everything_in_the_store(client: &Client) -> NewSecretGroup {
    let stores = client.secret_stores().all().await.unwrap();
    let new = NewSecretGroup::in_integration("verbose", stores[0].id());
    VALUES.iter().enumerate().fold(new, |new, (n, value)| new.secret(format!("K{n}"), *value))
}
