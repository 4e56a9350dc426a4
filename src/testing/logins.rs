//! Logins of the `tfy` CLI: access tokens that expire and refresh tokens that work once.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::clock::random_token;
use super::fake::FakeTrueFoundry;
use super::parsed_request::{Call, bad_request};
use super::response::Response;
use super::server::lock;
use super::state::{Quirk, State};

/// Who is logged in unless a test says otherwise.
pub(super) const USER: &str = "ada@example.com";
/// Below the server's URL, and not below the API's base.
pub(super) const OLDER_REFRESH: &str = "/api/v1/oauth/token/refresh";

/// All logins of one server, and the clock by which their tokens expire.
pub(super) struct Logins {
    all: Vec<Login>,
    /// How far tests have moved the clock.
    ahead: Duration,
    lifetime: Duration,
}

struct Login {
    user: String,
    /// Each with the time, in seconds, from which it is refused.
    access: Vec<(String, i64)>,
    /// Only the last one has not been used.
    refresh: Vec<String>,
    revoked: bool,
}

impl Logins {
    pub(super) fn new() -> Self {
        Self { all: Vec::new(), ahead: Duration::ZERO, lifetime: Duration::from_secs(3600) }
    }

    fn now(&self) -> i64 {
        let ahead = i64::try_from(self.ahead.as_secs()).unwrap_or(i64::MAX);
        Timestamp::now().as_second().saturating_add(ahead)
    }

    /// The user whose access token this is, unless it has expired or its login was revoked.
    pub(super) fn user_of(&self, token: &str) -> Option<&str> {
        let now = self.now();
        let is_good = |(access, expires): &(String, i64)| access == token && now < *expires;
        let login = self.all.iter().find(|login| login.access.iter().any(is_good))?;
        (!login.revoked).then_some(&login.user)
    }

    fn log_in(&mut self, tenant: &str, user: &str) -> FakeLogin {
        let (now, expires) = self.times();
        let mut login = Login {
            user: user.to_owned(),
            access: Vec::new(),
            refresh: Vec::new(),
            revoked: false,
        };
        let issued = login.issue(tenant, now, expires);
        self.all.push(login);
        issued
    }

    fn refresh(&mut self, tenant: &str, refresh_token: &str) -> Option<FakeLogin> {
        let (now, expires) = self.times();
        let knows = |login: &&mut Login| login.refresh.iter().any(|token| token == refresh_token);
        let login = self.all.iter_mut().find(knows)?;
        // A spent token that is used again was stolen, or its successor was lost.
        login.revoked |= login.refresh.last().is_none_or(|token| token != refresh_token);
        (!login.revoked).then(|| login.issue(tenant, now, expires))
    }

    /// Now, and when a token that is issued now expires.
    fn times(&self) -> (i64, i64) {
        let now = self.now();
        (now, now.saturating_add(i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX)))
    }
}

impl Login {
    /// The next pair of tokens.
    fn issue(&mut self, tenant: &str, now: i64, expires: i64) -> FakeLogin {
        let claims = json!({
            "tenantName": tenant, "username": self.user, "email": self.user,
            "subjectType": "user", "iat": now, "exp": expires, "jti": random_token(),
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = part(&json!({ "alg": "RS256", "typ": "JWT" }));
        // Only the server itself could verify a signature, and it knows its tokens.
        let signature = URL_SAFE_NO_PAD.encode(random_token());
        let access_token = format!("{head}.{}.{signature}", part(&claims));
        let refresh_token = format!("fake-refresh-{}", random_token());
        self.access.push((access_token.clone(), expires));
        self.refresh.push(refresh_token.clone());
        FakeLogin { access_token, refresh_token, host: String::new() }
    }
}

pub(super) fn min_cli_version(state: &State) -> Response {
    let body = json!({
        "minVersion": "0.0.1",
        "truefoundryCliMinVersion": "0.0.1",
        "useSFYServerAuthAPIs": !state.has(Quirk::OlderLogin),
    });
    Response::json(200, &body)
}

/// `/oauth2/token`, or what older servers have instead.
pub(super) fn refresh(state: &mut State, call: &Call) -> Result<Response, Response> {
    let body = call.json()?;
    if !state.has(Quirk::OlderLogin) {
        if body.get("grantType").and_then(Value::as_str) != Some("refresh_token") {
            return Err(bad_request("grantType must be refresh_token".to_owned()));
        }
        if body.get("returnJWT") != Some(&Value::Bool(true)) {
            return Err(bad_request("returnJWT must be true".to_owned()));
        }
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("tenantName") != state.tenant {
        return Err(bad_request("tenantName must be a known tenant".to_owned()));
    }
    let refused = || Response::error(400, "Invalid refresh token");
    let login = state.logins.refresh(&state.tenant, text("refreshToken")).ok_or_else(refused)?;
    let pair = json!({ "accessToken": login.access_token, "refreshToken": login.refresh_token });
    Ok(Response::json(201, &pair))
}

/// What `tfy login` would have stored.
#[derive(Clone)]
pub struct FakeLogin {
    access_token: String,
    refresh_token: String,
    host: String,
}

impl FakeLogin {
    /// A JWT that the server accepts as it does its API key, until it expires.
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// The token that the server exchanges for new ones, once.
    pub fn refresh_token(&self) -> &str {
        &self.refresh_token
    }

    /// The text of `~/.truefoundry/credentials.json`.
    pub fn credentials_json(&self) -> String {
        let file = json!({
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "host": self.host,
        });
        file.to_string()
    }
}

/// The tokens do not appear.
impl fmt::Debug for FakeLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeLogin").field("host", &self.host).finish_non_exhaustive()
    }
}

/// Logins of the `tfy` CLI.
impl FakeTrueFoundry {
    /// Logs `ada@example.com` in. Tokens expire after an hour; each refresh token works once, and if it comes
    /// a second time the login is revoked.
    pub fn login(&self) -> FakeLogin {
        self.login_as(USER)
    }

    /// As [`login`](Self::login), for another user.
    pub fn login_as(&self, user: &str) -> FakeLogin {
        let host = self.base_url();
        let state = &mut *lock(&self.shared.state);
        FakeLogin { host, ..state.logins.log_in(&state.tenant, user) }
    }

    /// How long access tokens that are issued from now on are accepted. Default: an hour.
    #[must_use]
    pub fn with_token_lifetime(self, lifetime: Duration) -> Self {
        lock(&self.shared.state).logins.lifetime = lifetime;
        self
    }

    /// Moves the clock by which tokens expire, and no other one.
    pub fn advance_token_clock(&self, by: Duration) {
        let logins = &mut lock(&self.shared.state).logins;
        logins.ahead = logins.ahead.saturating_add(by);
    }
}
