//! Builds a client from the settings: what is refused, and the rules that are applied on top.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use url::{Host, Url};

#[cfg(any(feature = "rustls", feature = "native-tls"))]
use super::Roots;
use super::{ClientBuilder, Key, Setting, proxies};
use crate::client::tenant::is_tenant_name;
use crate::client::{Client, Limits};
#[cfg(unix)]
use crate::error::BoxError;
use crate::transport::{
    Budget, ConnectionRecycler, RetryPolicy, TokenKeeper, Transport, sensitive,
};
use crate::{Error, Result};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_RESPONSE_LIMIT: usize = 16 * 1024 * 1024;
const API_ROOT: &str = "/api/svc/v1";
const OWN_USER_AGENT: &str = concat!("truefoundry-secrets-rust/", env!("CARGO_PKG_VERSION"));
/// Headers that the client sets itself on every request; an extra one of that name would break a
/// guarantee.
const RESERVED_HEADERS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
];
/// Port 0 stands for the URL's port.
const THIS_MACHINE: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
];
/// Offsets in a response are kept in 32 bits.
const MAX_RESPONSE_LIMIT: usize = u32::MAX as usize;
const NOT_IN_HEADERS: &str = "contains a character not allowed in an HTTP header";

impl ClientBuilder {
    /// Builds the client.
    ///
    /// # Errors
    /// [`Error::Config`], naming the setting and never quoting the key, for
    /// - a missing base URL or key;
    /// - a URL that cannot be used, that is `http://` to another machine, or that is for another
    ///   host than an inferred login;
    /// - a key with control characters, blanks or non-ASCII characters;
    /// - a tenant that is empty or has a colon or a control character;
    /// - a header or user agent that cannot be sent, or a header that the client sets itself;
    /// - a `timeout`, `connect_timeout` or `concurrent_reads` of zero;
    /// - a `response_limit` of zero, or of 4 GiB or more;
    /// - no usable TLS;
    /// - a proxy variable for this base URL that is not the URL of a proxy, unless
    ///   [`http`](Self::http) was called.
    pub fn build(self) -> Result<Client> {
        self.build_with(std::env::var_os)
    }

    pub(super) fn build_with(
        mut self,
        lookup: impl Fn(&'static str) -> Option<OsString>,
    ) -> Result<Client> {
        let base_url =
            self.base_url.take().ok_or_else(|| Error::config("TFY_BASE_URL", "is not set"))?;
        let (base, loopback) = check_url(&base_url, self.allow_insecure_http)?;
        if let Some(own) = self.login_for.take().filter(|own| *own != base) {
            return Err(Error::config(
                base_url.name,
                format!(
                    "is for {}, but the login of the tfy CLI, which would be used, is for {}: set a key, or run \
                     `tfy login --host {}`",
                    base.authority(),
                    own.authority(),
                    base.origin().ascii_serialization()
                ),
            ));
        }
        let key = self.key.take().ok_or_else(|| Error::config("TFY_API_KEY", "is not set"))?;
        let headers = self.headers()?;
        let tokens = Arc::new(match key {
            Key::Fixed(key) => TokenKeeper::fixed(headers, key.value)
                .map_err(|reason| Error::config(key.name, reason))?,
            Key::Source(source) => TokenKeeper::of(headers, source),
        });
        let timeout = positive("timeout", self.timeout, DEFAULT_TIMEOUT)?;
        let connect_timeout =
            positive("connect_timeout", self.connect_timeout, DEFAULT_CONNECT_TIMEOUT)?;
        let limits = Limits {
            unconfirmed_write_timeout: self
                .unconfirmed_write_timeout
                .unwrap_or(Duration::from_secs(60)),
            concurrent_reads: self.concurrent_reads.unwrap_or(10),
        };
        if limits.concurrent_reads == 0 {
            return Err(Error::config("concurrent_reads", "must be at least 1"));
        }
        let response_limit = self.response_limit.unwrap_or(DEFAULT_RESPONSE_LIMIT);
        if response_limit == 0 || response_limit > MAX_RESPONSE_LIMIT {
            return Err(Error::config(
                "response_limit",
                "must be from 1 byte to 4 GiB less one byte",
            ));
        }
        let tenant = self.tenant.take();
        if tenant.as_ref().is_some_and(|name| !is_tenant_name(name)) {
            return Err(Error::config(
                "tenant",
                "must be a name without a colon or a control character",
            ));
        }
        let retry = self.retry.clone();
        if self.http.is_none() && !loopback {
            proxies::check(&base, lookup)?;
        }
        let http = self.http_client(&base, loopback, connect_timeout)?;
        let transport =
            Transport { timeout, response_limit, retry, ..transport(http, base, tokens) };
        Ok(Client::new(transport, tenant, limits))
    }

    /// A transport for requests without a key below this URL, with the defaults for everything
    /// else.
    #[cfg(unix)]
    pub(in crate::client) fn keyless(base: Url) -> Result<Transport> {
        let builder = Self::new();
        let loopback = is_this_machine(&base);
        if !loopback {
            proxies::check(&base, std::env::var_os)?;
        }
        let none = || async { Err(BoxError::from("these requests are sent without a key")) };
        let tokens = TokenKeeper::of(builder.headers()?, Arc::new(none));
        let http = builder.http_client(&base, loopback, DEFAULT_CONNECT_TIMEOUT)?;
        Ok(transport(http, base, Arc::new(tokens)))
    }

    fn headers(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let agent = self.user_agent.as_deref().unwrap_or(OWN_USER_AGENT);
        let agent = HeaderValue::from_str(agent)
            .map_err(|_| Error::config("user_agent", NOT_IN_HEADERS))?;
        headers.insert(USER_AGENT, agent);
        if self.http.is_some() {
            // Default headers cannot be read from a builder, only overruled.
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        for (name, value) in &self.extra_headers {
            let refuse = |reason: &str| {
                Err(Error::config("header", format!("{} {reason}", name.escape_debug())))
            };
            let Ok(header) = HeaderName::try_from(name.as_str()) else {
                return refuse("is not the name of a header");
            };
            if RESERVED_HEADERS.contains(&header.as_str()) {
                return refuse("is set by the client itself");
            }
            let Some(value) = sensitive("", value) else {
                return refuse("has a value with a character not allowed in an HTTP header");
            };
            headers.append(header, value);
        }
        Ok(headers)
    }

    fn http_client(
        self,
        base: &Url,
        loopback: bool,
        connect_timeout: Duration,
    ) -> Result<reqwest::Client> {
        if base.scheme() == "https"
            && self.http.is_none()
            && cfg!(not(any(feature = "rustls", feature = "native-tls")))
        {
            return Err(Error::config(
                "base_url",
                "begins with https, which needs one of this crate's features `rustls` and `native-tls`",
            ));
        }
        // Without TLS and a proxy, and with redirects off, no certificate is ever checked. Reading
        // the system's roots is most of the cost of a client.
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        let needs_roots = self.http.is_some() || base.scheme() == "https" || !loopback;
        let mut builder = self.http.unwrap_or_else(own_http);
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        {
            builder = match self.roots {
                Some(Roots::Only(roots)) => builder.tls_certs_only(roots),
                Some(Roots::Merged(roots)) => builder.tls_certs_merge(roots),
                None if needs_roots => builder,
                None => builder.tls_certs_only([]),
            };
        }
        // Last, because they are guarantees: another crate's features, or the caller's own builder,
        // may have switched any of this on.
        builder = builder
            .connect_timeout(connect_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // It logs the raw bytes of every connection, the key among them.
            .connection_verbose(false)
            .retry(reqwest::retry::never())
            .http1_only()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate();
        if loopback {
            // A proxy from the environment would carry the key off this machine.
            builder = builder.no_proxy();
            if let Some(Host::Domain(name)) = base.host() {
                // A resolver that does not know these names must not send them elsewhere, either.
                builder = builder.resolve_to_addrs(name, &THIS_MACHINE);
            }
        }
        // Without a TLS provider the HTTP library panics instead of failing; with `panic = "abort"` it aborts.
        match catch_unwind(AssertUnwindSafe(|| builder.build())) {
            Ok(Ok(client)) => Ok(client),
            Ok(Err(error)) => Err(Error::config("HTTP", http_reason(&error.without_url()))),
            Err(_) => Err(Error::config("TLS", "has no usable provider installed")),
        }
    }
}

/// A transport with the defaults for everything else.
fn transport(http: reqwest::Client, base: Url, tokens: Arc<TokenKeeper>) -> Transport {
    Transport {
        http,
        base,
        tokens,
        timeout: DEFAULT_TIMEOUT,
        response_limit: DEFAULT_RESPONSE_LIMIT,
        retry: RetryPolicy::default(),
        budget: Budget::new(),
        recycler: ConnectionRecycler::default(),
        speaks_http: AtomicBool::new(false),
    }
}

/// With the TLS library that this crate's features name: another crate's features on the HTTP library must
/// not change which one checks the certificates.
fn own_http() -> reqwest::ClientBuilder {
    let builder = reqwest::ClientBuilder::new();
    #[cfg(feature = "rustls")]
    let builder = builder.tls_backend_rustls();
    #[cfg(all(feature = "native-tls", not(feature = "rustls")))]
    let builder = builder.tls_backend_native();
    builder
}

fn http_reason(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("client cannot be set up: {error}{cause}")
}

fn positive(setting: &'static str, value: Option<Duration>, default: Duration) -> Result<Duration> {
    match value {
        Some(Duration::ZERO) => Err(Error::config(setting, "must be greater than zero")),
        Some(value) => Ok(value),
        None => Ok(default),
    }
}

/// The API's root below the given URL, and whether that is this machine.
pub(super) fn check_url(
    setting: &Setting<String>,
    allow_insecure_http: bool,
) -> Result<(Url, bool)> {
    let mut url = parse_url(setting.name, &setting.value, allow_insecure_http)?;
    let mut path = url.path().trim_end_matches('/').to_owned();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    // In places the platform's documentation writes the base URL with the API's root.
    let prefix = [API_ROOT, "/api/svc"].iter().find_map(|root| path.strip_suffix(root));
    url.set_path(&format!("{}{API_ROOT}", prefix.unwrap_or(&path)));
    let loopback = is_this_machine(&url);
    Ok((url, loopback))
}

/// The URL of a server that a key or token may be sent to.
pub(in crate::client) fn parse_url(
    setting: &'static str,
    text: &str,
    allow_insecure_http: bool,
) -> Result<Url> {
    let refuse = |reason: &'static str| Err(Error::config(setting, reason));
    let Ok(url) = Url::parse(text.trim()) else {
        return refuse("is not a URL; write it as https://my-org.truefoundry.cloud");
    };
    if !matches!(url.scheme(), "https" | "http") {
        return refuse("must begin with https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("must not hold a user name or a password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("must end before any `?` or `#`");
    }
    if url.host().is_none() {
        return refuse("has no host");
    }
    if url.scheme() == "http" && !is_this_machine(&url) && !allow_insecure_http {
        return refuse(
            "is plain http://, which would send the key in clear text; use https://, or allow it with \
             allow_insecure_http()",
        );
    }
    Ok(url)
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The API's root of a login's host.
pub(in crate::client) fn login_url(host: &str) -> Result<Url> {
    let setting = Setting { name: "login host", value: host.to_owned() };
    Ok(check_url(&setting, false)?.0)
}
