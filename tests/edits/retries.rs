//! Writes that cannot act twice.

use std::time::Duration;

use tokio::net::TcpStream;
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
use truefoundry_secrets::{Error, NewSecretGroup, SecretStoreKind, SecretUpdate};

use crate::common::*;

const SETTLE: Duration = Duration::from_secs(60);

fn unclear() -> Vec<Fault> {
    vec![
        Fault::drop_before(),
        Fault::drop_after(),
        Fault::cut_body(),
        Fault::status(408),
        Fault::status(500),
        Fault::status(502).body("text/html", "<h1>Bad Gateway</h1>"),
        Fault::status(503).retry_after("0"),
        Fault::status(504).after_work(),
        Fault::status(424),
        Fault::status(200).after_work().body("text/html", "<html>welcome</html>"),
        Fault::delay(Duration::from_secs(90)),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_creation_with_an_unclear_outcome_is_sent_once_and_says_how_to_find_out() {
    for fault in unclear() {
        let fake = FakeTrueFoundry::start().await.with_store(SecretStoreKind::Generic);
        let client = client(&fake, SETTLE);
        let store = client.secret_stores().find(SecretStoreKind::Generic).await.unwrap();
        fake.inject(fault.clone().on(CREATE));
        let new = NewSecretGroup::new(APP, &store).secret("A", "value-of-the-creation");
        let error = client.secret_groups().create(new).await.unwrap_err();
        assert!(error.may_have_been_applied(), "{fault:?}: {error:?}");
        assert!(error.hint().contains("look it up by name"), "{fault:?}: {}", error.hint());
        assert!(!all_texts(&error).contains("value-of"), "{error:?}");
        fake.idle().await;
        assert_eq!(count(&fake, CREATE), 1, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_with_an_unclear_outcome_is_sent_once() {
    for fault in unclear() {
        let (fake, id) = app(&["A"]).await;
        let client = client(&fake, SETTLE);
        fake.inject(fault.clone().on(PUT));
        let list = [SecretUpdate::set("A", "new")];
        let error = client.secret_groups().replace_secrets(&id, &list).await.unwrap_err();
        assert!(error.may_have_been_applied(), "{fault:?}: {error:?}");
        assert!(error.hint().contains("read the group"), "{fault:?}: {}", error.hint());
        fake.idle().await;
        assert_eq!(count(&fake, PUT), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_write_that_was_refused_was_not_done() {
    for status in [400, 401, 403, 404, 409, 422, 429] {
        let (fake, id) = app(&["A"]).await;
        let client = client(&fake, SETTLE);
        fake.inject(Fault::status(status).retry_after("0").on("*"));
        let error = client
            .secret_groups()
            .replace_secrets(&id, &[SecretUpdate::set("A", "n")])
            .await
            .unwrap_err();
        assert_eq!((error.status(), error.may_have_been_applied()), (Some(status), false));
        assert_eq!(fake.request_count(), 1, "{status}");
    }
}

#[tokio::test]
async fn what_never_reached_the_server_is_sent_again_and_was_not_done() {
    let (fake, id) = app(&["A"]).await;
    let client = client(&fake, SETTLE);
    let address = client.authority().to_owned();
    drop(fake);
    // Until the server's task has gone.
    while TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let error = client
        .secret_groups()
        .replace_secrets(&id, &[SecretUpdate::set("A", "n")])
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert_eq!(error.context().unwrap().attempts(), 4);
    assert!(!error.may_have_been_applied());
}

#[tokio::test]
async fn a_group_that_was_deleted_by_the_attempt_that_got_lost_is_deleted() {
    let (fake, id) = app(&["A"]).await;
    let client = client(&fake, SETTLE);
    fake.inject(Fault::drop_after().on("secret_groups.delete"));
    client.secret_groups().delete(&id).await.unwrap();
    assert!(fake.groups().is_empty());
    assert_eq!(count(&fake, "secret_groups.delete"), 2);
}
