//! Resolving references against the fake control plane: the results, and the number of requests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

mod batches;
mod fallback;
#[path = "../edits/liar.rs"]
#[allow(dead_code, reason = "only edits write")]
mod liar;
mod lies;
mod maps;
mod tenants;

use truefoundry_secrets::SecretRef;
use truefoundry_secrets::testing::FakeTrueFoundry;

/// `keys` secrets `K-000`, … with the values `value of K-000`, … in the group `app`.
async fn fake_with(keys: usize) -> FakeTrueFoundry {
    let pairs: Vec<_> = (0..keys).map(|n| (key(n), value(n))).collect();
    FakeTrueFoundry::start().await.with_group("app", pairs)
}

fn key(n: usize) -> String {
    format!("K-{n:03}")
}

fn value(n: usize) -> String {
    format!("value of K-{n:03}")
}

fn reference(n: usize) -> SecretRef {
    SecretRef::new("my-tenant", "app", &key(n)).unwrap()
}

fn references(range: std::ops::Range<usize>) -> Vec<SecretRef> {
    range.map(reference).collect()
}

/// The operations that the fake has seen, in order.
fn operations(fake: &FakeTrueFoundry) -> Vec<&'static str> {
    fake.requests().iter().map(|request| request.operation().unwrap_or("unknown")).collect()
}

fn count(fake: &FakeTrueFoundry, operation: &str) -> usize {
    operations(fake).iter().filter(|seen| **seen == operation).count()
}
