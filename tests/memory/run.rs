//! One scenario in a process of its own: what it counts, and when.

use std::io::Write as _;
use std::net::TcpStream;

use truefoundry_secrets::{Client, ClientBuilder, reqwest};

use crate::by_hand::ByHand;
use crate::counts::{Copies, Counts};
use crate::marker::Marker;
use crate::scan::Scanner;
use crate::scenarios;
use crate::server::Server;
use crate::table::Scenario;

pub(crate) struct Run {
    pub(crate) scenario: &'static Scenario,
    marker: Marker,
    pub(crate) server: Server,
    scanner: Scanner,
    pub(crate) counts: Counts,
}

/// Runs a scenario in this process.
pub(crate) fn measure(scenario: &'static Scenario) -> Counts {
    let mut builder = if scenario.threads == 0 {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let runtime = builder.worker_threads(scenario.threads.max(1)).enable_all().build().unwrap();
    let mut run = Run::new(scenario);
    runtime.block_on(scenarios::measure(&mut run));
    run.counts
}

impl Run {
    fn new(scenario: &'static Scenario) -> Self {
        let marker = Marker::new(scenario.seed());
        let scanner = Scanner::new(marker).unwrap();
        let server = Server::start(scenario);
        Self { scenario, marker, server, scanner, counts: Counts::default() }
    }

    pub(crate) fn scan(&mut self) -> Copies {
        self.scanner.scan()
    }

    pub(crate) fn holds(&mut self) {
        self.counts.held = self.scan();
    }

    pub(crate) fn leaves(&mut self) {
        self.counts.ours = self.scan();
    }

    pub(crate) fn leaves_by_hand(&mut self) {
        self.counts.by_hand = self.scan();
    }

    /// A value that this process makes itself, and has nowhere else.
    pub(crate) fn value(&self) -> String {
        self.marker.value(self.scenario.shape)
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        let builder = Client::builder()
            .base_url(self.server.url.as_str())
            .api_key(self.server.key.as_str())
            .tenant("my-tenant");
        self.tls(builder, |builder, root| builder.tls_certs_only([root]))
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn by_hand(&self) -> ByHand {
        self.by_hand_with_key(self.server.key.clone())
    }

    pub(crate) fn by_hand_with_key(&self, key: String) -> ByHand {
        ByHand::new(self, key)
    }

    /// Makes a client trust the server, if it speaks TLS.
    #[cfg(feature = "rustls")]
    pub(crate) fn tls<B>(&self, builder: B, trust: impl FnOnce(B, reqwest::Certificate) -> B) -> B {
        if self.server.root.is_empty() {
            return builder;
        }
        let digits = self.server.root.as_bytes().chunks(2);
        let der: Vec<u8> = digits
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect();
        trust(builder, reqwest::Certificate::from_der(&der).unwrap())
    }

    #[cfg(not(feature = "rustls"))]
    pub(crate) fn tls<B>(&self, builder: B, _: impl FnOnce(B, reqwest::Certificate) -> B) -> B {
        builder
    }

    /// Waits until the value has arrived in this process, and its reader has taken it.
    pub(crate) async fn arrived(&mut self) -> Copies {
        // What was left before it came does not count.
        let left = self.scan().all();
        loop {
            tokio::task::yield_now().await;
            let copies = self.scan();
            if copies.all() > left {
                self.everybody_has_run().await;
                return copies;
            }
        }
    }

    /// Lets the server continue a response that it holds back.
    pub(crate) fn release(&self) {
        let address = self.server.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(crate::server::GO).unwrap();
    }

    /// There is one thread, so after a few turns each task has done what it can.
    pub(crate) async fn everybody_has_run(&self) {
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
    }
}
