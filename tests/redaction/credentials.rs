//! Tokens from other sources, and the errors if there is none.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::json;
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
use truefoundry_secrets::{
    BoxError, CliLogin, Credentials, KeyFile, RetryPolicy, SecretValue, Token,
};

use crate::secrets::VALUES;
use crate::walk::Walk;

/// Gives the first of these, then the next one after each rejection, and then fails with all of
/// them in its text.
struct Source(Mutex<Vec<String>>);

impl Credentials for Source {
    fn token<'a>(
        &'a self,
        rejected: Option<&'a SecretValue>,
    ) -> BoxFuture<'a, Result<Token, BoxError>> {
        let next = self.0.lock().unwrap().pop();
        Box::pin(async move {
            let told = rejected.map(|token| token.expose_secret().to_owned());
            next.map(Token::new).ok_or_else(|| format!("refused: {told:?}").into())
        })
    }
}

pub(crate) async fn tokens(walk: &mut Walk) {
    let fake = FakeTrueFoundry::start().await;
    let login = fake.login();
    walk.debug(&login);
    let good = login.access_token().to_owned();
    for key in [good.as_str(), login.refresh_token()] {
        walk.uses_key(key);
    }
    walk.debug(&Token::new(good.as_str()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, &good).unwrap();
    let file = KeyFile::new(&path);
    file.token(None).await.unwrap();
    walk.debug(&file);
    let builder = || fake.client_builder().retry(RetryPolicy::none());
    let builder_of_file = builder().credentials(file);
    walk.debug(&builder_of_file);
    let client = builder_of_file.build().unwrap();
    let subject = json!({"subjectType": "user", "password": VALUES[3]});
    let user = json!({"email": "ada@example.com", "token": VALUES[4], "subject": subject});
    fake.inject(Fault::status(200).json(json!({"user": user, "apiKey": VALUES[5]})));
    walk.debug(&client.whoami().await.unwrap());
    walk.debug(&client);

    // A token of every kind, refused with all of them echoed; then the next one; then none.
    let tokens = ["first-0123456789abcdef", "second-0123456789abcdef"];
    for token in tokens {
        walk.uses_key(token);
    }
    let source = || Source(Mutex::new(tokens.map(str::to_owned).to_vec()));
    let echo = tokens.join(" and ");
    let client = builder().credentials(source()).build().unwrap();
    fake.inject(Fault::status(401).message(&echo).times(2));
    walk.error("both tokens are refused", client.whoami().await.unwrap_err());
    fake.inject(Fault::status(401).message(&echo));
    walk.error("no token is left", client.whoami().await.unwrap_err());
    for value in VALUES {
        let key = format!("{value} \n");
        let client =
            builder().credentials(move || std::future::ready(Ok(Token::new(key.as_str()))));
        walk.error(
            "a token that is no header",
            client.build().unwrap().whoami().await.unwrap_err(),
        );
        std::fs::write(&path, format!("{value} {value}")).unwrap();
        let client = builder().credentials(KeyFile::new(&path)).build().unwrap();
        walk.error("a file that is no key", client.whoami().await.unwrap_err());
    }
}

/// The login of the CLI: refused, echoed, broken.
pub(crate) async fn login(walk: &mut Walk) {
    let fake = FakeTrueFoundry::start().await.with_token_lifetime(Duration::ZERO);
    let login = fake.login();
    for token in [login.access_token(), login.refresh_token()] {
        walk.uses_key(token);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.json");
    let open = || {
        std::fs::write(&path, login.credentials_json()).unwrap();
        CliLogin::open(&path).unwrap()
    };
    walk.debug(&open());
    let echo = format!("{} {}", login.access_token(), login.refresh_token());
    for status in [400, 429, 500, 200] {
        fake.inject(Fault::status(status).message(&echo).on("oauth2.token"));
        let builder = fake.client_builder().credentials(open());
        walk.debug(&builder);
        let client = builder.build().unwrap();
        walk.error("a login that is refused or echoed", client.check().await.unwrap_err());
    }
    let _ = fake.clone().with_older_login().with_auth_server_url(&format!("https://{echo}"));
    let client = fake.client_builder().credentials(open()).build().unwrap();
    walk.error("tokens in the URL of a server", client.check().await.unwrap_err());
    for text in [echo.clone(), login.credentials_json().replace("http:", "ftp:")] {
        std::fs::write(&path, text).unwrap();
        walk.error("a file that is no login", CliLogin::open(&path).unwrap_err());
    }
}
