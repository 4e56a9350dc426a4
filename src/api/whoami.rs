//! The owner of the client's key.

use crate::Result;
use crate::client::Client;
use crate::models::Identity;
use crate::operation::Operation;
use crate::transport::Request;

impl Client {
    /// The owner of this client's key, as the control plane reports it: user, kind of subject and
    /// tenant. Takes one request.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// let me = client.whoami().await?;
    /// println!("{} is {:?} of {:?}", client.authority(), me.user(), me.tenant());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unauthorized`](crate::Error::Unauthorized) if the key is not valid; otherwise the
    /// errors of any call.
    pub async fn whoami(&self) -> Result<Identity> {
        self.transport().call(Request::new(Operation::GetSession, "session")).await
    }
}
