//! Writes of unknown outcome: the next edit of the group waits until it sees them done, or until
//! `unconfirmed_write_timeout` has passed. Time is tokio's paused clock, which advances
//! when all tasks wait.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, timeout};
use truefoundry_secrets::Client;
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};

use crate::common::*;

const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
const LATE: Duration = Duration::from_secs(20);

async fn ready() -> (FakeTrueFoundry, String, Client) {
    let (fake, id) = app(&["A", "B"]).await;
    let client = warm_client(&fake, WRITE_TIMEOUT).await;
    (fake, id, client)
}

/// An edit that only removes and one that writes, each with an unclear outcome.
async fn next_edit_took(fake: &FakeTrueFoundry, id: &str, client: &Client) -> Duration {
    let begun = Instant::now();
    client.secret_groups().edit(id).set("NEXT", "edit").apply().await.unwrap();
    let took = begun.elapsed();
    fake.idle().await;
    assert_eq!(fake.value(APP, "NEXT").as_deref(), Some("edit"), "a late write deleted it");
    took
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_done_is_seen_at_once() {
    let done = [Fault::drop_after(), Fault::cut_body(), Fault::status(503).after_work()];
    for fault in done {
        let (fake, id, client) = ready().await;
        fake.inject(fault.clone().on(PUT));
        let edit = client.secret_groups().edit(&id).set("A", "new").set("C", "1").remove("B");
        let error = edit.apply().await.unwrap_err();
        assert!(error.may_have_been_applied(), "{error:?}");
        assert!(error.hint().contains("read the group"), "{}", error.hint());
        assert_eq!(count(&fake, PUT), 1, "a write is not repeated");
        let took = next_edit_took(&fake, &id, &client).await;
        assert!(took < Duration::from_secs(1), "{fault:?}: {took:?}");
        assert_eq!(fake.keys(APP), ["A", "C", "NEXT"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_write_is_waited_for() {
    let (fake, id, client) = ready().await;
    fake.inject(Fault::delay_work(LATE).on(PUT));
    let error = client.secret_groups().edit(&id).set("C", "1").apply().await.unwrap_err();
    assert!(error.may_have_been_applied(), "{error:?}");
    let took = next_edit_took(&fake, &id, &client).await;
    assert!(took >= LATE - Duration::from_millis(1) && took < WRITE_TIMEOUT, "{took:?}");
    assert_eq!(fake.keys(APP), ["A", "B", "C", "NEXT"]);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_never_comes_is_waited_for_until_its_time_is_up() {
    for fault in [Fault::drop_before(), Fault::status(504)] {
        let (fake, id, client) = ready().await;
        fake.inject(fault.on(PUT));
        let error = client.secret_groups().edit(&id).set("C", "1").apply().await.unwrap_err();
        assert!(error.may_have_been_applied(), "{error:?}");
        let took = next_edit_took(&fake, &id, &client).await;
        assert!(
            took >= WRITE_TIMEOUT - Duration::from_secs(1) && took < WRITE_TIMEOUT * 2,
            "{took:?}"
        );
        assert_eq!(fake.keys(APP), ["A", "B", "NEXT"]);
        let took = next_edit_took(&fake, &id, &client).await;
        assert!(took < Duration::from_secs(1), "once only: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_rotation_is_waited_for() {
    let (fake, id, client) = ready().await;
    fake.inject(Fault::delay_work(LATE).on(PUT));
    client.secret_groups().edit(&id).set("A", "new").apply().await.unwrap_err();
    let took = next_edit_took(&fake, &id, &client).await;
    assert!(took >= LATE - Duration::from_millis(1) && took < WRITE_TIMEOUT, "{took:?}");
    assert_eq!(fake.value(APP, "A").as_deref(), Some("new"));
}

#[tokio::test(start_paused = true)]
async fn a_rotation_to_the_same_value_shows_no_sign_and_is_waited_for_in_full() {
    let (fake, id, client) = ready().await;
    fake.inject(Fault::drop_after().on(PUT));
    client.secret_groups().edit(&id).set("A", "old value of A").apply().await.unwrap_err();
    let took = next_edit_took(&fake, &id, &client).await;
    assert!(took >= WRITE_TIMEOUT - Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn its_time_begins_when_the_write_is_given_up() {
    let (fake, id) = app(&["A", "B"]).await;
    // As long as the call's own timeout, which is the default.
    let client = warm_client(&fake, WRITE_TIMEOUT).await;
    fake.inject(Fault::delay(Duration::from_secs(90)).on(PUT));
    let begun = Instant::now();
    let error = client.secret_groups().edit(&id).set("C", "1").apply().await.unwrap_err();
    assert!(error.may_have_been_applied(), "{error:?}");
    assert!(begun.elapsed() >= Duration::from_secs(59), "{:?}", begun.elapsed());
    next_edit_took(&fake, &id, &client).await;
    assert_eq!(fake.keys(APP), ["A", "B", "C", "NEXT"]);
}

#[tokio::test(start_paused = true)]
async fn the_write_of_a_dropped_future_is_waited_for() {
    let (fake, id, client) = ready().await;
    let gate = fake.hold(PUT);
    let edit = client.secret_groups().edit(&id).set("C", "1");
    let dropped = tokio::spawn(edit.apply());
    gate.reached().await;
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    let opening = tokio::spawn(async move {
        tokio::time::sleep(LATE).await;
        gate.release();
    });
    let took = next_edit_took(&fake, &id, &client).await;
    assert!(took >= LATE - Duration::from_millis(1) && took < WRITE_TIMEOUT, "{took:?}");
    assert_eq!(fake.keys(APP), ["A", "B", "C", "NEXT"]);
    opening.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_wait_can_be_given_up_and_is_taken_up_again_by_the_next() {
    let (fake, id, client) = ready().await;
    fake.inject(Fault::delay_work(LATE).on(PUT));
    client.secret_groups().edit(&id).set("C", "1").apply().await.unwrap_err();
    let impatient = client.secret_groups().edit(&id).set("D", "1").apply();
    assert!(timeout(Duration::from_secs(5), impatient).await.is_err());
    assert_eq!(fake.keys(APP), ["A", "B"]);
    next_edit_took(&fake, &id, &client).await;
    assert_eq!(fake.keys(APP), ["A", "B", "C", "NEXT"]);
}

#[tokio::test(start_paused = true)]
async fn giving_the_wait_up_again_and_again_does_not_make_it_longer() {
    let (fake, id, client) = ready().await;
    fake.inject(Fault::drop_before().on(PUT));
    client.secret_groups().edit(&id).set("C", "1").apply().await.unwrap_err();
    let begun = Instant::now();
    loop {
        let edit = client.secret_groups().edit(&id).set("D", "1").apply();
        if timeout(Duration::from_secs(7), edit).await.is_ok() {
            break;
        }
        assert!(begun.elapsed() < WRITE_TIMEOUT * 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_delete_is_waited_for_before_its_key_is_set_again() {
    let (fake, id, client) = ready().await;
    // All four attempts are lost; the first comes late.
    fake.inject(Fault::delay_work(LATE).on(DELETE));
    fake.inject(Fault::drop_before().times(3).on(DELETE));
    let error = client.secret_groups().edit(&id).remove("A").apply().await.unwrap_err();
    assert!(error.may_have_been_applied(), "{error:?}");
    client.secret_groups().edit(&id).set("A", "wanted again").apply().await.unwrap();
    fake.idle().await;
    assert_eq!(fake.value(APP, "A").as_deref(), Some("wanted again"), "a late delete took it");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_removal_is_waited_for_too() {
    let (fake, id, client) = ready().await;
    let gate = fake.hold(DELETE);
    let dropped = tokio::spawn(client.secret_groups().edit(&id).remove("A").apply());
    gate.reached().await;
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    let opening = tokio::spawn(async move {
        tokio::time::sleep(LATE).await;
        gate.release();
    });
    client.secret_groups().edit(&id).set("A", "wanted again").apply().await.unwrap();
    opening.await.unwrap();
    fake.idle().await;
    assert_eq!(fake.value(APP, "A").as_deref(), Some("wanted again"), "a late delete took it");
}

#[tokio::test(start_paused = true)]
async fn a_plan_made_before_an_unclear_write_is_not_applied_over_it() {
    let (fake, id, client) = ready().await;
    let plan = client.secret_groups().edit(&id).set("D", "1").plan().await.unwrap();
    fake.inject(Fault::delay_work(LATE).on(PUT));
    client.secret_groups().edit(&id).set("C", "1").apply().await.unwrap_err();
    assert_eq!(concurrent(plan.apply().await).0, ["C"]);
    assert_eq!(fake.keys(APP), ["A", "B", "C"]);
}

#[tokio::test(start_paused = true)]
async fn values_are_not_compared_beside_a_write_that_may_arrive() {
    for by_name in [true, false] {
        let (fake, id, client) = ready().await;
        fake.inject(Fault::delay_work(LATE).on(PUT));
        client.secret_groups().edit(&id).set("A", "new").apply().await.unwrap_err();
        let groups = client.secret_groups();
        let sync = if by_name { groups.edit_by_name(APP) } else { groups.edit(&id) };
        let plan = sync.set("A", "old value of A").skip_unchanged().plan().await.unwrap();
        assert_eq!(plan.rotated(), ["A"], "nothing would be left to change");
        plan.apply().await.unwrap();
        fake.idle().await;
        assert_eq!(fake.value(APP, "A").as_deref(), Some("old value of A"));
    }
}

#[tokio::test(start_paused = true)]
async fn failing_reads_prove_nothing() {
    let (fake, id, client) = ready().await;
    fake.inject(Fault::delay_work(LATE).on(PUT));
    client.secret_groups().edit(&id).set("C", "1").apply().await.unwrap_err();
    fake.inject(Fault::status(403).times(4).on(GET));
    next_edit_took(&fake, &id, &client).await;
    assert_eq!(fake.keys(APP), ["A", "B", "C", "NEXT"]);
}

/// Failures after which a write has ended, whatever it did: the service itself reports them.
fn ended() -> Vec<Fault> {
    let said = |status, body| Fault::status(status).json(body);
    vec![
        Fault::status(424),
        Fault::status(500),
        Fault::status(503),
        Fault::status(500).after_work(),
        said(500, json!({ "statusCode": 500, "message": ["one", "two"], "code": 7 })),
    ]
}

/// Failures after which the write may still be under way.
fn not_ended() -> Vec<Fault> {
    let said = |status, body| Fault::status(status).json(body);
    vec![
        // These three mean that a caller stopped waiting for it.
        Fault::status(408),
        Fault::status(502),
        Fault::status(504),
        Fault::status(503).body("text/html", "<h1>Service Unavailable</h1>"),
        Fault::status(503).body("application/json", ""),
        said(503, json!({ "statusCode": 500, "message": "not of this response" })),
        said(200, json!({ "statusCode": 500, "message": "not of this response" })),
        said(503, json!({ "statusCode": "503", "message": "no number" })),
        said(503, json!({ "statusCode": 503 })),
        said(503, json!({ "statusCode": 503, "message": null })),
        said(503, json!({ "message": "a gateway's own" })),
        said(503, json!([{ "statusCode": 503, "message": "in a list" }])),
        said(424, json!({ "error": { "statusCode": 424, "message": "further in" } })),
        Fault::drop_before(),
        Fault::status(200).body("text/html", "<html>welcome</html>"),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_write_that_the_service_says_has_ended_is_not_waited_for() {
    for fault in ended() {
        let (fake, id, client) = ready().await;
        fake.inject(fault.clone().on(PUT));
        let error = client.secret_groups().edit(&id).set("C", "1").apply().await.unwrap_err();
        assert!(error.may_have_been_applied() && error.is_retryable(), "{error:?}");
        assert!(!error.hint().contains("waits"), "{}", error.hint());
        fake.clear_requests();
        let took = next_edit_took(&fake, &id, &client).await;
        assert!(took < Duration::from_secs(1), "{fault:?}: {took:?}");
        assert_eq!(sent(&fake), [GET, LIST, PUT], "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_may_still_arrive_is_waited_for_and_its_error_says_so() {
    for fault in not_ended() {
        let (fake, id, client) = ready().await;
        fake.inject(fault.clone().on(PUT));
        let error = client.secret_groups().edit(&id).set("C", "1").apply().await.unwrap_err();
        assert!(error.may_have_been_applied(), "{error:?}");
        let hint = error.hint();
        assert!(hint.ends_with("The next edit of this group waits up to 60 s for it."), "{hint}");
        let took = next_edit_took(&fake, &id, &client).await;
        assert!(took >= WRITE_TIMEOUT - Duration::from_secs(1), "{fault:?}: {took:?}");
        assert!(took < WRITE_TIMEOUT + Duration::from_secs(1), "{fault:?}: {took:?}");
    }
}

/// Removals are retried: the last response is about its own attempt only.
#[tokio::test(start_paused = true)]
async fn a_removal_has_ended_when_all_of_its_attempts_have() {
    let (fake, id, client) = ready().await;
    fake.inject(Fault::status(500).times(4).on(DELETE));
    let error = client.secret_groups().edit(&id).remove("A").apply().await.unwrap_err();
    assert!(error.may_have_been_applied(), "{error:?}");
    assert!(!error.hint().contains("waits"), "{}", error.hint());
    let took = next_edit_took(&fake, &id, &client).await;
    assert!(took < Duration::from_secs(1), "{took:?}");

    let (fake, id, client) = ready().await;
    fake.inject(Fault::drop_before().on(DELETE));
    fake.inject(Fault::status(500).times(3).on(DELETE));
    let error = client.secret_groups().edit(&id).remove("A").apply().await.unwrap_err();
    assert!(error.hint().contains("waits up to 60 s"), "{}", error.hint());
    let took = next_edit_took(&fake, &id, &client).await;
    assert!(took >= WRITE_TIMEOUT - Duration::from_secs(1), "{took:?}");

    // The second of two: the hint is that of the cause.
    let (fake, id, client) = ready().await;
    let second = format!("DELETE /secrets/{}", fake.secret_id(APP, "B").unwrap());
    fake.inject(Fault::status(502).times(4).on(&second));
    let edit = client.secret_groups().edit(&id).remove("A").remove("B").allow_empty();
    let error = edit.apply().await.unwrap_err();
    assert_eq!(error.hint().matches("waits up to 60 s").count(), 1, "{}", error.hint());
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_or_never_sent_is_not_waited_for() {
    for status in [400, 401, 403, 404, 409, 413, 422, 429] {
        let (fake, id, client) = ready().await;
        // Not in the service's own form: the status is enough.
        fake.inject(Fault::status(status).body("text/html", "<h1>no</h1>").on(PUT));
        client.secret_groups().edit(&id).set("C", "1").apply().await.unwrap_err();
        let took = next_edit_took(&fake, &id, &client).await;
        assert!(took < Duration::from_secs(1), "{status}: {took:?}");
    }
}

/// Reads of the group that get no response do not make the wait longer.
#[tokio::test(start_paused = true)]
async fn the_wait_is_no_longer_for_looks_that_take_long() {
    let (fake, id, client) = ready().await;
    fake.inject(Fault::drop_before().on(PUT));
    client.secret_groups().edit(&id).set("C", "1").apply().await.unwrap_err();
    fake.inject(Fault::delay(WRITE_TIMEOUT - Duration::from_secs(2)).times(2).on(GET));
    let took = next_edit_took(&fake, &id, &client).await;
    assert!(took < WRITE_TIMEOUT + Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_waited_for_where_that_is_set() {
    let (fake, id) = app(&["A", "B"]).await;
    let client = warm_client(&fake, Duration::ZERO).await;
    fake.inject(Fault::drop_before().on(PUT));
    let error = client.secret_groups().edit(&id).set("C", "1").apply().await.unwrap_err();
    assert!(error.may_have_been_applied() && !error.hint().contains("waits"), "{error:?}");
    fake.clear_requests();
    next_edit_took(&fake, &id, &client).await;
    assert_eq!(sent(&fake), [GET, LIST, PUT]);
}
