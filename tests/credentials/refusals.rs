//! 401: the request is sent once more with another token, if one is available.

use truefoundry_secrets::{Error, RetryPolicy};

use crate::common::Step::{Fail, Token};
use crate::common::{Source, Step, client};
use crate::support::endpoints::{self, Endpoint};
use crate::support::raw::{Act, RawServer, ok, status};
use crate::support::{KEY, TENANT, assert_nowhere, assert_well_formed, at_once, builder};

const ONE: &str = "token-one-0123456789";
const TWO: &str = "token-two-0123456789";

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Accepts these tokens only.
fn accepting(tokens: &'static [&'static str], success: &'static str) -> RawServer {
    RawServer::start(move |_, seen| {
        let sent = seen.header("authorization").unwrap();
        let is_good = tokens.iter().any(|token| sent == bearer(token));
        Act::Send(if is_good { ok(success) } else { status(401, "Unauthorized") })
    })
}

fn sent(server: &RawServer) -> Vec<String> {
    let requests = server.requests();
    requests.iter().map(|seen| seen.header("authorization").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_operation_is_tried_once_more_with_another_token() {
    let cases: [(&[Step], &[&str], &[&str]); 4] = [
        // What the source gives, what the server accepts, what is sent.
        (&[Token(ONE)], &[ONE], &[ONE]),
        (&[Token(ONE)], &[], &[ONE]),
        (&[Token(ONE), Token(TWO)], &[TWO], &[ONE, TWO]),
        (&[Token(ONE), Token(TWO), Token("token-three")], &["token-three"], &[ONE, TWO]),
    ];
    for endpoint in endpoints::ALL {
        for (steps, accepted, expected) in cases {
            let server = accepting(accepted, endpoint.success());
            let source = Source::new(steps.to_vec());
            let result = endpoint.call(&client(server.url(), &source)).await;
            let case = format!("{endpoint:?}, {expected:?}");
            assert_eq!(sent(&server), expected.iter().map(|it| bearer(it)).collect::<Vec<_>>());
            let requests = server.requests();
            assert!(requests.iter().all(|seen| seen.body == requests[0].body), "{case}");
            if accepted.contains(expected.last().unwrap()) {
                assert!(result.is_ok(), "{case}: {result:?}");
            } else {
                let error = result.unwrap_err();
                assert!(matches!(error, Error::Unauthorized { .. }), "{case}: {error:?}");
                assert_eq!(error.context().unwrap().attempts() as usize, expected.len(), "{case}");
                assert!(!error.may_have_been_applied(), "{case}");
                assert_well_formed(&error);
            }
        }
    }
}

#[tokio::test]
async fn a_fixed_key_has_no_other() {
    for endpoint in endpoints::ALL {
        let server = RawServer::always(status(401, "Unauthorized"));
        let client = builder(server.url()).tenant(TENANT).build().unwrap();
        let error = endpoint.call(&client).await.unwrap_err();
        assert!(matches!(error, Error::Unauthorized { .. }), "{endpoint:?}: {error:?}");
        assert_eq!(sent(&server), [bearer(KEY)], "{endpoint:?}");
    }
}

#[tokio::test]
async fn the_token_that_was_refused_is_told_and_the_next_calls_use_the_other() {
    let server = accepting(&[TWO], endpoints::GROUP);
    let source = Source::new([Token(ONE), Token(TWO)]);
    let client = client(server.url(), &source);
    for _ in 0..3 {
        Endpoint::GetGroup.call(&client).await.unwrap();
    }
    assert_eq!(source.asked(), [None, Some(ONE.to_owned())]);
    assert_eq!(sent(&server), [bearer(ONE), bearer(TWO), bearer(TWO), bearer(TWO)]);
}

/// The attempt after a 401 is not a retry: it does not need a remaining retry, use one up, or give
/// one back.
#[tokio::test]
async fn retries_are_counted_without_it() {
    let server = RawServer::start(|n, _| {
        Act::Send(if n == 1 { status(401, "Unauthorized") } else { status(503, "busy") })
    });
    let source = Source::new([Token(ONE), Token(TWO)]);
    let builder = builder(server.url()).tenant(TENANT).retry(at_once().max_retries(2));
    let client = builder.credentials(source).build().unwrap();
    let error = Endpoint::GetGroup.call(&client).await.unwrap_err();
    assert!(matches!(error, Error::Service { .. }), "{error:?}");
    assert_eq!(error.context().unwrap().attempts(), 4);
    assert_eq!(sent(&server), [bearer(ONE), bearer(ONE), bearer(TWO), bearer(TWO)]);
}

#[tokio::test]
async fn a_write_that_was_refused_first_is_unclear_if_it_is_unclear_then() {
    let server = RawServer::in_turn([status(401, "Unauthorized"), status(503, "busy")]);
    let source = Source::new([Token(ONE), Token(TWO)]);
    let error = Endpoint::UpdateGroup.call(&client(server.url(), &source)).await.unwrap_err();
    assert!(matches!(error, Error::Service { .. }), "{error:?}");
    assert!(error.may_have_been_applied());
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_source_that_fails_after_a_401_is_the_reason_unless_that_would_hide_an_unclear_attempt() {
    for endpoint in endpoints::ALL {
        let server = RawServer::always(status(401, "Unauthorized"));
        let source = Source::new([Token(ONE), Fail("run `tfy login`")]);
        let error = endpoint.call(&client(server.url(), &source)).await.unwrap_err();
        assert!(matches!(error, Error::Credentials { .. }), "{endpoint:?}: {error:?}");
        assert!(error.hint().contains("run `tfy login`"), "{}", error.hint());
        assert!(!error.may_have_been_applied(), "{endpoint:?}");
        assert_well_formed(&error);
        assert_eq!(server.count(), 1, "{endpoint:?}");
    }

    let server = RawServer::in_turn([status(503, "busy"), status(401, "Unauthorized")]);
    let source = Source::new([Token(ONE), Fail("run `tfy login`")]);
    let builder =
        builder(server.url()).retry(RetryPolicy::default().base_delay(std::time::Duration::ZERO));
    let client = builder.credentials(source).build().unwrap();
    let error = Endpoint::DeleteGroup.call(&client).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error:?}");
    assert!(error.may_have_been_applied());
}

/// The token that was refused, the one that was sent, and one that another call has obtained since.
#[tokio::test]
async fn no_text_of_a_response_shows_any_token() {
    for shown in [ONE, TWO] {
        let echo = status(400, &format!("the token {shown} is odd"));
        let server = RawServer::in_turn([status(401, "Unauthorized"), echo]);
        let source = Source::new([Token(ONE), Token(TWO)]);
        let error = Endpoint::GetGroup.call(&client(server.url(), &source)).await.unwrap_err();
        assert_eq!(
            error.context().unwrap().server_message(),
            Some("(message withheld)"),
            "{shown}"
        );
        assert_nowhere(&error, &[ONE, TWO]);
    }

    for shown in [ONE, TWO] {
        let message = format!("the token {shown} is not the newest");
        let (feed, late) = std::sync::mpsc::channel();
        let late = std::sync::Mutex::new(Some(late));
        let server = RawServer::start(move |n, _| match n {
            0 => Act::Feed(late.lock().unwrap().take().unwrap()),
            1 => Act::Send(status(401, "Unauthorized")),
            _ => Act::Send(ok(endpoints::GROUP)),
        });
        let client = client(server.url(), &Source::new([Token(ONE), Token(TWO)]));
        let slow = tokio::spawn({
            let client = client.clone();
            async move { Endpoint::GetGroup.call(&client).await.unwrap_err() }
        });
        server.wait_for(1).await;
        Endpoint::GetGroup.call(&client).await.unwrap();
        feed.send(status(400, &message)).unwrap();
        let error = slow.await.unwrap();
        assert_eq!(
            error.context().unwrap().server_message(),
            Some("(message withheld)"),
            "{shown}"
        );
        assert_nowhere(&error, &[ONE, TWO]);
    }
}
