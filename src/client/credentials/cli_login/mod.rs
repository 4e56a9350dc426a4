//! The login of the `tfy` CLI, shared with it and with other processes.

mod file;
#[cfg(unix)]
mod lock;
#[cfg(unix)]
mod refresh;
#[cfg(unix)]
mod replace;
#[cfg(all(test, unix, feature = "testing"))]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
#[cfg(unix)]
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::time::timeout;
use url::Url;

pub(in crate::client) use self::file::default_path;
use self::file::{Owner, Stored, Unread};
use crate::client::builder::{login_url, parse_url};
use crate::error::BoxError;
use crate::redact::Escaped;
use crate::secret_value::SecretValue;
use crate::transport::{Credentials, Token, trace};
use crate::{Error, Result};

/// How long to wait for a file that does not parse, or for its lock.
const MAX_LOCK_WAIT: Duration = Duration::from_secs(15);
/// The same if the token can still be used: `tfy login` may wait for its user indefinitely.
const SHORT_LOCK_WAIT: Duration = Duration::from_secs(2);
/// How long to wait for a refresh if the token can still be used. It is less than the client waits
/// for a source: at its first call the client has no other token, and would fail.
const MAX_REFRESH_WAIT: Duration = Duration::from_secs(18);
const PAUSE: Duration = Duration::from_millis(50);

/// The login of the `tfy` CLI as [`Credentials`]: what `tfy login` has written to
/// `~/.truefoundry/credentials.json`. [`Client::infer`](crate::Client::infer) uses it if the environment names
/// no key.
///
/// The file is read each time the client needs a token, so a login that another process has
/// refreshed is seen. If it then belongs to another user or host, that is an error.
///
/// On Unix a token with fewer than 120 s left, or one that the control plane refused, is refreshed as the CLI
/// does it, under the CLI's lock, and the file is replaced as a whole. The refresh token is sent once, over
/// https or to this machine only. Elsewhere the file is only read, and any `tfy` command refreshes it.
///
/// A refresh trusts the system's TLS roots (on Linux those of `SSL_CERT_FILE`, if it is set), and uses neither the
/// client's `tls_certs_*` and `http` settings nor its headers. It goes to the login's [`host`](Self::host); the login's
/// token goes to the base URL that the builder names, as any key does.
///
/// A refresh token works once. If the process ends after the control plane has accepted it and
/// before the file is written (the time that the response takes to arrive, and milliseconds), the
/// login is lost and the next call says to run `tfy login`. So it is sent within 10 s after a token
/// was requested, or not at all, and the wait for its response is up to 20 s. With a
/// [`ClientBuilder::timeout`](crate::ClientBuilder::timeout) under 20 s a refresh can outlive the
/// call that began it: a program that ends as soon as such a call has timed out can lose the login.
///
/// ```no_run
/// # fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use truefoundry_secrets::{CliLogin, Client};
///
/// let login = CliLogin::find()?.ok_or("run `tfy login` first")?;
/// let client = Client::builder()
///     .base_url(login.host())
///     .credentials(login)
///     .timeout(Duration::from_secs(20))
///     .build()?;
/// # Ok(())
/// # }
/// ```
pub struct CliLogin {
    login: Arc<Login>,
    /// In place of the one that the control plane names.
    auth_server: Option<Url>,
}

/// The parts of a login that do not change.
struct Login {
    path: PathBuf,
    /// As the file has it.
    host: String,
    owner: Owner,
    /// The refresh token that the control plane refused last.
    #[cfg(unix)]
    refused: Mutex<Option<SecretValue>>,
}

impl CliLogin {
    /// The login of the user that runs this program; `None` if there is no file.
    ///
    /// # Errors
    /// [`Error::Config`] if the file cannot be read, or is not what `tfy login` writes.
    pub fn find() -> Result<Option<Self>> {
        match default_path() {
            Some(path) => Self::open_if_any(&path),
            None => Ok(None),
        }
    }

    /// The login in another file.
    ///
    /// # Errors
    /// [`Error::Config`] if the file is missing, cannot be read, or is not what `tfy login` writes.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let missing = || Error::config("login", Unread::Missing.reason(&path, None));
        Self::open_if_any(&path)?.ok_or_else(missing)
    }

    /// `None` if there is no file.
    pub(in crate::client) fn open_if_any(path: &Path) -> Result<Option<Self>> {
        let stored = match read_settled(path) {
            Ok(stored) => stored,
            Err(Unread::Missing) => return Ok(None),
            Err(unread) => return Err(Error::config("login", unread.reason(path, None))),
        };
        let host = stored.host().to_owned();
        login_url(&host)?;
        warn_if_shared(path);
        let login = Login {
            path: path.to_owned(),
            host,
            owner: stored.owner(),
            #[cfg(unix)]
            refused: Mutex::default(),
        };
        Ok(Some(Self { login: Arc::new(login), auth_server: None }))
    }

    /// The control plane that the login is for, such as `https://my-org.truefoundry.cloud`.
    pub fn host(&self) -> &str {
        &self.login.host
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.login.path
    }

    /// Where an older control plane's tokens are refreshed, if it names a server outside its own
    /// domain: the refresh token is not sent there without this setting. Newer control planes
    /// refresh tokens themselves, and ignore it.
    ///
    /// # Errors
    /// [`Error::Config`] if it is not the URL of a server, or is plain `http://` to another machine.
    pub fn auth_server_url(mut self, url: impl Into<String>) -> Result<Self> {
        self.auth_server = Some(parse_url("auth_server_url", &url.into(), false)?);
        Ok(self)
    }
}

impl Credentials for CliLogin {
    fn token<'a>(
        &'a self,
        rejected: Option<&'a SecretValue>,
    ) -> BoxFuture<'a, std::result::Result<Token, BoxError>> {
        let begun = Instant::now();
        Box::pin(async move {
            let stored = self.login.read().await?;
            if stored.due(rejected).is_none() {
                return Ok(stored.token());
            }
            if rejected.is_some() || !stored.is_good() {
                return self.refresh(rejected, begun, MAX_LOCK_WAIT).await;
            }
            let refresh = self.refresh(None, begun, SHORT_LOCK_WAIT);
            let refreshed = timeout(MAX_REFRESH_WAIT, refresh).await;
            refreshed.unwrap_or_else(|elapsed| Err(elapsed.into())).or_else(|error| {
                trace::keeping_token(&*error);
                Ok(stored.token())
            })
        })
    }
}

impl CliLogin {
    #[cfg(unix)]
    async fn refresh(
        &self,
        rejected: Option<&SecretValue>,
        begun: Instant,
        wait: Duration,
    ) -> std::result::Result<Token, BoxError> {
        let (login, auth_server) = (Arc::clone(&self.login), self.auth_server.clone());
        refresh::refresh(login, auth_server, rejected.cloned(), begun, wait).await
    }

    #[cfg(not(unix))]
    async fn refresh(
        &self,
        _: Option<&SecretValue>,
        _: Instant,
        _: Duration,
    ) -> std::result::Result<Token, BoxError> {
        // An expired token is sent, too: the control plane decides by its own clock.
        Ok(self.login.read().await?.token())
    }
}

impl Login {
    /// What the file holds now, if it is still the same login.
    async fn read(&self) -> std::result::Result<Stored, BoxError> {
        let mut result = Stored::read(&self.path);
        let end = tokio::time::Instant::now() + MAX_LOCK_WAIT;
        while matches!(result, Err(Unread::Malformed)) {
            if let Some(settled) = read_locked(&self.path) {
                result = settled;
                break;
            }
            if tokio::time::Instant::now() >= end {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.same(result)
    }

    /// Whether it is the login's host, however it is written.
    fn is_for(&self, host: &str) -> bool {
        let url = |host| login_url(host).ok();
        host == self.host || url(host).is_some_and(|it| url(&self.host) == Some(it))
    }

    fn same(
        &self,
        result: std::result::Result<Stored, Unread>,
    ) -> std::result::Result<Stored, BoxError> {
        let stored = result.map_err(|unread| unread.reason(&self.path, Some(&self.host)))?;
        let other = if !self.is_for(stored.host()) {
            format!("host, {}", Escaped(stored.host()))
        } else if stored.owner() != self.owner {
            "user, or another key".to_owned()
        } else {
            return Ok(stored);
        };
        Err(format!(
            "{} has become the login of another {other}: restart this program to use it",
            shown(&self.path)
        )
        .into())
    }
}

impl Unread {
    fn reason(&self, path: &Path, host: Option<&str>) -> String {
        let path = shown(path);
        let again = log_in_again(host);
        match self {
            Self::Missing => format!("{path} does not exist: {}", log_in(host)),
            Self::Failed(error) => {
                format!("{path} cannot be read ({error}): correct its permissions, or {again}")
            }
            Self::Malformed => format!("{path} is not what `tfy login` writes: {again}"),
        }
    }
}

fn log_in(host: Option<&str>) -> String {
    match host {
        Some(host) => format!("run `tfy login --host {}`", Escaped(host)),
        None => "run `tfy login`".to_owned(),
    }
}

/// Without `--relogin` the CLI keeps a login that no longer works.
fn log_in_again(host: Option<&str>) -> String {
    match host {
        Some(host) => format!("run `tfy login --relogin --host {}`", Escaped(host)),
        None => "run `tfy login --relogin`".to_owned(),
    }
}

fn shown(path: &Path) -> String {
    Escaped(&path.to_string_lossy()).to_string()
}

/// For a constructor: blocks the thread while the file is being written.
fn read_settled(path: &Path) -> std::result::Result<Stored, Unread> {
    const MAX_TRIES: u32 = 20;
    let mut result = Stored::read(path);
    for _ in 0..MAX_TRIES {
        if !matches!(result, Err(Unread::Malformed)) {
            break;
        }
        if let Some(settled) = read_locked(path) {
            return settled;
        }
        std::thread::sleep(PAUSE);
        result = Stored::read(path);
    }
    result
}

/// The file while the CLI is not writing it; `None` if it is.
#[cfg(unix)]
fn read_locked(path: &Path) -> Option<std::result::Result<Stored, Unread>> {
    match lock::Lock::try_acquire(&lock_path(path)) {
        Ok(None) => None,
        Ok(Some(_lock)) => Some(Stored::read(path)),
        // The file may be readable although its lock is not writable.
        Err(_) => Some(Stored::read(path)),
    }
}

/// Without the lock: a file that is being written is whole a moment later.
#[cfg(not(unix))]
fn read_locked(path: &Path) -> Option<std::result::Result<Stored, Unread>> {
    match Stored::read(path) {
        Err(Unread::Malformed) => None,
        settled => Some(settled),
    }
}

/// Beside the given path, not beside a symlink's target: that is where the CLI has it.
#[cfg(unix)]
fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// The CLI creates the file with the umask's permissions, so this is not an error.
fn warn_if_shared(path: &Path) {
    #[cfg(unix)]
    if let Ok(metadata) = std::fs::metadata(path) {
        use std::os::unix::fs::PermissionsExt as _;
        if metadata.permissions().mode() & 0o077 != 0 {
            trace::readable_by_others(path);
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// A place at which a test kills the process.
#[cfg(all(unix, not(all(test, feature = "testing"))))]
fn step(_: &str) {}
#[cfg(all(test, unix, feature = "testing"))]
use tests::step;

/// The tokens do not appear.
impl fmt::Debug for CliLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CliLogin")
            .field("path", &self.path())
            .field("host", &self.host())
            .finish_non_exhaustive()
    }
}
