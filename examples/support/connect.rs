//! A client of the control plane that is configured, or of a fake one.

use truefoundry_secrets::testing::FakeTrueFoundry;
use truefoundry_secrets::{CliLogin, Client, Error, SecretStoreKind};

use super::{Args, Failure, shown, tell};

const BASE_URL: [&str; 3] = ["TFY_BASE_URL", "TFY_HOST", "TFY_API_HOST"];
const API_KEY: &str = "TFY_API_KEY";

pub(crate) struct Connection {
    pub(crate) client: Client,
    /// The fake stops when this is dropped.
    fake: Option<FakeTrueFoundry>,
}

impl Connection {
    pub(crate) fn is_fake(&self) -> bool {
        self.fake.is_some()
    }

    /// The host that changes go to, for the prompt before them.
    pub(crate) fn host(&self) -> String {
        let what = if self.is_fake() { " (the fake: nothing real is changed)" } else { "" };
        format!("{}{what}", self.client.authority())
    }
}

/// Connects as the environment says, else with the login of the `tfy` CLI, and prints host and
/// identity to stderr.
///
/// It is the fake with `--fake`, or if neither exists: half of a configuration means a real control
/// plane, and the error names the missing half.
pub(crate) async fn connect(args: &Args) -> Result<Connection, Failure> {
    let why = if args.fake() {
        "--fake was given"
    } else if is_any_set() || !matches!(CliLogin::find(), Ok(None)) {
        return real(Client::infer()?).await;
    } else {
        "TFY_BASE_URL and TFY_API_KEY are not set, and no login of the tfy CLI exists"
    };
    Ok(fake(why).await)
}

/// As [`connect`], but never with a login: a demo that creates and deletes should not act as the
/// logged-in user.
pub(crate) async fn connect_without_login(args: &Args) -> Result<Connection, Failure> {
    let why = if args.fake() {
        "--fake was given"
    } else if is_any_set() {
        let client = Client::from_env().map_err(|error| match (is_set(API_KEY), is_host_set()) {
            (true, true) => Failure::Sdk(error),
            _ => Failure::other(
                error.to_string(),
                "Set both TFY_BASE_URL and TFY_API_KEY, or neither of them to try this against a fake.",
            ),
        })?;
        return real(client).await;
    } else {
        "TFY_BASE_URL and TFY_API_KEY are not set"
    };
    Ok(fake(why).await)
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn is_host_set() -> bool {
    BASE_URL.into_iter().any(is_set)
}

fn is_any_set() -> bool {
    is_set(API_KEY) || is_host_set()
}

async fn real(client: Client) -> Result<Connection, Failure> {
    tell(format_args!("Control plane: {}", client.authority()));
    let identity = match client.whoami().await {
        Ok(me) => {
            let kind = me.kind().map_or_else(String::new, |kind| format!(" ({})", shown(kind)));
            let tenant =
                me.tenant().map_or_else(String::new, |it| format!(", tenant {}", shown(it)));
            format!("{}{kind}{tenant}", shown(me.user().unwrap_or("unknown")))
        }
        // An older control plane does not report it.
        Err(error) if is_missing(&error) => "not reported by this control plane".to_owned(),
        Err(error) => return Err(error.into()),
    };
    tell(format_args!("Identity:      {identity}\n"));
    Ok(Connection { client, fake: None })
}

fn is_missing(error: &Error) -> bool {
    error.is_not_found() || matches!(error.status(), Some(404 | 405 | 501))
}

async fn fake(why: &str) -> Connection {
    let fake = fake_with_data().await;
    tell(format_args!(
        "{why}, so this runs against a fake control plane\nwithin this program, with made-up data. It needs no \
         network and is gone when the program ends."
    ));
    match CliLogin::find() {
        Ok(None) => {}
        Ok(Some(login)) => tell(format_args!(
            "The login of the tfy CLI for {} was found and is not used.",
            shown(login.host())
        )),
        Err(_) => tell("A file of a login of the tfy CLI was found and is not used."),
    }
    tell("");
    Connection { client: fake.client(), fake: Some(fake) }
}

/// A fake control plane with two stores and two groups.
pub(crate) async fn fake_with_data() -> FakeTrueFoundry {
    FakeTrueFoundry::start()
        .await
        .with_tenant("my-org")
        .with_store(SecretStoreKind::AwsSecretsManager)
        .with_store(SecretStoreKind::AzureVault)
        .with_group(
            "prod-secrets",
            [
                ("DB_PASSWORD", "made-up-database-password"),
                ("API_KEY", "made-up-api-key-of-prod"),
                ("JWT_SECRET", "made-up-signing-secret"),
            ],
        )
        .with_group("dev-secrets", [("DB_PASSWORD", "made-up"), ("API_KEY", "made-up")])
}
