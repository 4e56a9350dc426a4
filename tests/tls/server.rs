//! A server that responds to every request with the same bytes, and counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use truefoundry_secrets::{Client, ClientBuilder};

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    requests: AtomicUsize,
}

pub(crate) struct Server {
    port: u16,
    counts: Arc<Counts>,
}

/// What happens after the last byte of the response.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Then {
    KeepOpen,
    /// The TCP connection ends, without TLS having said goodbye.
    Cut,
}

impl Server {
    pub(crate) async fn plain(response: impl Into<String>) -> Self {
        Self::start(None, response.into(), Then::KeepOpen).await
    }

    pub(crate) async fn tls(config: Arc<ServerConfig>, response: impl Into<String>) -> Self {
        Self::start(Some(config), response.into(), Then::KeepOpen).await
    }

    pub(crate) async fn start(
        config: Option<Arc<ServerConfig>>,
        response: String,
        then: Then,
    ) -> Self {
        let response: Arc<str> = response.into();
        let counts = Arc::new(Counts::default());
        let seen = Arc::clone(&counts);
        let port = accept(move |stream| {
            seen.connections.fetch_add(1, Ordering::SeqCst);
            let (seen, response, config) =
                (Arc::clone(&seen), Arc::clone(&response), config.clone());
            async move {
                let Some(config) = config else {
                    return serve(stream, &seen, &response, then).await;
                };
                if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                    serve(stream, &seen, &response, then).await;
                }
            }
        })
        .await;
        Self { port, counts }
    }

    pub(crate) fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// How many requests arrived, whole or in part.
    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn https(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    pub(crate) fn http(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Listens, and gives each connection to `serve`. Returns the port.
pub(crate) async fn accept<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream));
        }
    });
    port
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    counts: &Counts,
    response: &str,
    then: Then,
) {
    // One request is one read: they are all short, and have no body.
    let mut request = vec![0; 16 * 1024];
    while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
        counts.requests.fetch_add(1, Ordering::SeqCst);
        if stream.write_all(response.as_bytes()).await.is_err() {
            return;
        }
        let _ = stream.flush().await;
        if then == Then::Cut {
            return;
        }
    }
}

pub(crate) fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(crate) const SECRET: &str = r#"{"data":{"id":"s-1","value":"correct horse battery"}}"#;

pub(crate) fn client(url: &str) -> ClientBuilder {
    Client::builder().base_url(url).api_key("the-key").tenant("t")
}
