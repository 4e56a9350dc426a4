//! Exchanges the refresh token for new tokens, once, under the CLI's lock.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::runtime::Builder as Runtime;
use tokio::sync::oneshot;
use url::{Host, Url};

use super::file::{Renewal, Stored, token_of};
use super::lock::Lock;
use super::replace::{Replacement, Unwritten};
use super::{Login, lock_path, log_in_again, shown, step};
use crate::client::builder::{ClientBuilder, login_url, parse_url};
use crate::error::{BoxError, CallContext};
use crate::models::SharedStr;
use crate::models::decode::wire_object;
use crate::operation::Operation;
use crate::secret_value::SecretValue;
use crate::transport::{Calls, Query, Request, Token, Transport, json, trace};
use crate::{Error, Result};

/// Time limit of the request that spends the refresh token. Together with the look-ups before it,
/// that is well within the 60 s that the CLI waits for the lock.
const MAX_REQUEST: Duration = Duration::from_secs(20);
const MAX_LOOK_UP: Duration = Duration::from_secs(10);
/// Counted from the call that asks for a token. If the request were sent later, the call might give
/// up, and its program end, before the response comes.
const MAX_BEFORE_REQUEST: Duration = Duration::from_secs(10);

/// How this control plane refreshes tokens.
struct CliSettings {
    by_itself: Option<bool>,
}

wire_object!(CliSettings {
    required {  }
    optional {  }
    informational {
        by_itself: "useSFYServerAuthAPIs",
    }
});

struct AuthServer {
    url: SharedStr,
}

wire_object!(AuthServer {
    required { url: "auth_server_url" }
    optional {  }
    informational {  }
});

struct Renewed {
    access_token: SecretValue,
    refresh_token: Option<SecretValue>,
}

wire_object!(Renewed {
    required { access_token: "accessToken" }
    optional { refresh_token: "refreshToken" }
    informational {  }
});

#[derive(Serialize)]
struct Exchange<'a> {
    #[serde(rename = "tenantName")]
    tenant: &'a str,
    #[serde(rename = "refreshToken")]
    refresh_token: &'a str,
    #[serde(rename = "grantType", skip_serializing_if = "Option::is_none")]
    grant_type: Option<&'static str>,
    #[serde(rename = "returnJWT", skip_serializing_if = "Option::is_none")]
    return_jwt: Option<bool>,
}

#[derive(Serialize)]
struct Content<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    host: &'a str,
}

/// The login's token, refreshed unless another process has done so in the meantime.
///
/// Once it has the lock, it runs in a thread of its own: a runtime can stand still between a
/// program's calls, or end. It would then keep the lock, or lose the successor of a spent refresh
/// token.
pub(super) async fn refresh(
    login: Arc<Login>,
    auth_server: Option<Url>,
    rejected: Option<SecretValue>,
    begun: Instant,
    lock_wait: Duration,
) -> std::result::Result<Token, BoxError> {
    let lock_path = lock_path(&login.path);
    let lock = Lock::acquire(&lock_path, lock_wait).await;
    let lock = lock.map_err(|error| {
        let again = log_in_again(Some(&login.host));
        format!(
            "{} cannot be locked ({error}): correct its permissions, or {again}",
            shown(&lock_path)
        )
    })?;
    let Some(lock) = lock else {
        return Err(format!(
            "another process has locked {} for over {} s: let it finish, or end it",
            shown(&login.path),
            lock_wait.as_secs()
        )
        .into());
    };
    let (sender, outcome) = oneshot::channel();
    let thread = std::thread::Builder::new().name("tfy-login".to_owned());
    thread.spawn(move || {
        let runtime = Runtime::new_current_thread().enable_all().build();
        let outcome = match runtime {
            Ok(runtime) => {
                let (auth_server, rejected) = (auth_server.as_ref(), rejected.as_ref());
                runtime.block_on(renew(&login, auth_server, rejected, begun))
            }
            Err(error) => Err(error.into()),
        };
        // Released before the caller continues.
        drop(lock);
        // The caller may have given up.
        let _ = sender.send(outcome);
    })?;
    outcome.await?
}

/// The caller holds the lock.
async fn renew(
    login: &Login,
    auth_server: Option<&Url>,
    rejected: Option<&SecretValue>,
    begun: Instant,
) -> std::result::Result<Token, BoxError> {
    let stored = login.same(Stored::read(&login.path))?;
    let Some(renewal) = stored.due(rejected) else { return Ok(stored.token()) };
    if login.has_refused(renewal.refresh_token) {
        return Err(login.ended());
    }
    let replacement = Replacement::prepare(&login.path).map_err(|error| {
        format!(
            "{} cannot be replaced by the refreshed login ({error}): make room on its disk, or correct its folder's permissions",
            shown(&login.path)
        )
    })?;
    let refused = |error| login.refused(error, &renewal);
    let route = Route::find(login, auth_server).await.map_err(refused)?;
    if begun.elapsed() > MAX_BEFORE_REQUEST {
        return Err(login.too_late());
    }
    let renewed = route.exchange(&renewal).await.map_err(refused)?;
    // Nothing awaits from here on.
    step("received");
    if !is_token(&renewed.access_token) {
        return Err(
            "the control plane's response to a refresh holds no token that can be sent".into()
        );
    }
    // It is not checked like the access token: it is never sent in a header, and the old one is
    // spent.
    let refresh_token = renewed.refresh_token.as_ref().filter(|token| !token.is_empty());
    let refresh_token = refresh_token.unwrap_or(renewal.refresh_token);
    let content = json(&Content {
        access_token: renewed.access_token.expose_secret(),
        refresh_token: refresh_token.expose_secret(),
        host: &login.host,
    })?;
    if let Err(Unwritten { error, kept }) = replacement.write(&content) {
        // The token is good, but the next refresh will fail.
        trace::login_not_written(&error, kept.as_deref());
    }
    Ok(token_of(&renewed.access_token))
}

/// Whether a header can carry it.
fn is_token(token: &SecretValue) -> bool {
    !token.is_empty() && token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic())
}

impl Login {
    fn refused(&self, error: Error, renewal: &Renewal<'_>) -> BoxError {
        let operation = error.context().map(CallContext::operation);
        match error.status() {
            Some(400) if operation == Some(Operation::RefreshLogin) => {
                let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                *refused = Some(renewal.refresh_token.clone());
                self.ended()
            }
            // A gateway in front of the control plane can send these two.
            Some(status @ (401 | 403)) => {
                let (path, again) = (shown(&self.path), log_in_again(Some(&self.host)));
                format!("the refresh of the login in {path} was refused with {status}: if that lasts, {again}")
                    .into()
            }
            _ => error.into(),
        }
    }

    fn too_late(&self) -> BoxError {
        let reason = format!(
            "the login in {} was not refreshed, because its lock and the control plane's settings took over {} s: \
             its refresh token was not sent, and the next call tries again",
            shown(&self.path),
            MAX_BEFORE_REQUEST.as_secs()
        );
        std::io::Error::new(std::io::ErrorKind::TimedOut, reason).into()
    }

    /// Whether it was refused before. Each rejected call would send it again, and a control plane
    /// treats a client that sends a spent one as a thief.
    fn has_refused(&self, token: &SecretValue) -> bool {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.as_ref().is_some_and(|refused| refused.ct_eq(token))
    }

    fn ended(&self) -> BoxError {
        let again = log_in_again(Some(&self.host));
        format!("the login in {} has ended: {again}", shown(&self.path)).into()
    }
}

/// Which server refreshes a token, and how.
struct Route {
    server: Transport,
    by_control_plane: bool,
}

impl Route {
    async fn find(login: &Login, auth_server: Option<&Url>) -> Result<Self> {
        let base = login_url(&login.host)?;
        let control_plane = ClientBuilder::keyless(base.clone())?;
        let look_up = Calls::new(&control_plane, None, MAX_LOOK_UP);
        let request = Request::new(Operation::GetCliSettings, "min-cli-version");
        let settings: CliSettings = look_up.call(request).await?;
        if settings.by_itself == Some(true) {
            return Ok(Self { server: control_plane, by_control_plane: true });
        }
        let mut url = if let Some(url) = auth_server {
            url.clone()
        } else {
            let request = Request::new(Operation::GetTenantId, "tenant-id")
                .query(Query::default().with("hostName", base.authority()));
            let told: AuthServer = look_up.call(request).await?;
            own_server(told.url.as_str(), &base)?
        };
        // A base has no trailing slash, but the URL of a bare host always has one.
        url.set_path(&format!("{}/api", url.path().trim_end_matches('/')));
        Ok(Self { server: ClientBuilder::keyless(url)?, by_control_plane: false })
    }

    /// Spends the refresh token.
    async fn exchange(&self, renewal: &Renewal<'_>) -> Result<Renewed> {
        let (path, grant_type, return_jwt) = if self.by_control_plane {
            ("oauth2/token", Some("refresh_token"), Some(true))
        } else {
            ("v1/oauth/token/refresh", None, None)
        };
        let body = json(&Exchange {
            tenant: &renewal.tenant,
            refresh_token: renewal.refresh_token.expose_secret(),
            grant_type,
            return_jwt,
        })?;
        let mut request = Request::new(Operation::RefreshLogin, path).body(body);
        request.values.push(renewal.refresh_token);
        request.single_attempt = true;
        step("asked");
        Calls::new(&self.server, None, MAX_REQUEST).call(request).await
    }
}

/// The server that the control plane names, if it is within its own domain: a response alone must
/// not send the refresh token to another host.
fn own_server(text: &str, control_plane: &Url) -> Result<Url> {
    let url = parse_url("auth_server_url", text, false)?;
    let is_own = match (url.host(), control_plane.host()) {
        (Some(Host::Domain(host)), Some(Host::Domain(own))) => {
            host == own || host.strip_suffix(own).is_some_and(|front| front.ends_with('.'))
        }
        (host, own) => host == own,
    };
    if is_own {
        return Ok(url);
    }
    Err(Error::config(
        "auth_server_url",
        format!(
            "is {}, which is not within {}: run `tfy login --relogin`, or allow it with \
             CliLogin::auth_server_url",
            url.authority(),
            control_plane.authority()
        ),
    ))
}
