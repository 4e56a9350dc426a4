use truefoundry_secrets::{ConnectReason, Error, RetryPolicy};

use crate::support::endpoints::{self, Endpoint, SENT};
use crate::support::raw::{Act, RawServer, chunked, ok, response, status};
use crate::support::{assert_nowhere, assert_well_formed, builder, tenant_client, variant};

/// A way to lose a response.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The whole request arrived; then the connection is reset.
    Reset,
    /// The whole request arrived; then the connection is closed.
    Closed,
    /// The head of a response begins.
    CutHead,
    /// The head is whole, the body is shorter than announced.
    CutBody,
    /// The head is whole, the body ends within a chunk.
    CutChunk,
    /// The body begins, then the connection is reset.
    ResetBody,
    /// The response only begins like HTTP.
    Garbage,
}

const FAULTS: [Fault; 7] = [
    Fault::Reset,
    Fault::Closed,
    Fault::CutHead,
    Fault::CutBody,
    Fault::CutChunk,
    Fault::ResetBody,
    Fault::Garbage,
];

fn fail(fault: Fault, success: &str) -> Act {
    let whole = ok(success);
    let cut = |from_end: usize| whole[..whole.len() - from_end].to_vec();
    match fault {
        Fault::Reset => Act::SendThenReset(Vec::new()),
        Fault::Closed => Act::SendThenClose(Vec::new()),
        Fault::CutHead => Act::SendThenClose(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()),
        Fault::CutBody => Act::SendThenClose(cut(1)),
        Fault::ResetBody => Act::SendThenReset(cut(1)),
        Fault::CutChunk => {
            let chunks = chunked(200, "", &[success.as_bytes()]);
            Act::SendThenClose(chunks[..chunks.len() - 7].to_vec())
        }
        Fault::Garbage => Act::SendThenClose(b"HTTP/1.1 two hundred\r\n\r\n".to_vec()),
    }
}

#[tokio::test]
async fn a_lost_response_is_asked_for_again_by_reads_and_deletes_only() {
    for fault in FAULTS {
        for endpoint in endpoints::ALL {
            let case = format!("{fault:?} {endpoint:?}");
            let server = RawServer::start(move |n, _| match n {
                0 => fail(fault, endpoint.success()),
                _ => Act::Send(ok(endpoint.success())),
            });
            let result = endpoint.call(&tenant_client(server.url())).await;
            if endpoint.is_write() {
                let error = result.expect_err(&case);
                assert_eq!((variant(&error), server.count()), ("Transport".into(), 1), "{case}");
                assert!(error.may_have_been_applied() && error.is_retryable(), "{case}");
                assert!(error.hint().contains("may "), "{case}");
                assert_eq!(error.context().unwrap().attempts(), 1, "{case}");
                match fault {
                    Fault::CutBody | Fault::CutChunk => assert_eq!(error.status(), Some(200)),
                    // The kernel may drop data that arrived before a reset.
                    Fault::ResetBody => {}
                    _ => assert_eq!(error.status(), None, "{case}"),
                }
                assert_well_formed(&error);
                assert_nowhere(&error, &[SENT, "127.0.0.1"]);
            } else {
                assert!(result.is_ok(), "{case}: {result:?}");
                assert_eq!(server.count(), 2, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn responses_that_are_always_lost_are_asked_for_four_times() {
    for fault in FAULTS {
        for endpoint in endpoints::ALL.into_iter().filter(|endpoint| !endpoint.is_write()) {
            let case = format!("{fault:?} {endpoint:?}");
            let server = RawServer::start(move |_, _| fail(fault, endpoint.success()));
            let error = endpoint.call(&tenant_client(server.url())).await.expect_err(&case);
            assert_eq!((variant(&error), server.count()), ("Transport".into(), 4), "{case}");
            assert_eq!(error.may_have_been_applied(), endpoint.is_delete(), "{case}");
            assert!(error.to_string().contains("4 attempts in "), "{error}");
            assert_well_formed(&error);
        }
    }
}

#[tokio::test]
async fn a_connection_closed_before_the_request_is_lost_too() {
    for endpoint in endpoints::ALL {
        let server = RawServer::slamming();
        let error = endpoint.call(&tenant_client(server.url())).await.unwrap_err();
        let attempts = if endpoint.is_write() { 1 } else { 4 };
        assert_eq!(variant(&error), "Transport", "{endpoint:?}");
        assert_eq!(server.connections(), attempts, "{endpoint:?}");
        let changes = endpoint.is_write() || endpoint.is_delete();
        assert_eq!(error.may_have_been_applied(), changes, "{endpoint:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_by_everything() {
    for endpoint in endpoints::ALL {
        // No other test's server can get this port.
        let client = tenant_client("http://127.0.0.1:1");
        let error = endpoint.call(&client).await.unwrap_err();
        let Error::Connect { reason, context, .. } = &error else { panic!("{error:?}") };
        assert_eq!((*reason, context.attempts()), (ConnectReason::ConnectionRefused, 4));
        assert!(!error.may_have_been_applied() && error.is_retryable(), "{endpoint:?}");
        assert_eq!((error.status(), error.request_id()), (None, None));
        assert_well_formed(&error);
    }
}

#[tokio::test]
async fn retries_can_be_switched_off_and_set() {
    for (policy, count) in [
        (RetryPolicy::none(), 1),
        (RetryPolicy::default().max_retries(0), 1),
        (crate::support::at_once().max_retries(1), 2),
        (crate::support::at_once().max_retries(7), 8),
    ] {
        let server = RawServer::always(status(503, "busy"));
        let client = builder(server.url()).retry(policy).build().unwrap();
        let error = client.secrets().get("s").await.unwrap_err();
        assert_eq!((variant(&error), server.count()), ("Service".into(), count));
        assert_eq!(error.context().unwrap().attempts() as usize, count);
    }
}

#[tokio::test]
async fn a_failure_that_passes_is_not_seen() {
    for code in [408, 429, 500, 502, 503, 504] {
        for endpoint in endpoints::ALL {
            let success = ok(endpoint.success());
            let server = RawServer::in_turn([status(code, "x"), status(code, "x"), success]);
            let result = endpoint.call(&tenant_client(server.url())).await;
            let (fine, count) = if endpoint.is_write() { (false, 1) } else { (true, 3) };
            assert_eq!((result.is_ok(), server.count()), (fine, count), "{code} {endpoint:?}");
        }
    }
}

#[tokio::test]
async fn other_failures_are_final() {
    for code in [400, 401, 403, 404, 405, 409, 410, 413, 422, 424, 451, 501, 505, 507] {
        let server = RawServer::always(status(code, "x"));
        Endpoint::GetSecret.call(&tenant_client(server.url())).await.unwrap_err();
        assert_eq!(server.count(), 1, "{code}");
    }
}

#[tokio::test]
async fn the_body_of_a_retried_request_is_whole_again() {
    let server = RawServer::in_turn([status(503, "x"), ok(r#"{"data":[]}"#)]);
    Endpoint::ListSecrets.call(&tenant_client(server.url())).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].text(), requests[1].text());
    assert_eq!(requests[0].headers(), requests[1].headers());
    assert!(!requests[0].body.is_empty());
}

#[tokio::test]
async fn a_delete_that_may_have_been_done_and_finds_nothing_is_done() {
    for endpoint in [Endpoint::DeleteGroup, Endpoint::DeleteSecret] {
        for fault in FAULTS {
            let server = RawServer::start(move |n, _| match n {
                0 => fail(fault, endpoint.success()),
                _ => Act::Send(status(404, "not found")),
            });
            endpoint.call(&tenant_client(server.url())).await.unwrap();
            assert_eq!(server.count(), 2, "{fault:?}");
        }
        for (codes, done) in [
            (&[503, 404][..], true),
            (&[500, 429, 404], true),
            (&[404], false),
            // Refused temporarily: nothing was done, so another client's delete was first.
            (&[429, 404], false),
            (&[429, 429, 404], false),
        ] {
            let server = RawServer::in_turn(codes.iter().map(|code| status(*code, "x")));
            let result = endpoint.call(&tenant_client(server.url())).await;
            assert_eq!(server.count(), codes.len(), "{codes:?}");
            match result {
                Ok(()) => assert!(done, "{codes:?}"),
                Err(error) => {
                    assert!(!done && error.is_not_found(), "{codes:?}: {error}");
                    assert!(!error.may_have_been_applied());
                }
            }
        }
    }
}

#[tokio::test]
async fn an_unclear_first_attempt_is_remembered_whatever_the_last_one_says() {
    let server = RawServer::start(|n, _| match n {
        0 => Act::SendThenReset(Vec::new()),
        _ => Act::Send(status(403, "Forbidden")),
    });
    let client = tenant_client(server.url());
    let error = client.secrets().delete("s").await.unwrap_err();
    assert_eq!((variant(&error), server.count()), ("PermissionDenied".into(), 2));
    assert!(error.may_have_been_applied());
}

#[tokio::test]
async fn a_connection_that_the_server_closed_in_between_is_not_used_for_a_write() {
    let server = RawServer::start(|n, _| {
        // No response announces that the connection closes, but each one closes it.
        let whole = ok(if n == 0 { endpoints::GROUPS } else { endpoints::GROUP });
        Act::SendThenClose(whole)
    });
    let client = tenant_client(server.url());
    client.check().await.unwrap();
    // The request counts as responded to when the connection is closed.
    server.wait_for(1).await;
    crate::support::clock::settle().await;
    Endpoint::CreateGroup.call(&client).await.unwrap();
    assert_eq!((server.count(), server.connections()), (2, 2));
}

#[tokio::test]
async fn the_text_of_a_failure_may_be_cut() {
    for cut in ["{\"message\":\"store d", ""] {
        let whole = response(424, "x-request-id: r\r\n", format!("{cut}{}", " ".repeat(100)));
        let bytes = whole[..whole.len() - 100].to_vec();
        let server = RawServer::start(move |_, _| Act::SendThenClose(bytes.clone()));
        let error = tenant_client(server.url()).secrets().get("s").await.unwrap_err();
        assert_eq!((variant(&error), error.status()), ("StoreFailed".into(), Some(424)));
        assert_eq!((error.request_id(), server.count()), (Some("r"), 1));
        assert_eq!(error.to_string().contains("store d"), !cut.is_empty(), "{error}");
    }
}
