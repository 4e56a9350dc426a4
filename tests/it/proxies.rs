//! Proxies that refuse, and servers that speak another protocol than the base URL says.

use truefoundry_secrets::{Client, NewSecretGroup, reqwest};

use crate::support::endpoints::GROUPS;
use crate::support::raw::{Act, RawServer, ok, response, status};
use crate::support::{assert_well_formed, builder, variant};

/// Loopback hosts bypass proxies, so the control plane has a made-up name, which only the proxy would look up.
fn through(proxy: &RawServer, scheme: &str) -> Client {
    let http = reqwest::ClientBuilder::new().proxy(reqwest::Proxy::all(proxy.url()).unwrap());
    // The name has the words of other reasons in it.
    let builder = builder(format!("{scheme}://expired-certificate.dns.example")).http(http);
    builder.allow_insecure_http().tenant("tunnel").build().unwrap()
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod tunnels {
    use truefoundry_secrets::{ConnectReason, Error};

    use super::*;

    const LOGIN: &str = "cannot connect: the proxy requires authentication";
    const REFUSED: &str = "cannot connect: the proxy refused the connection to the control plane";

    async fn refused(head: &str) -> (Error, RawServer) {
        let proxy = RawServer::always(head);
        let client = through(&proxy, "https");
        let error = client.secret_groups().get_by_name("certificate").await.unwrap_err();
        assert_well_formed(&error);
        (error, proxy)
    }

    /// Pins the text by which a refused CONNECT is known in the HTTP library's errors.
    #[tokio::test]
    async fn a_proxy_that_refuses_is_named_and_asked_once() {
        for (head, reason, told, retryable) in [
            ("407 Proxy Authentication Required", ConnectReason::ProxyAuthRequired, LOGIN, false),
            ("403 Forbidden", ConnectReason::ProxyRefused, REFUSED, true),
            ("503 Service Unavailable", ConnectReason::ProxyRefused, REFUSED, true),
        ] {
            let (error, proxy) =
                refused(&format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n")).await;
            let Error::Connect { reason: seen, context, .. } = &error else { panic!("{error:?}") };
            assert_eq!((*seen, context.attempts()), (reason, 1), "{head}");
            assert_eq!(proxy.only().method(), "CONNECT");
            assert!(error.to_string().contains(told), "{error}");
            for name in ["HTTPS_PROXY", "NO_PROXY"] {
                assert!(error.hint().contains(name), "{}", error.hint());
            }
            assert!(!error.hint().contains("base URL"), "{}", error.hint());
            assert_eq!(error.is_retryable(), retryable, "{head}");
        }
    }

    #[tokio::test]
    async fn a_proxy_that_refuses_a_write_was_sent_none_of_it() {
        let proxy = RawServer::always("HTTP/1.1 407 X\r\ncontent-length: 0\r\n\r\n");
        let new = NewSecretGroup::in_integration("g", "i-1").secret("K", "value-of-k");
        let error = through(&proxy, "https").secret_groups().create(new).await.unwrap_err();
        assert!(!error.may_have_been_applied(), "{error:?}");
        let seen = proxy.only();
        assert!(seen.body.is_empty() && seen.header("authorization").is_none(), "{seen:?}");
    }

    #[tokio::test]
    async fn a_proxy_that_hangs_up_is_a_connection_that_failed() {
        let proxy = RawServer::start(|_, _| Act::SendThenClose(Vec::new()));
        let client = through(&proxy, "https");
        let error = client.check().await.unwrap_err();
        let Error::Connect { reason, context, .. } = &error else { panic!("{error:?}") };
        assert_eq!((*reason, context.attempts()), (ConnectReason::Other, 4));
    }
}

#[tokio::test]
async fn a_login_that_a_proxy_requires_over_plain_http_is_not_the_control_plane_s() {
    for body in [
        status(407, "login, please"),
        response(407, "proxy-authenticate: Basic\r\n", "<html><title>Log in</title></html>"),
        response(407, "", ""),
    ] {
        let proxy = RawServer::always(body);
        let error = through(&proxy, "http").check().await.unwrap_err();
        assert_well_formed(&error);
        assert_eq!(variant(&error), "UnexpectedStatus");
        assert!(error.to_string().contains("the proxy requires authentication"), "{error}");
        for name in ["HTTP_PROXY", "NO_PROXY"] {
            assert!(error.hint().contains(name), "{}", error.hint());
        }
        assert!(!error.hint().contains("base URL"), "{}", error.hint());
        assert_eq!(proxy.count(), 1);
    }
}

const HTTPS: &str = "Check whether the base URL must begin with https://";
/// A fatal alert, unexpected message: the response of a TLS server to bytes that are not TLS.
const ALERT: &[u8] = &[0x15, 3, 3, 0, 2, 2, 10];

#[tokio::test]
async fn what_is_not_http_is_known_at_once() {
    for bytes in [ALERT, b"SSH-2.0-OpenSSH_9.9\r\n"] {
        let server = RawServer::start(|_, _| Act::SendThenClose(bytes.into()));
        let client = builder(server.url()).build().unwrap();
        let error = client.check().await.unwrap_err();
        assert_well_formed(&error);
        assert_eq!(variant(&error), "Transport");
        assert!(error.hint().starts_with(HTTPS), "{}", error.hint());
        assert_eq!(server.count(), 1);

        // A write was sent, and its outcome is not known.
        let new = NewSecretGroup::in_integration("g", "i-1").secret("K", "value-of-k");
        let error = client.secret_groups().create(new).await.unwrap_err();
        assert!(error.may_have_been_applied());
        assert!(error.hint().starts_with(HTTPS), "{}", error.hint());
        assert!(error.hint().contains("look it up by name"), "{}", error.hint());
    }
}

#[tokio::test]
async fn a_server_that_never_sent_a_response_to_plain_http_may_expect_tls() {
    for server in [
        RawServer::start(|_, _| Act::SendThenClose(Vec::new())),
        RawServer::start(|_, _| Act::SendThenReset(Vec::new())),
    ] {
        let error = builder(server.url()).build().unwrap().check().await.unwrap_err();
        assert_well_formed(&error);
        assert_eq!(variant(&error), "Transport");
        assert!(error.hint().starts_with(HTTPS), "{}", error.hint());
        // It may also be a server that restarts.
        assert_eq!(server.count(), 4);
    }
}

/// In the words of nginx and Go.
#[tokio::test]
async fn a_400_that_is_the_first_response_to_plain_http_may_come_from_a_tls_port() {
    for body in [
        "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
        "Client sent an HTTP request to an HTTPS server.\n",
    ] {
        let server = RawServer::always(response(400, "", body));
        let error = builder(server.url()).build().unwrap().check().await.unwrap_err();
        assert_well_formed(&error);
        assert!(error.hint().starts_with(HTTPS), "{}", error.hint());
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn a_server_that_speaks_http_is_not_asked_for_https() {
    // The control plane's own 400.
    let server = RawServer::always(status(400, "limit must be a number"));
    let error = builder(server.url()).build().unwrap().check().await.unwrap_err();
    assert!(!error.hint().contains("https"), "{}", error.hint());

    // Broken off after a response of any kind has been read, on this connection or on another.
    for first in [ok(GROUPS), status(403, "no")] {
        let server = RawServer::start(move |n, _| match n {
            0 => Act::Send(first.clone()),
            _ => Act::SendThenClose(ALERT.into()),
        });
        let client = builder(server.url()).build().unwrap();
        let _ = client.check().await;
        let error = client.check().await.unwrap_err();
        assert_eq!(variant(&error), "Transport");
        assert!(!error.hint().contains("https"), "{}", error.hint());
        assert_eq!(server.count(), 5, "a read is retried");
    }
}
