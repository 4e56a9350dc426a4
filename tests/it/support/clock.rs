//! A paused clock beside real sockets.
//!
//! tokio moves a paused clock on by itself whenever nothing is left to do, and waiting for a socket
//! looks like that. It does not while a blocking task runs.

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

/// The clock stands still until this is dropped; only [`pass`] moves it.
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

/// Moves the clock on, after and before the client did what it could.
pub(crate) async fn pass(time: Duration) {
    settle().await;
    tokio::time::advance(time).await;
    settle().await;
}
