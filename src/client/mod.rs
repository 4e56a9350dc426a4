mod builder;
mod credentials;
mod edit_locks;
mod known_kinds;
mod tenant;
mod watch_registry;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Result;
use crate::transport::{Calls, Sends, Transport};
pub use builder::ClientBuilder;
pub use credentials::{CliLogin, KeyFile};
pub(crate) use edit_locks::{EditGuard, EditLocks, UnconfirmedWrite};
pub(crate) use known_kinds::KnownKinds;
use tenant::Tenant;
pub(crate) use watch_registry::{Interest, Registration, WatchRegistry, Written};

/// A client of one control plane.
///
/// Clones are cheap and share connections, the retry budget and the results of look-ups. Its methods need
/// a tokio runtime with time and I/O.
///
/// A connection lives on the runtime that made it. If that runtime is not running, such as a
/// current-thread runtime between two `block_on` calls, a call on another one waits for such a
/// connection until its timeout. Use one client per runtime.
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
    /// The values sent by the operation that this clone serves.
    sends: Option<Arc<dyn Sends>>,
    /// Instead of the builder's.
    timeout: Option<Duration>,
}

struct Inner {
    transport: Transport,
    tenant: Tenant,
    limits: Limits,
    edit_locks: EditLocks,
    known_kinds: KnownKinds,
    watches: WatchRegistry,
}

/// Limits of the operations that make several requests.
pub(crate) struct Limits {
    pub(crate) unconfirmed_write_timeout: Duration,
    pub(crate) concurrent_reads: usize,
}

impl Client {
    /// A client configured from the environment: the base URL from `TFY_BASE_URL`, else `TFY_HOST`,
    /// else `TFY_API_HOST`; the key from `TFY_API_KEY`. An empty variable counts as unset. The
    /// process environment keeps its copy of the key.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config), naming the variable that is missing or cannot be used.
    pub fn from_env() -> Result<Self> {
        ClientBuilder::from_env().build()
    }

    /// A client configured from the environment, else from the login of the `tfy` CLI
    /// ([`CliLogin`]), for tools on a developer's machine. A service should use
    /// [`from_env`](Self::from_env), so that it never runs as the user who happens to be logged in.
    ///
    /// Sources are not mixed. A key in the environment needs a host there, too; a host without a
    /// key uses the login only if the login is for that host.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config), saying what was looked for and where, or what cannot be used.
    pub fn infer() -> Result<Self> {
        ClientBuilder::infer()?.build()
    }

    /// A builder with nothing set; [`ClientBuilder::from_env`] begins with the environment.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    pub(crate) fn new(transport: Transport, tenant: Option<String>, limits: Limits) -> Self {
        Self {
            sends: None,
            timeout: None,
            inner: Arc::new(Inner {
                tenant: Tenant::new(tenant, &transport.base),
                transport,
                limits,
                edit_locks: EditLocks::default(),
                known_kinds: KnownKinds::default(),
                watches: WatchRegistry::default(),
            }),
        }
    }

    /// The host that requests go to, with its port if the base URL names one. Show it before a
    /// change is confirmed.
    pub fn authority(&self) -> &str {
        self.inner.transport.base.authority()
    }

    /// A clone with another time limit for each call of the API, retries included. It shares
    /// everything else: connections, the retry budget, and the locks of edits.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use std::time::Duration;
    ///
    /// client.with_timeout(Duration::from_secs(2)).check().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self.clone() }
    }

    /// A clone for an operation of several requests: any response may echo what any of them sent.
    pub(crate) fn sending(&self, values: Arc<dyn Sends>) -> Self {
        Self { sends: Some(values), ..self.clone() }
    }

    pub(crate) fn transport(&self) -> Calls<'_> {
        Calls::new(&self.inner.transport, self.sends.as_deref(), self.timeout())
    }

    /// How long one call may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout.unwrap_or(self.inner.transport.timeout)
    }

    pub(crate) fn unconfirmed_write_timeout(&self) -> Duration {
        self.inner.limits.unconfirmed_write_timeout
    }

    pub(crate) fn concurrent_reads(&self) -> usize {
        self.inner.limits.concurrent_reads
    }

    pub(crate) fn edit_locks(&self) -> &EditLocks {
        &self.inner.edit_locks
    }

    pub(crate) fn watches(&self) -> &WatchRegistry {
        &self.inner.watches
    }

    pub(crate) fn known_kinds(&self) -> &KnownKinds {
        &self.inner.known_kinds
    }
}

/// Host and tenant; the key does not appear.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("authority", &self.authority())
            .field("tenant", &self.known_tenant())
            .finish_non_exhaustive()
    }
}
