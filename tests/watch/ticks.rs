use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};
use truefoundry_secrets::testing::Fault;

use super::{EVERY, INTERVAL, LOOK, READ, client, count, fake, password, until, watch};

#[tokio::test(start_paused = true)]
async fn a_rotation_is_seen_within_one_interval() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    assert_eq!((password(&watch).as_str(), watch.current().pool_size), ("one", 5));
    let before = watch.current();
    fake.set_value("app", "DB_PASSWORD", "two");
    sleep(INTERVAL).await;
    assert_eq!(password(&watch), "two");
    assert_eq!(before.db_password.expose_secret(), "one", "what was taken stays as it was");
}

/// A fake records a limited number of requests, so they are counted by a hook.
#[tokio::test(start_paused = true)]
async fn a_thousand_quiet_looks_are_a_thousand_requests_and_the_full_reads() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    let fake = fake().await;
    let (looks, reads) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    for (operation, counter) in [(LOOK, &looks), (READ, &reads)] {
        let counter = Arc::clone(counter);
        fake.on_request(operation, move |_, _| {
            counter.fetch_add(1, SeqCst);
        });
    }
    let watch = watch(&client(&fake)).await;
    let began = Instant::now();
    assert_eq!((looks.load(SeqCst), reads.load(SeqCst)), (0, 1), "the load, by name");
    while looks.load(SeqCst) < 1000 {
        sleep(Duration::from_secs(1)).await;
    }
    sleep(Duration::from_secs(2)).await;
    assert_eq!(looks.load(SeqCst), 1000);
    let reads = reads.load(SeqCst) - 1;
    // Each full read comes with the first check at least 15 minutes after the previous full read.
    let elapsed = u32::try_from(began.elapsed().as_secs()).unwrap();
    let (fewest, most) = (elapsed / (900 + 67), elapsed / 900);
    assert!((fewest..=most).contains(&reads), "{reads} reads, expected {fewest} to {most}");
    assert!(watch.age() <= Duration::from_secs(3));

    fake.set_value("app", "DB_PASSWORD", "two");
    while looks.load(SeqCst) < 1001 {
        sleep(Duration::from_secs(1)).await;
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(password(&watch), "two");
}

/// A group whose times do not distinguish its changes.
fn group(id: &str, updated_at: Option<&str>) -> Fault {
    let secrets = json!([{"id": "s-1", "name": "DB_PASSWORD"}, {"id": "s-2", "name": "POOL_SIZE"}]);
    let mut group = json!({"id": id, "fqn": "my-tenant:app", "associatedSecrets": secrets});
    if let Some(time) = updated_at {
        group["updatedAt"] = json!(time);
    }
    Fault::status(200).json(json!({ "data": group })).on(LOOK).forever()
}

#[tokio::test(start_paused = true)]
async fn two_rotations_that_carry_one_time_are_both_seen() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    fake.inject(group(&fake.group_id("app").unwrap(), Some("2026-01-01T00:00:00Z")));
    fake.set_value("app", "DB_PASSWORD", "two");
    until(&fake, LOOK, 1).await;
    assert_eq!(password(&watch), "two");
    fake.set_value("app", "DB_PASSWORD", "three");
    until(&fake, LOOK, 2).await;
    assert_eq!(password(&watch), "three");
    let reads = count(&fake, READ);
    until(&fake, LOOK, 4).await;
    assert_eq!(count(&fake, READ), reads, "and then it is quiet");
}

#[tokio::test(start_paused = true)]
async fn without_times_and_versions_the_values_are_read_at_each_look() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    fake.inject(group(&fake.group_id("app").unwrap(), None));
    until(&fake, LOOK, 3).await;
    assert_eq!(count(&fake, READ), 1 + 3);
    fake.set_value("app", "DB_PASSWORD", "two");
    sleep(INTERVAL).await;
    assert_eq!(password(&watch), "two");
}

/// Its rotation could not be noticed otherwise.
#[tokio::test(start_paused = true)]
async fn values_are_read_at_each_look_for_the_sake_of_one_key_without_a_time() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    let secrets = json!([
        {"id": "s-1", "name": "DB_PASSWORD"},
        {"id": "s-2", "name": "POOL_SIZE", "updatedAt": "2026-01-01T00:00:00Z"},
    ]);
    let id = fake.group_id("app").unwrap();
    let group = json!({"id": id, "fqn": "my-tenant:app", "associatedSecrets": secrets});
    fake.inject(Fault::status(200).json(json!({ "data": group })).on(LOOK).forever());
    until(&fake, LOOK, 3).await;
    fake.set_value("app", "DB_PASSWORD", "two");
    sleep(INTERVAL).await;
    assert_eq!(password(&watch), "two");
}

#[tokio::test(start_paused = true)]
async fn a_change_between_the_look_and_the_read_is_not_lost() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    fake.set_value("app", "DB_PASSWORD", "two");
    let mut reads = 0;
    fake.on_request(READ, move |fake, _| {
        reads += 1;
        if reads == 1 {
            fake.set_value("app", "DB_PASSWORD", "three");
        }
    });
    until(&fake, LOOK, 1).await;
    assert_eq!(password(&watch), "three");
    // The kept time is the one from before the values, so the group is read once more.
    let seen = count(&fake, READ);
    until(&fake, LOOK, 2).await;
    assert_eq!(count(&fake, READ), seen + 1);
    assert_eq!(password(&watch), "three");
}

/// The kept times are those from before the values, at the start and later.
#[tokio::test(start_paused = true)]
async fn a_change_while_the_values_are_on_their_way_is_seen_at_the_next_look() {
    let fake = fake().await;
    let client = client(&fake);
    let gate = fake.hold_response(READ);
    let starting = tokio::spawn(async move { watch(&client).await });
    gate.reached().await;
    fake.set_value("app", "DB_PASSWORD", "two");
    gate.release();
    let watch = starting.await.unwrap();
    assert_eq!(password(&watch), "one");
    sleep(INTERVAL).await;
    assert_eq!(password(&watch), "two");

    // Once nothing changes, so that nothing else makes the next check read.
    until(&fake, LOOK, 3).await;
    let gate = fake.hold_response(READ);
    let refreshing = watch.clone();
    let refresh = tokio::spawn(async move { refreshing.refresh().await.map(|_| ()) });
    gate.reached().await;
    fake.set_value("app", "DB_PASSWORD", "three");
    gate.release();
    refresh.await.unwrap().unwrap();
    assert_eq!(password(&watch), "two");
    sleep(INTERVAL).await;
    assert_eq!(password(&watch), "three");
}

#[tokio::test(start_paused = true)]
async fn looks_are_spread() {
    let fake = fake().await;
    let _watch = watch(&client(&fake)).await;
    let began = Instant::now();
    until(&fake, LOOK, 1).await;
    assert!(began.elapsed() <= EVERY + Duration::from_secs(2));
    for look in 2..6 {
        let before = Instant::now();
        until(&fake, LOOK, look).await;
        let pause = before.elapsed().as_secs();
        assert!((52..=68).contains(&pause), "{pause} s");
    }
}

/// Long intervals are for those who only call `refresh`.
#[tokio::test(start_paused = true)]
async fn any_interval_will_do() {
    let fake = fake().await;
    let client = client(&fake);
    for every in [Duration::ZERO, Duration::from_secs(u64::MAX / 2), Duration::MAX] {
        let watch = client.watch_group("app").every(every).start().await.unwrap();
        for _ in 0..2 {
            watch.refresh().await.unwrap();
        }
    }
}
