//! The question before a change.

use std::io::{self, IsTerminal as _, Write as _};

use super::{Connection, Failure, shown};

/// What is about to be done, as it is shown to whoever decides.
pub(crate) struct Change<'a> {
    /// Such as `Delete the secret group`.
    pub(crate) action: &'a str,
    pub(crate) group: &'a str,
    /// What will change, a line each; keys and never values.
    pub(crate) details: Vec<String>,
}

/// Who says yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    Ask,
    /// `--yes` did.
    Given,
    /// The program itself does, where nothing real is changed.
    OnlyFake,
}

impl Consent {
    pub(crate) fn from_flag(yes: bool) -> Self {
        if yes { Self::Given } else { Self::Ask }
    }
}

/// Shows the change and asks, unless consent was given.
///
/// The default is No, and so is the end of the input. Where nobody can be asked nothing is assumed: a
/// change needs a terminal to be confirmed on, or `--yes`.
pub(crate) fn confirm(
    connection: &Connection,
    change: &Change<'_>,
    consent: Consent,
) -> Result<(), Failure> {
    eprintln!("{}", change.action);
    eprintln!("  host:  {}", shown(&connection.host()));
    eprintln!("  group: {}", shown(change.group));
    for detail in &change.details {
        eprintln!("{}", format!("  {detail}").trim_end());
    }
    let confirmed = match consent {
        Consent::Ask => None,
        Consent::Given => Some("by --yes"),
        Consent::OnlyFake => Some("by this program itself, because the control plane is fake"),
    };
    if let Some(by) = confirmed {
        eprintln!("Confirmed {by}.\n");
        return Ok(());
    }
    // A question that nobody sees cannot be answered either, so stderr counts as well.
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::NotConfirmed(
            "Nothing was changed: there is no terminal to ask on. Add --yes to confirm without being asked.",
        ));
    }
    eprint!("Go on? [y/N] ");
    let _ = io::stderr().flush();
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer).unwrap_or(0);
    if read == 0 {
        eprintln!();
    }
    let answer = answer.trim();
    if answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes") {
        eprintln!();
        return Ok(());
    }
    Err(Failure::NotConfirmed("Nothing was changed: the answer was not yes."))
}
