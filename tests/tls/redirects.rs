//! Redirects are never followed: the key and the values would go to where they point.

use truefoundry_secrets::{Error, NewSecretGroup};

use crate::authority::{Authority, VALID};
use crate::server::{SECRET, Server, client, ok};

fn redirect(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
}

fn where_to(error: &Error) -> Option<&str> {
    match error {
        Error::UnexpectedRedirect { location, context, .. } => {
            assert_eq!(context.attempts(), 1);
            location.as_deref()
        }
        other => panic!("expected a redirect, got {other:?}"),
    }
}

#[tokio::test]
async fn none_is_followed_and_the_error_says_where_it_pointed_without_the_query() {
    let authority = Authority::new("ours");
    let other = Server::tls(authority.server("localhost", VALID), ok(SECRET)).await;
    let plain = Server::plain(ok(SECRET)).await;
    for status in [301, 302, 303, 307, 308] {
        for (location, expected) in [
            // Another host, with a query and a fragment that must not be shown.
            (
                format!("{}/login?token=hidden#there", other.https()),
                format!("{}/login", other.https()),
            ),
            (format!("{}/plain?token=hidden", plain.http()), format!("{}/plain", plain.http())),
            (
                "https://user:hidden@elsewhere.example/a?token=hidden".to_owned(),
                "https://elsewhere.example/a".to_owned(),
            ),
        ] {
            let server =
                Server::tls(authority.server("localhost", VALID), redirect(status, &location))
                    .await;
            let client =
                client(&server.https()).tls_certs_only([authority.root()]).build().unwrap();
            let error = client.secrets().get("s-1").await.unwrap_err();
            assert_eq!(where_to(&error), Some(expected.as_str()), "{status}");
            let told = format!("{error} {error:?}");
            assert!(told.contains(&expected), "{told}");
            assert!(!told.contains("hidden"), "{told}");
            assert!(!told.contains("the-key"), "{told}");

            // Nor for writes, whatever method the redirect would use.
            let new = NewSecretGroup::in_integration("g", "i-1").secret("K", "value");
            let error = client.secret_groups().create(new).await.unwrap_err();
            assert_eq!(where_to(&error), Some(expected.as_str()), "{status}");
            assert!(!error.may_have_been_applied());
            assert!(server.requests() <= 3, "a create is sent once, in one piece or two");
        }
    }
    assert_eq!(other.connections(), 0);
    assert_eq!(plain.connections(), 0);
}

#[tokio::test]
async fn one_on_the_same_host_is_not_followed_either() {
    let authority = Authority::new("ours");
    for (location, path) in [
        ("/api/svc/v1/elsewhere?x=hidden", "/api/svc/v1/elsewhere"),
        ("elsewhere", "/api/svc/v1/secrets/elsewhere"),
        ("?x=hidden", "/api/svc/v1/secrets/s-1"),
    ] {
        for status in [301, 302, 303, 307, 308] {
            let response = redirect(status, location);
            let server = Server::tls(authority.server("localhost", VALID), response).await;
            let client =
                client(&server.https()).tls_certs_only([authority.root()]).build().unwrap();
            let error = client.secrets().get("s-1").await.unwrap_err();
            assert_eq!(where_to(&error), Some(format!("{}{path}", server.https()).as_str()));
            assert_eq!(server.requests(), 1);
            assert!(!error.to_string().contains("hidden"));
        }
    }
}

/// Not even if the caller's own builder would follow them.
#[tokio::test]
async fn no_builder_switches_them_on() {
    let target = Server::plain(ok(SECRET)).await;
    let location = format!("{}/there", target.http());
    let server = Server::plain(redirect(307, &location)).await;
    let own = truefoundry_secrets::reqwest::Client::builder()
        .redirect(truefoundry_secrets::reqwest::redirect::Policy::limited(10));
    let client = client(&server.http()).http(own).build().unwrap();
    let error = client.secrets().get("s-1").await.unwrap_err();
    assert_eq!(where_to(&error), Some(location.as_str()));
    assert_eq!(target.connections(), 0);
}

/// A place that is not a URL, or none at all.
#[tokio::test]
async fn one_that_points_nowhere_is_told_as_such() {
    for location in ["http://[", "\u{1}"] {
        let server = Server::plain(redirect(302, location)).await;
        let client = client(&server.http()).build().unwrap();
        let error = client.secrets().get("s-1").await.unwrap_err();
        // Some of these are not valid headers.
        assert!(
            matches!(
                error,
                Error::UnexpectedRedirect { location: None, .. } | Error::Transport { .. }
            ),
            "{error:?}"
        );
    }
    let server = Server::plain("HTTP/1.1 304 Not Modified\r\n\r\n").await;
    let error = client(&server.http()).build().unwrap().secrets().get("s-1").await.unwrap_err();
    assert!(matches!(error, Error::UnexpectedStatus { .. }), "{error:?}");
}
