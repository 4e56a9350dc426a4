//! How an example ends: its error and the next step on stderr, and an exit code for each kind of
//! failure.

use std::process::ExitCode;

use truefoundry_secrets::Error;

use super::{print, tell};

/// Why an example did not do its task.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Exit code 0: the help was asked for.
    Help(String),
    /// Exit code 2: a usage error.
    Usage(String),
    /// Exit code 3.
    NotConfirmed(String),
    /// Exit code 1, with the crate's own hint.
    Sdk(Error),
    /// Exit code 1.
    Other { message: String, hint: String },
    /// The exit code of a command that was run, or the one that shells use if it cannot be run. It prints
    /// nothing more.
    Ended(i32),
    /// This exit code, for the same reason.
    WithCode(u8, Box<Self>),
    /// Exit code 141, as shells report for a program that ends when the reader of its pipe does.
    StdoutClosed,
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

/// Runs an example and reports its outcome.
pub(crate) async fn run(task: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let result = match task.await {
        Err(Failure::Help(text)) => print(text.trim_end()),
        result => result,
    };
    result.map_or_else(|failure| ExitCode::from(end(failure)), |()| ExitCode::SUCCESS)
}

/// Prints what happened, and returns the exit code.
fn end(failure: Failure) -> u8 {
    match failure {
        // Printing the help failed in another way.
        Failure::Help(_) => 1,
        Failure::StdoutClosed => 141,
        Failure::Usage(message) => {
            tell(format_args!("error: {message}"));
            2
        }
        Failure::NotConfirmed(message) => {
            tell(message);
            3
        }
        Failure::Ended(code) => match u8::try_from(code) {
            Ok(code) => code,
            // Windows has larger ones. Everything that would be wiped has been dropped by now.
            Err(_) => std::process::exit(code),
        },
        Failure::Sdk(error) => {
            report(&error);
            1
        }
        Failure::Other { message, hint } => {
            tell(format_args!("error: {message}\nhint: {hint}"));
            1
        }
        Failure::WithCode(code, failure) => {
            end(*failure);
            code
        }
    }
}

/// An error of the crate: what happened, its causes in the libraries below, and the next step.
fn report(error: &Error) {
    tell(format_args!("error: {error}"));
    let mut cause = std::error::Error::source(error);
    while let Some(below) = cause {
        tell(format_args!("cause: {below}"));
        cause = below.source();
    }
    tell(format_args!("hint: {}", error.hint()));
}
