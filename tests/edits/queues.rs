//! Edits of one group take turns; edits of different groups do not.

use std::time::Duration;

use crate::common::*;

const SETTLE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn edits_of_one_group_from_clones_of_a_client_queue() {
    let (fake, id) = app(&["A"]).await;
    let client = warm_client(&fake, SETTLE).await;
    let gate = fake.hold(PUT);
    let first = tokio::spawn(client.secret_groups().edit(&id).set("B", "1").apply());
    gate.reached().await;
    let others: Vec<_> = (0..5)
        .map(|index| {
            let clone = client.clone();
            let id = id.clone();
            let key = format!("K{index}");
            tokio::spawn(async move {
                // Half of them by name: it is the same queue.
                let groups = clone.secret_groups();
                let edit = if index % 2 == 0 { groups.edit(&id) } else { groups.edit_by_name(APP) };
                edit.set(key, "1").apply().await.unwrap();
            })
        })
        .collect();
    // Whatever they do without a turn, they have done by then.
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
    let client = warm_client(&fake, SETTLE).await;
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
async fn an_unsettled_group_does_not_hold_up_another() {
    let (fake, id) = app(&["A"]).await;
    let fake = fake.with_group("other", [("A", "1")]);
    let client = warm_client(&fake, SETTLE).await;
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
    let client = warm_client(&fake, SETTLE).await;
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
