//! What is left of a value in a process's memory, counted by searching all of it.
//!
//! Each scenario runs in a process of its own, so that none finds what another left, and talks to a
//! server in a third one. All three are this program. The process that is searched gets the value
//! only through the calls that are measured: it keeps what it looks for masked. The value must be
//! found while it is in use, and the same calls made by hand with reqwest, in the same process,
//! must leave some of it.
//!
//! A scenario proves something only if it fails without wiping. `.ci/run` builds such a program
//! (see `src/wipe.rs`) and checks that every scenario fails:
//! `RUSTC_WORKSPACE_WRAPPER=$PWD/.ci/without_wiping cargo test --test memory`.
//!
//! Linux only: on other systems a process cannot read its own memory as a file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these are tests"
)]

mod by_hand;
mod counts;
mod marker;
mod run;
mod scan;
mod scenarios;
mod server;
mod table;
#[cfg(feature = "rustls")]
mod tls;

use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use counts::Counts;
use marker::Marker;
use scan::Scanner;
use table::{ALL, Scenario};

/// Before the name of a scenario: be its server.
const SERVE: &str = "--serve";
/// Before the name of a scenario: be what is measured.
const MEASURE: &str = "--measure";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        [SERVE, name] => server::serve(named(name)),
        [MEASURE, name] => println!("{}", run::measure(named(name)).write()),
        _ if args.contains(&"--list") => {
            for scenario in ALL {
                println!("{}: test", scenario.name);
            }
        }
        _ => return test(&args),
    }
    ExitCode::SUCCESS
}

fn named(name: &str) -> &'static Scenario {
    ALL.iter().find(|scenario| scenario.name == name).unwrap()
}

/// Accepts a part of the scenarios' names, as the usual harness does; its options are ignored.
fn test(args: &[&str]) -> ExitCode {
    let started = Instant::now();
    let wanted = args.iter().find(|arg| !arg.starts_with('-')).copied().unwrap_or_default();
    let all: Vec<_> = ALL
        .iter()
        .filter(|scenario| scenario.name.contains(wanted) && scenario.can_fail_in_this_build())
        .collect();
    if let Err(error) = Scanner::new(Marker::new(0)) {
        println!("skipped: this process cannot look through its own memory: {error}");
        summary(0, 0, ALL.len(), started);
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", all.len());
    println!("(copies of 48 bytes of the value that are left when it is dropped)");
    let failed = run_all(&all);
    summary(all.len() - failed, failed, ALL.len() - all.len(), started);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs two at a time, since most of a scenario is one process that searches its memory. Returns
/// how many failed.
fn run_all(all: &[&Scenario]) -> usize {
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some(scenario) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            if !passes(scenario) {
                failed.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    failed.into_inner()
}

fn passes(scenario: &Scenario) -> bool {
    let mut process = Command::new(std::env::current_exe().unwrap());
    let output = process.args([MEASURE, scenario.name]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let counts = Counts::read(&told).filter(|_| output.status.success());
    let problem = match counts {
        Some(counts) => counts.problem(scenario.most),
        None => Some("it did not come to its end"),
    };
    match (counts, problem) {
        (Some(counts), None) => println!("test {} ... ok: {counts}", scenario.name),
        (_, problem) => println!(
            "test {} ... FAILED: {}\n    before, held, ours, later, by hand: {}\n{}",
            scenario.name,
            problem.unwrap_or_default(),
            told.trim(),
            String::from_utf8_lossy(&output.stderr),
        ),
    }
    problem.is_none()
}

/// In the format of the usual harness, for tools that count tests.
fn summary(passed: usize, failed: usize, filtered: usize, started: Instant) {
    println!(
        "\ntest result: {}. {passed} passed; {failed} failed; 0 ignored; 0 measured; \
         {filtered} filtered out; finished in {:.2}s\n",
        if failed == 0 { "ok" } else { "FAILED" },
        started.elapsed().as_secs_f64(),
    );
}
