//! A server that reads requests as bytes and responds with any bytes, valid or not.
//!
//! It runs on threads with blocking sockets, so that a test's paused clock does not reach it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// A server that is not reached in this time never will be.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// What to do with one request, once it has arrived.
pub(crate) enum Act {
    /// Send this and read the next request from the same connection.
    Send(Vec<u8>),
    /// Send this and close properly.
    SendThenClose(Vec<u8>),
    /// Send this and break the connection (RST).
    SendThenReset(Vec<u8>),
    /// Send nothing until the client closes the connection.
    Hang,
    /// Send what the channel yields, then close.
    Feed(Receiver<Vec<u8>>),
    /// Send the first, then repeat the second until the client stops reading.
    Endless(Vec<u8>, Vec<u8>),
}

/// One request as it was on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    head: String,
    pub(crate) body: Vec<u8>,
}

#[derive(Default)]
struct Log {
    requests: Mutex<Vec<Seen>>,
    connections: Mutex<usize>,
    /// How many requests got a response, or are getting one that does not end.
    responded: Mutex<usize>,
    changed: Condvar,
}

impl Log {
    fn responded(&self) {
        *self.responded.lock().unwrap() += 1;
        self.changed.notify_all();
    }
}

pub(crate) struct RawServer {
    address: SocketAddr,
    log: Arc<Log>,
}

impl RawServer {
    /// Responds to the n-th request (from 0) as `act` says.
    pub(crate) fn start(act: impl Fn(usize, &Seen) -> Act + Send + Sync + 'static) -> Self {
        Self::slamming_first(0, act)
    }

    /// Closes this many connections without reading, then responds.
    pub(crate) fn slamming_first(
        slammed: usize,
        act: impl Fn(usize, &Seen) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Log::default());
        let server = Self { address, log: Arc::clone(&log) };
        let act = Arc::new(act);
        // It ends with the process: nothing waits for it, and a test must not hang on its own server.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (log, act) = (Arc::clone(&log), Arc::clone(&act));
                let before = {
                    let mut connections = log.connections.lock().unwrap();
                    *connections += 1;
                    *connections - 1
                };
                if before < slammed {
                    // Closing a connection with unread data resets it.
                    thread::spawn(move || stream.peek(&mut [0]));
                    continue;
                }
                thread::spawn(move || serve(stream, &log, &*act));
            }
        });
        server
    }

    /// Sends the same response to every request.
    pub(crate) fn always(response: impl Into<Vec<u8>>) -> Self {
        let response = response.into();
        Self::start(move |_, _| Act::Send(response.clone()))
    }

    /// Sends responses in turn, and repeats the last one from then on.
    pub(crate) fn in_turn<A: Into<Vec<u8>>>(responses: impl IntoIterator<Item = A>) -> Self {
        let responses: Vec<Vec<u8>> = responses.into_iter().map(Into::into).collect();
        Self::start(move |n, _| Act::Send(responses[n.min(responses.len() - 1)].clone()))
    }

    /// Accepts connections and closes them without reading.
    pub(crate) fn slamming() -> Self {
        Self::slamming_first(usize::MAX, |_, _| Act::Hang)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.log.requests.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.log.requests.lock().unwrap().len()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.log.connections.lock().unwrap()
    }

    /// The only request that came.
    pub(crate) fn only(&self) -> Seen {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.into_iter().next().unwrap()
    }

    /// Waits, in real time, until this many requests got a response. The blocking task keeps a
    /// paused clock from advancing.
    pub(crate) async fn wait_for(&self, count: usize) {
        let log = Arc::clone(&self.log);
        let waited = tokio::task::spawn_blocking(move || {
            let responded = log.responded.lock().unwrap();
            let (responded, out) = log
                .changed
                .wait_timeout_while(responded, READ_TIMEOUT, |all| *all < count)
                .unwrap();
            (*responded, out.timed_out())
        });
        let (seen, timed_out) = waited.await.unwrap();
        assert!(!timed_out, "waited for {count} requests, {seen} got a response");
    }
}

fn serve(mut stream: TcpStream, log: &Log, act: &(dyn Fn(usize, &Seen) -> Act + Send + Sync)) {
    // A client that forgets its connection must not keep the thread for ever.
    let _ = stream.set_read_timeout(Some(READ_TIMEOUT * 3));
    while let Some(whole) = peek_request(&stream) {
        let (seen, length) = whole;
        let index = {
            let mut requests = log.requests.lock().unwrap();
            requests.push(seen.clone());
            requests.len() - 1
        };
        // Decided before the request is read from the socket: closing a socket with unread bytes
        // makes the kernel send RST.
        let act = act(index, &seen);
        if let Act::SendThenReset(bytes) = act {
            let _ = stream.write_all(&bytes);
            log.responded();
            return;
        }
        let mut request = vec![0; length];
        stream.read_exact(&mut request).unwrap();
        match act {
            Act::Send(bytes) => {
                let sent = stream.write_all(&bytes);
                log.responded();
                if sent.is_err() {
                    return;
                }
            }
            Act::SendThenClose(bytes) => {
                let _ = stream.write_all(&bytes);
                drop(stream);
                log.responded();
                return;
            }
            Act::Hang => {
                log.responded();
                let _ = stream.read(&mut [0]);
                return;
            }
            Act::Feed(source) => {
                log.responded();
                for bytes in source {
                    if stream.write_all(&bytes).is_err() {
                        return;
                    }
                }
                return;
            }
            Act::Endless(first, again) => {
                log.responded();
                let mut sent = stream.write_all(&first);
                while sent.is_ok() {
                    sent = stream.write_all(&again);
                }
                return;
            }
            Act::SendThenReset(_) => unreachable!(),
        }
    }
}

/// The next request and its length, left in the socket. `None` if the client has gone.
fn peek_request(stream: &TcpStream) -> Option<(Seen, usize)> {
    let mut buffer = vec![0; 1024 * 1024];
    let mut before = 0;
    loop {
        let there = stream.peek(&mut buffer).ok().filter(|there| *there > 0)?;
        let bytes = &buffer[..there];
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let mut seen = Seen { head, body: Vec::new() };
            let length = seen.header("content-length").map_or(0, |n| n.parse().unwrap());
            assert_eq!(seen.header("transfer-encoding"), None, "bodies are sent with their length");
            let whole = end + 4 + length;
            if there >= whole {
                seen.body = bytes[end + 4..whole].to_vec();
                return Some((seen, whole));
            }
        }
        if there == before {
            // Peeking returns at once if anything has arrived: let the client run.
            thread::yield_now();
        }
        before = there;
    }
}

impl Seen {
    fn line(&self) -> Vec<&str> {
        self.head.lines().next().unwrap_or_default().split(' ').collect()
    }

    pub(crate) fn method(&self) -> &str {
        self.line()[0]
    }

    /// The request line's second word, as it was sent.
    pub(crate) fn target(&self) -> &str {
        let line = self.line();
        assert_eq!(line.len(), 3, "{line:?}");
        assert_eq!(line[2], "HTTP/1.1");
        line[1]
    }

    pub(crate) fn path(&self) -> &str {
        self.target().split_once('?').map_or(self.target(), |(path, _)| path)
    }

    pub(crate) fn query(&self) -> Option<&str> {
        Some(self.target().split_once('?')?.1)
    }

    /// All headers, names in lower case, in the order in which they came.
    pub(crate) fn headers(&self) -> Vec<(String, &str)> {
        let lines = self.head.lines().skip(1);
        let pairs = lines.map(|line| line.split_once(": ").expect("a header"));
        pairs.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let all: Vec<_> = self.headers().into_iter().filter(|header| header.0 == name).collect();
        assert!(all.len() < 2, "{name} is there twice");
        all.first().map(|header| header.1)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// A whole response with its length.
pub(crate) fn response(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

pub(crate) fn ok(body: impl AsRef<[u8]>) -> Vec<u8> {
    response(200, "content-type: application/json\r\n", body)
}

pub(crate) fn status(status: u16, message: &str) -> Vec<u8> {
    let body = format!(r#"{{"statusCode":{status},"message":"{message}"}}"#);
    response(status, "content-type: application/json\r\n", body)
}

/// A whole response in chunks, without a length.
pub(crate) fn chunked(status: u16, headers: &str, pieces: &[&[u8]]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} X\r\n{headers}transfer-encoding: chunked\r\n\r\n");
    let mut bytes = head.into_bytes();
    for piece in pieces {
        bytes.extend(format!("{:x}\r\n", piece.len()).into_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}
