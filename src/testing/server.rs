//! The socket, and the way of one request from it and back.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use super::body::{Dropped, FakeBody};
use super::fake::FakeTrueFoundry;
use super::faults::{Action, Fault, Faults};
use super::gate::{Barrier, Point};
use super::parsed_request::Call;
use super::pattern::Pattern;
use super::recorded::{Log, RecordedRequest, request_id};
use super::response::Response;
use super::routes;
use super::state::State;

const MAX_REQUEST: usize = 16 * 1024 * 1024;

pub(super) type Callback = Arc<Mutex<dyn FnMut(&FakeTrueFoundry, &RecordedRequest) + Send>>;

pub(super) struct Shared {
    pub(super) address: SocketAddr,
    pub(super) api_key: String,
    pub(super) state: Mutex<State>,
    pub(super) faults: Mutex<Faults>,
    pub(super) gates: Mutex<Vec<Arc<Barrier>>>,
    pub(super) hooks: Mutex<Vec<(Pattern, Callback)>>,
    pub(super) log: Mutex<Log>,
    pub(super) busy: watch::Sender<usize>,
    pub(super) tasks: Mutex<JoinSet<()>>,
    pub(super) next: AtomicU64,
}

/// A test that panics while it holds a lock has failed already; the others must not.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Outcome {
    Whole(Response),
    Cut(Response),
    Dropped,
}

pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: give the connections time to end.
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        // Without it, small responses wait for the peer's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        while connections.try_join_next().is_some() {}
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(move |request| serve(Arc::clone(&shared), request));
            // A connection that breaks is what many tests are about, and no error here.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn serve(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<http::Response<FakeBody>, Dropped> {
    let number = shared.next.fetch_add(1, Ordering::Relaxed);
    let (parts, body) = request.into_parts();
    let too_large =
        || Response::error(413, "request entity too large").header("connection", "close");
    // What is announced as too large is refused without waiting for it.
    if body.size_hint().lower() > MAX_REQUEST as u64 {
        return respond(number, Outcome::Whole(too_large()));
    }
    let body = match Limited::new(body, MAX_REQUEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return respond(number, Outcome::Whole(too_large()));
        }
        Err(_) => return Err(Dropped),
    };
    let prefix = lock(&shared.state).prefix.clone();
    let call = Call::new(number, &prefix, parts, body);

    // The work has a task of its own: a client that hangs up must not undo what it asked for.
    let (sender, receiver) = oneshot::channel();
    let busy = Busy::new(&shared);
    let worker = Arc::clone(&shared);
    {
        let mut tasks = lock(&shared.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let _busy = busy;
            work(worker, call, sender).await;
        });
    }
    respond(number, receiver.await.unwrap_or(Outcome::Dropped))
}

fn respond(number: u64, outcome: Outcome) -> Result<http::Response<FakeBody>, Dropped> {
    let (response, body) = match outcome {
        Outcome::Dropped => return Err(Dropped),
        Outcome::Cut(response) => {
            let body = FakeBody::cut(&response.body);
            (response, body)
        }
        Outcome::Whole(mut response) => {
            let body = std::mem::replace(&mut response.body, Bytes::new());
            (response, FakeBody::whole(body))
        }
    };
    let response = response.header("x-request-id", &request_id(number));
    let mut wire = http::Response::new(body);
    *wire.status_mut() = response.status;
    *wire.headers_mut() = *response.headers;
    Ok(wire)
}

async fn work(shared: Arc<Shared>, call: Call, sender: oneshot::Sender<Outcome>) {
    arrive(&shared, &call);
    let fault = lock(&shared.faults).take(&call);
    wait_at(&shared, Point::BeforeWork, &call).await;
    let Fault { action, wait, .. } = fault.unwrap_or_else(|| Fault::delay(Duration::ZERO));
    if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
        tokio::time::sleep(wait).await;
    }
    let outcome = match action {
        Action::Respond => Outcome::Whole(apply(&shared, &call)),
        Action::CutBody => Outcome::Cut(apply(&shared, &call)),
        Action::DropBefore => Outcome::Dropped,
        Action::DropAfter => {
            apply(&shared, &call);
            Outcome::Dropped
        }
        Action::Status { response, after_work } => {
            if after_work {
                apply(&shared, &call);
            }
            Outcome::Whole(response)
        }
        Action::Late(later) => {
            let _ = sender.send(Outcome::Dropped);
            tokio::time::sleep(later).await;
            apply(&shared, &call);
            return;
        }
    };
    wait_at(&shared, Point::BeforeResponse, &call).await;
    // The receiver is gone if the client hung up.
    let _ = sender.send(outcome);
}

fn arrive(shared: &Arc<Shared>, call: &Call) {
    let hooks: Vec<Callback> = lock(&shared.hooks)
        .iter()
        .filter(|(pattern, _)| pattern.matches(call))
        .map(|(_, hook)| Arc::clone(hook))
        .collect();
    let keep = lock(&shared.log).keeps_any();
    if !keep && hooks.is_empty() {
        lock(&shared.log).count_only();
        return;
    }
    let request = RecordedRequest::new(call);
    lock(&shared.log).push(request.clone());
    let fake = FakeTrueFoundry::borrowed(shared);
    for hook in hooks {
        lock(&hook)(&fake, &request);
    }
}

fn apply(shared: &Shared, call: &Call) -> Response {
    routes::handle(&mut lock(&shared.state), &shared.api_key, call)
}

async fn wait_at(shared: &Shared, point: Point, call: &Call) {
    let stopped = {
        let mut gates = lock(&shared.gates);
        gates.retain(|gate| !gate.is_open());
        gates.iter().find(|gate| gate.admit(point, call)).cloned()
    };
    if let Some(gate) = stopped {
        gate.opened().await;
    }
}

/// Counts a request as in progress until it is dropped.
struct Busy(watch::Sender<usize>);

impl Busy {
    fn new(shared: &Shared) -> Self {
        shared.busy.send_modify(|count| *count = count.saturating_add(1));
        Self(shared.busy.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}
