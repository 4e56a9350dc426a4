//! A fake TrueFoundry for other processes: prints where it is, and runs until its input closes.
//!
//! ```sh
//! cargo run --example fake_server --features testing -- azure/vault
//! ```
//!
//! Each argument connects a secret store; without any there is one AWS Secrets Manager.

#![allow(clippy::print_stdout, reason = "the one line is this program's answer to its caller")]

use std::io::Write;

use truefoundry_secrets::SecretStoreKind;
use truefoundry_secrets::testing::FakeTrueFoundry;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut fake = FakeTrueFoundry::start().await;
    for store in std::env::args().skip(1) {
        fake = fake.with_store(SecretStoreKind::from_api_type(&store));
    }
    println!("TFY_BASE_URL={} TFY_API_KEY={}", fake.base_url(), fake.api_key());
    // A caller that reads from a pipe waits for this line.
    std::io::stdout().flush()?;

    let input = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    tokio::task::spawn_blocking(input).await??;
    Ok(())
}
