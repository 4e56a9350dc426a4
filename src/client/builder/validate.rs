//! From the settings to a client: what is refused, and the rules that are applied on top.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use url::{Host, Url};

#[cfg(any(feature = "rustls", feature = "native-tls"))]
use super::Roots;
use super::{ClientBuilder, Setting, proxies};
use crate::client::tenant::is_tenant_name;
use crate::client::{Client, Limits};
use crate::secret_value::SecretValue;
use crate::transport::{Budget, ConnectionRecycler, Transport};
use crate::wipe::Wiped;
use crate::{Error, Result};

const API_ROOT: &str = "/api/svc/v1";
const OWN_USER_AGENT: &str = concat!("truefoundry-secrets-rust/", env!("CARGO_PKG_VERSION"));
/// What the client sets itself on every request; an extra header of that name would undo a promise.
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
/// With port 0, which stands for the URL's.
const THIS_MACHINE: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
];
/// Places in a response are kept in 32 bits.
const MAX_RESPONSE_LIMIT: usize = u32::MAX as usize;
const NOT_IN_HEADERS: &str = "contains a character not allowed in an HTTP header";

impl ClientBuilder {
    /// The client.
    ///
    /// # Errors
    /// [`Error::Config`], naming the setting and never quoting the key: base URL or key missing, a URL
    /// that cannot be used, `http://` to another host, a key with control characters, blanks or other than
    /// ASCII, a tenant that is empty or has a colon or a control character, a header or user agent that
    /// cannot be sent or that the client sets itself, a `timeout` or `connect_timeout` of zero, `concurrent_reads` of zero, a
    /// `response_limit` of zero or of 4 GiB and more, no usable TLS, or, unless [`http`](Self::http) was
    /// called, a proxy variable for this base URL that is not the URL of a proxy.
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
        let api_key =
            self.api_key.take().ok_or_else(|| Error::config("TFY_API_KEY", "is not set"))?;
        let headers = self.headers(&api_key)?;
        let timeout = positive("timeout", self.timeout, 60)?;
        let connect_timeout = positive("connect_timeout", self.connect_timeout, 10)?;
        let limits = Limits {
            unconfirmed_write_timeout: self
                .unconfirmed_write_timeout
                .unwrap_or(Duration::from_secs(60)),
            concurrent_reads: self.concurrent_reads.unwrap_or(10),
        };
        if limits.concurrent_reads == 0 {
            return Err(Error::config("concurrent_reads", "must be at least 1"));
        }
        let response_limit = self.response_limit.unwrap_or(16 * 1024 * 1024);
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
        let retry = self.retry;
        if self.http.is_none() && !loopback {
            proxies::check(&base, lookup)?;
        }
        let http = self.http_client(&base, loopback, connect_timeout)?;
        let budget = Budget::new();
        let recycler = ConnectionRecycler::default();
        let speaks_http = AtomicBool::new(false);
        let transport = Transport {
            http,
            base,
            headers,
            timeout,
            response_limit,
            retry,
            budget,
            recycler,
            speaks_http,
        };
        Ok(Client::new(transport, tenant, limits))
    }

    fn headers(&self, api_key: &Setting<SecretValue>) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(AUTHORIZATION, authorization(api_key)?);
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
        let mut builder = self.http.unwrap_or_else(own_http);
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        {
            builder = match self.roots {
                Some(Roots::Only(roots)) => builder.tls_certs_only(roots),
                Some(Roots::Merged(roots)) => builder.tls_certs_merge(roots),
                None => builder,
            };
        }
        // Last, because they are promises: another crate's features, or the builder that was brought,
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
                // Nor may a resolver that does not know these names say that they are elsewhere.
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

fn positive(setting: &'static str, value: Option<Duration>, seconds: u64) -> Result<Duration> {
    match value {
        Some(Duration::ZERO) => Err(Error::config(setting, "must be greater than zero")),
        Some(value) => Ok(value),
        None => Ok(Duration::from_secs(seconds)),
    }
}

/// The API's root below the given URL, and whether that is this machine.
pub(super) fn check_url(
    setting: &Setting<String>,
    allow_insecure_http: bool,
) -> Result<(Url, bool)> {
    let refuse = |reason: &'static str| Err(Error::config(setting.name, reason));
    let text = setting.value.trim();
    let Ok(mut url) = Url::parse(text) else {
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
    let loopback = match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return refuse("has no host"),
    };
    if url.scheme() == "http" && !loopback && !allow_insecure_http {
        return refuse(
            "is plain http://, which would send the key in clear text; use https://, or allow it with \
             allow_insecure_http()",
        );
    }
    let mut path = url.path().trim_end_matches('/').to_owned();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    // The platform's documentation writes the base URL with the API's root in places.
    let prefix = [API_ROOT, "/api/svc"].iter().find_map(|root| path.strip_suffix(root));
    url.set_path(&format!("{}{API_ROOT}", prefix.unwrap_or(&path)));
    Ok((url, loopback))
}

/// `Bearer <key>`.
fn authorization(key: &Setting<SecretValue>) -> Result<HeaderValue> {
    let refuse = |reason: &'static str| Err(Error::config(key.name, reason));
    let text = key.value.expose_secret().as_bytes();
    if text.is_empty() {
        return refuse("is empty");
    }
    if text.iter().any(u8::is_ascii_control) {
        return refuse("contains a control character, such as the line break at the end of a file");
    }
    if !text.iter().all(u8::is_ascii_graphic) {
        return refuse("contains whitespace or non-ASCII characters");
    }
    match sensitive("Bearer ", &key.value) {
        Some(value) => Ok(value),
        None => refuse(NOT_IN_HEADERS),
    }
}

/// A header's value, in a buffer that is wiped when the last request is dropped; `None` if no header can
/// have it.
fn sensitive(scheme: &str, secret: &SecretValue) -> Option<HeaderValue> {
    let text = secret.expose_secret();
    let mut header = Wiped::new(Vec::with_capacity(scheme.len() + text.len()));
    header.extend_from_slice(scheme.as_bytes());
    header.extend_from_slice(text.as_bytes());
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(header)).ok()?;
    value.set_sensitive(true);
    Some(value)
}
