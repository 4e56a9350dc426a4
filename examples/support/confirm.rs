//! The question before a change.

use std::io::{self, IsTerminal as _};

use super::{Connection, Failure, ask, shown, tell};

/// The change that is about to be made, as shown to the person who decides.
pub(crate) struct Change<'a> {
    /// Such as `Delete the secret group`.
    pub(crate) action: &'a str,
    pub(crate) group: &'a str,
    /// What will change, a line each; keys and never values.
    pub(crate) details: Vec<String>,
}

/// Whether the change is confirmed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    Ask,
    /// `--yes` did.
    Given,
    /// Nothing real is changed.
    OnlyFake,
}

impl Consent {
    pub(crate) fn from_flag(yes: bool) -> Self {
        if yes { Self::Given } else { Self::Ask }
    }
}

/// Shows the change and asks, unless consent was given.
///
/// The default is No, also at the end of the input. Without a terminal nothing is assumed: a change
/// needs a terminal to be confirmed on, or `--yes`.
pub(crate) fn confirm(
    connection: &Connection,
    change: &Change<'_>,
    consent: Consent,
) -> Result<(), Failure> {
    tell(change.action);
    tell(format_args!("  host:  {}", connection.host()));
    tell(format_args!("  group: {}", shown(change.group)));
    for detail in &change.details {
        tell(format!("  {detail}").trim_end());
    }
    match consent {
        Consent::Ask => {}
        Consent::Given => {
            tell("Confirmed by --yes.\n");
            return Ok(());
        }
        Consent::OnlyFake => {
            tell("Confirmed automatically: the control plane is fake.\n");
            return Ok(());
        }
    }
    let no_terminal = |stream: &str| {
        Err(Failure::NotConfirmed(format!(
            "Nothing was changed: {stream} is not a terminal; pass --yes to skip the prompt."
        )))
    };
    if !io::stdin().is_terminal() {
        return no_terminal("stdin");
    }
    // A prompt that is not visible cannot be confirmed.
    if !io::stderr().is_terminal() || ask("Continue? [y/N] ").is_err() {
        return no_terminal("stderr");
    }
    let mut answer = String::new();
    if io::stdin().read_line(&mut answer).unwrap_or(0) == 0 {
        tell("");
    }
    let answer = answer.trim();
    if answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes") {
        tell("");
        return Ok(());
    }
    Err(Failure::NotConfirmed("Nothing was changed: the answer was not yes.".to_owned()))
}
