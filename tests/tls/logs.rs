//! What the TLS library and the HTTP library log of a call.

use std::sync::Mutex;

use crate::authority::{Authority, VALID};
use crate::server::{SECRET, Server, client, ok};

static LOGGED: Mutex<String> = Mutex::new(String::new());

struct Everything;

impl log::Log for Everything {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{}: {}\n", record.target(), record.args());
        LOGGED.lock().unwrap().push_str(&line);
    }

    fn flush(&self) {}
}

/// The logger belongs to the process, so the logs of parallel tests are searched, too.
#[tokio::test]
async fn a_call_over_tls_logs_neither_the_key_nor_the_value() {
    log::set_logger(&Everything).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let authority = Authority::new("ours");
    let server = Server::tls(authority.server("localhost", VALID), ok(SECRET)).await;
    let client = client(&server.https()).tls_certs_only([authority.root()]).build().unwrap();
    let secret = client.secrets().get("s-1").await.unwrap();
    let logged = LOGGED.lock().unwrap().clone();
    assert!(logged.contains("reqwest"), "{logged}");
    if cfg!(feature = "rustls") {
        assert!(logged.contains("rustls::"), "{logged}");
    }
    for hidden in ["the-key", secret.value().unwrap().expose_secret()] {
        assert!(!logged.contains(hidden), "{logged}");
    }
}
