//! Allocations, bytes and peak memory of a call, compared with the same call by hand.
//!
//! Run it with `cargo bench --bench allocations`. It is separate from `requests` because counting
//! costs instructions.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "a benchmark prints, and stops if it cannot measure"
)]

mod support;

use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use truefoundry_secrets::testing::FakeTrueFoundry;
use truefoundry_secrets::{Client, ListSecretGroups};

use support::peers::{KEY, Peer};
use support::{Server, runtime};

const PEERS: [&str; 4] = ["ours", "hand", "bare", "hyper"];

fn main() {
    if std::env::args().nth(1).as_deref() == Some("server") {
        return support::server::run();
    }
    let server = Server::start();
    println!(
        "| call | client | allocations | bytes | peak bytes | allocations to hand | peak to hand |"
    );
    println!("|---|---|---|---|---|---|---|");
    for scenario in ["get", "page", "values"] {
        let counts: Vec<_> =
            PEERS.iter().map(|peer| (peer, one_call(peer, scenario, &server.url))).collect();
        let by_hand = counts[1].1;
        for (peer, count) in counts {
            println!(
                "| {scenario} | {peer} | {} | {} | {} | {:.2} | {:.2} |",
                count.count_total,
                count.bytes_total,
                count.bytes_max,
                ratio(count.count_total, by_hand.count_total),
                ratio(count.bytes_max, by_hand.bytes_max),
            );
        }
    }
    println!("\n| streamed groups | peak bytes |\n|---|---|");
    for groups in [100, 1_000, 10_000] {
        println!("| {groups} | {} |", stream(groups, &server.url));
    }
    println!("\n| keys of a watched group | bytes per watch |\n|---|---|");
    for keys in [1, 20, 100] {
        println!("| {keys} | {} |", watch(keys));
    }
}

fn ratio(ours: u64, theirs: u64) -> f64 {
    ours as f64 / theirs as f64
}

/// The median of 51 calls on a warm connection, by the number of allocations.
fn one_call(peer: &str, scenario: &str, url: &str) -> AllocationInfo {
    let runtime = runtime();
    let peer = Peer::new(peer, url);
    runtime.block_on(async {
        for _ in 0..20 {
            peer.call(scenario).await;
        }
    });
    let mut counts: Vec<_> =
        (0..51).map(|_| measure(|| runtime.block_on(peer.call(scenario)))).collect();
    counts.sort_by_key(|count| count.count_total);
    counts.swap_remove(counts.len() / 2)
}

/// The most memory in use while streaming that many groups, a client's own included.
fn stream(groups: usize, url: &str) -> u64 {
    let runtime = runtime();
    let client =
        Client::builder().base_url(format!("{url}/of-{groups}")).api_key(KEY).build().unwrap();
    let count = measure(|| {
        runtime.block_on(async {
            let mut items = client.secret_groups().stream(ListSecretGroups::new());
            let mut count = 0;
            while let Some(group) = items.next().await {
                std::hint::black_box(group.unwrap());
                count += 1;
            }
            assert_eq!(count, groups);
        });
    });
    count.bytes_max
}

/// What a watch holds on to, its values included: the mean of 100.
fn watch(keys: usize) -> i64 {
    const WATCHES: usize = 100;
    let runtime = runtime();
    let pairs = (0..keys).map(|n| (format!("KEY_{n}"), format!("value of key {n}")));
    let fake = runtime.block_on(FakeTrueFoundry::start());
    let fake = fake.with_recording_limit(0).with_group("app", pairs);
    let client = fake.client();
    let start = || client.watch_group("app").every(Duration::from_secs(3600)).start();
    let mut watches = Vec::with_capacity(1 + WATCHES);
    // This first one also opens the connections.
    watches.push(runtime.block_on(start()).unwrap());
    let held = measure(|| {
        for _ in 0..WATCHES {
            watches.push(runtime.block_on(start()).unwrap());
        }
    });
    held.bytes_current / WATCHES as i64
}
