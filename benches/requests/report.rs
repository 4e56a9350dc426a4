//! Runs the measurements in child processes and prints them as tables.

use std::process::{Command, Stdio};

use crate::chart::{self, Bar};
use crate::support::Server;

const PEERS: [&str; 4] = ["ours", "hand", "bare", "hyper"];
const SCENARIOS: [(&str, &str, usize); 3] = [
    ("get", "one secret", 300),
    ("page", "a page of 100 groups × 20 secrets", 6),
    ("values", "100 secrets with values", 30),
];

const REFUSALS: [(&str, &str); 4] = [
    ("404", "404"),
    ("409", "409, soft-deleted"),
    ("422", "422 with 4 KB of problems"),
    ("502", "502 with a page of 64 KB"),
];
const REFUSED: usize = 50;

pub(crate) fn run() {
    let server = Server::start();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores; a ratio below 1 is less than by hand\n");
    let mut bars = instructions(&server.url);
    bars.extend(speed(&server.url));
    resolve(&server.url);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/ratios.svg");
    std::fs::write(path, chart::svg(&bars)).unwrap();
    println!("\nwritten: benches/ratios.svg");
}

fn instructions(url: &str) -> Vec<Bar> {
    let mut bars = Vec::new();
    if count_instructions(&["calls", "hand", "get", "1", url]).is_none() {
        println!("valgrind is not installed: instructions are not counted\n");
        return bars;
    }
    println!("| call | client | instructions | to hand |\n|---|---|---|---|");
    for (scenario, title, count) in SCENARIOS {
        let mut counts = Vec::new();
        for peer in PEERS {
            let of = |calls: usize| {
                count_instructions(&["calls", peer, scenario, &calls.to_string(), url]).unwrap()
            };
            // What start-up costs cancels out.
            let (few, many) = (of(count), of(2 * count));
            counts.push((peer, (many - few) / count as f64));
        }
        bars.extend(table(title, &counts, "instructions"));
    }
    let first: Vec<_> = ["ours", "hand", "own-roots"]
        .map(|peer| (peer, count_instructions(&["first", peer, url]).unwrap()))
        .to_vec();
    bars.extend(table("first secret from process start", &first, "instructions"));
    refusals(url);
    println!();
    bars
}

/// What a failure costs with all that is made of it.
fn refusals(url: &str) {
    println!("\n| refusal | instructions |\n|---|---|");
    for (status, title) in REFUSALS {
        let of = |calls: usize| {
            count_instructions(&["refused", status, &calls.to_string(), url]).unwrap()
        };
        println!("| {title} | {:.0} |", (of(2 * REFUSED) - of(REFUSED)) / REFUSED as f64);
    }
}

fn table(title: &str, counts: &[(&str, f64)], what: &str) -> Vec<Bar> {
    let by_hand = counts.iter().find(|(peer, _)| *peer == "hand").unwrap().1;
    let mut bars = Vec::new();
    for (peer, count) in counts {
        println!("| {title} | {peer} | {count:.0} | {:.2} |", count / by_hand);
        if *peer == "ours" {
            bars.push(Bar { title: format!("{title}: {what}"), ratio: count / by_hand });
        }
    }
    bars
}

/// The instructions that this executable takes with these arguments; `None` without valgrind.
fn count_instructions(arguments: &[&str]) -> Option<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn speed(url: &str) -> Vec<Bar> {
    let mut bars = Vec::new();
    println!(
        "| call | client | calls/s, one at a time | to hand | calls/s, 64 at a time | to hand |"
    );
    println!("|---|---|---|---|---|---|");
    for (scenario, title, _) in SCENARIOS {
        let output = child(&["speed", scenario, url]);
        let rates: Vec<(&str, f64, f64)> = output
            .lines()
            .map(|line| {
                let mut words = line.split(' ');
                let mut next = || words.next().unwrap();
                (next(), next().parse().unwrap(), next().parse().unwrap())
            })
            .collect();
        let by_hand = rates.iter().find(|rate| rate.0 == "hand").unwrap();
        for (peer, alone, many) in &rates {
            println!(
                "| {title} | {peer} | {alone:.0} | {:.2} | {many:.0} | {:.2} |",
                alone / by_hand.1,
                many / by_hand.2
            );
        }
        let title = format!("{title}: time per call, 64 at a time");
        bars.push(Bar { title, ratio: by_hand.2 / rates[0].2 });
    }
    bars
}

fn resolve(url: &str) {
    let output = child(&["resolve", url]);
    let times: Vec<f64> = output.split_whitespace().map(|time| time.parse().unwrap()).collect();
    println!(
        "\n50 references at 20 ms of server delay: {:.1} ms at once, {:.0} ms one by one",
        times[0], times[1]
    );
}

fn child(arguments: &[&str]) -> String {
    let output = Command::new(std::env::current_exe().unwrap()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
