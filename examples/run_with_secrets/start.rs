//! Starts the command, so that signals and exit codes are the same as without this program in
//! between.

use std::io;
use std::process::Command;

use super::support::{Failure, tell};

/// On Unix the command replaces this process: it gets every signal that is sent here, ends with its
/// own exit code or signal, and no second process keeps the values in memory while it runs.
#[cfg(unix)]
#[allow(clippy::unused_async, reason = "elsewhere it waits")]
pub(crate) async fn start(mut command: Command) -> Result<(), Failure> {
    use std::os::unix::process::CommandExt as _;

    Err(not_started(&command.exec()))
}

/// Elsewhere this process waits for the command. An interrupt goes to both of them, and the command
/// decides how to handle it.
#[cfg(not(unix))]
pub(crate) async fn start(command: Command) -> Result<(), Failure> {
    let mut command = tokio::process::Command::from(command);
    let mut child = command.spawn().map_err(|error| not_started(&error))?;
    // This process no longer needs its copy of the environment.
    drop(command);
    loop {
        tokio::select! {
            status = child.wait() => {
                let code = status.ok().and_then(|status| status.code());
                return Err(Failure::Ended(code.unwrap_or(1)));
            }
            _ = tokio::signal::ctrl_c() => {}
        }
    }
}

/// The `Command` is not printed: its `Debug` shows the environment, values included.
fn not_started(error: &io::Error) -> Failure {
    tell(format_args!("error: the command cannot be started: {error}"));
    Failure::Ended(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 })
}
