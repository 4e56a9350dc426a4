//! A program whose whole heap is wiped as it is freed.
//!
//! The crate wipes the buffers that it owns; it cannot reach those of the HTTP and TLS libraries below it.
//! An allocator that overwrites every block as it is freed reaches those as well. Installing one is the
//! binary's choice, never a library's, and needs no unsafe code of the binary's own:
//!
//! ```toml
//! [dependencies]
//! zeroizing-alloc = "0.1"
//! ```
//!
//! ```sh
//! cargo run --example zero_on_free
//! ```
//!
//! It costs a write over every freed block, and blocks that grow are always copied. What is still allocated
//! is not wiped (a pooled connection keeps its buffers until the client is dropped), and neither are the
//! stack, what libraries in C allocate (OpenSSL, with the feature `native-tls`), the kernel's buffers, swap,
//! core dumps and the process's own environment.

mod support;

use std::alloc::System;
use std::process::ExitCode;

use support::{Failure, masked, print, shown};
use truefoundry_secrets::{ListSecretGroups, Secret};
use zeroizing_alloc::ZeroAlloc;

#[global_allocator]
static WIPED_WHEN_FREED: ZeroAlloc<System> = ZeroAlloc(System);

const USAGE: &str = "\
Usage: zero_on_free

Reads the first secret of the first group, in a program whose memory is wiped when it is freed.
";

#[tokio::main]
async fn main() -> ExitCode {
    support::run(zero_on_free()).await
}

async fn zero_on_free() -> Result<(), Failure> {
    let args = support::Args::from_env(USAGE, &[])?;
    args.finish()?;
    let connection = support::connect(&args).await?;
    let client = connection.client.clone();

    let mut groups = client.secret_groups().stream(ListSecretGroups::new().limit(1));
    let Some(group) = groups.next().await.transpose()? else {
        return print("No secret group exists.");
    };
    let Some(id) = group.secrets().and_then(|secrets| secrets.first()).map(Secret::id) else {
        return print(format!("{} lists no secret.", shown(group.fqn())));
    };
    let secret = client.secrets().get(id).await?;
    print(format!("{} is {}", shown(secret.fqn().unwrap_or("?")), masked(secret.value())))?;

    // The value's own buffer is wiped in any case. With the last handle to the client its connections
    // close, and the allocator wipes their buffers as they are freed.
    drop((secret, groups, client, connection));
    print("The value and the client are dropped.")
}
