use std::time::Duration;

use tokio::time::{sleep, timeout};
use truefoundry_secrets::testing::Fault;

use super::{client, count, fake, password, watch};

/// Long after a wake-up, and long before the next check.
const SOON: Duration = Duration::from_secs(3);

#[tokio::test(start_paused = true)]
async fn own_writes_are_seen_at_once() {
    let fake = fake().await;
    let client = client(&fake);
    let every = Duration::from_secs(100_000);
    let watch = client.watch_group("app").every(every).start().await.unwrap();
    let value = |key: &str| watch.current().get(key).map(|value| value.expose_secret().to_owned());
    let groups = client.secret_groups();
    let edit = groups.edit_by_name("app").set("DB_PASSWORD", "two").set("NEW", "added");
    edit.apply().await.unwrap();
    sleep(SOON).await;
    assert_eq!(
        (value("DB_PASSWORD").as_deref(), value("NEW").as_deref()),
        (Some("two"), Some("added"))
    );

    // A clone, and a secret that is deleted by its identifier alone.
    let id = fake.secret_id("app", "NEW").unwrap();
    client.clone().secrets().delete(id).await.unwrap();
    sleep(SOON).await;
    assert_eq!(value("NEW"), None);

    // A write whose response is lost may have been done.
    fake.inject(Fault::drop_after().on("secret_groups.update"));
    let lost = groups.edit_by_name("app").set("DB_PASSWORD", "three").apply().await;
    assert!(lost.unwrap_err().may_have_been_applied());
    sleep(SOON).await;
    assert_eq!(value("DB_PASSWORD").as_deref(), Some("three"));

    groups.delete(fake.group_id("app").unwrap()).await.unwrap();
    sleep(SOON).await;
    assert!(watch.last_error().unwrap().is_not_found());
}

/// The key is known from the check; its value has not arrived yet.
#[tokio::test(start_paused = true)]
async fn a_key_that_is_deleted_while_it_is_read_is_gone_at_once() {
    let fake = fake().await;
    let client = client(&fake);
    let every = Duration::from_secs(100_000);
    let watch = client.watch_group("app").every(every).start().await.unwrap();
    let gate = fake.hold_response(super::READ);
    fake.set_value("app", "NEW", "added");
    let refreshing = watch.clone();
    let refresh = tokio::spawn(async move { refreshing.refresh().await.map(|_| ()) });
    gate.reached().await;
    client.secrets().delete(fake.secret_id("app", "NEW").unwrap()).await.unwrap();
    gate.release();
    refresh.await.unwrap().unwrap();
    sleep(SOON).await;
    assert!(watch.current().get("NEW").is_none());
}

#[tokio::test(start_paused = true)]
async fn other_groups_do_not_wake_it() {
    let fake = fake().await.with_group("other", [("KEY", "one")]);
    let client = client(&fake);
    let _watch =
        client.watch_group("app").every(Duration::from_secs(100_000)).start().await.unwrap();
    fake.clear_requests();
    client.secret_groups().edit_by_name("other").set("KEY", "two").apply().await.unwrap();
    sleep(SOON).await;
    let of_app = fake.group_id("app").unwrap();
    assert!(fake.requests().iter().all(|request| !request.path().contains(&of_app)));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_watch_leaves_nothing_behind() {
    let fake = fake().await;
    let client = client(&fake);
    let kept = watch(&client).await;
    let clone = kept.clone();
    drop(kept);
    fake.set_value("app", "DB_PASSWORD", "two");
    sleep(super::INTERVAL).await;
    assert_eq!(password(&clone), "two", "a clone keeps it going");
    let mut changes = clone.changes();
    // In the middle of a check.
    let gate = fake.hold(super::LOOK);
    gate.reached().await;
    drop(clone);
    let ended = timeout(super::INTERVAL, changes.next()).await;
    assert_eq!(ended, Ok(None));
    gate.release();
    fake.idle().await;
    fake.clear_requests();
    sleep(10 * super::INTERVAL).await;
    assert_eq!(fake.request_count(), 0);
    assert_eq!(count(&fake, super::READ), 0);
}
