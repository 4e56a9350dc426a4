//! The tenant's name, which is the first part of every fully qualified name: its sources, in order.

use std::sync::{Arc, OnceLock};

use url::{Host, Url};

use super::Client;
use crate::models::{self, Identity};
use crate::operation::Operation;
use crate::transport::{Query, Request};
use crate::{Error, Result};

/// Domains under which the first label of the host is the tenant's name.
const TENANT_DOMAINS: [&str; 2] = [".truefoundry.cloud", ".truefoundry.com"];
/// Hosts there that all tenants share.
const SHARED_LABELS: [&str; 3] = ["app", "api", "www"];

/// What a client knows about its tenant.
#[derive(Debug)]
pub(super) struct Tenant {
    given: Option<Arc<str>>,
    of_host: Option<Arc<str>>,
    /// What `tenant-id` or `session` said. Nothing else is written here: a group, a secret or a store that
    /// the key may see can belong to another tenant.
    told: OnceLock<Arc<str>>,
}

impl Tenant {
    pub(super) fn new(given: Option<String>, base: &Url) -> Self {
        Self { given: given.map(Into::into), of_host: tenant_of(base), told: OnceLock::new() }
    }
}

/// Whether a fully qualified name can begin with it.
pub(crate) fn is_tenant_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c == ':' || c.is_control())
}

fn valid(name: &str) -> Option<Arc<str>> {
    is_tenant_name(name).then(|| name.into())
}

fn tenant_of(base: &Url) -> Option<Arc<str>> {
    let Some(Host::Domain(host)) = base.host() else { return None };
    let label = TENANT_DOMAINS.iter().find_map(|domain| host.strip_suffix(domain))?;
    let label = label.split('.').next()?;
    (!label.is_empty() && !SHARED_LABELS.contains(&label)).then(|| label.into())
}

impl Client {
    /// The tenant's name: given, else the token's, else the host's, else what `tenant-id` says, else what `session`
    /// says. `None` if none of them tells it.
    ///
    /// # Errors
    /// Transient failures of the two requests, such as a timeout or a 503, because another try may
    /// tell the name; [`Error::Unauthorized`] from `session`; [`Error::Credentials`].
    pub(crate) async fn tenant(&self) -> Result<Option<Arc<str>>> {
        if self.inner.tenant.given.is_none() {
            self.transport().obtain_token().await?;
        }
        if let Some(name) = self.known_tenant() {
            return Ok(Some(name));
        }
        // Callers do not share a request: all others would hang if the one that made it is no
        // longer polled.
        let name = match self.ask_tenant_id().await? {
            Some(name) => Some(name),
            None => self.ask_session().await?,
        };
        Ok(name.map(|name| Arc::clone(self.inner.tenant.told.get_or_init(|| name))))
    }

    /// The tenant's name as far as it is known without a request.
    pub(crate) fn known_tenant(&self) -> Option<Arc<str>> {
        let tenant = &self.inner.tenant;
        let given = tenant.given.clone().or_else(|| self.tenant_of_token());
        given.or_else(|| tenant.of_host.clone()).or_else(|| tenant.told.get().cloned())
    }

    /// From the newest token: the next key of a mounted file may be another tenant's.
    fn tenant_of_token(&self) -> Option<Arc<str>> {
        self.inner.transport.claimed_tenant().filter(|name| is_tenant_name(name))
    }

    async fn ask_tenant_id(&self) -> Result<Option<Arc<str>>> {
        let request = Request::new(Operation::GetTenantId, "tenant-id")
            .query(Query::default().with("hostName", self.authority()));
        match self.transport().call::<models::Tenant>(request).await {
            Ok(tenant) => Ok(tenant.name().and_then(valid)),
            Err(error) if tells_nothing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn ask_session(&self) -> Result<Option<Arc<str>>> {
        let request = Request::new(Operation::GetSession, "session");
        match self.transport().call::<Identity>(request).await {
            Ok(identity) => Ok(identity.tenants().find_map(valid)),
            // The look-up itself would fail in the same way.
            Err(error @ Error::Unauthorized { .. }) => Err(error),
            Err(error) if tells_nothing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether there was a response that will be the same next time: the endpoint does not exist, or something
/// in front of it refuses the request.
fn tells_nothing(error: &Error) -> bool {
    error.status().is_some_and(|status| status == 501 || !error.is_retryable())
}
