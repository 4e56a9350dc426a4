use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout};
use truefoundry_secrets::Error;
use truefoundry_secrets::testing::Fault;

use super::{LOOK, READ, client, count, fake, password, watch};

#[tokio::test(start_paused = true)]
async fn a_refresh_after_a_rotation_never_returns_the_old_value() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    for round in 0..20 {
        let value = format!("value {round}");
        fake.set_value("app", "DB_PASSWORD", &value);
        let refreshed = watch.refresh().await.unwrap();
        assert_eq!(refreshed.db_password.expose_secret(), value);
        assert_eq!(password(&watch), value);
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_refreshes_at_once_are_two_reads_at_most() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    fake.clear_requests();
    fake.set_value("app", "DB_PASSWORD", "two");
    let all = join_all((0..1000).map(|_| watch.refresh())).await;
    assert!(all.iter().all(|one| one.as_ref().unwrap().db_password.expose_secret() == "two"));
    let (looks, reads) = (count(&fake, LOOK), count(&fake, READ));
    assert!(looks <= 2 && reads <= 2, "{looks} looks, {reads} reads");
}

/// The read under way began before the rotation.
#[tokio::test(start_paused = true)]
async fn a_refresh_waits_for_the_next_read_and_not_for_the_one_under_way() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    let gate = fake.hold_response(READ);
    let first = tokio::spawn({
        let watch = watch.clone();
        async move { watch.refresh().await.map(|_| ()) }
    });
    gate.reached().await;
    fake.set_value("app", "DB_PASSWORD", "two");
    let second = tokio::spawn({
        let watch = watch.clone();
        async move { watch.refresh().await.unwrap().db_password.expose_secret().to_owned() }
    });
    tokio::task::yield_now().await;
    gate.release();
    first.await.unwrap().unwrap();
    assert_eq!(second.await.unwrap(), "two");
}

#[tokio::test(start_paused = true)]
async fn reads_begin_at_most_once_per_second() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    sleep(Duration::from_secs(2)).await;
    let began = Instant::now();
    for _ in 0..5 {
        watch.refresh().await.unwrap();
    }
    let elapsed = began.elapsed();
    assert!(elapsed >= Duration::from_secs(4) && elapsed < Duration::from_secs(6), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failing_refresh_is_told_to_each_caller_and_keeps_the_values() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    fake.inject(Fault::status(403).on(READ).forever());
    for outcome in join_all([watch.refresh(), watch.refresh()]).await {
        let error = outcome.unwrap_err();
        let Error::Stale { source: Some(source), .. } = &error else { panic!("{error:?}") };
        assert_eq!(source.status(), Some(403));
    }
    assert_eq!(password(&watch), "one");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_caller_cancels_nothing() {
    let fake = fake().await;
    let watch = watch(&client(&fake)).await;
    let gate = fake.hold(READ);
    fake.set_value("app", "DB_PASSWORD", "two");
    let refresh = watch.refresh();
    assert!(timeout(Duration::from_secs(5), refresh).await.is_err());
    assert_eq!(gate.arrived(), 1);
    gate.release();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(password(&watch), "two");
    assert_eq!(count(&fake, READ), 2, "the load and the read that was asked for");
}
