//! The handle that tests hold.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use super::clock::random_token;
use super::faults::{Fault, Faults};
use super::gate::{Barrier, Gate, Point};
use super::pattern::Pattern;
use super::recorded::{Log, RecordedRequest};
use super::server::{self, Shared, lock};
use super::state::State;

/// A TrueFoundry control plane on loopback, with everything it keeps in memory.
///
/// See [the module](super) for what it does and an example. A clone is another handle to the same
/// server, which stops when the last handle is dropped.
#[derive(Clone)]
pub struct FakeTrueFoundry {
    pub(super) shared: Arc<Shared>,
    _stop: Option<Arc<StopOnDrop>>,
}

struct StopOnDrop {
    accepting: AbortHandle,
    shared: Arc<Shared>,
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.accepting.abort();
        lock(&self.shared.tasks).abort_all();
        lock(&self.shared.hooks).clear();
    }
}

impl FakeTrueFoundry {
    /// Starts a server on a free port of `127.0.0.1`, with one AWS Secrets Manager store, the
    /// tenant `my-tenant`, and an API key of its own.
    ///
    /// It runs on the tokio runtime that this is called from.
    ///
    /// # Panics
    ///
    /// If no tokio runtime with I/O and time enabled is current, or no port on loopback is free:
    /// no test could go on from there.
    #[allow(clippy::panic, reason = "a test without a server has nothing to go on with")]
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let bound = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) = match bound {
            Ok(bound) => bound,
            Err(error) => panic!("no port for the fake TrueFoundry on loopback: {error}"),
        };
        let shared = Arc::new(Shared {
            address,
            api_key: format!("fake-key-{}", random_token()),
            state: Mutex::new(State::new()),
            faults: Mutex::new(Faults::default()),
            gates: Mutex::default(),
            hooks: Mutex::default(),
            log: Mutex::new(Log::default()),
            busy: watch::Sender::new(0),
            tasks: Mutex::new(JoinSet::new()),
            next: AtomicU64::new(1),
        });
        let accepting = tokio::spawn(server::accept(listener, Arc::clone(&shared))).abort_handle();
        let stop = StopOnDrop { accepting, shared: Arc::clone(&shared) };
        Self { shared, _stop: Some(Arc::new(stop)) }
    }

    /// A client of this server, with everything else at its default.
    ///
    /// # Panics
    /// If no client can be set up; nothing of the server's own can be the reason.
    #[allow(clippy::panic, reason = "a test without a client has nothing to go on with")]
    pub fn client(&self) -> crate::client::Client {
        match self.client_builder().build() {
            Ok(client) => client,
            Err(error) => panic!("no client for the fake TrueFoundry: {error}"),
        }
    }

    /// A builder with this server's URL and key, for a client with other settings.
    pub fn client_builder(&self) -> crate::client::ClientBuilder {
        crate::client::Client::builder().base_url(self.base_url()).api_key(self.api_key())
    }

    /// A handle that does not keep the server alive, for use from inside it.
    pub(super) fn borrowed(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), _stop: None }
    }

    /// The server's URL, such as `http://127.0.0.1:40123`, with the path prefix if it has one.
    pub fn base_url(&self) -> String {
        format!("http://{}{}", self.shared.address, lock(&self.shared.state).prefix)
    }

    /// The only key that the server accepts.
    pub fn api_key(&self) -> &str {
        &self.shared.api_key
    }

    /// The tenant's name.
    pub fn tenant(&self) -> String {
        lock(&self.shared.state).tenant.clone()
    }

    /// The requests that arrived, oldest first: at most the latest 10,000, see
    /// [`with_recording_limit`](Self::with_recording_limit).
    pub fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.shared.log).all()
    }

    /// How many requests arrived, recorded or not.
    pub fn request_count(&self) -> usize {
        lock(&self.shared.log).seen()
    }

    /// Forgets the requests so far, and resets the count.
    pub fn clear_requests(&self) {
        lock(&self.shared.log).clear();
    }

    /// Injects a fault into requests to come.
    pub fn inject(&self, fault: Fault) {
        lock(&self.shared.faults).push(fault);
    }

    /// How many injected faults have not (or not entirely) happened yet.
    pub fn pending_faults(&self) -> usize {
        lock(&self.shared.faults).pending()
    }

    /// Removes the faults that have not happened yet.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// Holds the next request that [matches](super#patterns) after it has arrived and before
    /// anything is done. Those after it pass.
    ///
    /// A held request is carried out when the gate is released, even if the client has hung up in
    /// the meantime: this simulates a late write.
    pub fn hold(&self, pattern: &str) -> Gate {
        self.gate(Point::BeforeWork, pattern, true)
    }

    /// As [`hold`](Self::hold), but for every request that matches until the gate is released.
    pub fn hold_all(&self, pattern: &str) -> Gate {
        self.gate(Point::BeforeWork, pattern, false)
    }

    /// Holds the next matching request after the work is done and before the response is sent.
    pub fn hold_response(&self, pattern: &str) -> Gate {
        self.gate(Point::BeforeResponse, pattern, true)
    }

    fn gate(&self, point: Point, pattern: &str, only_first: bool) -> Gate {
        let barrier = Barrier::new(point, pattern, only_first);
        lock(&self.shared.gates).push(Arc::clone(&barrier));
        Gate(barrier)
    }

    /// Runs a closure for every request that [matches](super#patterns), after it has arrived and
    /// before anything is done, such as an edit behind the client's back at exactly that moment.
    ///
    /// ```no_run
    /// # async fn demo() {
    /// # use truefoundry_secrets::testing::FakeTrueFoundry;
    /// let fake = FakeTrueFoundry::start().await.with_group("app", [("DB", "one")]);
    /// fake.on_request("PUT /secret-groups/", |fake, _request| fake.set_value("app", "NEW", "two"));
    /// # }
    /// ```
    pub fn on_request(
        &self,
        pattern: &str,
        hook: impl FnMut(&FakeTrueFoundry, &RecordedRequest) + Send + 'static,
    ) {
        lock(&self.shared.hooks).push((Pattern::parse(pattern), Arc::new(Mutex::new(hook))));
    }

    /// Waits until the server is idle: no request waits, is held, or is still to be carried out.
    pub async fn idle(&self) {
        // The sender lives in `self`, so the wait can only end by its condition.
        let _ = self.shared.busy.subscribe().wait_for(|busy| *busy == 0).await;
    }
}

/// Names and numbers only: neither the key nor a secret's value.
impl fmt::Debug for FakeTrueFoundry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.shared.state);
        f.debug_struct("FakeTrueFoundry")
            .field("address", &self.shared.address)
            .field("tenant", &state.tenant)
            .field("stores", &state.stores.len())
            .field("groups", &state.groups.len())
            .finish_non_exhaustive()
    }
}
