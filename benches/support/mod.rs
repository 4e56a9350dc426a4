//! What the benchmarks of whole calls share: the server, which is another process, and the peers.

pub(crate) mod canned;
pub(crate) mod peers;
pub(crate) mod server;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// The server, until this is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
    #[allow(dead_code, reason = "not every benchmark uses TLS")]
    pub(crate) tls_url: String,
    /// In PEM, with `|` for the line breaks.
    #[allow(dead_code, reason = "not every benchmark uses TLS")]
    pub(crate) certificate: String,
}

impl Server {
    /// This executable again, as a server.
    pub(crate) fn start() -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .arg("server")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut words = line.trim().splitn(3, ' ');
        let mut next = || words.next().unwrap().to_owned();
        let url = format!("http://{}", next());
        let tls_url = format!("https://{}", next()).replace("127.0.0.1", "localhost");
        Self { process, url, tls_url, certificate: next() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// callgrind counts each byte that a `rep` instruction writes as one instruction, and glibc clears
/// and copies long buffers with those. Raised thresholds make it use loops, which are counted
/// properly.
#[allow(dead_code, reason = "not every benchmark counts them")]
const NO_REP: &str = "glibc.cpu.x86_rep_stosb_threshold=0x40000000:\
    glibc.cpu.x86_rep_movsb_threshold=0x40000000";

/// The instructions that this executable executes with these arguments; `None` without valgrind.
#[allow(dead_code, reason = "not every benchmark counts them")]
pub(crate) fn instructions_of(arguments: &[&str]) -> Option<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args(arguments)
        .env("GLIBC_TUNABLES", NO_REP)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(' ').next()?.parse().ok()
}
