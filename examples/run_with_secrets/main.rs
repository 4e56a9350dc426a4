//! Runs a command with the values of the secrets that its environment refers to.
//!
//! ```sh
//! export DB_PASSWORD=tfy-secret://my-org:prod-secrets:DB_PASSWORD
//! cargo run --example run_with_secrets -- -- ./server --port 8000
//! cargo run --example run_with_secrets -- --manifest app.yaml --env-file .env -- ./server
//! ```
//!
//! The values go from the response into the environment of the command, and nowhere else: not into a file, not
//! onto the screen. From there the command itself can leak them, and any process that may read its
//! `/proc/PID/environ` can read them.

mod sources;
mod start;
#[path = "../support/mod.rs"]
mod support;

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use support::{Args, Failure, Reading, not_resolved, read_text, shown, table, tell};
use truefoundry_secrets::{EnvValue, SecretMap, SecretRef};

const API_KEY: &str = "TFY_API_KEY";

const USAGE: &str = "\
Usage: run_with_secrets [--manifest FILE] [--env-file FILE] [--keep-api-key] -- COMMAND [ARGUMENT...]

Runs COMMAND with this environment, in which every value that is a reference (tfy-secret://tenant:group:key)
is replaced by the secret's value. A reference within a longer text is left alone; one in quotes is refused.

  --manifest FILE   add the env of this deployment manifest (YAML or JSON; the map at its top level)
  --env-file FILE   add the variables of this dotenv file; nothing is started if common readers of such files
                    would read one of its lines differently
  --keep-api-key    pass TFY_API_KEY on; without this COMMAND gets the secrets it refers to and not the key
                    to all the others

If a name is given several times, the env file overrides the manifest, and the manifest the environment. The
control plane is named by this program's own environment, never by those files.

The exit code is COMMAND's. Before it is started: 1 if a reference does not resolve or a file cannot be used,
2 for a usage error, 126 if COMMAND cannot be run and 127 if it is not found.
";

#[tokio::main]
async fn main() -> ExitCode {
    support::run(run_with_secrets()).await
}

async fn run_with_secrets() -> Result<(), Failure> {
    let (args, command_line) =
        Args::from_env_with_command(USAGE, &["manifest=", "env-file=", "keep-api-key"])?;
    let manifest = args.option("manifest")?;
    let env_file = args.option("env-file")?;
    let keep_api_key = args.flag("keep-api-key");
    let [program, arguments @ ..] = command_line.as_slice() else {
        return Err(args.wrong("missing COMMAND after `--`"));
    };
    args.finish()?;

    let mut added = SecretMap::new();
    if let Some(path) = &manifest {
        added.extend(sources::manifest_env(&read_text(path, "the manifest")?)?);
    }
    if let Some(path) = &env_file {
        added.extend(sources::dotenv(&read_text(path, "the env file")?)?);
    }
    let wanted = references(&added)?;

    let mut command = Command::new(program);
    command.args(arguments);
    if !keep_api_key
        && !added.contains_key(API_KEY)
        && std::env::var_os(API_KEY).is_some_and(|key| !key.is_empty())
    {
        tell(format_args!("{API_KEY} is not passed on (--keep-api-key would)."));
        command.env_remove(API_KEY);
    }
    command.envs(added.into_iter().map(|(name, value)| (name, EnvValue::from(value))));
    for (name, value) in values(&args, &wanted).await? {
        command.env(name, value);
    }
    start::start(command).await
}

/// The variables of the command that are references.
///
/// A malformed reference is refused here: the command would use its text as the secret.
fn references(added: &SecretMap) -> Result<Vec<(OsString, SecretRef)>, Failure> {
    let inherited = std::env::vars_os()
        .filter(|(name, _)| name.to_str().is_none_or(|name| !added.contains_key(name)));
    let added = added
        .iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value.expose_secret())));
    let (mut references, mut malformed) = (Vec::new(), Vec::new());
    for (name, value) in inherited.chain(added) {
        // A value that is not UTF-8 is not a reference either.
        let Some(value) = value.to_str() else { continue };
        match Reading::of(value) {
            Reading::Reference(reference) => references.push((name, reference)),
            Reading::Malformed(problem) => {
                malformed.push([name.to_string_lossy().into_owned(), problem]);
            }
            Reading::Within => tell(format_args!(
                "warning: the reference within the value of {} is left as it is: only a whole value is \
                 replaced",
                shown(&name.to_string_lossy())
            )),
            Reading::Other => {}
        }
    }
    if malformed.is_empty() {
        return Ok(references);
    }
    let message = format!("nothing was started: {} malformed reference(s)", malformed.len());
    tell(format_args!("{}\n", table(&["Variable", "Problem"], malformed)));
    Err(Failure::other(message, "Correct those values."))
}

async fn values<'a>(
    args: &Args,
    wanted: &'a [(OsString, SecretRef)],
) -> Result<Vec<(&'a OsString, EnvValue)>, Failure> {
    let mut values = Vec::with_capacity(wanted.len());
    if wanted.is_empty() {
        tell("No value in the environment is a reference.");
        return Ok(values);
    }
    let connection = support::connect(args).await?;
    let references = wanted.iter().map(|(_, reference)| reference);
    let resolved = connection.client.resolve_all(references).await.map_err(|error| {
        tell("Nothing was started.\n");
        not_resolved(error, |reference| {
            let same = wanted.iter().filter(|(_, wanted)| wanted == reference);
            let mut names: Vec<_> =
                same.map(|(name, _)| name.to_string_lossy().into_owned()).collect();
            names.sort_unstable();
            names
        })
    })?;
    for (name, reference) in wanted {
        let Some(value) = resolved.get(reference) else { continue };
        let shown = shown(&name.to_string_lossy());
        if value.expose_secret().contains('\0') {
            return Err(Failure::other(
                format!(
                    "nothing was started: the value for {shown} has a NUL, at which it would be cut"
                ),
                "Store that secret in a form without NUL, such as Base64.",
            ));
        }
        tell(format_args!("{shown} is replaced by the value of {reference}"));
        values.push((name, EnvValue::from(value.clone())));
    }
    Ok(values)
}
