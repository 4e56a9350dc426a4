//! A server on which every third response goes wrong, each time in another way.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::SCALE;
use super::canned;

struct Responses {
    page: String,
    values: String,
    secret: String,
    huge: Vec<u8>,
    seed: AtomicU64,
}

pub(crate) fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let responses = Arc::new(Responses {
            page: canned::page(0, 100),
            values: canned::values(100),
            secret: canned::one_secret(),
            huge: vec![b' '; 64 * 1024],
            seed: AtomicU64::new(1),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        std::io::stdout().flush().unwrap();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&responses)));
            }
        });
        let _ = tokio::task::spawn_blocking(|| std::io::read_to_string(std::io::stdin())).await;
    });
}

/// The same numbers in every run: splitmix64.
fn random(responses: &Responses) -> u64 {
    let seed = responses.seed.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

async fn serve(mut stream: TcpStream, responses: Arc<Responses>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut received = Vec::new();
    loop {
        let head = loop {
            if let Some(at) = received.windows(4).position(|end| end == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut received).await.ok()? == 0 {
                return None;
            }
        };
        let text = String::from_utf8_lossy(&received[..head]).to_lowercase();
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.trim().parse().unwrap());
        while received.len() < head + length {
            stream.read_buf(&mut received).await.ok()?;
        }
        received.drain(..head + length);
        let body = match text.split(' ').take(2).collect::<Vec<_>>().as_slice() {
            ["get", path] if path.contains("/secret-groups") => &responses.page,
            ["post", path] if path.ends_with("/secrets") => &responses.values,
            ["post", _] => r#"{"data":{"id":"g-1","fqn":"my-tenant:app"}}"#,
            ["delete", _] => "{}",
            _ => &responses.secret,
        };
        respond(&mut stream, &responses, body.as_bytes()).await?;
    }
}

/// `None` if the connection must be closed.
async fn respond(stream: &mut TcpStream, responses: &Responses, body: &[u8]) -> Option<()> {
    let random = random(responses);
    let whole = response(200, "", body);
    let bytes = match random % 48 {
        0 => return None,
        1 => whole[..20].to_vec(),
        2 => whole[..whole.len() - 1].to_vec(),
        3 => b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(),
        4 => response(
            429,
            &format!("retry-after-ms: {}\r\n", 2000 / SCALE),
            b"{\"message\":\"slow down\"}",
        ),
        5 => response(429, "retry-after: 18446744073709551615\r\n", b""),
        6 => response(500, "", b"{\"message\":\"oops\"}"),
        7 => {
            response(502, "content-type: text/html\r\n", b"<html><title>Bad Gateway</title></html>")
        }
        8 => response(503, "retry-after: 0\r\n", b""),
        9 => response(408, "", b""),
        10 => response(403, "", b"{\"message\":\"Forbidden\"}"),
        11 => response(200, "content-type: text/html\r\n", b"<html>log in</html>"),
        12 => response(200, "", &body[..body.len() - 1]),
        13 => {
            // Never ends.
            let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
            let mut sent = stream.write_all(head).await;
            while sent.is_ok() {
                sent = stream.write_all(&responses.huge).await;
            }
            return None;
        }
        14 => {
            // Drips a byte a second.
            stream.write_all(&whole[..whole.len() / 2]).await.ok()?;
            for byte in &whole[whole.len() / 2..] {
                tokio::time::sleep(Duration::from_secs(1) / SCALE).await;
                stream.write_all(&[*byte]).await.ok()?;
            }
            return Some(());
        }
        15 => {
            // Says nothing.
            let _ = stream.read(&mut [0]).await;
            return None;
        }
        16 => {
            // In single bytes.
            let mut bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
            for byte in body {
                bytes.extend_from_slice(&[b'1', b'\r', b'\n', *byte, b'\r', b'\n']);
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
            bytes
        }
        _ => whole,
    };
    let close = matches!(random % 48, 1..=3);
    tokio::time::sleep(Duration::from_millis(random >> 32 & 63) / SCALE).await;
    stream.write_all(&bytes).await.ok()?;
    (!close).then_some(())
}

fn response(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}
