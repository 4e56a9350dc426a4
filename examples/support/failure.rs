//! How an example ends: its error and the next step on stderr, and an exit code that tells.

use std::io::{self, Write as _};
use std::process::ExitCode;

use truefoundry_secrets::Error;

/// Why an example did not do its task.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Exit code 0: the help was asked for.
    Help(&'static str),
    /// Exit code 2: the command line has to change.
    Usage(String),
    /// Exit code 3: nobody said yes.
    NotConfirmed(&'static str),
    /// Exit code 1, with the crate's own hint.
    Sdk(Error),
    /// Exit code 1.
    Other { message: String, hint: String },
    /// The exit code of a command that was run, which has said for itself what there is to say, or the one
    /// that shells use where it cannot be run.
    Ended(i32),
    /// Exit code 0: whoever read the output has seen enough of it.
    ReaderLeft,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Sdk(error)
    }
}

impl Failure {
    pub(crate) fn other(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Other { message: message.into(), hint: hint.into() }
    }
}

/// Runs an example and says how it went.
pub(crate) async fn run(task: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    match task.await {
        Ok(()) | Err(Failure::ReaderLeft) => ExitCode::SUCCESS,
        Err(Failure::Help(text)) => match print(text.trim_end()) {
            Ok(()) | Err(Failure::ReaderLeft) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(Failure::Usage(message)) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
        Err(Failure::NotConfirmed(message)) => {
            eprintln!("{message}");
            ExitCode::from(3)
        }
        Err(Failure::Ended(code)) => match u8::try_from(code) {
            Ok(code) => ExitCode::from(code),
            // Windows has larger ones. Everything that would be wiped has been dropped by now.
            Err(_) => std::process::exit(code),
        },
        Err(Failure::Sdk(error)) => {
            report(&error);
            ExitCode::FAILURE
        }
        Err(Failure::Other { message, hint }) => {
            eprintln!("error: {message}\nhint: {hint}");
            ExitCode::FAILURE
        }
    }
}

/// An error of the crate: what happened, what the libraries below say of it, and the next step.
pub(crate) fn report(error: &Error) {
    eprintln!("error: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(below) = cause {
        eprintln!("cause: {below}");
        cause = below.source();
    }
    eprintln!("hint: {}", error.hint());
}

/// A line on stdout. `println!` would panic where the reader has gone (`| head`), and say nothing where
/// the disk is full.
pub(crate) fn print(text: impl std::fmt::Display) -> Result<(), Failure> {
    print_exactly(&format!("{text}\n"))
}

/// As [`print`], and nothing is added.
pub(crate) fn print_exactly(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::ReaderLeft),
        Err(error) => Err(Failure::other(
            format!("the output cannot be written: {error}"),
            "Look at where stdout leads to.",
        )),
    }
}
