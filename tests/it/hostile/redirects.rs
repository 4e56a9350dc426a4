use truefoundry_secrets::{Client, Error, reqwest};

use crate::support::endpoints::{self, SENT};
use crate::support::raw::{RawServer, ok, response};
use crate::support::{
    KEY, assert_nowhere, assert_well_formed, builder, client, tenant_client, variant,
};

const CODES: [u16; 5] = [301, 302, 303, 307, 308];

async fn redirected(client: &Client) -> (Option<String>, Error) {
    let error = client.secrets().get("s-1").await.unwrap_err();
    let Error::UnexpectedRedirect { location, .. } = &error else { panic!("{error:?}") };
    (location.as_deref().map(str::to_owned), error)
}

#[tokio::test]
async fn no_endpoint_follows_a_redirect() {
    for code in CODES {
        for endpoint in endpoints::ALL {
            let target = RawServer::always(ok(endpoint.success()));
            let place = format!("location: {}/elsewhere?next={KEY}\r\n", target.url());
            let server = RawServer::always(response(code, &place, ""));
            let error = endpoint.call(&tenant_client(server.url())).await.unwrap_err();
            assert_eq!(variant(&error), "UnexpectedRedirect", "{code} {endpoint:?}");
            assert_eq!((error.status(), server.count()), (Some(code), 1), "{endpoint:?}");
            assert_eq!((target.connections(), target.count()), (0, 0), "{endpoint:?}");
            assert!(!error.may_have_been_applied() && !error.is_retryable(), "{endpoint:?}");
            assert!(error.to_string().contains(&format!("{}/elsewhere;", target.url())), "{error}");
            assert_nowhere(&error, &["next", SENT]);
            assert_well_formed(&error);
        }
    }
}

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method by itself is not general enough over the lifetime"
)]
#[tokio::test]
async fn a_builder_that_follows_redirects_is_overruled() {
    let policies: [fn() -> reqwest::redirect::Policy; 2] = [
        || reqwest::redirect::Policy::limited(10),
        || reqwest::redirect::Policy::custom(|attempt| attempt.follow()),
    ];
    for policy in policies {
        let target = RawServer::always(ok(r#"{"data":{"id":"s"}}"#));
        let place = format!("location: {}\r\n", target.url());
        let server = RawServer::always(response(307, &place, ""));
        let http = reqwest::ClientBuilder::new().redirect(policy()).referer(true);
        let client = builder(server.url()).http(http).build().unwrap();
        redirected(&client).await;
        assert_eq!((server.count(), target.connections()), (1, 0));
    }
}

#[tokio::test]
async fn the_target_is_shown_without_query_user_and_control_characters() {
    for (location, shown) in [
        ("https://evil.example/x?token=1#f", Some("https://evil.example/x")),
        ("https://user:pass@evil.example:444/", Some("https://evil.example:444/")),
        ("//evil.example/y", Some("http://evil.example/y")),
        ("ftp://evil.example/z", Some("ftp://evil.example/z")),
        ("javascript:alert(1)", Some("javascript://alert(1)")),
        ("https://evil.example/a\tb%0ac", Some("https://evil.example/ab%0ac")),
        ("http://[", None),
        ("\u{e9}", None),
    ] {
        let server = RawServer::always(response(302, &format!("location: {location}\r\n"), ""));
        let (place, error) = redirected(&client(server.url())).await;
        assert_eq!(place.as_deref(), shown, "{location}");
        assert_nowhere(&error, &["token", "user:", "pass"]);
        assert_well_formed(&error);
    }
    let server = RawServer::always(response(302, "location: ?q=1\r\n", ""));
    let (place, _) = redirected(&client(server.url())).await;
    assert_eq!(place.unwrap(), format!("{}/api/svc/v1/secrets/s-1", server.url()));
}

#[tokio::test]
async fn a_target_with_the_key_is_left_out() {
    for location in [
        format!("https://evil.example/{KEY}/x"),
        format!("https://{KEY}.evil.example/"),
        format!("https://evil.example/a/{}", &KEY[4..21]),
    ] {
        let server = RawServer::always(response(302, &format!("location: {location}\r\n"), ""));
        let (place, error) = redirected(&client(server.url())).await;
        assert_eq!(place, None);
        assert_nowhere(&error, &[&KEY[4..12]]);
    }
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_an_unexpected_status() {
    for code in [300, 301, 302, 303, 304, 305, 307, 308, 399] {
        let server = RawServer::always(response(code, "", ""));
        let error = client(server.url()).secrets().get("s").await.unwrap_err();
        assert_eq!((variant(&error), error.status()), ("UnexpectedStatus".into(), Some(code)));
        assert_eq!(server.count(), 1);
    }
}
