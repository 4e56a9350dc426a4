//! How a client is set up: from the environment, and from a builder.

mod infer;
mod proxies;
#[cfg(test)]
mod tests;
mod validate;

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::secret_value::SecretValue;
use crate::transport::{Credentials, RetryPolicy};
pub(super) use validate::{login_url, parse_url};

const BASE_URL_VARIABLES: [&str; 3] = ["TFY_BASE_URL", "TFY_HOST", "TFY_API_HOST"];
const API_KEY_VARIABLE: &str = "TFY_API_KEY";

/// Sets up a [`Client`](crate::Client). Settings are checked by [`build`](Self::build), not before.
/// Only [`from_env`](Self::from_env) and [`infer`](Self::infer) read base URL and key from the
/// environment.
///
/// The proxy is the one in `HTTPS_PROXY` (for an `https://` base URL) or `HTTP_PROXY`, else in
/// `ALL_PROXY`, each before the same name in lower case. Hosts in `NO_PROXY` and this machine are
/// reached without a proxy. Use [`http`](Self::http) to set another one.
///
/// ```
/// # fn f() -> truefoundry_secrets::Result<()> {
/// use std::time::Duration;
/// use truefoundry_secrets::{Client, RetryPolicy};
///
/// let client = Client::builder()
///     .base_url("https://my-org.truefoundry.cloud")
///     .api_key("key-from-a-safe-place".to_owned())
///     .timeout(Duration::from_secs(20))
///     .retry(RetryPolicy::default().max_retries(1))
///     .build()?;
/// # Ok(())
/// # }
/// # f().unwrap();
/// ```
#[must_use]
#[derive(Default)]
pub struct ClientBuilder {
    base_url: Option<Setting<String>>,
    key: Option<Key>,
    /// The API's root that an inferred login is for; its token goes nowhere else.
    login_for: Option<Url>,
    tenant: Option<String>,
    timeout: Option<Duration>,
    connect_timeout: Option<Duration>,
    response_limit: Option<usize>,
    retry: RetryPolicy,
    user_agent: Option<String>,
    extra_headers: Vec<(String, SecretValue)>,
    allow_insecure_http: bool,
    http: Option<reqwest::ClientBuilder>,
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    roots: Option<Roots>,
    unconfirmed_write_timeout: Option<Duration>,
    concurrent_reads: Option<usize>,
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
enum Roots {
    Only(Vec<reqwest::Certificate>),
    Merged(Vec<reqwest::Certificate>),
}

/// Where the token of a request comes from.
enum Key {
    Fixed(Setting<SecretValue>),
    Source(Arc<dyn Credentials>),
}

/// A setting, and the name under which it was given, for errors.
struct Setting<T> {
    name: &'static str,
    value: T,
}

impl ClientBuilder {
    /// A builder with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// A builder with base URL and key from the environment, as
    /// [`Client::from_env`](crate::Client::from_env) reads them. What is set on it afterwards wins.
    pub fn from_env() -> Self {
        Self::from_lookup(std::env::var_os)
    }

    fn from_lookup(lookup: impl Fn(&'static str) -> Option<OsString>) -> Self {
        // A value that is not UTF-8 becomes text that `build` refuses under the variable's name.
        let read = |name| {
            let text = lookup(name)?.into_string().unwrap_or_else(|_| "\0".to_owned());
            (!text.is_empty()).then_some((name, text))
        };
        let base_url = BASE_URL_VARIABLES.into_iter().find_map(read);
        Self {
            base_url: base_url.map(|(name, value)| Setting { name, value }),
            key: read(API_KEY_VARIABLE)
                .map(|(name, value)| Key::Fixed(Setting { name, value: value.into() })),
            ..Self::default()
        }
    }

    /// The control plane's URL, such as `https://my-org.truefoundry.cloud`; a path in front of the API is
    /// kept, and one that ends in the API's own `/api/svc` or `/api/svc/v1` means the same. Required.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(Setting { name: "base_url", value: url.into() });
        self
    }

    /// A fixed API key. Either this or [`credentials`](Self::credentials) is required; the last
    /// call wins.
    pub fn api_key(mut self, key: impl Into<SecretValue>) -> Self {
        self.key = Some(Key::Fixed(Setting { name: "api_key", value: key.into() }));
        self.login_for = None;
        self
    }

    /// A source of tokens, in place of a fixed [`api_key`](Self::api_key): a mounted file
    /// ([`KeyFile`](crate::KeyFile)), a closure, or a [`Credentials`] of your own. It is asked
    /// before the first request, when its token expires in less than 120 s, and after a 401.
    pub fn credentials(mut self, source: impl Credentials) -> Self {
        self.key = Some(Key::Source(Arc::new(source)));
        self.login_for = None;
        self
    }

    /// The tenant's name, the first part of every FQN; setting it saves a look-up by name the
    /// requests that find it out. Default: the one that the key names, if it is a JWT, else the
    /// first label of a host under `truefoundry.cloud` or `truefoundry.com` (not `app`, `api` or
    /// `www`), else what `GET /tenant-id` says, which is sent without the API key, else what
    /// `GET /session` says. The name that they tell is cached.
    ///
    /// If an older control plane has neither, [`get_by_name`](crate::SecretGroups::get_by_name) and
    /// the methods built on it search the groups of all tenants that the key may see.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Time limit of one call of the API, including its retries and the waits between them.
    /// Default: 60 s. An operation of several calls, such as a stream of pages, an edit or
    /// [`Client::resolve_group`](crate::Client::resolve_group), has that time for each of them.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Time limit of making one connection. Default: 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// The longest response that is accepted, in bytes. Default: 16 MiB; at most 4 GiB less one byte.
    pub fn response_limit(mut self, bytes: usize) -> Self {
        self.response_limit = Some(bytes);
        self
    }

    /// Whether, how often and how soon failed requests are retried. Default: [`RetryPolicy::default`].
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// The `User-Agent`. Default: `truefoundry-secrets-rust/` and this crate's version.
    pub fn user_agent(mut self, agent: impl Into<String>) -> Self {
        self.user_agent = Some(agent.into());
        self
    }

    /// Adds a header to every request, for a gateway in front of the control plane. Its value is
    /// treated like the API key: it is never logged, and a server's text that echoes it (from 16
    /// bytes) is withheld.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<SecretValue>) -> Self {
        self.extra_headers.push((name.into(), value.into()));
        self
    }

    /// Allows `http://` to hosts other than this machine. Key and values then travel in plain text.
    pub fn allow_insecure_http(mut self) -> Self {
        self.allow_insecure_http = true;
        self
    }

    /// Builds on your own HTTP client builder: roots, proxies, name resolution, …
    ///
    /// This crate's rules are applied on top of it: HTTP/1.1 only, no redirects, no referer, no retries
    /// of its own, no decompression, no log of raw bytes, no proxy for this machine.
    ///
    /// Its connect timeout is replaced by [`connect_timeout`](Self::connect_timeout), its roots by
    /// [`tls_certs_only`](Self::tls_certs_only) if that is set; it keeps its own TLS library.
    ///
    /// Its default headers are sent unless this crate sets the same ones. An `Accept-Encoding` among them
    /// would ask for responses that are not decompressed, so `identity` is sent instead.
    pub fn http(mut self, builder: reqwest::ClientBuilder) -> Self {
        self.http = Some(builder);
        self
    }

    /// Trusts only these root certificates. The system's are not read, which saves most of the cost
    /// of building a client.
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    pub fn tls_certs_only(mut self, roots: impl IntoIterator<Item = reqwest::Certificate>) -> Self {
        self.roots = Some(Roots::Only(roots.into_iter().collect()));
        self
    }

    /// Trusts these root certificates in addition to the system's.
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    pub fn tls_certs_merge(
        mut self,
        roots: impl IntoIterator<Item = reqwest::Certificate>,
    ) -> Self {
        self.roots = Some(Roots::Merged(roots.into_iter().collect()));
        self
    }

    /// How long an edit waits to see an earlier write of the same group whose outcome is unknown.
    /// Default: 60 s, counted from when that write was given up; zero means no wait.
    ///
    /// An edit does not wait for a write that was never sent, or whose outcome the service itself
    /// reported. Behind an earlier edit that is still under way, it fails with
    /// [`Error::Timeout`](crate::Error::Timeout) after this time and [`timeout`](Self::timeout)
    /// together.
    pub fn unconfirmed_write_timeout(mut self, timeout: Duration) -> Self {
        self.unconfirmed_write_timeout = Some(timeout);
        self
    }

    /// The maximum number of concurrent requests when a call has to read secrets one by one
    /// ([`Client::resolve_all`](crate::Client::resolve_all)). Default: 10.
    pub fn concurrent_reads(mut self, most: usize) -> Self {
        self.concurrent_reads = Some(most);
        self
    }
}

/// The key does not appear.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(key) => fmt::Debug::fmt(&key.value, f),
            Self::Source(_) => f.write_str("(credentials)"),
        }
    }
}

/// The key does not appear.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("base_url", &self.base_url.as_ref().map(|setting| setting.name))
            .field("key", &self.key)
            .field("tenant", &self.tenant)
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("response_limit", &self.response_limit)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
