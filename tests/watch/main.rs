//! Watched groups, on a paused clock and over real sockets: when they check, what they read, and
//! what they notice.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

mod changes;
mod outages;
mod refreshes;
mod ticks;
mod writes;

use std::time::Duration;

use serde::Deserialize;
use truefoundry_secrets::testing::FakeTrueFoundry;
use truefoundry_secrets::{Client, RetryPolicy, SecretValue, Watch};

/// How often the watches of these tests check, give or take 10 %.
const EVERY: Duration = Duration::from_secs(60);
/// The longest time until the next check.
const INTERVAL: Duration = Duration::from_secs(66);

#[derive(Debug, Deserialize)]
struct Settings {
    db_password: SecretValue,
    pool_size: u32,
}

async fn fake() -> FakeTrueFoundry {
    FakeTrueFoundry::start().await.with_group("app", [("DB_PASSWORD", "one"), ("POOL_SIZE", "5")])
}

/// A client that knows its tenant, so that no request is made to learn it.
fn client(fake: &FakeTrueFoundry) -> Client {
    fake.client_builder().tenant("my-tenant").retry(RetryPolicy::none()).build().unwrap()
}

async fn watch(client: &Client) -> Watch<Settings> {
    client.watch_group("app").every(EVERY).start_as().await.unwrap()
}

fn password(watch: &Watch<Settings>) -> String {
    watch.current().db_password.expose_secret().to_owned()
}

fn count(fake: &FakeTrueFoundry, operation: &str) -> usize {
    fake.requests().iter().filter(|request| request.operation() == Some(operation)).count()
}

/// Lets the clock run until the operation has been seen this many times.
async fn until(fake: &FakeTrueFoundry, operation: &str, times: usize) {
    while count(fake, operation) < times {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    fake.idle().await;
    tokio::time::sleep(Duration::from_millis(1)).await;
}

const LOOK: &str = "secret_groups.get";
const READ: &str = "secrets.list";
