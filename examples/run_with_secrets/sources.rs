//! Variables from files. Errors in a manifest never use the YAML library's own messages, which
//! quote the file: it may hold secrets.

use std::collections::BTreeMap;

use serde::Deserialize;

use truefoundry_secrets::SecretMap;

use super::support::{Failure, shown};

#[derive(Deserialize)]
struct Manifest {
    env: Option<BTreeMap<String, Option<String>>>,
}

/// The `env` at the top level of a deployment manifest. Numbers and the like are used as they are
/// written.
pub(crate) fn manifest_env(text: &str) -> Result<BTreeMap<String, String>, Failure> {
    let manifest: Manifest = serde_saphyr::from_str(text).map_err(|error| {
        let place = match error.location() {
            Some(at) => format!(" at line {}, column {}", at.line(), at.column()),
            None => String::new(),
        };
        refused(
            &format!("the manifest cannot be used: something is wrong{place}"),
            "It must be one YAML or JSON document, whose env is a map of unique names to text.",
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
                "A name cannot contain =, and neither name nor value can contain a NUL.",
            ));
        }
        variables.insert(name, value);
    }
    Ok(variables)
}

/// The variables of a dotenv file.
pub(crate) fn dotenv(text: &str) -> Result<SecretMap, Failure> {
    let variables = SecretMap::from_dotenv(text).map_err(|error| {
        refused(
            &error.to_string(),
            "Write the value so that all readers agree on it: in single quotes, if it has none itself.",
        )
    })?;
    if let Some((name, _)) =
        variables.iter().find(|(_, value)| value.expose_secret().contains('\0'))
    {
        return Err(refused(
            &format!("the value of {} in the env file has a NUL", shown(name)),
            "Is it the right file?",
        ));
    }
    Ok(variables)
}

fn refused(message: &str, hint: &str) -> Failure {
    Failure::other(format!("nothing was started: {message}"), hint)
}
