//! The login of the `tfy` CLI, against the fake and a home folder of each test's own.

mod changes;
mod files;
mod older;
mod processes;
mod refreshes;
mod refusals;
mod storm;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use truefoundry_secrets::testing::{FakeLogin, FakeTrueFoundry, RecordedRequest};
use truefoundry_secrets::{CliLogin, Client, Error, ListSecretGroups};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
/// Too little remaining time for a token to be used without a refresh.
pub(crate) const SHORT: Duration = Duration::from_secs(60);

/// A home folder with the file of a login.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn empty() -> Self {
        let home = Self(TempDir::new().unwrap());
        fs::create_dir(home.folder()).unwrap();
        home
    }

    pub(crate) fn with(login: &FakeLogin) -> Self {
        let home = Self::empty();
        home.write(&login.credentials_json());
        home
    }

    /// As the CLI does.
    pub(crate) fn write(&self, text: &str) {
        fs::write(self.file(), text).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.path().join(".truefoundry")
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder().join("credentials.json")
    }

    pub(crate) fn lock_file(&self) -> PathBuf {
        self.folder().join("credentials.json.lock")
    }

    pub(crate) fn stored(&self) -> Value {
        serde_json::from_slice(&fs::read(self.file()).unwrap()).unwrap()
    }

    pub(crate) fn login(&self) -> CliLogin {
        CliLogin::open(self.file()).unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        let login = self.login();
        Client::builder().base_url(login.host()).credentials(login).build().unwrap()
    }

    /// Waits until the file holds another token.
    pub(crate) async fn refreshed(&self, login: &FakeLogin) {
        let refreshed = async {
            while self.stored()["access_token"] == login.access_token() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), refreshed).await.expect("not refreshed");
    }

    /// The names in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A login that is about to expire, whose successors last an hour.
pub(crate) async fn expiring() -> (FakeTrueFoundry, FakeLogin, Home) {
    let fake = FakeTrueFoundry::start().await.with_token_lifetime(SHORT);
    let login = fake.login();
    let home = Home::with(&login);
    (fake.with_token_lifetime(HOUR), login, home)
}

pub(crate) async fn call(client: &Client) -> truefoundry_secrets::Result<()> {
    client.secret_groups().list(&ListSecretGroups::new()).await.map(drop)
}

/// The operations that arrived, in order.
pub(crate) fn seen(fake: &FakeTrueFoundry) -> Vec<&'static str> {
    fake.requests().iter().map(|request| request.operation().unwrap_or("?")).collect()
}

/// The refresh tokens that arrived, in order.
pub(crate) fn spent(fake: &FakeTrueFoundry) -> Vec<String> {
    let token =
        |request: &RecordedRequest| Some(request.body()?.get("refreshToken")?.as_str()?.to_owned());
    fake.requests().iter().filter_map(token).collect()
}

/// All texts of an error, with its causes.
pub(crate) fn texts(error: &Error) -> String {
    let mut all = format!("{error}\n{error:?}\n{error:#?}\n{}", error.hint());
    let mut cause = std::error::Error::source(error);
    while let Some(below) = cause {
        let _ = write!(all, "\n{below}\n{below:?}");
        cause = below.source();
    }
    all
}
