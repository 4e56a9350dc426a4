use std::time::Duration;

use tokio::time::sleep;
use truefoundry_secrets::testing::Fault;
use truefoundry_secrets::{Error, SecretMap};

use super::{EVERY, INTERVAL, LOOK, READ, Settings, client, count, fake, password, until, watch};

#[tokio::test(start_paused = true)]
async fn the_first_load_fails_loudly() {
    let fake = fake().await;
    let client = client(&fake);
    let error = client.watch_group("nothing").start().await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    fake.set_value("app", "POOL_SIZE", "many");
    let error = client.watch_group("app").start_as::<Settings>().await.unwrap_err();
    assert!(matches!(error, Error::InvalidSettings { .. }), "{error:?}");
    fake.inject(Fault::status(503).on("secret_groups.list"));
    let error = client.watch_group("app").start().await.unwrap_err();
    assert_eq!(error.status(), Some(503));
}

#[tokio::test(start_paused = true)]
async fn an_hour_without_the_service_leaves_the_values_and_says_so() {
    let fake = fake().await;
    let half_an_hour = Duration::from_secs(1800);
    let client = client(&fake);
    let watch = client.watch_group("app").every(EVERY).max_stale(half_an_hour);
    let watch = watch.start_as::<Settings>().await.unwrap();
    until(&fake, LOOK, 2).await;
    assert!(watch.fresh().is_ok() && watch.last_error().is_none());

    fake.inject(Fault::status(503).forever());
    sleep(half_an_hour.checked_sub(INTERVAL).unwrap()).await;
    assert!(watch.fresh().is_ok(), "not yet");
    assert_eq!(watch.last_error().unwrap().status(), Some(503));
    sleep(Duration::from_secs(1800) + 2 * INTERVAL).await;
    assert_eq!(password(&watch), "one");
    assert!(watch.age() >= Duration::from_secs(3600), "{:?}", watch.age());
    let error = watch.fresh().unwrap_err();
    let Error::Stale { age, source: Some(source), .. } = &error else { panic!("{error:?}") };
    assert!(*age >= Duration::from_secs(3600));
    assert_eq!(source.status(), Some(503));
    assert!(error.to_string().contains("ago"), "{error}");
    assert_eq!(error.hint(), format!("The last read failed: {source}. {}", source.hint()));

    fake.clear_faults();
    fake.set_value("app", "DB_PASSWORD", "two");
    sleep(INTERVAL).await;
    assert_eq!(password(&watch), "two");
    assert!(watch.fresh().is_ok() && watch.last_error().is_none());
    assert!(watch.age() <= INTERVAL);
}

#[tokio::test(start_paused = true)]
async fn a_failing_look_is_one_request() {
    let fake = fake().await;
    let client = fake.client_builder().tenant("my-tenant").build().unwrap();
    let _watch = client.watch_group("app").every(EVERY).start().await.unwrap();
    fake.inject(Fault::status(503).on(LOOK).forever());
    sleep(Duration::from_secs(600)).await;
    let looks = count(&fake, LOOK);
    assert!((9..=11).contains(&looks), "{looks} requests in ten minutes");
}

#[tokio::test(start_paused = true)]
async fn values_that_cannot_be_used_are_not_read_again_before_something_moves() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    fake.set_value("app", "POOL_SIZE", "many");
    fake.set_value("app", "DB_PASSWORD", "two");
    until(&fake, LOOK, 1).await;
    assert_eq!((password(&watch).as_str(), watch.current().pool_size), ("one", 5));
    let error = watch.last_error().unwrap();
    assert!(matches!(&*error, Error::InvalidSettings { .. }), "{error:?}");
    assert!(!format!("{error:?}{error:#?}").contains("many"));
    let reads = count(&fake, READ);
    until(&fake, LOOK, 5).await;
    assert_eq!(count(&fake, READ), reads);
    assert!(watch.last_error().is_some(), "a quiet look does not confirm the older values");
    assert!(watch.age() >= 3 * EVERY, "{:?}", watch.age());

    fake.set_value("app", "POOL_SIZE", "7");
    sleep(INTERVAL).await;
    assert_eq!((password(&watch).as_str(), watch.current().pool_size), ("two", 7));
    assert!(watch.last_error().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_deleted_and_created_again_is_another_one() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    let mut changes = watch.changes();
    fake.remove_group("app");
    sleep(INTERVAL).await;
    assert_eq!(password(&watch), "one");
    assert!(watch.last_error().unwrap().is_not_found());
    fake.set_value("app", "DB_PASSWORD", "new");
    fake.set_value("app", "POOL_SIZE", "5");
    sleep(2 * INTERVAL).await;
    assert_eq!(password(&watch), "new");
    assert!(watch.last_error().is_none());
    let change = changes.next().await.unwrap();
    assert_eq!(change.rotated(), ["DB_PASSWORD"]);
    // From here on it is checked under its new identifier.
    let (looks, lists) = (count(&fake, LOOK), count(&fake, "secret_groups.list"));
    until(&fake, LOOK, looks + 2).await;
    assert_eq!(count(&fake, "secret_groups.list"), lists);
}

#[tokio::test(start_paused = true)]
async fn a_watch_prints_its_age_and_its_keys() {
    let fake = fake().await;
    let watch: truefoundry_secrets::Watch<SecretMap> =
        client(&fake).watch_group("app").start().await.unwrap();
    let text = format!("{watch:?}");
    assert!(text.contains("DB_PASSWORD") && text.contains("age"), "{text}");
    assert!(!text.contains("one"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_bad_value_that_is_taken_back_leaves_no_error() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    fake.set_value("app", "POOL_SIZE", "many");
    watch.refresh().await.unwrap_err();
    fake.set_value("app", "POOL_SIZE", "5");
    assert_eq!(watch.refresh().await.unwrap().pool_size, 5);
    assert!(watch.last_error().is_none());
    sleep(INTERVAL).await;
    assert!(watch.last_error().is_none() && watch.age() <= INTERVAL, "{watch:?}");
}

/// Values that were requested ten seconds ago are ten seconds old when they arrive.
#[tokio::test(start_paused = true)]
async fn values_age_from_the_moment_they_were_asked_for() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    let gate = fake.hold_response(READ);
    let refreshing = watch.clone();
    let refresh = tokio::spawn(async move { refreshing.refresh().await.map(|_| ()) });
    gate.reached().await;
    sleep(Duration::from_secs(10)).await;
    gate.release();
    refresh.await.unwrap().unwrap();
    assert!(watch.age() >= Duration::from_secs(10), "{watch:?}");
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_read_fails_is_read_at_the_next_look() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    fake.set_value("app", "DB_PASSWORD", "two");
    fake.inject(Fault::status(403).on(READ));
    until(&fake, LOOK, 1).await;
    assert_eq!((password(&watch).as_str(), fake.pending_faults()), ("one", 0));
    assert_eq!(watch.last_error().unwrap().status(), Some(403));
    sleep(INTERVAL).await;
    assert_eq!(password(&watch), "two");
    assert!(watch.last_error().is_none());
}
