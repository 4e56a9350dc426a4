//! What the child processes do: the work that is measured, and numbers on standard output.

use std::hint::black_box;
use std::time::{Duration, Instant};

use truefoundry_secrets::{Client, NewSecretGroup, SecretRef};

use crate::support::peers::{KEY, Peer};
use crate::support::runtime;

/// Setting a client up and the first call, as a short-lived program does.
pub(crate) fn first(peer: &str, url: &str) {
    let peer = match peer {
        // Only the application's own root certificates, of which a plain connection needs none.
        "own-roots" => {
            let builder = Client::builder().base_url(url).api_key(KEY);
            Peer::Ours(builder.tls_certs_only([]).build().unwrap())
        }
        peer => Peer::new(peer, url),
    };
    runtime().block_on(peer.call("get"));
}

/// Only the calls: run under callgrind with two counts, the difference is what calls cost.
pub(crate) fn repeated(peer: &str, scenario: &str, count: usize, url: &str) {
    runtime().block_on(async {
        let peer = Peer::new(peer, url);
        for _ in 0..count {
            peer.call(scenario).await;
        }
    });
}

/// Only calls that fail with this status: a read if no value is sent, otherwise the creation of a
/// group with that many.
pub(crate) fn refused(status: &str, values: usize, count: usize, url: &str) {
    let client = Client::builder().base_url(format!("{url}/refused-{status}")).api_key(KEY);
    let client = client.build().unwrap();
    let value = |n: usize| match status {
        "503" => format!("{}{n:03}", "a".repeat(64)),
        _ => format!("a value of 32 characters, no {n:03}"),
    };
    runtime().block_on(async {
        let groups = client.secret_groups();
        for _ in 0..count {
            let error = if values == 0 {
                groups.get("group-1").await.unwrap_err()
            } else {
                let new = NewSecretGroup::in_integration("prod", "store-1");
                let new = (0..values).fold(new, |new, n| new.secret(format!("DB{n}"), value(n)));
                groups.create(new).await.unwrap_err()
            };
            assert_eq!(black_box(error).status().map(|it| it.to_string()).as_deref(), Some(status));
        }
    });
}

/// Calls per second of each peer, one after another in turns, sequential and 64 at a time.
pub(crate) fn speed(scenario: &str, url: &str) {
    let names = ["ours", "hand", "bare", "hyper"];
    let runtime = runtime();
    runtime.block_on(async {
        let peers: Vec<_> = names.iter().map(|name| Peer::new(name, url)).collect();
        let mut rates = vec![(Vec::new(), Vec::new()); peers.len()];
        let slice = Duration::from_millis(if scenario == "page" { 120 } else { 80 });
        for _ in 0..31 {
            for (peer, rates) in peers.iter().zip(&mut rates) {
                rates.0.push(sequential(peer, scenario, slice).await);
                rates.1.push(side_by_side(peer, scenario, 64, slice).await);
            }
        }
        for (name, (mut alone, mut many)) in names.iter().zip(rates) {
            println!("{name} {} {}", median(&mut alone), median(&mut many));
        }
    });
}

pub(crate) async fn sequential(peer: &Peer, scenario: &str, slice: Duration) -> f64 {
    let begin = Instant::now();
    let mut calls = 0_u32;
    while begin.elapsed() < slice {
        peer.call(scenario).await;
        calls += 1;
    }
    f64::from(calls) / begin.elapsed().as_secs_f64()
}

pub(crate) async fn side_by_side(
    peer: &Peer,
    scenario: &str,
    callers: usize,
    slice: Duration,
) -> f64 {
    let begin = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (peer, scenario) = (peer.clone(), scenario.to_owned());
            tokio::spawn(async move {
                let mut calls = 0_u32;
                while begin.elapsed() < slice {
                    peer.call(&scenario).await;
                    calls += 1;
                }
                calls
            })
        })
        .collect();
    let mut calls = 0;
    for task in tasks {
        calls += task.await.unwrap();
    }
    f64::from(calls) / begin.elapsed().as_secs_f64()
}

pub(crate) fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// 50 references at once compared with one by one, with a server delay of 20 ms.
pub(crate) fn resolve(url: &str) {
    runtime().block_on(async {
        let url = format!("{url}/slow");
        let client = Client::builder().base_url(url).api_key(KEY).build().unwrap();
        client.secrets().get("secret-1").await.unwrap();
        let references: Vec<_> = (0..50)
            .map(|n| SecretRef::new("my-tenant", "group-0001", &format!("KEY-{n:04}")).unwrap())
            .collect();
        let begin = Instant::now();
        assert_eq!(client.resolve_all(&references).await.unwrap().len(), 50);
        let together = begin.elapsed();
        let begin = Instant::now();
        for _ in 0..50 {
            black_box(client.secrets().get("secret-1").await.unwrap());
        }
        println!("{} {}", together.as_secs_f64() * 1e3, begin.elapsed().as_secs_f64() * 1e3);
    });
}
