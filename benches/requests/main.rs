//! What a call costs compared with the same call written by hand with reqwest, and with hyper
//! directly.
//!
//! Run it with `cargo bench --bench requests`. It prints ratios measured in one run and writes
//! `benches/ratios.svg`; nothing is asserted. The server is another process, so that what is counted is
//! the client alone. Instructions are counted by callgrind, if valgrind is installed.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops if it cannot measure"
)]

mod calls;
mod chart;
#[cfg(feature = "rustls")]
mod load;
mod report;
#[path = "../support/mod.rs"]
mod support;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["server"] => support::server::run(),
        ["calls", peer, scenario, count, url] => {
            calls::repeated(peer, scenario, count.parse().unwrap(), url);
        }
        ["refused", status, values, count, url] => {
            calls::refused(status, values.parse().unwrap(), count.parse().unwrap(), url);
        }
        ["first", peer, url] => calls::first(peer, url),
        ["speed", scenario, url] => calls::speed(scenario, url),
        #[cfg(feature = "rustls")]
        ["load", url] => load::run(url),
        #[cfg(feature = "rustls")]
        ["many", peer, url, certificate] => load::many(peer, url, certificate),
        ["resolve", url] => calls::resolve(url),
        _ => report::run(),
    }
}
