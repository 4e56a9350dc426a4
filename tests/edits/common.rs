//! The common setup of these tests.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use truefoundry_secrets::testing::FakeTrueFoundry;
use truefoundry_secrets::{Client, Error, RetryPolicy, SecretStoreKind};

pub(crate) const APP: &str = "app";

/// A group `app` with these keys in a store without rules, and its identifier.
pub(crate) async fn app(keys: &[&str]) -> (FakeTrueFoundry, String) {
    let pairs = keys.iter().map(|key| (*key, format!("old value of {key}")));
    let fake =
        FakeTrueFoundry::start().await.with_store(SecretStoreKind::Generic).with_group(APP, pairs);
    let id = fake.group_id(APP).unwrap();
    (fake, id)
}

/// A client that retries without waiting long and knows its tenant.
pub(crate) fn client(fake: &FakeTrueFoundry, write_timeout: Duration) -> Client {
    fake.client_builder()
        .tenant(fake.tenant())
        .unconfirmed_write_timeout(write_timeout)
        .retry(RetryPolicy::default().base_delay(Duration::from_millis(1)))
        .build()
        .unwrap()
}

/// A client that already knows the store of `app`. The server's record of that request is cleared.
pub(crate) async fn warm_client(fake: &FakeTrueFoundry, write_timeout: Duration) -> Client {
    let client = client(fake, write_timeout);
    let id = fake.group_id(APP).unwrap();
    drop(client.secret_groups().edit(id).set("ANY", "thing").plan().await.unwrap());
    fake.clear_requests();
    client
}

/// The operations that arrived, in order; reads that are sent at the same time, in a fixed order.
pub(crate) fn sent(fake: &FakeTrueFoundry) -> Vec<&'static str> {
    let mut sent: Vec<_> = fake.requests().iter().map(|one| one.operation().unwrap()).collect();
    for index in 1..sent.len() {
        if sent[index - 1] == LIST && sent[index] == GET {
            sent.swap(index - 1, index);
        }
    }
    sent
}

pub(crate) const BY_NAME: &str = "secret_groups.list";
pub(crate) const CREATE: &str = "secret_groups.create";
pub(crate) const GET: &str = "secret_groups.get";
pub(crate) const LIST: &str = "secrets.list";
pub(crate) const PUT: &str = "secret_groups.update";
pub(crate) const DELETE: &str = "secrets.delete";
pub(crate) const STORE: &str = "provider_integrations.list";

pub(crate) fn count(fake: &FakeTrueFoundry, operation: &str) -> usize {
    fake.requests().iter().filter(|one| one.operation() == Some(operation)).count()
}

pub(crate) fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort();
    keys
}

/// The key lists of a `ConcurrentEdit`: added, removed, modified, and whether it was written.
#[track_caller]
pub(crate) fn concurrent<T: std::fmt::Debug>(
    result: Result<T, Error>,
) -> (Vec<String>, Vec<String>, Vec<String>, bool) {
    match result {
        Err(Error::ConcurrentEdit { added, removed, modified, applied, .. }) => {
            (added.into(), removed.into(), modified.into(), applied)
        }
        other => panic!("not a concurrent edit: {other:?}"),
    }
}

/// The error, its causes and its hint, in all the ways in which they are printed.
pub(crate) fn all_texts(error: &Error) -> String {
    let mut texts = format!("{error} {error:?} {error:#?} {}", error.hint());
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        texts.push_str(&format!("{inner} {inner:?}"));
        cause = inner.source();
    }
    texts
}

/// A small generator of pseudo-random numbers (`SplitMix64`), so that a failure can be reproduced.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
}

/// `EDITS_SEED=7 cargo test --test edits storm` reproduces a failure, or tries another order.
pub(crate) fn seed(default: u64) -> u64 {
    std::env::var("EDITS_SEED").map_or(default, |seed| seed.parse().unwrap())
}

/// Drops a future that is not done after this many polls, wherever it is then.
pub(crate) async fn give_up_after<F: Future>(mut polls: usize, future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    poll_fn(|context| {
        if polls == 0 {
            return Poll::Ready(None);
        }
        polls -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}
