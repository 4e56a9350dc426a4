//! What is traced: operation, attempt, status; never a value, key, body or query.
//!
//! Each test runs in its own process: whether a place in the code is traced is cached for all
//! threads, and parallel tests that trace nothing could decide it.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
use truefoundry_secrets::{KeyFile, ListSecretGroups, SecretStoreKind};

use crate::support::endpoints::{self, Endpoint, SENT};
use crate::support::process::{child, succeed};
use crate::support::raw::{RawServer, ok, response, status};
use crate::support::{KEY, client, tenant_client};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Captured {
    /// Everything that this thread traces, from any crate, until the guard is dropped.
    fn start(&self) -> impl Drop {
        let writer = self.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .set_default()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[test]
fn a_call_is_a_span_with_its_operation_and_its_attempts() {
    succeed(&child("tracing::child_a_call_is_a_span_with_its_operation_and_its_attempts", &[]));
}

#[test]
fn a_lost_response_is_traced_as_none() {
    succeed(&child("tracing::child_a_lost_response_is_traced_as_none", &[]));
}

#[test]
fn an_edit_that_waits_for_an_earlier_write_says_so() {
    succeed(&child("tracing::child_an_edit_that_waits_for_an_earlier_write_says_so", &[]));
}

#[test]
fn a_key_file_that_cannot_be_used_says_so() {
    succeed(&child("tracing::child_a_key_file_that_cannot_be_used_says_so", &[]));
}

#[test]
fn no_endpoint_traces_a_value_the_key_a_body_or_a_query() {
    succeed(&child("tracing::child_no_endpoint_traces_a_value_the_key_a_body_or_a_query", &[]));
}

#[tokio::test]
#[ignore = "run by another test in a process of its own"]
async fn child_a_call_is_a_span_with_its_operation_and_its_attempts() {
    let captured = Captured::default();
    let server = RawServer::in_turn([
        status(503, "busy"),
        response(429, "retry-after-ms: 1\r\n", ""),
        ok(r#"{"data":{"id":"s"}}"#),
    ]);
    let guard = captured.start();
    client(server.url()).secrets().get("s").await.unwrap();
    drop(guard);
    let text = captured.text();
    for part in [
        "truefoundry_secrets.call{operation=get secret}",
        "truefoundry_secrets.attempt{attempt=1}",
        "truefoundry_secrets.attempt{attempt=2}",
        "truefoundry_secrets.attempt{attempt=3}",
        "response status=503",
        "response status=429",
        "response status=200",
        "retrying wait_ms=1",
    ] {
        assert!(text.contains(part), "{part} not in:\n{text}");
    }
    assert!(!text.contains("attempt=4"), "{text}");
}

#[tokio::test]
#[ignore = "run by another test in a process of its own"]
async fn child_a_lost_response_is_traced_as_none() {
    let captured = Captured::default();
    let guard = captured.start();
    let server = RawServer::slamming();
    client(server.url()).secrets().get("s").await.unwrap_err();
    drop(guard);
    assert_eq!(captured.text().matches("no response").count(), 4, "{}", captured.text());
}

#[tokio::test(start_paused = true)]
#[ignore = "run by another test in a process of its own"]
async fn child_an_edit_that_waits_for_an_earlier_write_says_so() {
    let captured = Captured::default();
    let fake = FakeTrueFoundry::start().await.with_store(SecretStoreKind::Generic);
    let fake = fake.with_group("app", [("A", "1")]);
    let (client, id) = (fake.client(), fake.group_id("app").unwrap());
    let edit = || client.secret_groups().edit(&id).set("A", SENT).apply();
    let guard = captured.start();
    // One write that has ended, as the service says, and one that may still arrive.
    for fault in [Fault::status(503), Fault::drop_before()] {
        assert!(!captured.text().contains("waiting for an earlier write"));
        fake.inject(fault.on("secret_groups.update"));
        edit().await.unwrap_err();
    }
    let (first, second) = tokio::join!(edit(), edit());
    first.unwrap();
    second.unwrap();
    drop(guard);
    let text = captured.text();
    let lines: Vec<_> = text.lines().filter(|line| line.contains("waiting for an")).collect();
    let [line, queued] = lines[..] else { panic!("{lines:?}") };
    let event =
        format!("waiting for an earlier write of unknown outcome group={id} at_most_ms=60000");
    assert!(line.contains("WARN") && line.ends_with(&event), "{line}");
    let event = format!("waiting for an earlier edit group={id} at_most_ms=120000");
    assert!(queued.contains("DEBUG") && queued.ends_with(&event), "{queued}");
    assert!(!text.contains(SENT), "{text}");
}

#[tokio::test(start_paused = true)]
#[ignore = "run by another test in a process of its own"]
async fn child_a_key_file_that_cannot_be_used_says_so() {
    let captured = Captured::default();
    let fake = FakeTrueFoundry::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, fake.api_key()).unwrap();
    let client = fake.client_builder().credentials(KeyFile::new(&path)).build().unwrap();
    let guard = captured.start();
    client.whoami().await.unwrap();
    assert!(!captured.text().contains("the token in use is kept"));
    std::fs::write(&path, "").unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(31)).await;
    client.whoami().await.unwrap();
    drop(guard);
    let text = captured.text();
    let lines: Vec<_> =
        text.lines().filter(|line| line.contains("the token in use is kept")).collect();
    let [line] = lines[..] else { panic!("{lines:?}") };
    assert!(line.contains("WARN") && line.ends_with("/key: it is empty"), "{line}");
    assert!(!text.contains(fake.api_key()), "{text}");
}

#[tokio::test]
#[ignore = "run by another test in a process of its own"]
async fn child_no_endpoint_traces_a_value_the_key_a_body_or_a_query() {
    const RECEIVED: &str = "r3ceived-value-of-the-server";
    const SEARCHED: &str = "looked-for-text";
    let captured = Captured::default();
    let guard = captured.start();
    for endpoint in endpoints::ALL {
        let success = ok(endpoint.success().replace("\"v\"", &format!("\"{RECEIVED}\"")));
        let echo = response(400, "", format!(r#"{{"message":"{SENT} {KEY} {RECEIVED}"}}"#));
        for responses in [[success.clone(), success], [status(503, RECEIVED), echo]] {
            let server = RawServer::in_turn(responses);
            let client = tenant_client(server.url());
            let _ = endpoint.call(&client).await;
            let params = ListSecretGroups::new().search(SEARCHED);
            let _ = client.secret_groups().list(&params).await;
        }
    }
    let server = RawServer::always(ok(Endpoint::GetSecret.success().replace("\"v\"", "\"x\"")));
    tenant_client(server.url()).secrets().get("s-1").await.unwrap();
    drop(guard);
    let text = captured.text();
    assert!(text.contains("operation=create secret group"), "{text}");
    for hidden in [SENT, RECEIVED, KEY, SEARCHED, "Bearer", "limit=", "withValue", "secret-groups?"]
    {
        assert!(!text.contains(hidden), "{hidden} in:\n{text}");
    }
}
