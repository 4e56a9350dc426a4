//! A fake TrueFoundry for other processes: prints its URL, and runs until its input closes.
//!
//! ```sh
//! cargo run --example fake_server --features testing -- azure/vault --group app:DB-PASSWORD,API-KEY
//! ```

mod support;

use std::process::ExitCode;

use support::{Args, Failure, print};
use truefoundry_secrets::SecretStoreKind;
use truefoundry_secrets::testing::FakeTrueFoundry;

const USAGE: &str = "\
Usage: fake_server [--empty] [--tenant NAME] [STORE]... [--group NAME:KEY[,KEY]...]...

Runs a fake control plane on a free port of 127.0.0.1 until stdin closes, and prints one line:
TFY_BASE_URL=... TFY_API_KEY=...

It has the tenant, stores and groups with which the other examples run if nothing is configured.

  --empty                    the tenant my-tenant with one AWS Secrets Manager store and no group
  --tenant NAME              name the tenant
  STORE                      add a store: aws/secrets-manager, aws/parameter-store, azure/vault, gcp/gsm,
                             hashicorp/vault, truefoundry/db, custom/generic; after --empty the first one
                             replaces the default store
  --group NAME:KEY[,KEY]...  add a group with made-up values, in the first store
";

#[tokio::main]
async fn main() -> ExitCode {
    support::run(fake_server()).await
}

async fn fake_server() -> Result<(), Failure> {
    let mut args = Args::from_env_offline(USAGE, &["empty", "tenant=", "group="])?;
    let mut fake = if args.flag("empty") {
        FakeTrueFoundry::start().await
    } else {
        support::fake_with_data().await
    };
    if let Some(tenant) = args.option("tenant")? {
        fake = fake.with_tenant(&tenant);
    }
    for (_, store) in args.rest() {
        fake = fake.with_store(SecretStoreKind::from_api_type(&store));
    }
    for group in args.options("group") {
        let Some((name, keys)) = group.split_once(':') else {
            return Err(args.wrong("a --group is not NAME:KEY"));
        };
        let secrets = keys.split(',').map(|key| (key, format!("made-up-value-of-{key}")));
        fake = fake.with_group(name, secrets);
    }
    // A caller that reads from a pipe waits for this line.
    print(format_args!("TFY_BASE_URL={} TFY_API_KEY={}", fake.base_url(), fake.api_key()))?;

    let until_closed = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    match tokio::task::spawn_blocking(until_closed).await {
        Ok(Ok(_)) => Ok(()),
        _ => Err(Failure::other("stdin cannot be read", "Give it a pipe or a terminal.")),
    }
}
