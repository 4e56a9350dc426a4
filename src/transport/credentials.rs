//! Where the token of a request comes from.

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::error::BoxError;
use crate::secret_value::SecretValue;

/// A source of tokens for a client, such as a mounted file or a login.
///
/// A source only fetches: the client keeps the token, and asks again if fewer than 120 s are left before it
/// expires, or after the server refused it.
pub trait Credentials: Send + Sync + 'static {
    /// A token to use. `rejected` is the one that the server just refused: the same token again means that
    /// no other exists.
    ///
    /// # Errors
    /// Any error means that no token could be had. Its text is shown to users, so it must hold no secret.
    fn token<'a>(
        &'a self,
        rejected: Option<&'a SecretValue>,
    ) -> BoxFuture<'a, Result<Token, BoxError>>;
}

/// A token with the time at which it expires, if that is known.
#[derive(Clone, Debug)]
pub struct Token {
    value: SecretValue,
    expires_at: Option<Timestamp>,
}

impl Token {
    /// A token that is used until the server refuses it.
    pub fn new(value: impl Into<SecretValue>) -> Self {
        Self { value: value.into(), expires_at: None }
    }

    /// States when the token expires.
    #[must_use]
    pub fn expires_at(mut self, time: Timestamp) -> Self {
        self.expires_at = Some(time);
        self
    }

    /// The token itself.
    pub fn value(&self) -> &SecretValue {
        &self.value
    }
}
