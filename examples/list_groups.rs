//! Lists the secret groups: name, identifier and how many secrets each has.
//!
//! ```sh
//! cargo run --example list_groups -- --search prod
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people prints")]

mod support;

use std::process::ExitCode;

use support::{Args, Failure, groups_table, print};
use truefoundry_secrets::ListSecretGroups;

const USAGE: &str = "\
Usage: list_groups [--search TEXT]

Lists the secret groups; with --search those whose name, or one of whose keys, contains TEXT.
";

#[tokio::main]
async fn main() -> ExitCode {
    support::run(list_groups()).await
}

async fn list_groups() -> Result<(), Failure> {
    let mut args = Args::from_env(USAGE)?;
    let search = args.option("--search")?;
    args.finish()?;
    let connection = support::connect().await?;

    let params = match search {
        Some(text) => ListSecretGroups::new().search(text),
        None => ListSecretGroups::new(),
    };
    let groups = connection.client.secret_groups().stream(params).try_collect().await?;
    if groups.is_empty() {
        eprintln!("There is no such secret group.");
        return Ok(());
    }
    print(groups_table(&groups))
}
