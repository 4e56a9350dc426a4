//! Many callers on a runtime of several threads, one caller that mixes long lists with short reads, and how many
//! connections many callers open.

use std::time::Duration;

use truefoundry_secrets::{Client, reqwest};

use crate::calls::{median, sequential, side_by_side};
use crate::support::peers::{KEY, Peer};
use crate::support::runtime;

const SLICE: Duration = Duration::from_millis(150);
const TURNS: usize = 31;

pub(crate) fn run(url: &str, tls_url: &str, certificate: &str) {
    let certificate = certificate.replace('|', "\n");
    let root = reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap();
    println!(
        "\n| several threads, one secret, 64 callers | calls/s | to hand with a timeout | to hand without |\n|---|---|---|---|"
    );
    let threads = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    threads().block_on(async {
        for (title, url) in [("http", url), ("https", tls_url)] {
            let peers = [
                ours(url, &root),
                Peer::Hand(by_hand(&root, Some(60)), url.to_owned()),
                Peer::Hand(by_hand(&root, None), url.to_owned()),
            ];
            let [ours, timed, untimed] =
                in_turns(&peers, async |peer: &Peer| side_by_side(peer, "get", 64, SLICE).await)
                    .await;
            println!("| {title} | {ours:.0} | {:.2} | {:.2} |", ours / timed, ours / untimed);
        }
    });
    println!(
        "\n| one caller, lists of 100 values and single secrets by turns | calls/s | to hand |\n|---|---|---|"
    );
    for (title, runtime) in [("one thread", runtime()), ("several threads", threads())] {
        runtime.block_on(async {
            let peers = [ours(url, &root), Peer::Hand(by_hand(&root, Some(60)), url.to_owned())];
            let [ours, hand] =
                in_turns(&peers, async |peer: &Peer| sequential(peer, "mixed", SLICE).await).await;
            println!("| {title} | {:.0} | {:.2} |", 2.0 * ours, ours / hand);
        });
    }
    println!("\n| 512 callers at once, for a second | connections |\n|---|---|");
    for (title, runtime) in [("one thread", runtime()), ("several threads", threads())] {
        runtime.block_on(async {
            for name in ["ours", "hand"] {
                let mut opened = Vec::new();
                for _ in 0..5 {
                    let before = connections(url).await;
                    side_by_side(&Peer::new(name, url), "get", 512, Duration::from_secs(1)).await;
                    opened.push(connections(url).await - before - 1.0);
                }
                println!("| {title}, {name} | {:.0} |", median(&mut opened));
            }
        });
    }
}

/// The median of each peer's rates.
async fn in_turns<const N: usize>(
    peers: &[Peer; N],
    mut measure: impl AsyncFnMut(&Peer) -> f64,
) -> [f64; N] {
    let mut rates = [const { Vec::new() }; N];
    for _ in 0..TURNS {
        for (peer, rates) in peers.iter().zip(&mut rates) {
            rates.push(measure(peer).await);
        }
    }
    rates.map(|mut rates| median(&mut rates))
}

fn ours(url: &str, root: &reqwest::Certificate) -> Peer {
    let client = Client::builder().base_url(url).api_key(KEY).tls_certs_only([root.clone()]);
    Peer::Ours(client.build().unwrap())
}

fn by_hand(root: &reqwest::Certificate, timeout: Option<u64>) -> reqwest::Client {
    let client = reqwest::Client::builder()
        .no_gzip()
        .http1_only()
        .tls_certs_only([root.clone()])
        .redirect(reqwest::redirect::Policy::none());
    match timeout {
        Some(seconds) => client.timeout(Duration::from_secs(seconds)).build().unwrap(),
        None => client.build().unwrap(),
    }
}

/// How many the server has accepted.
async fn connections(url: &str) -> f64 {
    let client = reqwest::Client::new();
    let response = client.get(format!("{url}/connections")).send().await.unwrap();
    response.text().await.unwrap().parse().unwrap()
}
