//! Twenty minutes of trouble, sixty times as fast: 64 callers against a server that fails in every way.
//!
//! Run it with `cargo bench --bench soak`: all times of the client and the server (deadline, delays,
//! waits that are asked for) are a sixtieth of the usual ones, so that the default of 20 s stands for 20
//! minutes. `SOAK_SECONDS` sets another length. It prints the memory over time, the outcomes of the
//! calls, and the slowest call next to its deadline; it fails if a response was wrong, a call went
//! on past its deadline, or memory grew. The server is another process, so that the memory is the
//! client's alone (read on Linux only).
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops if it cannot measure"
)]

#[allow(dead_code, reason = "only what is short is read here")]
#[path = "../support/canned.rs"]
mod canned;
mod server;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use truefoundry_secrets::{
    Client, Error, ListSecretGroups, ListSecrets, NewSecretGroup, RetryPolicy,
};

/// How many times faster than real time.
const SCALE: u32 = 60;
const CALLERS: usize = 64;
const DEADLINE: Duration = Duration::from_secs(60);
const LATENESS: Duration = Duration::from_secs(1);
const SAMPLES: u32 = 20;

#[derive(Default)]
struct Tally {
    outcomes: BTreeMap<&'static str, u64>,
    slowest: Duration,
    late: u64,
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("server") {
        return server::run();
    }
    let seconds = std::env::var("SOAK_SECONDS").map_or(20, |text| text.parse().unwrap());
    let length = Duration::from_secs(seconds);
    let mut server = Command::new(std::env::current_exe().unwrap())
        .arg("server")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (tally, memory) = runtime.block_on(soak(&format!("http://{}", line.trim()), length));
    let _ = server.kill();
    let _ = server.wait();
    report(&tally, &memory, length);
}

async fn soak(url: &str, length: Duration) -> (Tally, Vec<(Duration, u64)>) {
    let retry = RetryPolicy::default()
        .base_delay(Duration::from_millis(200) / SCALE)
        .max_delay(Duration::from_secs(5) / SCALE);
    let client = Client::builder()
        .base_url(url)
        .api_key("a-key-of-a-length-that-is-usual")
        .tenant("my-tenant")
        .timeout(DEADLINE / SCALE)
        .connect_timeout(Duration::from_secs(10) / SCALE)
        .response_limit(1024 * 1024)
        .retry(retry)
        .build()
        .unwrap();
    let tally = Mutex::new(Tally::default());
    let begun = Instant::now();
    let callers = (0..CALLERS).map(|caller| {
        let (client, tally) = (&client, &tally);
        async move {
            let mut n = caller;
            while begun.elapsed() < length {
                let started = Instant::now();
                let result = call(client, n).await;
                let took = started.elapsed();
                let mut tally = tally.lock().unwrap();
                *tally.outcomes.entry(name(&result)).or_default() += 1;
                tally.slowest = tally.slowest.max(took);
                // On a busy machine, a timer may fire late by any amount.
                tally.late += u64::from(took > DEADLINE / SCALE + LATENESS);
                n += 1;
            }
        }
    });
    let sampling = async {
        let mut memory = Vec::new();
        for _ in 0..SAMPLES {
            tokio::time::sleep(length / SAMPLES).await;
            memory.extend(resident().map(|bytes| (begun.elapsed(), bytes)));
        }
        memory
    };
    let calling = futures_util::future::join_all(callers);
    let (_, memory) = futures_util::future::join(calling, sampling).await;
    (tally.into_inner().unwrap(), memory)
}

async fn call(client: &Client, n: usize) -> Result<(), Error> {
    let (groups, secrets) = (client.secret_groups(), client.secrets());
    match n % 7 {
        0 => {
            let page = groups.list(&ListSecretGroups::new()).await?;
            assert_eq!(page.items().len(), 100, "half a page was taken for a whole one");
            Ok(())
        }
        1 => {
            let list = ListSecrets::in_group("group-1").with_values();
            let page = secrets.list(&list).await?;
            assert!(
                page.iter().all(|secret| secret.value().is_some_and(|value| value.len() == 48))
            );
            Ok(())
        }
        2 => {
            let new = NewSecretGroup::in_integration("app", "i-1").secret("KEY", "a value of ours");
            groups.create(new).await.map(drop)
        }
        3 => secrets.delete("secret-1").await.map(drop),
        4 => {
            // Given up midway, as callers do.
            let get = secrets.get("secret-1");
            match tokio::time::timeout(Duration::from_millis(5), get).await {
                Ok(result) => result.map(drop),
                Err(_) => Ok(()),
            }
        }
        _ => secrets.get("secret-1").await.map(drop),
    }
}

fn name(result: &Result<(), Error>) -> &'static str {
    match result {
        Ok(()) => "success",
        Err(Error::Timeout { .. }) => "Timeout",
        Err(Error::Transport { .. }) => "Transport",
        Err(Error::Connect { .. }) => "Connect",
        Err(Error::RateLimited { .. }) => "RateLimited",
        Err(Error::Service { .. }) => "Service",
        Err(Error::Decode { .. }) => "Decode",
        Err(Error::ResponseTooLarge { .. }) => "ResponseTooLarge",
        Err(Error::PermissionDenied { .. }) => "PermissionDenied",
        Err(other) => panic!("no response of the server causes this: {other:?}"),
    }
}

/// This process's memory, if the system tells it.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

fn report(tally: &Tally, memory: &[(Duration, u64)], length: Duration) {
    let calls: u64 = tally.outcomes.values().sum();
    println!(
        "{calls} calls of {CALLERS} callers in {length:?}, which stand for {:?}",
        length * SCALE
    );
    println!("\n| outcome | calls |\n|---|---|");
    for (outcome, count) in &tally.outcomes {
        println!("| {outcome} | {count} |");
    }
    println!("\n| after | resident MiB |\n|---|---|");
    for (after, bytes) in memory {
        println!("| {:.0} s | {:.1} |", after.as_secs_f64(), mebibytes(*bytes));
    }
    println!("\nslowest call: {:.2?}, deadline: {:.2?}", tally.slowest, DEADLINE / SCALE);
    println!("calls over {LATENESS:?} past their deadline: {}", tally.late);
    let half = memory.len() / 2;
    let most = |part: &[(Duration, u64)]| part.iter().map(|sample| sample.1).max().unwrap_or(0);
    let (early, late) = (most(&memory[..half]), most(&memory[half..]));
    println!(
        "most memory: {:.1} MiB in the first half, {:.1} MiB in the second",
        mebibytes(early),
        mebibytes(late)
    );
    // What pools and the allocator keep settles in the first half; a leak goes on.
    assert!(late <= early + early / 4, "memory grew");
    assert_eq!(tally.late, 0, "calls went on past their deadline");
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}
