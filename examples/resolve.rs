//! Resolves references, all of them in one request, and shows their values masked.
//!
//! ```sh
//! cargo run --example resolve -- tfy-secret://my-org:prod-secrets:DB_PASSWORD my-org:dev-secrets:API_KEY
//! ```

mod support;

use std::process::ExitCode;

use support::{Args, Failure, not_resolved, print, table};
use truefoundry_secrets::SecretRef;

const USAGE: &str = "\
Usage: resolve REFERENCE...

Looks up what each REFERENCE stands for, written tfy-secret://tenant:group:key or tenant:group:key. Values
are masked: the first four characters of a long one, (set) for the others. If some do not resolve, all of
those are listed, nothing else is shown, and the exit code is 1.
";

#[tokio::main]
async fn main() -> ExitCode {
    support::run(resolve()).await
}

async fn resolve() -> Result<(), Failure> {
    let mut args = Args::from_env(USAGE, &[])?;
    let arguments = args.rest();
    if arguments.is_empty() {
        return Err(args.wrong("missing REFERENCE"));
    }
    let mut references = Vec::with_capacity(arguments.len());
    for (position, argument) in &arguments {
        references.push(SecretRef::parse(argument).map_err(|problem| {
            Failure::Usage(format!("argument #{position} is not a reference: {problem}"))
        })?);
    }
    let connection = support::connect(&args).await?;

    let resolved = connection
        .client
        .resolve_all(&references)
        .await
        .map_err(|error| not_resolved(error, |_| Vec::new()))?;
    let rows = resolved.iter().map(|(reference, value)| [reference.to_string(), value.preview()]);
    print(table(&["Reference", "Value"], rows))
}
