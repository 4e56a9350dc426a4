//! Which certificates are accepted, and what the refusals say.

use truefoundry_secrets::{Client, ConnectReason, Error, reqwest};

use crate::authority::{Authority, EXPIRED, NOT_YET, VALID};
use crate::server::{SECRET, Server, client, ok};

/// The variable that the hint names, on Linux.
const ROOTS_VARIABLE: &str = "SSL_CERT_FILE";

/// Refused once, with this reason, and without a byte of the request.
async fn is_refused(client: Client, server: &Server, expected: ConnectReason) {
    let error = client.secrets().get("s-1").await.unwrap_err();
    let Error::Connect { reason, context, source, .. } = &error else {
        panic!("expected a refusal, got {error:?}");
    };
    assert_eq!(*reason, expected, "{source:?}");
    assert!(reason.is_certificate());
    assert_eq!(context.attempts(), 1, "a certificate does not get better");
    assert_eq!(server.connections(), 1);
    assert_eq!(server.requests(), 0);
    assert!(!error.may_have_been_applied());
    assert!(!error.is_retryable());
    let told = error.to_string();
    assert!(told.contains("certificate"), "{told}");
    if *reason == ConnectReason::CertificateUntrusted {
        assert!(error.hint().contains("ClientBuilder::tls_certs_merge"), "{}", error.hint());
        let named = error.hint().contains(ROOTS_VARIABLE);
        assert_eq!(named, cfg!(target_os = "linux"), "{}", error.hint());
    }
    assert!(!format!("{told} {error:?}").contains("the-key"));
}

#[tokio::test]
async fn a_root_of_ones_own_is_trusted_alone_or_in_addition_to_the_system_s() {
    let authority = Authority::new("ours");
    let server = Server::tls(authority.server("localhost", VALID), ok(SECRET)).await;
    let other = Authority::new("another");
    for builder in [
        client(&server.https()).tls_certs_only([authority.root()]),
        client(&server.https()).tls_certs_merge([authority.root()]),
        client(&server.https()).tls_certs_only([other.root(), authority.root()]),
    ] {
        let secret = builder.build().unwrap().secrets().get("s-1").await.unwrap();
        assert!(secret.value().unwrap().ct_eq(&"correct horse battery".into()));
    }
}

#[tokio::test]
async fn http_2_is_not_spoken_where_it_is_offered() {
    let authority = Authority::new("ours");
    let mut config = (*authority.server("localhost", VALID)).clone();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // It responds in HTTP/1.1, whatever protocol was negotiated.
    let server = Server::tls(config.into(), ok(SECRET)).await;
    let client = client(&server.https()).tls_certs_only([authority.root()]).build().unwrap();
    assert!(client.secrets().get("s-1").await.unwrap().value().is_some());
    // Without our settings it is negotiated, so the assertion above can fail.
    let bare = reqwest::Client::builder().tls_certs_only([authority.root()]).no_proxy();
    let agreed = bare.build().unwrap().get(server.https()).send().await;
    assert!(agreed.is_err() || cfg!(not(feature = "rustls")), "{agreed:?}");
}

#[tokio::test]
async fn an_unknown_authority_is_refused() {
    let authority = Authority::new("ours");
    let config = authority.server("localhost", VALID);
    let other = Authority::new("another");
    for roots in [Some(vec![other.root()]), Some(Vec::new()), None] {
        let server = Server::tls(config.clone(), ok(SECRET)).await;
        let builder = client(&server.https());
        let client = match roots {
            Some(roots) => builder.tls_certs_only(roots),
            // The system's.
            None => builder,
        };
        // Without any roots, some TLS libraries fail during setup already.
        if let Ok(client) = client.build() {
            is_refused(client, &server, ConnectReason::CertificateUntrusted).await;
        }
    }
}

/// The variable that the hint names does what it says, with each TLS library.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_root_that_the_environment_names_is_trusted() {
    let authority = Authority::new("ours");
    let server = Server::tls(authority.server("localhost", VALID), ok(SECRET)).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    for (root, trusted) in [(authority.pem(), true), (Authority::new("another").pem(), false)] {
        std::fs::write(file.path(), root).unwrap();
        let url = server.https();
        let path = file.path().to_owned();
        let child = tokio::task::spawn_blocking(move || {
            std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--ignored", "--exact", "certificates::child_trusts_the_system_s_roots"])
                .env(ROOTS_VARIABLE, path)
                .env("TEST_BASE", url)
                .output()
                .unwrap()
        });
        let output = child.await.unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(told.contains("running 1 test"), "{told}");
        assert_eq!(output.status.success(), trusted, "{told}");
        assert!(trusted || told.contains("CertificateUntrusted"), "{told}");
    }
}

#[tokio::test]
#[ignore = "run by another test in a process with an environment of its own"]
async fn child_trusts_the_system_s_roots() {
    let client = client(&std::env::var("TEST_BASE").unwrap()).build().unwrap();
    if let Err(error) = client.secrets().get("s-1").await {
        panic!("{error:#?}");
    }
}

#[tokio::test]
async fn an_authority_of_the_same_name_is_not_the_same() {
    let server = Server::tls(Authority::new("ours").server("localhost", VALID), ok(SECRET)).await;
    let client = client(&server.https()).tls_certs_only([Authority::new("ours").root()]);
    is_refused(client.build().unwrap(), &server, ConnectReason::CertificateUntrusted).await;
}

#[tokio::test]
async fn an_expired_certificate_and_one_of_the_future_are_refused() {
    let authority = Authority::new("ours");
    for years in [EXPIRED, NOT_YET] {
        let server = Server::tls(authority.server("localhost", years), ok(SECRET)).await;
        let client = client(&server.https()).tls_certs_only([authority.root()]);
        is_refused(client.build().unwrap(), &server, ConnectReason::CertificateExpired).await;
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::new("ours");
    for host in ["elsewhere.example", "*.localhost", "10.1.2.3"] {
        let server = Server::tls(authority.server(host, VALID), ok(SECRET)).await;
        let client = client(&server.https()).tls_certs_merge([authority.root()]);
        is_refused(client.build().unwrap(), &server, ConnectReason::CertificateWrongHost).await;
    }
    let server = Server::tls(authority.server("localhost", VALID), ok(SECRET)).await;
    let address = server.https().replace("localhost", "127.0.0.1");
    let client = client(&address).tls_certs_only([authority.root()]);
    is_refused(client.build().unwrap(), &server, ConnectReason::CertificateWrongHost).await;
}

#[tokio::test]
async fn a_create_is_refused_as_well_and_its_value_is_not_sent() {
    let authority = Authority::new("ours");
    let server = Server::tls(authority.server("localhost", EXPIRED), ok(SECRET)).await;
    let client = client(&server.https()).tls_certs_only([authority.root()]).build().unwrap();
    let new = truefoundry_secrets::NewSecretGroup::in_integration("g", "i-1").secret("K", "value");
    let error = client.secret_groups().create(new).await.unwrap_err();
    let expected = ConnectReason::CertificateExpired;
    assert!(matches!(error, Error::Connect { reason, .. } if reason == expected), "{error:?}");
    assert!(!error.may_have_been_applied());
    assert_eq!(server.requests(), 0);
}

/// The HTTP library says so, or panics, before anything is sent: here both are an error of the
/// setup.
#[test]
fn a_tls_library_that_cannot_be_used_is_an_error_of_the_configuration() {
    for url in ["https://localhost:1", "http://127.0.0.1:1"] {
        let own = reqwest::Client::builder().tls_backend_preconfigured("no TLS library");
        let refused = client(url).http(own).build();
        assert!(matches!(refused, Err(Error::Config { .. })), "{refused:?}");
    }
}
