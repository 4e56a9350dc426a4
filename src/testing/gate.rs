//! Points at which a request waits until a test lets it go on.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use super::parsed_request::Call;
use super::pattern::Pattern;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    BeforeWork,
    BeforeResponse,
}

#[derive(Clone, Copy, Default)]
struct GateState {
    arrived: usize,
    open: bool,
}

pub(super) struct Barrier {
    point: Point,
    pattern: Pattern,
    only_first: bool,
    progress: watch::Sender<GateState>,
}

impl Barrier {
    pub(super) fn new(point: Point, pattern: &str, only_first: bool) -> Arc<Self> {
        let (progress, _) = watch::channel(GateState::default());
        Arc::new(Self { point, pattern: Pattern::parse(pattern), only_first, progress })
    }

    /// Whether this request has to wait here; counts it as arrived if so.
    pub(super) fn admit(&self, point: Point, call: &Call) -> bool {
        let mut stopped = false;
        if self.point == point && self.pattern.matches(call) {
            self.progress.send_if_modified(|progress| {
                stopped = !(progress.open || (self.only_first && progress.arrived > 0));
                if stopped {
                    progress.arrived = progress.arrived.saturating_add(1);
                }
                stopped
            });
        }
        stopped
    }

    pub(super) async fn opened(&self) {
        // The sender lives as long as `self`, so the wait can only end by opening.
        let _ = self.progress.subscribe().wait_for(|progress| progress.open).await;
    }

    pub(super) fn is_open(&self) -> bool {
        self.progress.borrow().open
    }
}

/// Holds requests at a point until it is released, to force an order of events.
///
/// From [`FakeTrueFoundry::hold`](super::FakeTrueFoundry::hold) and its relatives. Dropping a gate
/// releases it, so that a test that fails does not hang.
#[must_use = "dropping the gate releases it"]
pub struct Gate(pub(super) Arc<Barrier>);

impl Gate {
    /// Waits until a request is held here.
    pub async fn reached(&self) {
        self.reached_by(1).await;
    }

    /// Waits until this many requests have been held here, since the gate was made.
    pub async fn reached_by(&self, count: usize) {
        let mut progress = self.0.progress.subscribe();
        let _ = progress.wait_for(|progress| progress.arrived >= count).await;
    }

    /// How many requests have been held here so far.
    pub fn arrived(&self) -> usize {
        self.0.progress.borrow().arrived
    }

    /// Lets all held requests go on, and holds no more.
    pub fn release(&self) {
        self.0.progress.send_modify(|progress| progress.open = true);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.release();
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("on", &self.0.pattern)
            .field("arrived", &self.arrived())
            .field("open", &self.0.is_open())
            .finish()
    }
}
