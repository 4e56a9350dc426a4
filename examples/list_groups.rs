//! Lists the secret groups: name, identifier and how many secrets each has.
//!
//! ```sh
//! cargo run --example list_groups -- --search prod
//! ```

mod support;

use std::process::ExitCode;

use support::{Args, Failure, groups_table, print, shown, tell};
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
    let args = Args::from_env(USAGE, &["search="])?;
    let search = args.option("search")?;
    args.finish()?;
    let connection = support::connect(&args).await?;

    let params = match &search {
        Some(text) => ListSecretGroups::new().search(text),
        None => ListSecretGroups::new(),
    };
    let groups = connection.client.secret_groups().stream(params).try_collect().await?;
    if groups.is_empty() {
        let named = search.map_or_else(String::new, |text| format!(" matches {}", shown(&text)));
        tell(format_args!("No secret group{named} on {}.", connection.host()));
        return Ok(());
    }
    print(groups_table(&groups))
}
