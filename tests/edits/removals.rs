//! Edits that only remove: one request for each key.

use std::time::Duration;

use truefoundry_secrets::Error;
use truefoundry_secrets::testing::Fault;

use crate::common::*;

const SETTLE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_failure_midway_says_what_is_done_and_what_is_not() {
    let (fake, id) = app(&["A", "B", "C", "D", "E"]).await;
    let client = client(&fake, SETTLE);
    let edit = ["A", "B", "C", "D"]
        .iter()
        .fold(client.secret_groups().edit(&id), |edit, key| edit.remove(*key));
    let third = format!("DELETE /secrets/{}", fake.secret_id(APP, "C").unwrap());
    fake.inject(Fault::status(403).on(&third));
    let error = edit.apply().await.unwrap_err();
    assert!(error.may_have_been_applied() && !error.is_retryable());
    assert_eq!(error.status(), Some(403));
    assert_eq!(error.to_string(), "removed A, B, but \"C\" could not be removed; not tried: D");
    let Error::PartiallyApplied { done, failed, not_tried, source, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (&*done, &*failed, &*not_tried),
        (&["A".into(), "B".into()][..], "C", &["D".into()][..])
    );
    assert!(matches!(*source, Error::PermissionDenied { .. }), "{source:?}");
    assert_eq!(fake.keys(APP), ["C", "D", "E"]);
}

#[tokio::test]
async fn a_failure_of_the_first_is_told_as_it_is() {
    let (fake, id) = app(&["A", "B", "C"]).await;
    let client = client(&fake, SETTLE);
    fake.inject(Fault::status(403).on(DELETE));
    let edit = client.secret_groups().edit(&id).remove("A").remove("B");
    let error = edit.apply().await.unwrap_err();
    assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
    assert!(!error.may_have_been_applied());
    assert_eq!(count(&fake, DELETE), 1);
}

#[tokio::test]
async fn not_found_is_done_where_the_key_is_seen_to_be_gone() {
    let (fake, id) = app(&["A", "B", "C"]).await;
    let client = client(&fake, SETTLE);
    fake.on_request(DELETE, |fake, _| {
        let _ = fake.remove_key(APP, "A");
    });
    client.secret_groups().edit(&id).remove("A").remove("B").apply().await.unwrap();
    assert_eq!(sent(&fake), [GET, LIST, DELETE, GET, LIST, DELETE]);
    assert_eq!(fake.keys(APP), ["C"]);
}

#[tokio::test]
async fn not_found_is_no_success_where_the_key_is_still_there() {
    let (fake, id) = app(&["A", "B", "C"]).await;
    let client = client(&fake, SETTLE);
    fake.inject(Fault::status(404).message("no such route").on(DELETE));
    let error = client.secret_groups().edit(&id).remove("A").apply().await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    assert_eq!(fake.keys(APP).len(), 3);

    // After its own removals, which are not a change by another process.
    let second = format!("DELETE /secrets/{}", fake.secret_id(APP, "B").unwrap());
    fake.inject(Fault::status(404).message("no such route").on(&second));
    let edit = client.secret_groups().edit(&id).remove("A").remove("B");
    match edit.apply().await.unwrap_err() {
        Error::PartiallyApplied { done, failed, source, .. } => {
            assert_eq!((&*done, &*failed), (&["A".to_owned()][..], "B"));
            assert!(source.is_not_found(), "{source:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_that_came_back_under_another_identifier_is_another_process_change() {
    let (fake, id) = app(&["A", "B"]).await;
    let client = client(&fake, SETTLE);
    let plan = client.secret_groups().edit(&id).remove("A").plan().await.unwrap();
    fake.on_request(DELETE, |fake, _| {
        fake.remove_key(APP, "A");
        fake.set_value(APP, "A", "their new value");
    });
    let (added, removed, modified, applied) = concurrent(plan.apply().await);
    assert_eq!((modified, applied), (vec!["A".to_owned()], false));
    assert!(added.is_empty() && removed.is_empty());
    assert_eq!(fake.value(APP, "A").as_deref(), Some("their new value"));
}

#[tokio::test]
async fn a_delete_repeated_after_an_unclear_response_takes_404_for_done() {
    let unclear = [
        (Fault::drop_after(), true),
        (Fault::cut_body(), true),
        (Fault::status(503).after_work(), true),
        (Fault::drop_before(), false),
    ];
    for (fault, removed_by_first) in &unclear {
        let (fake, id) = app(&["A", "B"]).await;
        let client = client(&fake, SETTLE);
        fake.inject(fault.clone().on(DELETE));
        client.secret_groups().edit(&id).remove("A").apply().await.unwrap();
        // A 404 is verified by reads; a successful delete is not.
        let looks = if *removed_by_first { &[GET, LIST][..] } else { &[] };
        assert_eq!(sent(&fake), [&[GET, LIST, DELETE, DELETE], looks].concat(), "{fault:?}");
        assert_eq!(fake.keys(APP), ["B"]);
        let secret = fake.secret_id(APP, "B").unwrap();
        fake.inject(fault.clone().on(DELETE));
        client.secrets().delete(&secret).await.unwrap();
        let error = client.secrets().delete(&secret).await.unwrap_err();
        assert!(error.is_not_found(), "a first 404 is an error: {error:?}");
        fake.inject(fault.clone().on("secret_groups.delete"));
        client.secret_groups().delete(&id).await.unwrap();
        assert!(client.secret_groups().delete(&id).await.unwrap_err().is_not_found());
    }
}

#[tokio::test]
async fn removals_cannot_lose_what_others_add_at_any_time() {
    let (fake, id) = app(&["A", "B", "C", "D"]).await;
    let client = client(&fake, SETTLE);
    let mut added = 0;
    fake.on_request("*", move |fake, _| {
        added += 1;
        fake.set_value(APP, &format!("THEIRS-{added}"), "x");
    });
    let edit = client.secret_groups().edit(&id).remove("A").remove("B");
    edit.apply().await.unwrap();
    let keys = fake.keys(APP);
    assert_eq!(keys, ["C", "D", "THEIRS-1", "THEIRS-2", "THEIRS-3", "THEIRS-4"]);
}
