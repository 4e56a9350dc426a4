//! Where the token of a request comes from.

mod claims;
mod keeper;
mod kept;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::time::Duration;

use crate::error::BoxError;
use crate::secret_value::SecretValue;
pub(crate) use claims::Claims;
pub(crate) use keeper::TokenKeeper;
pub(super) use kept::KeptToken;
pub(crate) use kept::sensitive;

/// A source of tokens for a client, such as a mounted file or a login.
///
/// A source only fetches: the client keeps the token, and asks again if fewer than 120 s are left before it
/// expires, or after the server rejected it. It is asked once at a time, in a task of its own, for
/// at most 20 s; if that fails, a token that is still good stays in use. Calls that need the token
/// wait for it, but for no longer than half of their time limit if the one in use is still good.
///
/// A closure that returns a future of a [`Token`] is a source, too:
///
/// ```
/// # fn f() -> truefoundry_secrets::Result<()> {
/// use truefoundry_secrets::{Client, Token};
///
/// # async fn ask_the_vault() -> std::io::Result<String> { Ok("key".to_owned()) }
/// let client = Client::builder()
///     .base_url("https://my-org.truefoundry.cloud")
///     .credentials(|| async { Ok(Token::new(ask_the_vault().await?)) })
///     .build()?;
/// # Ok(())
/// # }
/// # f().unwrap();
/// ```
pub trait Credentials: Send + Sync + 'static {
    /// Returns the token to use. `rejected` is the one that the server just rejected: returning it
    /// again means that no other exists.
    ///
    /// # Errors
    /// Any error means that no token could be obtained. Its text is shown to users, so it must hold
    /// no secret.
    fn token<'a>(
        &'a self,
        rejected: Option<&'a SecretValue>,
    ) -> BoxFuture<'a, Result<Token, BoxError>>;
}

impl<F, T> Credentials for F
where
    F: Fn() -> T + Send + Sync + 'static,
    T: Future<Output = Result<Token, BoxError>> + Send + 'static,
{
    fn token<'a>(
        &'a self,
        _rejected: Option<&'a SecretValue>,
    ) -> BoxFuture<'a, Result<Token, BoxError>> {
        Box::pin(self())
    }
}

/// A token with the time at which it expires, if that is known.
///
/// ```
/// use std::time::Duration;
/// use truefoundry_secrets::{SecretValue, Token, jiff::Timestamp};
///
/// let key = SecretValue::from("a key that lasts for an hour");
/// let token = Token::new(key).expires_at(Timestamp::now() + Duration::from_secs(60 * 60));
/// ```
#[derive(Clone, Debug)]
pub struct Token {
    value: SecretValue,
    expires_at: Option<Timestamp>,
    recheck_after: Option<Duration>,
}

impl Token {
    /// A token that is used until the server refuses it.
    pub fn new(value: impl Into<SecretValue>) -> Self {
        Self { value: value.into(), expires_at: None, recheck_after: None }
    }

    /// States when the token expires: the source is asked for the next one 120 s before.
    #[must_use]
    pub fn expires_at(mut self, time: Timestamp) -> Self {
        self.expires_at = Some(time);
        self
    }

    /// Asks the source again after this time, even if the token does not expire.
    pub(crate) fn recheck_after(mut self, time: Duration) -> Self {
        self.recheck_after = Some(time);
        self
    }

    /// The token itself.
    pub fn value(&self) -> &SecretValue {
        &self.value
    }
}
