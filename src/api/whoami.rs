//! Who the client is to the control plane.

use crate::Result;
use crate::client::Client;
use crate::models::Identity;
use crate::operation::Operation;
use crate::transport::Request;

impl Client {
    /// Whose key this client uses: user, kind of subject and tenant, as the control plane says. One request.
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
    /// [`Error::Unauthorized`](crate::Error::Unauthorized) for a key that is not valid; those of every call.
    pub async fn whoami(&self) -> Result<Identity> {
        self.transport().call(Request::new(Operation::GetSession, "session")).await
    }
}
