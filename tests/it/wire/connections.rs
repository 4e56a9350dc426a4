//! Which requests end their connection: those for values after a long response, since hyper would keep
//! what cannot be wiped.

use std::time::Duration;

use crate::support::clock::{HeldClock, pass};
use crate::support::endpoints::Endpoint::{self, *};
use crate::support::raw::{RawServer, ok, response};
use crate::support::{at_once, builder};

/// hyper's first buffer.
const FULL: usize = 8 * 1024;
/// With a head of two headers, which the client overestimates, it does not fill that buffer.
const NEARLY: usize = FULL - 256;
const SHORT: usize = 0;

/// A success, padded with blanks to this many bytes.
fn padded_response(endpoint: Endpoint, length: usize) -> Vec<u8> {
    ok(format!("{:length$}", endpoint.success()))
}

/// Calls one endpoint after the other, each after this many more milliseconds, and returns which
/// requests asked for their connection to be closed.
async fn closing<const N: usize>(
    calls: [(u64, Endpoint, usize); N],
) -> (Vec<(Endpoint, bool)>, usize) {
    let server =
        RawServer::in_turn(calls.map(|(_, endpoint, length)| padded_response(endpoint, length)));
    // Only the test advances the clock, and never far enough for a call to time out.
    let client =
        builder(server.url()).tenant("t").connect_timeout(DAY).timeout(DAY).build().unwrap();
    let clock = HeldClock::new();
    for (wait, endpoint, _) in calls {
        pass(Duration::from_millis(wait)).await;
        endpoint.call(&client).await.unwrap();
    }
    drop(clock);
    let closed = server.requests().into_iter().map(|seen| match seen.header("connection") {
        None => false,
        Some("close") => true,
        other => panic!("{other:?}"),
    });
    let endpoints = calls.iter().map(|call| call.1);
    (endpoints.zip(closed).collect(), server.connections())
}

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test(start_paused = true)]
async fn the_next_request_for_values_after_a_padded_response_ends_its_connection() {
    for long in [ListGroups, GetGroup, CreateGroup, ListSecrets, GetSecret, Versions] {
        for values in [GetSecret, ListSecrets, Versions] {
            let (closed, connections) = closing([
                (0, long, FULL),
                (0, GetGroup, SHORT),
                (0, CreateGroup, SHORT),
                (0, DeleteSecret, SHORT),
                (0, values, SHORT),
                (0, values, SHORT),
            ])
            .await;
            let others = [(long, false), (GetGroup, false), (CreateGroup, false)];
            let ended = [(DeleteSecret, false), (values, true), (values, false)];
            assert_eq!(closed, [&others[..], &ended[..]].concat());
            assert_eq!(connections, 2);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_connection_is_ended_per_second_and_none_is_forgotten() {
    let (closed, connections) = closing([
        (0, ListGroups, FULL),
        (0, GetSecret, SHORT),
        (0, ListGroups, FULL),
        (0, GetSecret, SHORT),
        (998, GetSecret, SHORT),
        (1, GetGroup, SHORT),
        (1, GetSecret, SHORT),
        (0, GetSecret, SHORT),
    ])
    .await;
    let expected = [
        (ListGroups, false),
        (GetSecret, true),
        (ListGroups, false),
        (GetSecret, false),
        (GetSecret, false),
        (GetGroup, false),
        (GetSecret, true),
        (GetSecret, false),
    ];
    assert_eq!((closed.as_slice(), connections), (&expected[..], 3));
}

#[tokio::test(start_paused = true)]
async fn a_response_that_leaves_room_in_the_first_buffer_ends_nothing() {
    let calls = [(0, ListGroups, NEARLY), (0, GetGroup, NEARLY), (0, GetSecret, SHORT)];
    let (closed, connections) = closing(calls).await;
    assert_eq!(closed, [(ListGroups, false), (GetGroup, false), (GetSecret, false)]);
    assert_eq!(connections, 1);
}

#[tokio::test]
async fn a_long_failure_is_a_padded_response() {
    let failure = response(404, "", "x".repeat(FULL));
    let server = RawServer::in_turn([failure, padded_response(GetSecret, SHORT)]);
    let client = builder(server.url()).retry(at_once()).build().unwrap();
    GetGroup.call(&client).await.unwrap_err();
    GetSecret.call(&client).await.unwrap();
    assert_eq!(server.requests()[1].header("connection"), Some("close"));
}
