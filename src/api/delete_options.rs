//! How to delete.

use crate::transport::Query;

/// How to delete.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// use truefoundry_secrets::DeleteOptions;
///
/// let force = DeleteOptions::new().force(); // although its store is gone
/// client.secret_groups().delete_with("sg-abc", &force).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct DeleteOptions {
    force: bool,
}

impl DeleteOptions {
    /// The API's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Deletes even if the store fails or cannot be reached; the store then keeps what it holds.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }

    pub(crate) fn query(&self, query: Query) -> Query {
        if self.force { query.with("forceDelete", true) } else { query }
    }
}
