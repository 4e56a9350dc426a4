//! The transport as one operation uses it.

use std::ops::Deref;
use std::time::Duration;

use super::request::Request;
use super::{Deletion, Transport};
use crate::models::decode::FromWire;
use crate::secret_value::SecretValue;
use crate::{Error, Result};

/// The values that an operation sends with one of its requests.
pub(crate) trait Sends: Send + Sync {
    fn values(&self) -> Vec<&SecretValue>;
}

/// A server may echo what it was sent in its response to a later request, or keep it and echo it in another
/// operation's. So all requests of an operation are made through this, which knows all its values.
#[derive(Clone, Copy)]
pub(crate) struct Calls<'a> {
    transport: &'a Transport,
    sends: Option<&'a dyn Sends>,
    timeout: Duration,
}

impl<'a> Calls<'a> {
    pub(crate) fn new(
        transport: &'a Transport,
        sends: Option<&'a dyn Sends>,
        timeout: Duration,
    ) -> Self {
        Self { transport, sends, timeout }
    }

    /// Sends a request and decodes its response.
    pub(crate) fn call<'r, T: FromWire>(
        self,
        request: Request<'r>,
    ) -> impl Future<Output = Result<T>> + Send
    where
        'a: 'r,
    {
        let request = self.knowing(request);
        async move { self.transport.call(&request, self.timeout).await }
    }

    /// Sends a delete.
    pub(crate) fn delete<'r>(
        self,
        request: Request<'r>,
    ) -> impl Future<Output = Result<Deletion>> + Send
    where
        'a: 'r,
    {
        let request = self.knowing(request);
        async move { self.transport.delete(&request, self.timeout).await }
    }

    /// Obtains the client's first token, whose claims may save a request.
    pub(crate) async fn obtain_token(self) -> Result<()> {
        let token = self.transport.tokens.token(self.timeout).await;
        token.map(drop).map_err(|source| Error::Credentials { source })
    }

    fn knowing<'r>(self, mut request: Request<'r>) -> Request<'r>
    where
        'a: 'r,
    {
        request.values.extend(self.sends.iter().flat_map(|sends| sends.values()));
        request
    }
}

impl Deref for Calls<'_> {
    type Target = Transport;

    fn deref(&self) -> &Transport {
        self.transport
    }
}
