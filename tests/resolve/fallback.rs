use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use truefoundry_secrets::Error;
use truefoundry_secrets::testing::Fault;

use super::{count, fake_with, operations, reference, references, value};

#[tokio::test]
async fn values_left_out_of_lists_are_read_one_by_one() {
    let fake = fake_with(30).await.without_values_in_lists();
    let resolved = fake.client().resolve_all(references(0..30)).await.unwrap();
    assert_eq!(resolved.len(), 30);
    assert_eq!(resolved.get(&reference(29)).unwrap().expose_secret(), value(29));
    assert_eq!(count(&fake, "secrets.list"), 1);
    assert_eq!(count(&fake, "secrets.get"), 30);
}

#[tokio::test]
async fn single_reads_are_ten_at_a_time_or_as_many_as_set() {
    for (most, client_most) in [(10, None), (3, Some(3))] {
        let fake = fake_with(40).await.without_values_in_lists();
        let mut builder = fake.client_builder();
        if let Some(most) = client_most {
            builder = builder.concurrent_reads(most);
        }
        let client = builder.build().unwrap();
        let gate = fake.hold_all("secrets.get");
        let call = tokio::spawn(async move { client.resolve_all(references(0..40)).await });
        gate.reached_by(most).await;
        // All of them wait in the server now; another one would arrive before the gate opens.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.arrived(), most);
        gate.release();
        assert_eq!(call.await.unwrap().unwrap().len(), 40);
    }
}

#[tokio::test]
async fn a_group_takes_one_more_request_per_secret_on_a_server_that_leaves_values_out() {
    let fake = fake_with(12).await.without_values_in_lists();
    let resolved = fake.client().resolve_group("app").await.unwrap();
    assert_eq!(resolved.len(), 12);
    assert_eq!(count(&fake, "secrets.get"), 12);
    // The first is for the tenant.
    assert_eq!(fake.request_count(), 3 + 12);
    fake.clear_requests();
    let id = fake.group_id("app").unwrap();
    fake.client().resolve_group_by_id(id).await.unwrap();
    assert_eq!(fake.request_count(), 1 + 12);
}

#[tokio::test]
async fn hidden_values_are_reported_together_and_apart_from_missing_ones() {
    let fake = fake_with(3).await.with_values_hidden();
    let error = fake.client().resolve_all(references(1..5)).await.unwrap_err();
    let Error::Unresolved { missing, hidden, .. } = error else { panic!("{error:?}") };
    assert_eq!(*hidden, references(1..3));
    assert_eq!(*missing, references(3..5));

    let error = fake.client().resolve(&reference(1)).await.unwrap_err();
    assert!(matches!(error, Error::ValueHidden { .. }), "{error:?}");
    assert!(error.to_string().contains("K-001"), "{error}");
}

#[tokio::test]
async fn a_batch_refused_for_one_of_its_names_is_read_one_by_one() {
    let fake = fake_with(4).await.with_strict_batches();
    let error = fake.client().resolve_all(references(0..6)).await.unwrap_err();
    let Error::Unresolved { missing, hidden, .. } = error else { panic!("{error:?}") };
    assert_eq!(*missing, references(4..6));
    assert!(hidden.is_empty());
    // The batch, then each by itself.
    assert_eq!(operations(&fake), ["secrets.list"; 7]);

    let checked = fake.client().check_refs(references(0..6)).await.unwrap();
    assert_eq!(checked.existing(), references(0..4));
}

#[tokio::test]
async fn a_batch_refused_with_403_is_read_one_by_one_too() {
    let fake = fake_with(3).await;
    fake.inject(Fault::status(403).on("POST /secrets").times(1));
    let resolved = fake.client().resolve_all(references(0..3)).await.unwrap();
    assert_eq!(resolved.len(), 3);
    assert_eq!(fake.request_count(), 4);
}

#[tokio::test]
async fn a_secret_deleted_after_it_was_listed_is_missing() {
    let fake = fake_with(2).await.without_values_in_lists();
    fake.inject(Fault::status(404).on("secrets.get").times(1));
    let client = fake.client_builder().concurrent_reads(1).build().unwrap();
    let error = client.resolve_all(references(0..2)).await.unwrap_err();
    let Error::Unresolved { missing, .. } = error else { panic!("{error:?}") };
    assert_eq!(*missing, references(0..1));
}

#[tokio::test]
async fn the_first_hard_failure_stops_the_rest() {
    let fake = fake_with(100).await.without_values_in_lists();
    let gets = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&gets);
    fake.on_request("secrets.get", move |_, _| {
        seen.fetch_add(1, Ordering::SeqCst);
    });
    fake.inject(Fault::status(424).on("secrets.get").forever());
    let error = fake.client().resolve_all(references(0..100)).await.unwrap_err();
    assert!(matches!(error, Error::StoreFailed { .. }), "{error:?}");
    // Ten were under way, and each freed place can have been taken before the failure was seen.
    assert!(gets.load(Ordering::SeqCst) <= 20, "{gets:?}");
}

#[tokio::test]
async fn a_hard_failure_does_not_wait_for_a_slow_read_before_it() {
    let fake = fake_with(3).await.without_values_in_lists();
    let slow = format!("GET /secrets/{}", fake.secret_id("app", "K-000").unwrap());
    let failing = format!("GET /secrets/{}", fake.secret_id("app", "K-001").unwrap());
    let gate = fake.hold(&slow);
    fake.inject(Fault::status(401).on(&failing));
    let error = fake.client().resolve_all(references(0..3)).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error:?}");
    drop(gate);
}
