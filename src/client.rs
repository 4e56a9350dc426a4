use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use url::Host;

use crate::edit::Queues;
use crate::known_stores::{FoundStore, KnownStores};
use crate::models::fqn_part;
use crate::transport::{Calls, Sends, Transport};
use crate::{
    ClientBuilder, Error, ListSecretGroups, Result, SecretGroup, SecretGroups, SecretStores,
    Secrets,
};

/// Domains under which the first label of the host is the tenant's name.
const TENANT_DOMAINS: [&str; 2] = [".truefoundry.cloud", ".truefoundry.com"];
/// Hosts there that all tenants share.
const SHARED_LABELS: [&str; 3] = ["app", "api", "www"];

/// A client of one control plane.
///
/// Clones are cheap and share connections, the retry budget and what was learned. Its methods need a
/// tokio runtime with time and I/O.
///
/// ```no_run
/// # async fn f() -> truefoundry_secrets::Result<()> {
/// use truefoundry_secrets::Client;
///
/// let client = Client::from_env()?;
/// client.check().await?;
/// let secret = client.secrets().get("secret-id").await?;
/// println!("{:?} is {:?}", secret.key(), secret.value()); // Some("DB-PASSWORD") is Some((set))
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    /// What the operation that this clone works for sends.
    sends: Option<Arc<dyn Sends>>,
}

struct Inner {
    transport: Transport,
    tenant: OnceLock<String>,
    limits: Limits,
    queues: Queues,
    stores: KnownStores,
}

/// How far the operations that take several requests go.
pub(crate) struct Limits {
    pub(crate) settle_time: Duration,
    pub(crate) concurrent_reads: usize,
}

impl Client {
    /// A client as the environment describes it: the base URL from `TFY_BASE_URL`, else `TFY_HOST`, else
    /// `TFY_API_HOST`; the key from `TFY_API_KEY`. An empty variable counts as unset. The process
    /// environment keeps its copy of the key.
    ///
    /// # Errors
    /// [`Error::Config`], naming the variable that is missing or cannot be used.
    pub fn from_env() -> Result<Self> {
        ClientBuilder::from_env().build()
    }

    /// Sets a client up; [`ClientBuilder::from_env`] begins with the environment.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    pub(crate) fn new(transport: Transport, tenant: Option<String>, limits: Limits) -> Self {
        let known = OnceLock::new();
        if let Some(tenant) = tenant {
            let _ = known.set(tenant);
        }
        Self {
            sends: None,
            inner: Arc::new(Inner {
                transport,
                tenant: known,
                limits,
                queues: Queues::default(),
                stores: KnownStores::default(),
            }),
        }
    }

    /// The secret groups' methods.
    pub fn secret_groups(&self) -> SecretGroups<'_> {
        SecretGroups::new(self)
    }

    /// The secrets' methods.
    pub fn secrets(&self) -> Secrets<'_> {
        Secrets::new(self)
    }

    /// The secret stores' methods.
    pub fn secret_stores(&self) -> SecretStores<'_> {
        SecretStores::new(self)
    }

    /// Whether the control plane answers and accepts the key, in one request for one secret group.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] for a key that is not accepted; [`Error::PermissionDenied`] for one that
    /// is, but may not list groups; [`Error::Connect`], [`Error::Timeout`]; [`Error::UnexpectedStatus`] or
    /// [`Error::Decode`] where something else than a control plane answers.
    pub async fn check(&self) -> Result<()> {
        self.secret_groups().list(&ListSecretGroups::new().limit(1)).await.map(drop)
    }

    /// The host that requests go to, with its port where the base URL names one; to be shown before a
    /// change is confirmed.
    pub fn host(&self) -> &str {
        self.inner.transport.base.authority()
    }

    /// A clone for an operation of several requests, which may answer with what any of them sent.
    pub(crate) fn sending(&self, values: Arc<dyn Sends>) -> Self {
        Self { sends: Some(values), ..self.clone() }
    }

    pub(crate) fn transport(&self) -> Calls<'_> {
        Calls::new(&self.inner.transport, self.sends.as_deref())
    }

    pub(crate) fn settle_time(&self) -> Duration {
        self.inner.limits.settle_time
    }

    pub(crate) fn concurrent_reads(&self) -> usize {
        self.inner.limits.concurrent_reads
    }

    pub(crate) fn queues(&self) -> &Queues {
        &self.inner.queues
    }

    /// What kind of store the group's secrets are kept in, looked up once and remembered.
    pub(crate) async fn store_of(&self, group: &SecretGroup) -> FoundStore {
        self.inner.stores.kind_of(self, group).await
    }

    /// The tenant's name: given, else learned from an earlier answer, else the host's, else one group is
    /// read for it.
    pub(crate) async fn tenant(&self) -> Result<&str> {
        if let Some(tenant) = self.inner.tenant.get() {
            return Ok(tenant);
        }
        if let Some(tenant) = self.tenant_of_host() {
            return Ok(tenant);
        }
        self.check().await?;
        self.inner.tenant.get().map(String::as_str).ok_or_else(|| {
            Error::config("tenant", "it cannot be learned from the control plane; set .tenant()")
        })
    }

    fn tenant_of_host(&self) -> Option<&str> {
        let Some(Host::Domain(host)) = self.inner.transport.base.host() else { return None };
        let label = TENANT_DOMAINS.iter().find_map(|domain| host.strip_suffix(domain))?;
        let label = label.split('.').next()?;
        (!label.is_empty() && !SHARED_LABELS.contains(&label)).then_some(label)
    }

    pub(crate) fn learn_tenant(&self, group: &SecretGroup) {
        if let Some(tenant) = group.tenant_name() {
            self.learn_tenant_name(tenant);
        }
    }

    pub(crate) fn learn_tenant_from_fqn(&self, fqn: &str) {
        if let Some(tenant) = fqn_part(fqn, 0, 2).filter(|_| fqn.contains(':')) {
            self.learn_tenant_name(tenant);
        }
    }

    pub(crate) fn learn_tenant_name(&self, tenant: &str) {
        if !tenant.is_empty() && !tenant.contains(':') {
            let _ = self.inner.tenant.get_or_init(|| tenant.to_owned());
        }
    }
}

/// Host and tenant; the key does not appear.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("host", &self.host())
            .field("tenant", &self.inner.tenant.get())
            .finish_non_exhaustive()
    }
}
