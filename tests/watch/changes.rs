use std::time::Duration;

use tokio::time::timeout;

use super::{client, fake, watch};

#[tokio::test(start_paused = true)]
async fn each_cursor_sees_the_names_that_changed_since_it_last_looked() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    let (mut early, mut late) = (watch.changes(), watch.changes());
    fake.set_value("app", "DB_PASSWORD", "two");
    fake.set_value("app", "ADDED", "value");
    watch.refresh().await.unwrap();
    let change = early.next().await.unwrap();
    assert_eq!(
        (change.rotated(), change.added()),
        (&["DB_PASSWORD".into()][..], &["ADDED".into()][..])
    );
    assert!(change.removed().is_empty());

    fake.remove_key("app", "ADDED");
    fake.set_value("app", "POOL_SIZE", "6");
    watch.refresh().await.unwrap();
    let change = early.next().await.unwrap();
    assert_eq!(
        (change.rotated(), change.removed()),
        (&["POOL_SIZE".into()][..], &["ADDED".into()][..])
    );

    // It came and went without this one looking.
    let change = late.next().await.unwrap();
    assert_eq!(change.rotated(), ["DB_PASSWORD", "POOL_SIZE"]);
    assert!(change.added().is_empty() && change.removed().is_empty(), "{change:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cursor_waits_where_nothing_changes_and_ends_with_the_watch() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    let mut changes = watch.changes();
    watch.refresh().await.unwrap();
    assert!(timeout(Duration::from_secs(600), changes.next()).await.is_err());
    // The same value again is not a change.
    fake.set_value("app", "DB_PASSWORD", "one");
    assert!(timeout(Duration::from_secs(600), changes.next()).await.is_err());
    drop(watch);
    assert_eq!(timeout(Duration::from_secs(600), changes.next()).await, Ok(None));
}
