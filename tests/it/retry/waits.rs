use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use truefoundry_secrets::{Client, Error, RetryPolicy};

use crate::support::clock::{HeldClock, pass, settle};
use crate::support::endpoints::Endpoint;
use crate::support::raw::{Act, RawServer, ok, response, status};
use crate::support::{assert_well_formed, builder, variant};

const SECOND: Duration = Duration::from_secs(1);

fn http_date(time: Timestamp) -> String {
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time).unwrap()
}

fn patient(server: &RawServer) -> Client {
    // Long enough that the paused clock never reaches it while a connection is being made.
    builder(server.url()).connect_timeout(Duration::from_secs(86_400)).build().unwrap()
}

/// The time on the paused clock until the second request is sent, to a tenth of a second.
async fn wait_of(headers: &str) -> Duration {
    let server = RawServer::in_turn([response(429, headers, ""), ok(r#"{"data":{"id":"s"}}"#)]);
    let client = patient(&server);
    let clock = HeldClock::new();
    let call = tokio::spawn(async move { client.secrets().get("s").await });
    server.wait_for(1).await;
    settle().await;
    let begun = Instant::now();
    while server.count() < 2 && begun.elapsed() < 55 * SECOND {
        pass(SECOND / 10).await;
    }
    let waited = begun.elapsed();
    call.await.unwrap().unwrap();
    drop(clock);
    waited
}

#[tokio::test(start_paused = true)]
async fn what_the_server_asks_for_is_waited_for() {
    let in_a_while = http_date(Timestamp::now() + SignedDuration::from_secs(30));
    for (headers, least, most) in [
        // The paused clock is advanced until the request has arrived, which takes the machine a
        // while.
        ("retry-after: 7\r\n".to_owned(), 6.95, 12.0),
        ("retry-after-ms: 1500\r\n".to_owned(), 1.45, 6.5),
        ("retry-after-ms: 2500\r\nretry-after: 9\r\n".to_owned(), 2.45, 7.5),
        ("x-ratelimit-reset: 5\r\n".to_owned(), 4.95, 10.0),
        // A date is compared with the machine's clock, which advances meanwhile.
        (format!("retry-after: {in_a_while}\r\n"), 20.0, 35.0),
    ] {
        let waited = wait_of(&headers).await.as_secs_f64();
        assert!((least..most).contains(&waited), "{headers}: {waited} s");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_wait_from_the_server_it_is_jittered_up_to_the_base_delay() {
    for headers in ["", "retry-after: soon\r\n", "retry-after: 0\r\n", "retry-after: -1\r\n"] {
        // The client's own delay is zero here, so this measures the steps of the loop.
        assert!(wait_of(headers).await < 5 * SECOND, "{headers}");
    }
    let past = http_date(Timestamp::now() - SignedDuration::from_secs(3600));
    assert!(wait_of(&format!("retry-after: {past}\r\n")).await < 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn own_delays_are_waited_between_attempts() {
    let server = RawServer::always(status(503, "busy"));
    let policy = RetryPolicy::default().base_delay(20 * SECOND).max_delay(20 * SECOND);
    let client = builder(server.url())
        .retry(policy)
        .timeout(Duration::from_secs(3600))
        .connect_timeout(Duration::from_secs(3600))
        .build()
        .unwrap();
    let clock = HeldClock::new();
    let begun = Instant::now();
    let call = tokio::spawn(async move { client.secrets().get("s").await });
    server.wait_for(1).await;
    while !call.is_finished() && begun.elapsed() < 100 * SECOND {
        pass(SECOND).await;
    }
    let error = call.await.unwrap().unwrap_err();
    assert_eq!((variant(&error), server.count()), ("Service".into(), 4));
    // Three waits of 0 to 20 s each; the odds that all three are under 10 ms are one in billions.
    let elapsed = error.context().unwrap().elapsed();
    assert!(elapsed > Duration::from_millis(10) && elapsed <= 66 * SECOND, "{elapsed:?}");
    drop(clock);
}

#[tokio::test]
async fn a_wait_past_the_deadline_is_not_begun() {
    let far = http_date(Timestamp::now() + SignedDuration::from_secs(3600));
    for (code, headers, expected) in [
        (429, "retry-after: 60\r\n".to_owned(), "RateLimited"),
        (503, "retry-after: 61\r\n".to_owned(), "Service"),
        (429, "retry-after: 18446744073709551615\r\n".to_owned(), "RateLimited"),
        (429, "retry-after-ms: 3600000\r\n".to_owned(), "RateLimited"),
        (429, format!("retry-after: {far}\r\n"), "RateLimited"),
        (429, "x-ratelimit-reset: 4102444800\r\n".to_owned(), "RateLimited"),
    ] {
        let server = RawServer::always(response(code, &headers, ""));
        let client = builder(server.url()).build().unwrap();
        let error = client.secrets().get("s").await.unwrap_err();
        assert_eq!((variant(&error), server.count()), (expected.into(), 1), "{headers}");
        assert_eq!(error.context().unwrap().attempts(), 1);
        if let Error::RateLimited { retry_after, .. } = &error {
            assert!(retry_after.unwrap() > 59 * SECOND, "{headers}");
        }
        assert_well_formed(&error);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_responses_is_waited_for_until_the_timeout() {
    for (endpoint, policy) in [
        (Endpoint::GetSecret, RetryPolicy::default()),
        (Endpoint::DeleteSecret, RetryPolicy::default()),
        (Endpoint::CreateGroup, RetryPolicy::none()),
    ] {
        let server = RawServer::start(|_, _| Act::Hang);
        let client = builder(server.url())
            .retry(policy)
            .timeout(20 * SECOND)
            .connect_timeout(Duration::from_secs(86_400))
            .build()
            .unwrap();
        let clock = HeldClock::new();
        let call = tokio::spawn(async move { endpoint.call(&client).await });
        server.wait_for(1).await;
        pass(Duration::from_millis(19_900)).await;
        assert!(!call.is_finished());
        pass(Duration::from_millis(200)).await;
        let error = call.await.unwrap().unwrap_err();
        let Error::Timeout { context, .. } = &error else { panic!("{error:?}") };
        assert_eq!((context.attempts(), context.status()), (1, None));
        let elapsed = context.elapsed();
        assert!((20 * SECOND..21 * SECOND).contains(&elapsed), "{elapsed:?}");
        assert_eq!(error.may_have_been_applied(), endpoint != Endpoint::GetSecret);
        assert!(error.is_retryable());
        assert!(error.to_string().contains("no response within 20 s"), "{error}");
        assert_well_formed(&error);
        assert_eq!(server.count(), 1);
        drop(clock);
    }
}

#[tokio::test(start_paused = true)]
async fn the_timeout_covers_all_attempts_together() {
    // The first response comes after half of the time, the second never.
    let (send, receive) = std::sync::mpsc::channel();
    let receive = std::sync::Mutex::new(Some(receive));
    let server = RawServer::start(move |n, _| match n {
        0 => Act::Feed(receive.lock().unwrap().take().unwrap()),
        _ => Act::Hang,
    });
    let client = patient(&server);
    let clock = HeldClock::new();
    let call = tokio::spawn(async move { client.secrets().get("s").await });
    server.wait_for(1).await;
    pass(30 * SECOND).await;
    // Announced, so that the second request does not use a connection that is being closed.
    send.send(response(503, "connection: close\r\n", "")).unwrap();
    drop(send);
    server.wait_for(2).await;
    pass(Duration::from_millis(29_900)).await;
    assert!(!call.is_finished());
    pass(Duration::from_millis(200)).await;
    let error = call.await.unwrap().unwrap_err();
    let context = error.context().unwrap();
    assert_eq!((variant(&error), context.attempts()), ("Timeout".into(), 2));
    drop(clock);
}
