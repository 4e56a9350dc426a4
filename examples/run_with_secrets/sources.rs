//! Variables from files. The libraries' own errors are never shown: they quote the file, which may hold
//! secrets.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::support::{Failure, shown, tell};

#[derive(Deserialize)]
struct Manifest {
    env: Option<BTreeMap<String, Option<String>>>,
}

/// The `env` at the top level of a deployment manifest. Numbers and the like are taken as they are written.
pub(crate) fn manifest_env(text: &str) -> Result<BTreeMap<String, String>, Failure> {
    let manifest: Manifest = serde_saphyr::from_str(text).map_err(|error| {
        let place = match error.location() {
            Some(at) => format!(" at line {}, column {}", at.line(), at.column()),
            None => String::new(),
        };
        refused(
            &format!("the manifest cannot be used: something is wrong{place}"),
            "It has to be one YAML or JSON document; env is a map of different names to texts.",
        )
    })?;
    let Some(env) = manifest.env else {
        return Err(refused(
            "the manifest has no env at its top level",
            "Only that one is used: give the manifest of a single component.",
        ));
    };
    let mut variables = BTreeMap::new();
    for (name, value) in env {
        let printed = shown(&name);
        let Some(value) = value else {
            return Err(refused(
                &format!("{printed} in the manifest's env has no value"),
                "Write \"\" for an empty one.",
            ));
        };
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(refused(
                &format!("{printed} in the manifest's env cannot be a variable"),
                "A name has no = in it, and neither name nor value a NUL.",
            ));
        }
        variables.insert(name, value);
    }
    Ok(variables)
}

/// The variables of a dotenv file.
///
/// The library would replace `$NAME` by a variable of this process, or by nothing at all, also in the
/// middle of a password. So a `$` that it would act on is hidden from it.
pub(crate) fn dotenv(text: &str) -> Result<BTreeMap<String, String>, Failure> {
    let text = text.trim_start_matches('\u{feff}');
    if text.contains('\0') {
        return Err(refused("the env file has a NUL in it", "Is it the right file?"));
    }
    let Some(stand_in) = ('\u{e000}'..='\u{f8ff}').find(|character| !text.contains(*character))
    else {
        return Err(refused("the env file is not a text file", "Is it the right file?"));
    };
    let hidden = hide_dollars(text, stand_in);
    let mut variables = BTreeMap::new();
    let mut after = "at its beginning".to_owned();
    for variable in dotenvy::from_read_iter(hidden.as_bytes()) {
        let (name, value) = variable.map_err(|_| {
            refused(
                &format!("the env file cannot be read {after}"),
                "Each line is NAME=value; a value with spaces or # needs quotes, and \\ is an escape \
                 outside single ones.",
            )
        })?;
        let printed = shown(&name);
        after = format!("after {printed}");
        let value = value.replace(stand_in, "$");
        if value.contains("${") {
            tell(format_args!(
                "note: ${{…}} in the value of {printed} is used as it is, not filled in"
            ));
        }
        if variables.insert(name, value).is_some() {
            return Err(refused(
                &format!("the env file gives {printed} twice"),
                "Leave one of them.",
            ));
        }
    }
    Ok(variables)
}

/// A `$` behind a backslash stays: the library reads that as a plain `$`, and within single quotes as both
/// characters. In front of the stand-in it would refuse the backslash.
fn hide_dollars(text: &str, stand_in: char) -> String {
    // The end of the file must not end a line that has blanks at its end: the library refuses that.
    let mut hidden = String::with_capacity(text.len() + 1);
    let mut escaped = false;
    for character in text.chars() {
        hidden.push(if character == '$' && !escaped { stand_in } else { character });
        escaped = character == '\\' && !escaped;
    }
    hidden.push('\n');
    hidden
}

fn refused(message: &str, hint: &str) -> Failure {
    Failure::other(format!("nothing was started: {message}"), hint)
}
