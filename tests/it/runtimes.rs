//! One client on two runtimes, and a client for each.

use tokio::runtime::{Builder, Runtime};
use truefoundry_secrets::{Client, Error};

use crate::support::client;
use crate::support::endpoints::{GROUP, GROUPS};
use crate::support::raw::{RawServer, ok};

fn current_thread() -> Builder {
    let mut builder = Builder::new_current_thread();
    builder.enable_all();
    builder
}

/// Makes a call, which leaves an idle connection on a runtime that does not run.
fn call_on(runtime: &Runtime, client: &Client) {
    runtime.block_on(async {
        client.check().await.unwrap();
        // The connection's own task returns it to the pool.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_connection_of_a_runtime_that_does_not_run_is_waited_for_until_the_timeout() {
    let server = RawServer::always(ok(GROUPS));
    let client = client(server.url());
    let first = current_thread().build().unwrap();
    call_on(&first, &client);
    // Nothing happens on this one, so its paused clock advances to the timeout by itself.
    let second = current_thread().start_paused(true).build().unwrap();
    let error = second.block_on(client.check()).unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert!(error.hint().contains("each tokio runtime has its own client"), "{}", error.hint());
    assert_eq!((server.count(), server.connections()), (1, 1));
}

#[test]
fn a_client_for_each_runtime_makes_connections_of_its_own() {
    let server = RawServer::always(ok(GROUPS));
    let runtimes = [(); 2].map(|()| (current_thread().build().unwrap(), client(server.url())));
    for (runtime, client) in runtimes.iter().chain(&runtimes) {
        call_on(runtime, client);
    }
    assert_eq!((server.count(), server.connections()), (4, 2));
}

/// As the README's program without async does.
#[test]
fn a_synchronous_program_blocks_on_a_runtime_of_its_own() {
    let server = RawServer::always(ok(GROUP));
    let runtime = current_thread().build().unwrap();
    let client = client(server.url());
    for _ in 0..3 {
        let group = runtime.block_on(client.secret_groups().get("g-1")).unwrap();
        assert_eq!(group.fqn(), "my-tenant:app");
    }
    assert_eq!(server.count(), 3);
}
