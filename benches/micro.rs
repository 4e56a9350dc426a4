//! The small things: parsing references, decoding values, reading a failure, the values of a watch.
//!
//! Run it with `cargo bench --bench micro`.
#![allow(clippy::unwrap_used, reason = "a benchmark stops if it cannot measure")]

use std::sync::Arc;
use std::time::Duration;

use divan::{Bencher, black_box};
use tokio::runtime::{Builder, Runtime};
use truefoundry_secrets::testing::{FakeTrueFoundry, error_from_response, from_json};
use truefoundry_secrets::{
    Client, Error, Operation, Secret, SecretMap, SecretRef, Watch, find_refs,
};

fn main() {
    divan::main();
}

#[divan::bench]
fn parse_reference() -> SecretRef {
    black_box("tfy-secret://my-org:my-app-secrets:DB_PASSWORD").parse().unwrap()
}

#[divan::bench]
fn print_reference(bencher: Bencher<'_, '_>) {
    let reference = SecretRef::new("my-org", "my-app-secrets", "DB_PASSWORD").unwrap();
    bencher.bench(|| black_box(&reference).to_string());
}

/// A manifest of 1,000 lines, every tenth with a reference.
#[divan::bench]
fn find_references(bencher: Bencher<'_, '_>) {
    let lines = (0..1000).map(|n| match n % 10 {
        0 => format!("  KEY_{n}: tfy-secret://my-org:my-app-secrets:KEY_{n}\n"),
        _ => format!("  KEY_{n}: just some value that is no reference {n}\n"),
    });
    let text: String = lines.collect();
    bencher.bench(|| find_refs(black_box(&text)).count());
}

fn secret_with(value: &str) -> String {
    let value = serde_json::to_string(value).unwrap();
    format!(r#"{{"id":"s-1","fqn":"t:g:k","name":"k","value":{value}}}"#)
}

/// 2 KB without and with escapes: a token, and a PEM key.
#[divan::bench(args = [false, true])]
fn decode_value(bencher: Bencher<'_, '_>, escapes: bool) {
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let joint = if escapes { "\n" } else { "+" };
    let json = secret_with(&[line; 32].join(joint));
    bencher.bench(|| from_json::<Secret>(black_box(&json)).unwrap());
}

/// The same by `serde_json` into a `String`, which leaves copies behind.
#[divan::bench(args = [false, true])]
fn decode_value_with_serde_json(bencher: Bencher<'_, '_>, escapes: bool) {
    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "decoded, as an application's models would be")]
    struct Plain {
        id: String,
        fqn: String,
        name: String,
        value: String,
    }
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let joint = if escapes { "\n" } else { "+" };
    let json = secret_with(&[line; 32].join(joint));
    bencher.bench(|| serde_json::from_str::<Plain>(black_box(&json)).unwrap());
}

const REFUSALS: [(u16, &str); 4] = [
    (404, r#"{"statusCode":404,"message":"Secret group ID not found"}"#),
    (
        409,
        r#"{"statusCode":409,"message":"Secret prod-DB is currently in a deleted but recoverable state, and its name cannot be reused","code":"ObjectIsDeletedButRecoverable"}"#,
    ),
    (422, r#"{"statusCode":422,"message":["Key name does not support underscores (_)"]}"#),
    (502, "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"),
];

#[divan::bench(args = [0, 1, 2, 3])]
fn classify_failure(bencher: Bencher<'_, '_>, index: usize) {
    let (status, body) = *REFUSALS.get(index).unwrap();
    bencher.bench(|| -> Error {
        error_from_response(Operation::CreateSecretGroup, black_box(status), black_box(body))
    });
}

/// The time between two reads of a watch, give or take 10 %.
const EVERY: Duration = Duration::from_secs(60);

/// A group of 20 keys and its watch. The runtime's clock advances only while the runtime is idle.
struct Watched {
    runtime: Runtime,
    fake: FakeTrueFoundry,
    client: Client,
    watch: Watch,
}

impl Watched {
    fn start() -> Self {
        let runtime =
            Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let (fake, client, watch) = runtime.block_on(async {
            let pairs = (0..20).map(|n| (format!("KEY_{n}"), format!("value of key {n}")));
            let fake = FakeTrueFoundry::start().await.with_group("app", pairs);
            let client = fake.client();
            let watch = client.watch_group("app").every(EVERY).start().await.unwrap();
            (fake, client, watch)
        });
        Self { runtime, fake, client, watch }
    }
}

/// Calls in one measurement, which includes dropping their results: a single call is too short for
/// the timer.
const CALLS: usize = 1000;

#[divan::bench(threads = [1, 64])]
fn current_values(bencher: Bencher<'_, '_>) {
    let Watched { watch, .. } = Watched::start();
    bencher.bench(|| {
        for _ in 0..CALLS {
            drop::<Arc<SecretMap>>(black_box(black_box(&watch).current()));
        }
    });
}

/// What any shared value costs.
#[divan::bench(threads = [1, 64])]
fn current_values_as_a_bare_arc(bencher: Bencher<'_, '_>) {
    let values = Arc::new(SecretMap::new());
    bencher.bench(|| {
        for _ in 0..CALLS {
            drop(black_box(Arc::clone(black_box(&values))));
        }
    });
}

/// 100 reads of a group that does not change, including the fake's share; every 15th reads the
/// values.
#[divan::bench]
fn a_hundred_quiet_looks(bencher: Bencher<'_, '_>) {
    let Watched { runtime, fake, watch, .. } = Watched::start();
    bencher.bench_local(|| runtime.block_on(async { tokio::time::sleep(100 * EVERY).await }));
    drop((watch, fake));
}

/// The requests of a hundred such reads alone.
#[divan::bench]
fn a_hundred_groups_by_their_identifier(bencher: Bencher<'_, '_>) {
    let Watched { runtime, fake, client, watch } = Watched::start();
    drop(watch);
    let id = fake.group_id("app").unwrap();
    bencher.bench_local(|| {
        runtime.block_on(async {
            for _ in 0..100 {
                black_box(client.secret_groups().get(&id).await.unwrap());
            }
        });
    });
}
