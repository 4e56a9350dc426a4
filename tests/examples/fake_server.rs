//! `fake_server`, from another process.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::process::{Run, example};

/// What `fake_server` with these arguments serves, as `list_groups` shows it.
fn served(arguments: &[&str]) -> String {
    let mut server = example("fake_server", arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let mut list = example("list_groups", &[]);
    list.envs(line.split_whitespace().map(|pair| pair.split_once('=').unwrap()));
    let listed = list.run().ended_with(0);
    drop(server.stdin.take());
    assert_eq!(server.wait().unwrap().code(), Some(0));
    listed.all()
}

#[test]
fn the_fake_server_has_the_data_of_the_other_examples() {
    let names = |text: &str| {
        text.lines().filter_map(|line| line.split(" | ").next()).map(str::to_owned).collect()
    };
    let here: Vec<String> = names(&example("list_groups", &[]).run().ended_with(0).stdout);
    let there: Vec<String> = names(&served(&[]));
    assert!(here.iter().all(|name| there.contains(name)), "{here:?} {there:?}");
    assert!(served(&["--empty"]).contains("No secret group"));
    let more = served(&["--empty", "azure/vault", "--group", "app:DB-PASSWORD,API-KEY"]);
    assert!(more.contains("| app ") && !more.contains("prod-secrets"), "{more}");
}
