//! When the source is asked, how many times, and which calls wait for it. On a paused clock.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{advance, sleep, timeout};
use truefoundry_secrets::testing::FakeTrueFoundry;
use truefoundry_secrets::{Client, Error};

use crate::common::Step::{Expiring, Fail, Hang, Panic, Token};
use crate::common::{Source, client, token};
use crate::support::endpoints::{self, Endpoint};
use crate::support::raw::{RawServer, ok};

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The tokens that were sent, without those of the first `skipped` requests.
fn sent(fake: &FakeTrueFoundry, skipped: usize) -> Vec<String> {
    let requests = fake.requests();
    let tokens = requests.iter().skip(skipped).map(|it| it.header("authorization").unwrap());
    tokens.map(|header| header.strip_prefix("Bearer ").unwrap().to_owned()).collect()
}

fn last_sent(fake: &FakeTrueFoundry) -> String {
    sent(fake, 0).pop().unwrap()
}

async fn call(client: &Client) -> Result<(), Error> {
    client.whoami().await.map(drop)
}

/// Two tokens that the fake accepts.
async fn start() -> (FakeTrueFoundry, &'static str, &'static str) {
    let fake = FakeTrueFoundry::start().await;
    let (one, two) = (token(&fake), token(&fake));
    (fake, one, two)
}

#[tokio::test(start_paused = true)]
async fn the_source_is_asked_once_and_again_two_minutes_before_the_token_expires() {
    let (fake, one, two) = start().await;
    let source = Source::new([Expiring(one, seconds(3600)), Token(two)]);
    let client = client(fake.base_url(), &source);
    for (pass, asked, token) in [(0, 1, one), (3470, 1, one), (11, 2, two), (99_999, 2, two)] {
        advance(seconds(pass)).await;
        call(&client).await.unwrap();
        assert_eq!((source.times(), last_sent(&fake).as_str()), (asked, token), "{pass}");
    }
    assert_eq!(source.asked(), [None, None], "no token was refused");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_ask_once() {
    let (fake, one, two) = start().await;
    let source = Source::slow(
        seconds(1),
        [Expiring(one, seconds(600)), Expiring(two, seconds(600)), Fail("asked too often")],
    );
    let client = client(fake.base_url(), &source);
    for (times, token) in [(1, one), (2, two)] {
        let calls = join_all((0..1000).map(|_| call(&client))).await;
        assert!(calls.iter().all(Result::is_ok));
        assert_eq!(source.times(), times);
        let sent = sent(&fake, (times - 1) * 1000);
        assert_eq!((sent.len(), sent.iter().all(|it| it == token)), (1000, true));
        advance(seconds(500)).await;
    }
}

/// The program ends right after its call, and must not end in the middle of a refresh.
#[tokio::test(start_paused = true)]
async fn a_call_waits_for_the_refresh_although_its_token_is_still_good() {
    let (fake, one, two) = start().await;
    let source = Source::slow(seconds(15), [Expiring(one, seconds(3600)), Token(two)]);
    let client = client(fake.base_url(), &source);
    call(&client).await.unwrap();
    advance(seconds(3600 - 60)).await;
    call(&client).await.unwrap();
    assert_eq!(sent(&fake, 0), [one, two]);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_leaves_a_token_in_use_until_it_expires() {
    for failing in [Fail("no network"), Hang, Panic] {
        let (fake, one, _) = start().await;
        let source = Source::new([Expiring(one, seconds(600)), failing]);
        let client = client(fake.base_url(), &source);
        call(&client).await.unwrap();
        advance(seconds(500)).await;
        call(&client).await.unwrap();
        call(&client).await.unwrap();
        assert_eq!(source.times(), 2, "not at every call");
        sleep(seconds(10)).await;
        call(&client).await.unwrap();
        assert_eq!((source.times(), last_sent(&fake).as_str()), (3, one));
        sleep(seconds(100)).await;
        let requests = fake.request_count();
        let error = call(&client).await.unwrap_err();
        assert!(matches!(error, Error::Credentials { .. }), "{error:?}");
        assert_eq!(fake.request_count(), requests, "nothing was sent");
    }
}

/// The source may take longer than the call.
#[tokio::test(start_paused = true)]
async fn a_call_with_little_time_goes_on_with_a_token_that_is_still_good() {
    let (fake, one, two) = start().await;
    let source = Source::slow(seconds(15), [Expiring(one, seconds(600)), Token(two)]);
    let client = client(fake.base_url(), &source);
    call(&client).await.unwrap();
    advance(seconds(500)).await;
    call(&client.with_timeout(seconds(10))).await.unwrap();
    sleep(seconds(11)).await;
    call(&client.with_timeout(seconds(10))).await.unwrap();
    assert_eq!(sent(&fake, 0), [one, one, two]);
}

/// A clock that is ahead, or a token of a few seconds: the source must not be asked at every call.
#[tokio::test(start_paused = true)]
async fn a_token_that_seems_to_have_expired_is_used() {
    let (fake, one, _) = start().await;
    let source = Source::new([Expiring(one, Duration::ZERO)]);
    let client = client(fake.base_url(), &source);
    for _ in 0..5 {
        call(&client).await.unwrap();
    }
    assert_eq!(source.times(), 1);
    advance(seconds(11)).await;
    call(&client).await.unwrap();
    assert_eq!(source.times(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_does_not_end_the_refresh() {
    let (fake, one, _) = start().await;
    let source = Source::slow(seconds(10), [Token(one), Fail("asked twice")]);
    let client = client(fake.base_url(), &source);
    timeout(seconds(1), call(&client)).await.unwrap_err();
    let error = call(&client.with_timeout(seconds(2))).await.unwrap_err();
    assert!(matches!(error, Error::Credentials { .. }), "{error:?}");
    sleep(seconds(8)).await;
    call(&client).await.unwrap();
    assert_eq!((source.times(), fake.request_count()), (1, 1));
}

/// A refresh that began because a token was about to expire is joined by a call whose token was refused. It gives
/// the refused token again, so the source must be told of the refusal.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_although_a_refresh_is_under_way() {
    let fake = FakeTrueFoundry::start().await;
    let one = token(&fake);
    fake.advance_token_clock(seconds(7200));
    let two = token(&fake);
    let source = Source::slow(seconds(5), [Expiring(one, seconds(600)), Token(one), Token(two)]);
    let client = client(fake.base_url(), &source).with_timeout(seconds(9999));
    let spawn = || {
        let client = client.clone();
        tokio::spawn(async move { call(&client).await })
    };
    let gate = fake.hold("session.get");
    let first = spawn();
    gate.reached().await;
    advance(seconds(481)).await;
    let second = spawn();
    sleep(seconds(1)).await;
    assert_eq!(source.times(), 2);
    gate.release();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert_eq!(source.asked(), [None, None, Some(one.to_owned())]);
}

/// The task of a refresh ends with its runtime, and another one must be able to ask.
#[test]
fn a_refresh_ends_with_its_runtime() {
    let server = RawServer::always(ok(endpoints::GROUP));
    let source = Source::new([Hang, Token("one")]);
    let client = client(server.url(), &source);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    first.block_on(async {
        timeout(Duration::from_millis(20), Endpoint::GetGroup.call(&client)).await.unwrap_err()
    });
    drop(first);
    runtime().block_on(Endpoint::GetGroup.call(&client)).unwrap();
    assert_eq!(source.times(), 2);
}

/// A service that runs for months: neither its checks, which are never retried, nor its values are
/// affected.
#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_over_expiries() {
    let fake = FakeTrueFoundry::start().await.with_group("app", [("K", "v")]);
    let source = {
        let fake = fake.clone();
        move || std::future::ready(Ok(truefoundry_secrets::Token::new(token(&fake))))
    };
    let client = fake.client_builder().credentials(source).build().unwrap();
    let watch = client.watch_group("app").every(seconds(60)).start().await.unwrap();
    for _ in 0..5 {
        fake.advance_token_clock(seconds(7200));
        fake.clear_requests();
        sleep(seconds(67)).await;
        assert!(watch.last_error().is_none(), "{:?}", watch.last_error());
        assert!(fake.request_count() >= 2, "the look, and once more with another token");
    }
}
