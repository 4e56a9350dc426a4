//! Identifiers and times that never repeat within one server.

use std::hash::{BuildHasher, Hasher, RandomState};

use jiff::Timestamp;

/// Milliseconds since the Unix epoch.
pub(super) type Millis = i64;

pub(super) struct Clock {
    seed: RandomState,
    issued: u64,
    latest: Millis,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { seed: RandomState::new(), issued: 0, latest: 0 }
    }

    /// Strictly later than every time before it: a client that compares `updatedAt` must see two
    /// writes within one millisecond as two.
    pub(super) fn tick(&mut self) -> Millis {
        self.latest = Timestamp::now().as_millisecond().max(self.latest.saturating_add(1));
        self.latest
    }

    /// An identifier without a recognisable prefix, as the service's own are.
    pub(super) fn id(&mut self) -> String {
        self.issued = self.issued.saturating_add(1);
        format!("cm{:016x}{:07}", self.seed.hash_one(self.issued), self.issued)
    }
}

/// Unguessable enough for a server that lives on loopback for the length of a test.
pub(super) fn random_token() -> String {
    let word = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", word(), word())
}

pub(super) fn render(time: Millis) -> String {
    let time = Timestamp::from_millisecond(time).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}
