//! How the instructions of a call grow with its input. The last column of each table should not
//! grow.
//!
//! Run it with `cargo bench --bench growth`; it needs valgrind.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops if it cannot measure"
)]

mod support;

use std::hint::black_box;

use truefoundry_secrets::{Client, ListSecretGroups, ListSecrets, NewSecretGroup};

use support::canned::{COUNTS, SIZES};
use support::peers::{KEY, Peer};
use support::{Server, instructions_of, runtime};

const GROUPS: [usize; 3] = [100, 1_000, 10_000];
const TEXTS: [usize; 3] = [1024, 8 * 1024, 64 * 1024];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["server"] => support::server::run(),
        ["calls", what, size, count, url] => {
            let (size, count) = (size.parse().unwrap(), count.parse().unwrap());
            runtime().block_on(calls(what, size, count, url));
        }
        _ => report(&Server::start().url),
    }
}

fn report(url: &str) {
    table("values in a list", "values", &COUNTS, url);
    table("references", "references", &COUNTS, url);
    table("streamed groups", "groups", &GROUPS, url);
    table("bytes of a value that is read", "get", &SIZES, url);
    table("bytes of a value that is written", "create", &SIZES, url);
    for length in TEXTS {
        let title = format!("values sent, refused with {length} bytes");
        table(&title, &format!("refused-{length}"), &COUNTS, url);
    }
    for length in TEXTS {
        let title = format!("values of one letter sent, refused with {length} bytes of it");
        table(&title, &format!("repeated-{length}"), &COUNTS, url);
    }
}

/// What one call costs, and what each further item of its input adds.
fn table(title: &str, what: &str, sizes: &[usize], url: &str) {
    println!("| {title} | instructions | for each more |\n|---|---|---|");
    let mut before: Option<(usize, f64)> = None;
    for &size in sizes {
        let of =
            |calls: &str| instructions_of(&["calls", what, &size.to_string(), calls, url]).unwrap();
        let one = of("3") - of("2");
        let more = before.map(|(less, cost)| (one - cost) / (size - less) as f64);
        println!(
            "| {size} | {one:.0} | {} |",
            more.map(|it| format!("{it:.1}")).unwrap_or_default()
        );
        before = Some((size, one));
    }
    println!();
}

async fn calls(what: &str, size: usize, count: usize, url: &str) {
    let client = |path: &str| {
        Client::builder().base_url(format!("{url}{path}")).api_key(KEY).build().unwrap()
    };
    let (what, length) = what.split_once('-').unwrap_or((what, "0"));
    match what {
        "values" => {
            let client = client(&format!("/keys-{size}"));
            let params = ListSecrets::in_group("group-1").with_values();
            for _ in 0..count {
                let page = client.secrets().list(&params).await.unwrap();
                assert_eq!(black_box(page).items().len(), size);
            }
        }
        "groups" => {
            let client = client(&format!("/of-{size}"));
            for _ in 0..count {
                let mut groups = client.secret_groups().stream(ListSecretGroups::new());
                let mut streamed = 0;
                while let Some(group) = groups.next().await {
                    black_box(group.unwrap());
                    streamed += 1;
                }
                assert_eq!(streamed, size);
            }
        }
        "refused" | "repeated" => {
            let status = if what == "refused" { "502" } else { "503" };
            let client = client(&format!("/refused-{status}-{length}"));
            let value = |n| match what {
                "refused" => format!("a value of 32 characters, no {n:03}"),
                _ => format!("{}{n:03}", "a".repeat(64)),
            };
            for _ in 0..count {
                let new = NewSecretGroup::in_integration("prod", "store-1");
                let new = (0..size).fold(new, |new, n| new.secret(format!("DB{n}"), value(n)));
                black_box(client.secret_groups().create(new).await.unwrap_err());
            }
        }
        _ => {
            let scenario = match what {
                "get" => format!("get-plain {size}"),
                "create" => format!("create {size}"),
                "references" => format!("resolve {size}"),
                other => panic!("unknown measurement: {other}"),
            };
            let peer = Peer::new("ours", url);
            for _ in 0..count {
                peer.call(&scenario).await;
            }
        }
    }
}
