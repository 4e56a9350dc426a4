//! Edits of one group wait for each other; edits of different groups do not.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use tokio::time::{Instant, timeout};
use truefoundry_secrets::Error;
use truefoundry_secrets::testing::Gate;

use crate::common::*;

const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn edits_of_one_group_from_clones_of_a_client_queue() {
    let (fake, id) = app(&["A"]).await;
    let client = warm_client(&fake, WRITE_TIMEOUT).await;
    let gate = fake.hold(PUT);
    let first = tokio::spawn(client.secret_groups().edit(&id).set("B", "1").apply());
    gate.reached().await;
    let others: Vec<_> = (0..5)
        .map(|index| {
            let clone = client.clone();
            let id = id.clone();
            let key = format!("K{index}");
            tokio::spawn(async move {
                // Half of them by name, which uses the same queue.
                let groups = clone.secret_groups();
                let edit = if index % 2 == 0 { groups.edit(&id) } else { groups.edit_by_name(APP) };
                edit.set(key, "1").apply().await.unwrap();
            })
        })
        .collect();
    // By then they have done everything that they do without the lock.
    while count(&fake, BY_NAME) < 2 {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!((count(&fake, GET), count(&fake, PUT)), (1, 1), "they wait");
    gate.release();
    first.await.unwrap().unwrap();
    for other in others {
        other.await.unwrap();
    }
    assert_eq!(sorted(fake.keys(APP)), ["A", "B", "K0", "K1", "K2", "K3", "K4"]);
}

#[tokio::test]
async fn edits_of_different_groups_do_not_wait_for_each_other() {
    let (fake, id) = app(&["A"]).await;
    let fake = fake.with_group("other", [("A", "1")]);
    let client = warm_client(&fake, WRITE_TIMEOUT).await;
    let gate = fake.hold(PUT);
    let held = tokio::spawn(client.secret_groups().edit(&id).set("B", "1").apply());
    gate.reached().await;
    let other = fake.group_id("other").unwrap();
    client.secret_groups().edit(&other).set("B", "1").apply().await.unwrap();
    assert_eq!(fake.keys("other"), ["A", "B"]);
    assert_eq!(fake.keys(APP), ["A"]);
    gate.release();
    held.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_unconfirmed_write_does_not_hold_up_another_group() {
    let (fake, id) = app(&["A"]).await;
    let fake = fake.with_group("other", [("A", "1")]);
    let client = warm_client(&fake, WRITE_TIMEOUT).await;
    let gate = fake.hold(PUT);
    let lost = tokio::spawn(client.secret_groups().edit(&id).set("B", "1").apply());
    gate.reached().await;
    lost.abort();
    assert!(lost.await.unwrap_err().is_cancelled());
    let other = fake.group_id("other").unwrap();
    client.secret_groups().edit(&other).set("B", "1").apply().await.unwrap();
    assert_eq!(fake.keys("other"), ["A", "B"]);
}

#[tokio::test]
async fn more_groups_than_are_remembered_lose_nothing() {
    let (fake, id) = app(&["A"]).await;
    let client = warm_client(&fake, WRITE_TIMEOUT).await;
    let gate = fake.hold(PUT);
    let first = tokio::spawn(client.secret_groups().edit(&id).set("B", "1").apply());
    gate.reached().await;
    for index in 0..300 {
        let edit = client.secret_groups().edit(format!("no-group-{index}")).remove("X");
        assert!(edit.apply().await.unwrap_err().is_not_found());
    }
    let second = tokio::spawn(client.secret_groups().edit(&id).set("C", "1").apply());
    tokio::task::yield_now().await;
    gate.release();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert_eq!(fake.keys(APP), ["A", "B", "C"]);
}

/// Polls an edit until its request is held, and never again, like a branch of a `select!` that is
/// kept, or a future in a full buffer.
async fn poll_until<F: Future<Output: std::fmt::Debug>>(gate: &Gate, edit: Pin<&mut F>) {
    tokio::select! {
        result = edit => panic!("{result:?}"),
        () = gate.reached() => {}
    }
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_is_no_longer_polled_holds_up_no_other_group() {
    for operation in [GET, LIST, STORE, PUT] {
        let (fake, id) = app(&["A"]).await;
        let fake = fake.with_group("other", [("A", "1")]);
        let client = client(&fake, WRITE_TIMEOUT);
        let gate = fake.hold(operation);
        let mut held = pin!(client.secret_groups().edit(&id).set("B", "1").apply());
        poll_until(&gate, held.as_mut()).await;
        let other = fake.group_id("other").unwrap();
        let edit = client.secret_groups().edit(&other).set("B", "1").apply();
        let begun = Instant::now();
        timeout(WRITE_TIMEOUT * 10, edit).await.expect(operation).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(1), "{operation}: {:?}", begun.elapsed());
        assert_eq!(fake.keys("other"), ["A", "B"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_is_no_longer_polled_holds_up_its_own_group_for_a_bounded_time() {
    const TIMEOUT: Duration = Duration::from_secs(7);
    for operation in [GET, STORE, PUT] {
        let (fake, id) = app(&["A"]).await;
        let client = fake
            .client_builder()
            .unconfirmed_write_timeout(WRITE_TIMEOUT)
            .timeout(TIMEOUT)
            .build()
            .unwrap();
        let gate = fake.hold(operation);
        let mut held = Box::pin(client.secret_groups().edit(&id).set("B", "1").apply());
        poll_until(&gate, held.as_mut()).await;
        let before = fake.request_count();
        let plan = client.secret_groups().edit(&id).set("C", "1").plan().await.unwrap();
        let reads = fake.request_count() - before;
        let begun = Instant::now();
        // They wait at the same time, not one after the other.
        let edit = || client.secret_groups().edit(&id).set("C", "1").apply();
        let all = Box::pin(async { tokio::join!(edit(), edit(), plan.apply()) });
        let (one, two, three) = timeout(WRITE_TIMEOUT * 10, all).await.expect(operation);
        let took = begun.elapsed();
        assert!(took >= TIMEOUT + WRITE_TIMEOUT, "{took:?}");
        assert!(took < TIMEOUT + WRITE_TIMEOUT + Duration::from_secs(1), "{took:?}");
        assert_eq!(fake.request_count(), before + reads, "nothing was sent");
        for error in [one.unwrap_err(), two.unwrap_err(), three.unwrap_err()] {
            assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
            assert!(error.is_retryable() && !error.may_have_been_applied());
            assert_eq!(error.context().unwrap().attempts(), 0);
            assert!(error.to_string().contains("an earlier edit"), "{error}");
            assert!(error.hint().contains("earlier edit of this group"), "{}", error.hint());
        }
        drop((held, gate));
        fake.idle().await;
        client.secret_groups().edit(&id).set("C", "1").apply().await.unwrap();
        assert_eq!(fake.value(APP, "C").as_deref(), Some("1"), "{operation}");
    }
}

/// The lock is free for it, and it does not take it.
#[tokio::test(start_paused = true)]
async fn an_edit_that_is_no_longer_polled_while_it_waits_is_waited_for_as_long() {
    let (fake, id) = app(&["A"]).await;
    let client = warm_client(&fake, Duration::from_secs(1)).await;
    let gate = fake.hold(PUT);
    let first = tokio::spawn(client.secret_groups().edit(&id).set("B", "1").apply());
    gate.reached().await;
    let mut held = Box::pin(client.secret_groups().edit(&id).set("C", "1").apply());
    assert!(futures_util::poll!(held.as_mut()).is_pending());
    gate.release();
    first.await.unwrap().unwrap();
    let third = client.secret_groups().edit(&id).set("D", "1").apply();
    let error = timeout(WRITE_TIMEOUT * 10, third).await.expect("it ends").unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    held.await.unwrap();
    client.secret_groups().edit(&id).set("D", "1").apply().await.unwrap();
    assert_eq!(fake.keys(APP), ["A", "B", "C", "D"]);
}
