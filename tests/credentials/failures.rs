//! No token: nothing was sent, and the error says so.

use std::error::Error as _;
use std::time::Duration;

use truefoundry_secrets::testing::FakeTrueFoundry;
use truefoundry_secrets::{Error, SecretValue, Token};

use crate::common::Step::{self, Expiring, Fail, Hang, Panic};
use crate::common::{Source, client, token};
use crate::support::endpoints::{self, Endpoint};
use crate::support::raw::{RawServer, ok};
use crate::support::{assert_nowhere, assert_well_formed, builder};

#[tokio::test(start_paused = true)]
async fn a_slow_or_failing_source_sends_nothing_on_every_operation() {
    let cases = [
        (Fail("the vault is sealed"), "the vault is sealed", false),
        (Hang, "no token received within 20 s", true),
        (Panic, "the source of credentials panicked", false),
        (Step::Token(""), "the token is empty", false),
        (Step::Token("two words"), "the token contains whitespace", false),
        (Step::Token("line\n"), "the token contains a control character", false),
    ];
    for endpoint in endpoints::ALL {
        for (step, reason, may_pass) in cases.clone() {
            let server = RawServer::always(ok(endpoint.success()));
            let source = Source::new([step]);
            let error = endpoint.call(&client(server.url(), &source)).await.unwrap_err();
            let Error::Credentials { source, .. } = &error else {
                panic!("{endpoint:?}: {error:?}")
            };
            assert!(source.to_string().starts_with(reason), "{source}");
            assert!(error.hint().contains(reason), "{}", error.hint());
            assert!(!error.may_have_been_applied(), "{endpoint:?}");
            assert_eq!(error.is_retryable(), may_pass, "{error:?}");
            assert!(error.context().is_none());
            assert_well_formed(&error);
            assert_eq!(server.count(), 0, "{endpoint:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_of_the_call_counts_too() {
    for endpoint in endpoints::ALL {
        let server = RawServer::always(ok(endpoint.success()));
        let client =
            client(server.url(), &Source::new([Hang])).with_timeout(Duration::from_secs(3));
        let begun = tokio::time::Instant::now();
        let error = endpoint.call(&client).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(4), "{endpoint:?}");
        assert!(matches!(error, Error::Credentials { .. }), "{endpoint:?}: {error:?}");
        assert_eq!(error.source().unwrap().to_string(), "no token received within 3 s");
        assert!(error.is_retryable() && !error.may_have_been_applied());
        assert_eq!(server.count(), 0);
    }
}

/// The sources' own errors are the reason, with their own hint.
#[tokio::test]
async fn an_error_of_this_crate_keeps_its_hint() {
    let inner = || SecretValue::from_env("NO_SUCH_VARIABLE").unwrap_err();
    let source = move || async move { Err::<Token, _>(inner().into()) };
    let server = RawServer::always(ok("{}"));
    let client = builder(server.url()).credentials(source).build().unwrap();
    let error = client.check().await.unwrap_err();
    let Error::Credentials { source, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(source.downcast_ref(), Some(Error::InvalidInput { .. })));
    assert_eq!(error.hint(), inner().hint());
}

/// A source must not put a token into its error. If it does, that is withheld.
#[tokio::test(start_paused = true)]
async fn an_error_that_shows_the_token_is_withheld() {
    let fake = FakeTrueFoundry::start().await;
    let token = token(&fake);
    let failure = format!("cannot refresh {token}").leak();
    let source = Source::new([Expiring(token, Duration::from_secs(121)), Fail(failure)]);
    let client = client(fake.base_url(), &source);
    client.whoami().await.unwrap();
    tokio::time::advance(Duration::from_secs(122)).await;
    let error = client.whoami().await.unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "(message withheld)");
    assert_nowhere(&error, &[token]);
}

#[tokio::test]
async fn a_closure_is_a_source() {
    let server = RawServer::always(ok(endpoints::GROUP));
    let token = SecretValue::from("from-a-closure");
    let client = builder(server.url())
        .credentials(move || {
            let token = token.clone();
            async move { Ok(Token::new(token)) }
        })
        .build()
        .unwrap();
    Endpoint::GetGroup.call(&client).await.unwrap();
    assert_eq!(server.only().header("authorization"), Some("Bearer from-a-closure"));
}

/// The last setting counts.
#[tokio::test]
async fn the_last_of_key_and_source_counts() {
    let server = RawServer::always(ok(endpoints::GROUP));
    let source = || Source::new([Step::Token("of-the-source")]);
    let first = builder(server.url()).credentials(source()).build().unwrap();
    Endpoint::GetGroup.call(&first).await.unwrap();
    let second = builder(server.url()).credentials(source()).api_key("fixed").build().unwrap();
    Endpoint::GetGroup.call(&second).await.unwrap();
    let sent = server.requests();
    assert_eq!(sent[0].header("authorization"), Some("Bearer of-the-source"));
    assert_eq!(sent[1].header("authorization"), Some("Bearer fixed"));
}
