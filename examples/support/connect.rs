//! A client of the control plane that the environment names, or of a fake one.

use truefoundry_secrets::testing::FakeTrueFoundry;
use truefoundry_secrets::{Client, SecretStoreKind};

use super::{Failure, tell};

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

/// Connects, and says on stderr to what.
///
/// It is the fake only if neither URL nor key is configured: one of them alone means a real control plane,
/// and the error names the missing one.
pub(crate) async fn connect() -> Result<Connection, Failure> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set(API_KEY) || BASE_URL.into_iter().any(is_set) {
        let both = is_set(API_KEY) && BASE_URL.into_iter().any(is_set);
        let client = Client::from_env().map_err(|error| {
            if both {
                return Failure::Sdk(error);
            }
            Failure::other(
                error.to_string(),
                "Set both TFY_BASE_URL and TFY_API_KEY, or neither of them to try this against a fake.",
            )
        })?;
        tell(format_args!("Control plane: {}\n", client.authority()));
        return Ok(Connection { client, fake: None });
    }
    let fake = fake_with_data().await;
    tell(
        "TFY_BASE_URL and TFY_API_KEY are not set, so this runs against a fake control plane within\n\
         this program, with made-up data. It needs no network and is gone when the program ends.\n",
    );
    Ok(Connection { client: fake.client(), fake: Some(fake) })
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
