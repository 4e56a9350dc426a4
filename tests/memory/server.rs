//! The server: another process, because one that holds the value to send it cannot be clean of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use truefoundry_secrets::SecretStoreKind;
use truefoundry_secrets::testing::FakeTrueFoundry;

use crate::marker::Marker;
use crate::table::Scenario;

/// Makes the server continue with what it holds back.
pub(crate) const GO: &[u8] = b"POST /go HTTP/1.1\r\n\r\n";

/// What responds.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Serves {
    /// The fake control plane, with a group `app` of twelve secrets.
    Fake,
    /// The same, with other values at every second list of them.
    Rotating,
    /// The same secret for every request.
    Secret(Framing),
    /// The same secret, and a long list without values for requests for groups.
    SecretAndList,
    /// The same secret over TLS.
    #[cfg(feature = "rustls")]
    SecretOverTls,
    /// A refusal whose message quotes the value.
    Refusal,
    /// Nothing; the request is read.
    Silence,
}

/// How the body with the secret is sent.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Framing {
    Length,
    /// In chunks of this many bytes, many of which arrive at once.
    Chunks(usize),
    /// The whole value, but never the end of the response.
    Stalled,
    /// The whole value, and on [`GO`] the connection ends.
    Cut,
    /// Complete on [`GO`], but not JSON.
    Garbled,
    /// Complete on [`GO`], but what should be a string is a list.
    List,
}

/// What is sent on every connection.
struct Script {
    response: Vec<u8>,
    /// The end of the response waits for [`GO`].
    holds_back: bool,
    go: Notify,
    cut: bool,
}

/// The server process of one scenario; it ends with this.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
    pub(crate) key: String,
    /// The certificate of its authority, in hexadecimal digits; empty without TLS.
    #[cfg(feature = "rustls")]
    pub(crate) root: String,
}

impl Server {
    pub(crate) fn start(scenario: &Scenario) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([crate::SERVE, scenario.name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut words = line.split_whitespace().map(str::to_owned);
        Self {
            process,
            url: words.next().unwrap(),
            key: words.next().unwrap(),
            #[cfg(feature = "rustls")]
            root: words.next().unwrap_or_default(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends when its standard input closes.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Runs as the server of a scenario until standard input ends.
pub(crate) fn serve(scenario: &Scenario) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let value = Marker::new(scenario.seed()).value(scenario.shape);
    let _keep = runtime.block_on(start(scenario.serves, value));
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    runtime.block_on(std::future::pending::<()>());
}

async fn start(serves: Serves, value: String) -> Option<FakeTrueFoundry> {
    let response = match serves {
        Serves::Fake | Serves::Rotating => {
            // The fake keeps every version, and lists them.
            let keys = if serves == Serves::Rotating { 1 } else { 12 };
            let pairs = (0..keys).map(|number| (format!("KEY-{number}"), value.clone()));
            let fake = FakeTrueFoundry::start()
                .await
                .with_store(SecretStoreKind::Generic)
                .with_group("app", pairs);
            if serves == Serves::Rotating {
                let mut lists = 0;
                fake.on_request("secrets.list", move |fake, _| {
                    let now = if lists % 2 == 0 { &value } else { "another value" };
                    lists += 1;
                    fake.set_value("app", "KEY-0", now);
                });
            }
            announce(&fake.base_url(), fake.api_key(), "");
            return Some(fake);
        }
        Serves::Secret(framing) => secret(&value, framing),
        #[cfg(feature = "rustls")]
        Serves::SecretOverTls => secret(&value, Framing::Length),
        Serves::SecretAndList => secret(&value, Framing::Length),
        Serves::Refusal => {
            let quoted = serde_json::to_string(&format!("not a good value: {value}")).unwrap();
            whole("422 Refused", &format!(r#"{{"statusCode":422,"message":{quoted}}}"#))
        }
        Serves::Silence => Vec::new(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let cut = serves == Serves::Secret(Framing::Cut);
    let ends_badly = [Framing::Garbled, Framing::List].map(Serves::Secret);
    let holds_back = cut || ends_badly.contains(&serves);
    let script = Arc::new(Script { response, holds_back, go: Notify::new(), cut });
    #[cfg(feature = "rustls")]
    if serves == Serves::SecretOverTls {
        let (acceptor, root) = crate::tls::acceptor("127.0.0.1");
        announce(&format!("https://127.0.0.1:{port}"), "the-key", &root);
        accept(listener, script, move |stream, script| {
            let accepting = acceptor.accept(stream);
            async move { converse(accepting.await.unwrap(), &script).await }
        });
        return None;
    }
    announce(&format!("http://127.0.0.1:{port}"), "the-key", "");
    accept(listener, script, |stream, script| async move { converse(stream, &script).await });
    None
}

fn accept<F>(
    listener: TcpListener,
    script: Arc<Script>,
    serve: impl Fn(TcpStream, Arc<Script>) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, Arc::clone(&script)));
        }
    });
}

fn announce(url: &str, key: &str, root: &str) {
    println!("{url} {key} {root}");
    std::io::stdout().flush().unwrap();
}

fn secret(value: &str, framing: Framing) -> Vec<u8> {
    let mut body = serde_json::json!({"data": {"id": "s-1", "value": value}}).to_string();
    match framing {
        Framing::Garbled => body.insert(body.len() - 1, ']'),
        Framing::List => {
            body = serde_json::json!({"data": {"id": "s-1", "value": [value]}}).to_string();
        }
        _ => {}
    }
    match framing {
        Framing::Chunks(size) => {
            let mut response = head("200 OK", "transfer-encoding: chunked");
            for chunk in body.as_bytes().chunks(size) {
                response.extend(format!("{:x}\r\n", chunk.len()).bytes());
                response.extend(chunk);
                response.extend(b"\r\n");
            }
            response.extend(b"0\r\n\r\n");
            response
        }
        Framing::Stalled | Framing::Cut => {
            let mut response = head("200 OK", &format!("content-length: {}", body.len() + 64));
            response.extend(body.bytes());
            response
        }
        Framing::Length | Framing::Garbled | Framing::List => whole("200 OK", &body),
    }
}

/// Longer than hyper's first buffer, and without the value.
fn long_list() -> Vec<u8> {
    let groups: Vec<_> = (0..1000)
        .map(|id| serde_json::json!({"id": format!("g-{id}"), "fqn": format!("t:g-{id}")}))
        .collect();
    whole("200 OK", &serde_json::json!({ "data": groups }).to_string())
}

fn whole(status: &str, body: &str) -> Vec<u8> {
    let mut response = head(status, &format!("content-length: {}", body.len()));
    response.extend(body.bytes());
    response
}

fn head(status: &str, length: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{length}\r\n\r\n").into_bytes()
}

/// Responds to every request of a connection with the same.
async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: &Script) {
    while let Some(request) = read_request(&mut stream).await {
        if request.starts_with(GO) {
            script.go.notify_one();
            return;
        }
        let list;
        let mut response = script.response.as_slice();
        if request.starts_with(b"GET /api/svc/v1/secret-groups") {
            list = long_list();
            response = &list;
        }
        if script.holds_back {
            let (first, end) = response.split_at(response.len() - 1);
            if stream.write_all(first).await.is_err() {
                return;
            }
            script.go.notified().await;
            response = end;
        }
        if script.cut || stream.write_all(response).await.is_err() || stream.flush().await.is_err()
        {
            return;
        }
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        let end = request.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length = length.map_or(0, |length| length.parse().unwrap());
            if request.len() >= end + 4 + length {
                return Some(request);
            }
        }
        if !stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {
            return None;
        }
    }
}
