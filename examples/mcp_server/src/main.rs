//! TrueFoundry secret groups as MCP tools, for agents that never see a value.
//!
//! ```sh
//! cargo run --manifest-path examples/mcp_server/Cargo.toml -- --help
//! ```
//!
//! A client program starts it and speaks to it on stdin and stdout; see its README.

mod approval;
mod arguments;
mod change;
mod failure;
mod options;
mod output;
mod read;
#[path = "../../support/reserved.rs"]
mod reserved;
mod server;
mod values;

use std::error::Error;
use std::io::Write as _;

use rmcp::ServiceExt as _;
use rmcp::service::ServerInitializeError;
use rmcp::transport::stdio;
use truefoundry_secrets::testing::FakeTrueFoundry;
use truefoundry_secrets::{Client, SecretStoreKind};

use approval::Approvals;
use options::{Options, USAGE};
use server::Server;

// An error ends the program with one line, its hint included, and exit code 1.
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse(lexopt::Parser::from_env())?;
    if options.help {
        return Ok(std::io::stdout().write_all(USAGE.as_bytes())?);
    }
    let fake = if options.fake { Some(fake_with_data().await) } else { None };
    let client = match &fake {
        Some(fake) => fake.client(),
        None => Client::infer()?,
    };
    // stdout belongs to the protocol.
    let _ = writeln!(std::io::stderr(), "Control plane: {}", client.authority());
    let server = Server {
        client,
        fake,
        allowed: options.allowed,
        approvals: Approvals::new(options.approval_timeout)?,
        yes: options.yes,
    };
    match server.serve(stdio()).await {
        Ok(running) => running.waiting().await.map(drop)?,
        // A client that only asked what the server is, and left.
        Err(ServerInitializeError::ConnectionClosed(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

async fn fake_with_data() -> FakeTrueFoundry {
    FakeTrueFoundry::start()
        .await
        .with_tenant("my-org")
        .with_store(SecretStoreKind::AwsSecretsManager)
        .with_group(
            "prod-secrets",
            [("DB_PASSWORD", "made-up-database-password"), ("API_KEY", "made-up-api-key-of-prod")],
        )
}
