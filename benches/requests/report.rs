//! Runs the measurements in child processes and prints them as tables.

use std::process::Command;

use crate::calls::median;
use crate::chart::{self, Bar};
use crate::support::{Server, instructions_of};

const PEERS: [&str; 4] = ["ours", "hand", "bare", "hyper"];
const SCENARIOS: [(&str, &str, usize); 3] = [
    ("get", "one secret", 300),
    ("page", "a page of 100 groups × 20 secrets", 6),
    ("values", "100 secrets with values", 30),
];

/// For these only the instructions are counted, compared with the call by hand.
const COMPARED: [(&str, &str, usize); 7] = [
    ("get-pem", "a private key of 1.7 KB", 100),
    ("get-plain 10000", "a value of 10 KB", 100),
    ("get-plain 1000000", "a value of 1 MB", 5),
    ("create 10000", "creation with a value of 10 KB", 50),
    ("create 1000000", "creation with a value of 1 MB", 5),
    ("resolve 50", "50 references", 20),
    ("resolve 1000", "1,000 references", 3),
];

/// The status, how many values are sent, and the title.
const REFUSALS: [(&str, &str, &str); 6] = [
    ("404", "0", "404"),
    ("409", "1", "409, soft-deleted"),
    ("422", "1", "422 with 4 KB of problems"),
    ("502", "1", "502 with a page of 64 KB"),
    ("502", "1000", "502 with a page of 64 KB, 1,000 values sent"),
    ("503", "1000", "503 with 64 KB of one letter, 1,000 values of nothing else sent"),
];
const REFUSED: usize = 50;

pub(crate) fn run() {
    let server = Server::start();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores; a ratio below 1 is less than by hand\n");
    let mut bars = instructions(&server.url);
    bars.extend(speed(&server.url));
    resolve(&server.url);
    if cfg!(feature = "rustls") {
        many(&server);
        println!("\n{}", child(&["load", &server.url]));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/ratios.svg");
    std::fs::write(path, chart::svg(&bars)).unwrap();
    println!("\nwritten: benches/ratios.svg");
}

fn instructions(url: &str) -> Vec<Bar> {
    let mut bars = Vec::new();
    if instructions_of(&["calls", "hand", "get", "1", url]).is_none() {
        println!("valgrind is not installed: instructions are not counted\n");
        return bars;
    }
    println!("| call | client | instructions | to hand |\n|---|---|---|---|");
    for (scenario, title, count) in SCENARIOS {
        bars.extend(compared(scenario, title, count, url, &PEERS));
    }
    // As in production, where the URL has a host name instead of an IP address.
    let named = url.replace("127.0.0.1", "localhost");
    bars.extend(compared("get", "one secret, from a host with a name", 300, &named, &PEERS));
    for (scenario, title, count) in COMPARED {
        bars.extend(compared(scenario, title, count, url, &["ours", "hand"]));
    }
    let first: Vec<_> = ["ours", "hand", "own-roots"]
        .map(|peer| (peer, instructions_of(&["first", peer, url]).unwrap()))
        .to_vec();
    bars.extend(table("first secret from process start", &first, "instructions"));
    refusals(url);
    println!();
    bars
}

fn compared(
    scenario: &str,
    title: &str,
    count: usize,
    url: &str,
    peers: &[&'static str],
) -> Vec<Bar> {
    let per_call = |peer: &str| {
        let of = |calls: usize| {
            instructions_of(&["calls", peer, scenario, &calls.to_string(), url]).unwrap()
        };
        // The cost of start-up cancels out.
        (of(2 * count) - of(count)) / count as f64
    };
    let counts: Vec<_> = peers.iter().map(|peer| (*peer, per_call(peer))).collect();
    table(title, &counts, "instructions")
}

/// What a failure costs, including the error that is made of it.
fn refusals(url: &str) {
    println!("\n| refusal | instructions |\n|---|---|");
    for (status, values, title) in REFUSALS {
        let count = if values == "1000" { REFUSED / 10 } else { REFUSED };
        let of = |calls: usize| {
            instructions_of(&["refused", status, values, &calls.to_string(), url]).unwrap()
        };
        println!("| {title} | {:.0} |", (of(2 * count) - of(count)) / count as f64);
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

/// 64 callers on several threads: each peer in a process of its own, by turns.
fn many(server: &Server) {
    println!("\n| several threads, one secret, 64 callers | to hand with a timeout | without |");
    println!("|---|---|---|");
    for (title, url) in [("http", &server.url), ("https", &server.tls_url)] {
        let (mut to_timed, mut to_untimed) = (Vec::new(), Vec::new());
        for turn in 0..9 {
            let mut rates = [0.0; 3];
            for at in (0..3).map(|at| (turn + at) % 3) {
                let peer = ["ours", "hand", "untimed"][at];
                let rate = child(&["many", peer, url, &server.certificate]);
                rates[at] = rate.trim().parse().unwrap();
            }
            to_timed.push(rates[0] / rates[1]);
            to_untimed.push(rates[0] / rates[2]);
        }
        let (timed, untimed) = (median(&mut to_timed), median(&mut to_untimed));
        println!("| {title} | {timed:.2} | {untimed:.2} |");
    }
}

fn child(arguments: &[&str]) -> String {
    let output = Command::new(std::env::current_exe().unwrap()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
