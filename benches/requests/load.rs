//! Many callers on a runtime of several threads, one caller that mixes long lists with short reads, and how many
//! connections many callers open.

use std::time::Duration;

use truefoundry_secrets::{Client, reqwest};

use crate::calls::{median, sequential, side_by_side};
use crate::support::peers::{KEY, Peer};
use crate::support::runtime;

const SECOND: Duration = Duration::from_secs(1);
const SLICE: Duration = Duration::from_millis(150);
const TURNS: usize = 31;

/// Prints the calls per second of 64 callers on several threads. `untimed` is by hand without a timeout.
pub(crate) fn many(peer: &str, url: &str, certificate: &str) {
    let certificate = certificate.replace('|', "\n");
    let root = reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap();
    let by_hand = || {
        let client = reqwest::Client::builder().no_gzip().http1_only();
        let client = client.redirect(reqwest::redirect::Policy::none());
        client.tls_certs_only([root.clone()])
    };
    let peer = match peer {
        "ours" => {
            let client = Client::builder().base_url(url).api_key(KEY);
            Peer::Ours(client.tls_certs_only([root]).build().unwrap())
        }
        "hand" => Peer::Hand(by_hand().timeout(60 * SECOND).build().unwrap(), url.to_owned()),
        _ => Peer::Hand(by_hand().build().unwrap(), url.to_owned()),
    };
    println!("{}", several_threads().block_on(side_by_side(&peer, "get", 64, 2 * SECOND)));
}

pub(crate) fn run(url: &str) {
    println!(
        "| one caller, lists of 100 values and single secrets by turns | to hand |\n|---|---|"
    );
    for (title, runtime) in [("one thread", runtime()), ("several threads", several_threads())] {
        let peers = ["ours", "hand"].map(|name| Peer::new(name, url));
        let mut ratios = Vec::new();
        for turn in 0..TURNS {
            let mut rates = [0.0; 2];
            // In another order each time, because the first one of a turn is slower.
            for at in [turn % 2, (turn + 1) % 2] {
                rates[at] = runtime.block_on(sequential(&peers[at], "mixed", SLICE));
            }
            ratios.push(rates[0] / rates[1]);
        }
        println!("| {title} | {:.2} |", median(&mut ratios));
    }
    println!("\n| 512 callers at once, for a second | connections |\n|---|---|");
    for (title, runtime) in [("one thread", runtime()), ("several threads", several_threads())] {
        for name in ["ours", "hand"] {
            let mut opened: Vec<f64> = (0..5)
                .map(|_| {
                    runtime.block_on(async {
                        let before = connections(url).await;
                        side_by_side(&Peer::new(name, url), "get", 512, SECOND).await;
                        connections(url).await - before - 1.0
                    })
                })
                .collect();
            println!("| {title}, {name} | {:.0} |", median(&mut opened));
        }
    }
}

fn several_threads() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

/// How many the server has accepted.
async fn connections(url: &str) -> f64 {
    let client = reqwest::Client::new();
    let response = client.get(format!("{url}/connections")).send().await.unwrap();
    response.text().await.unwrap().parse().unwrap()
}
