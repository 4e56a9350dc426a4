//! The file that `tfy login` writes.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::models::SharedStr;
use crate::models::decode::{self, wire_object};
use crate::secret_value::SecretValue;
use crate::transport::{Claims, Token};
use crate::wipe::Zeroizing;

/// Far more than any login needs.
const MAX_FILE: u64 = 1024 * 1024;
/// With less time left a token is refreshed, as the CLI does.
const MIN_LEFT: Duration = Duration::from_secs(120);

/// `~/.truefoundry/credentials.json`, where the CLI has it; `None` if no home folder is known.
pub(in crate::client) fn default_path() -> Option<PathBuf> {
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty())?;
    Some(home.join(".truefoundry").join("credentials.json"))
}

/// Why no login could be read.
#[derive(Debug)]
pub(super) enum Unread {
    Missing,
    Failed(io::Error),
    /// Not what the CLI writes, or the CLI is still writing it.
    Malformed,
}

/// The content of the file.
pub(super) struct Stored {
    access_token: SecretValue,
    refresh_token: Option<SecretValue>,
    host: SharedStr,
}

wire_object!(Stored {
    required {
        access_token: "access_token",
        host: "host",
    }
    optional {
        refresh_token: "refresh_token",
    }
    informational {  }
});

/// Whose login it is, as far as its token tells.
#[derive(Debug)]
pub(super) enum Owner {
    User {
        tenant: Option<String>,
        name: Option<String>,
    },
    /// A token that does not name its user.
    Opaque(SecretValue),
}

impl PartialEq for Owner {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::User { tenant, name },
                Self::User { tenant: other_tenant, name: other_name },
            ) => tenant == other_tenant && name == other_name,
            (Self::Opaque(token), Self::Opaque(other)) => token.ct_eq(other),
            _ => false,
        }
    }
}

/// What a refresh needs.
#[cfg_attr(not(unix), allow(dead_code, reason = "elsewhere the CLI refreshes"))]
pub(super) struct Renewal<'a> {
    pub(super) tenant: String,
    pub(super) refresh_token: &'a SecretValue,
}

impl Stored {
    /// Reads the file in one go, without a lock.
    pub(super) fn read(path: &Path) -> Result<Self, Unread> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Unread::Missing,
            _ => Unread::Failed(error),
        };
        // Opening a pipe would wait for its writer.
        let metadata = fs::metadata(path).map_err(failed)?;
        if !metadata.is_file() {
            return Err(Unread::Failed(io::Error::other("not a file")));
        }
        let mut text = Zeroizing::new(Vec::new());
        // A buffer that grows leaves its earlier halves, tokens included, in freed memory.
        text.reserve_exact(usize::try_from(metadata.len().min(MAX_FILE)).unwrap_or_default() + 64);
        let file = File::open(path).map_err(failed)?;
        file.take(MAX_FILE).read_to_end(&mut text).map_err(failed)?;
        let stored: Self = decode::owned(&text).map_err(|_| Unread::Malformed)?;
        let is_empty = stored.access_token.is_empty() || stored.host().is_empty();
        if is_empty { Err(Unread::Malformed) } else { Ok(stored) }
    }

    pub(super) fn host(&self) -> &str {
        self.host.as_str()
    }

    fn claims(&self) -> Option<Claims> {
        Claims::of(self.access_token.expose_secret())
    }

    pub(super) fn owner(&self) -> Owner {
        match self.claims() {
            Some(claims) => Owner::User {
                tenant: claims.tenant().map(str::to_owned),
                name: claims.user().map(str::to_owned),
            },
            None => Owner::Opaque(self.access_token.clone()),
        }
    }

    pub(super) fn token(&self) -> Token {
        token_of(&self.access_token)
    }

    /// Whether the token has not expired, by this machine's clock.
    pub(super) fn is_good(&self) -> bool {
        let expires_at = self.claims().and_then(|claims| claims.expires_at());
        expires_at.is_none_or(|time| Timestamp::now() < time)
    }

    /// What to refresh the token with; `None` if it can be used, or cannot be refreshed.
    pub(super) fn due(&self, rejected: Option<&SecretValue>) -> Option<Renewal<'_>> {
        let claims = self.claims()?;
        let expires_soon =
            claims.expires_at().is_some_and(|time| Timestamp::now() + MIN_LEFT > time);
        let is_due = expires_soon || rejected.is_some_and(|token| token.ct_eq(&self.access_token));
        // Tokens of service accounts are never refreshed, as in the CLI.
        if !is_due || claims.is_service_account() {
            return None;
        }
        let refresh_token = self.refresh_token.as_ref().filter(|token| !token.is_empty())?;
        Some(Renewal { tenant: claims.tenant()?.to_owned(), refresh_token })
    }
}

/// With the expiry time that it states.
pub(super) fn token_of(access_token: &SecretValue) -> Token {
    let token = Token::new(access_token.clone());
    let claims = Claims::of(access_token.expose_secret());
    match claims.and_then(|claims| claims.expires_at()) {
        Some(time) => token.expires_at(time),
        None => token,
    }
}
