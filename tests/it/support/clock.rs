//! A paused clock with real sockets.
//!
//! tokio advances a paused clock by itself whenever nothing is left to do, and waiting for a socket
//! looks like that. It does not advance while a blocking task runs.

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

/// The clock does not advance until this is dropped, except by [`pass`].
pub(crate) struct HeldClock {
    _released_on_drop: Sender<()>,
}

impl HeldClock {
    /// To be called in a test with `start_paused`.
    pub(crate) fn new() -> Self {
        let (sender, receiver) = channel::<()>();
        tokio::task::spawn_blocking(move || receiver.recv().is_err());
        Self { _released_on_drop: sender }
    }
}

/// Lets the client do all that it can with what the server has sent so far.
pub(crate) async fn settle() {
    for _ in 0..300 {
        tokio::task::yield_now().await;
    }
}

/// Advances the clock, and before and after that lets the client do what it can.
pub(crate) async fn pass(time: Duration) {
    settle().await;
    tokio::time::advance(time).await;
    settle().await;
}
