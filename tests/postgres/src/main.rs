//! Writers in several processes and one lock in PostgreSQL, as the documentation of `Edit::apply` recommends;
//! started by run.sh. `PGHOST` is the folder of PostgreSQL's socket.
//!
//! The parent starts this program again for each writer.

mod recipe;
mod writer;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use truefoundry_secrets::BoxError;
use truefoundry_secrets::SecretStoreKind;
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};

use recipe::apply_locked;
use writer::{APP, Report};

type Result<T, E = BoxError> = std::result::Result<T, E>;

const WRITERS: usize = 8;
const PUT: &str = "secret_groups.update";

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.is_empty() {
        return writer::run(&arguments).await;
    }
    the_documentation_shows_this_recipe();
    let postgres = writer::connect().await?;
    postgres.batch_execute("CREATE TABLE group_writes (name text PRIMARY KEY)").await?;

    let locked = storm("locked").await?;
    assert_eq!((locked.lost, locked.concurrent), (0, 0), "{locked:?}");
    println!("with the lock: {} edits, none lost, none planned again", locked.edits);

    let mut runs = 0;
    let free = loop {
        let free = storm("free").await?;
        runs += 1;
        if free.lost > 0 || runs == 5 {
            break free;
        }
    };
    assert!(free.lost > 0, "the window of the documentation is not there: {free:?}");
    println!(
        "without it: {} edits, {} keys lost, {} planned again",
        free.edits, free.lost, free.concurrent
    );

    a_late_write_of_a_killed_process_deletes_what_the_lock_alone_let_in().await?;
    the_mark_makes_the_next_one_wait_for_it().await
}

fn the_documentation_shows_this_recipe() {
    let recipe = include_str!("recipe.rs");
    let recipe = &recipe[recipe.find("/// Applies").unwrap()..];
    let documented: Vec<&str> = include_str!("../../../src/edit/mod.rs")
        .lines()
        .map(|line| line.trim_start().strip_prefix("///").unwrap_or("\0"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    let documented = documented.join("\n");
    assert!(
        documented.contains(&recipe.replace("pub(crate) ", "")),
        "recipe.rs and src/edit/mod.rs differ"
    );
}

async fn fake() -> FakeTrueFoundry {
    FakeTrueFoundry::start()
        .await
        .with_store(SecretStoreKind::Generic)
        .with_group(APP, [("FIRST", "x")])
}

fn start(fake: &FakeTrueFoundry, arguments: &[&str]) -> Result<Child> {
    Ok(Command::new(std::env::current_exe()?)
        .args(arguments)
        .env("TFY_BASE_URL", fake.base_url())
        .env("TFY_API_KEY", fake.api_key())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?)
}

/// Each writer edits keys of its own, so that it knows what each of them must be; but every write is the full
/// list, so that each could lose the keys of all the others.
async fn storm(how: &str) -> Result<Report> {
    let fake = fake().await;
    // The delay of a write on its way to the control plane, in which others can write.
    fake.inject(Fault::delay(Duration::from_millis(5)).forever().on(PUT));
    let mut writers = Vec::new();
    for number in 0..WRITERS {
        writers.push(start(&fake, &["storm", how, &number.to_string()])?);
    }
    let mut all = Report::default();
    let mut expected = BTreeMap::from([("FIRST".to_owned(), "x".to_owned())]);
    for writer in writers {
        let output = writer.wait_with_output().await?;
        assert!(output.status.success());
        let (report, model) = Report::read(&String::from_utf8(output.stdout)?)?;
        all.add(&report);
        expected.extend(model);
    }
    fake.idle().await;
    all.lost +=
        expected.iter().filter(|(key, value)| fake.value(APP, key).as_ref() != Some(value)).count();
    Ok(all)
}

/// Leaves the write of a killed process under way, which no longer holds the lock.
async fn kill_in_the_middle_of_a_write(
    fake: &FakeTrueFoundry,
) -> Result<truefoundry_secrets::testing::Gate> {
    let gate = fake.hold(PUT);
    let mut killed = start(fake, &["once", "KILLED", "0"])?;
    gate.reached().await;
    killed.kill().await?;
    Ok(gate)
}

async fn a_late_write_of_a_killed_process_deletes_what_the_lock_alone_let_in() -> Result<()> {
    let fake = fake().await;
    let gate = kill_in_the_middle_of_a_write(&fake).await?;
    assert!(start(&fake, &["once", "NEXT", "0"])?.wait().await?.success());
    assert!(fake.value(APP, "NEXT").is_some());
    gate.release();
    fake.idle().await;
    assert_eq!(fake.keys(APP), ["FIRST", "KILLED"], "the late write deletes NEXT");
    println!("a killed process: its late write deletes what the next one added without a wait");
    Ok(())
}

async fn the_mark_makes_the_next_one_wait_for_it() -> Result<()> {
    let fake = fake().await;
    let gate = kill_in_the_middle_of_a_write(&fake).await?;
    let begun = Instant::now();
    let mut next = start(&fake, &["once", "NEXT", "3"])?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    gate.release();
    fake.idle().await;
    assert_eq!(fake.keys(APP), ["FIRST", "KILLED"], "NEXT waits");
    assert!(next.wait().await?.success());
    assert!(begun.elapsed() >= Duration::from_secs(3));
    let mut keys = fake.keys(APP);
    keys.sort();
    assert_eq!(keys, ["FIRST", "KILLED", "NEXT"]);

    let begun = Instant::now();
    assert!(start(&fake, &["once", "LAST", "60"])?.wait().await?.success());
    assert!(begun.elapsed() < Duration::from_secs(30), "nothing is left to wait for");
    println!("with the wait: both writes are there, and the one after them waits for nothing");
    Ok(())
}
