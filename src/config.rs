//! How a client is set up: from the environment, from a builder, and what is refused.

use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::client::{Client, Limits};
use crate::retry::{Budget, RetryPolicy};
use crate::transport::{Reuse, Transport};
use crate::{Error, Result, SecretValue};

const API_ROOT: [&str; 3] = ["api", "svc", "v1"];
const BASE_URL_VARIABLES: [&str; 3] = ["TFY_BASE_URL", "TFY_HOST", "TFY_API_HOST"];
const API_KEY_VARIABLE: &str = "TFY_API_KEY";
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
/// Places in an answer are kept in 32 bits.
const MOST_RESPONSE: usize = u32::MAX as usize;

/// Sets up a [`Client`]. Nothing is read, sent or refused before [`build`](Self::build).
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
    api_key: Option<Setting<SecretValue>>,
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
    settle_time: Option<Duration>,
    concurrent_reads: Option<usize>,
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
enum Roots {
    Only(Vec<reqwest::Certificate>),
    Merged(Vec<reqwest::Certificate>),
}

/// A setting with the name that it was given by, for errors.
struct Setting<T> {
    name: &'static str,
    value: T,
}

impl ClientBuilder {
    /// A builder with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// A builder with base URL and key from the environment, as [`Client::from_env`] reads them. What is
    /// set on it afterwards wins.
    pub fn from_env() -> Self {
        Self::from_lookup(std::env::var_os)
    }

    fn from_lookup(lookup: impl Fn(&'static str) -> Option<OsString>) -> Self {
        // What is not UTF-8 becomes text that `build` refuses under the variable's name.
        let read = |name| {
            let text = lookup(name)?.into_string().unwrap_or_else(|_| "\0".to_owned());
            (!text.is_empty()).then_some((name, text))
        };
        let base_url = BASE_URL_VARIABLES.into_iter().find_map(read);
        Self {
            base_url: base_url.map(|(name, value)| Setting { name, value }),
            api_key: read(API_KEY_VARIABLE)
                .map(|(name, value)| Setting { name, value: value.into() }),
            ..Self::default()
        }
    }

    /// The control plane's URL, such as `https://my-org.truefoundry.cloud`; a path in front of the API is
    /// kept. Required.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(Setting { name: "base_url", value: url.into() });
        self
    }

    /// The API key. Required.
    pub fn api_key(mut self, key: impl Into<SecretValue>) -> Self {
        self.api_key = Some(Setting { name: "api_key", value: key.into() });
        self
    }

    /// The tenant's name, the first part of every FQN. Default: learned from answers, or from a host
    /// under `truefoundry.cloud` or `truefoundry.com`.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// How long one call of the API may take, its retries and the waits between them included. Default:
    /// 60 s. What makes several calls, such as a stream of pages, an edit or
    /// [`Client::resolve_group`], has that time for each of them.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How long making one connection may take. Default: 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// The longest answer that is accepted, in bytes. Default: 16 MiB; at most 4 GiB less one byte.
    pub fn response_limit(mut self, bytes: usize) -> Self {
        self.response_limit = Some(bytes);
        self
    }

    /// Whether, how often and how soon failed requests are sent again. Default: [`RetryPolicy::default`].
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// The `User-Agent`. Default: `truefoundry-secrets-rust/` and this crate's version.
    pub fn user_agent(mut self, agent: impl Into<String>) -> Self {
        self.user_agent = Some(agent.into());
        self
    }

    /// Adds a header to every request, for a gateway in front of the control plane. Its value is treated
    /// as the API key is: nothing logs it, and a server's echo of it (from 16 bytes) is taken out.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<SecretValue>) -> Self {
        self.extra_headers.push((name.into(), value.into()));
        self
    }

    /// Allows `http://` to hosts other than this machine. Key and values then travel in plain text.
    pub fn allow_insecure_http(mut self) -> Self {
        self.allow_insecure_http = true;
        self
    }

    /// Brings an HTTP client's own set-up: roots, proxies, name resolution, …
    ///
    /// This crate's rules are applied on top of it: HTTP/1.1 only, no redirects, no referer, no retries
    /// of its own, no decompression, no log of raw bytes, no proxy for this machine.
    ///
    /// Its default headers are sent where this crate sets none. An `Accept-Encoding` among them would ask
    /// for answers that nobody undoes, so `identity` is sent instead, with every client that was brought.
    pub fn http(mut self, builder: reqwest::ClientBuilder) -> Self {
        self.http = Some(builder);
        self
    }

    /// Trusts these root certificates and no others. The system's are not read, which is most of what a
    /// client costs to set up.
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    pub fn tls_certs_only(mut self, roots: impl IntoIterator<Item = reqwest::Certificate>) -> Self {
        self.roots = Some(Roots::Only(roots.into_iter().collect()));
        self
    }

    /// Trusts these root certificates besides the system's.
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    pub fn tls_certs_merge(
        mut self,
        roots: impl IntoIterator<Item = reqwest::Certificate>,
    ) -> Self {
        self.roots = Some(Roots::Merged(roots.into_iter().collect()));
        self
    }

    /// How long an edit waits for an earlier write of the same group whose answer was lost. Default: 60 s.
    pub fn settle_time(mut self, time: Duration) -> Self {
        self.settle_time = Some(time);
        self
    }

    /// How many requests one call has under way at most where it has to read secrets one by one
    /// ([`Client::resolve_all`]). Default: 10.
    pub fn concurrent_reads(mut self, most: usize) -> Self {
        self.concurrent_reads = Some(most);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`Error::Config`], naming the setting and never quoting the key: base URL or key missing, a URL
    /// that cannot be used, `http://` to another host, a key with control characters or blanks, an extra
    /// header that the client sets itself, a time of zero, no usable TLS.
    pub fn build(mut self) -> Result<Client> {
        let base_url = self.base_url.take().ok_or_else(|| {
            Error::config("base_url", "it is not set (TFY_BASE_URL, TFY_HOST or TFY_API_HOST)")
        })?;
        let (base, loopback) = check_url(&base_url, self.allow_insecure_http)?;
        let api_key = self
            .api_key
            .take()
            .ok_or_else(|| Error::config("api_key", "it is not set (TFY_API_KEY)"))?;
        let headers = self.headers(&api_key)?;
        let timeout = positive("timeout", self.timeout, 60)?;
        let connect_timeout = positive("connect_timeout", self.connect_timeout, 10)?;
        let limits = Limits {
            settle_time: self.settle_time.unwrap_or(Duration::from_secs(60)),
            concurrent_reads: self.concurrent_reads.unwrap_or(10),
        };
        if limits.concurrent_reads == 0 {
            return Err(Error::config("concurrent_reads", "it must be at least 1"));
        }
        let response_limit = self.response_limit.unwrap_or(16 * 1024 * 1024);
        if response_limit == 0 || response_limit > MOST_RESPONSE {
            return Err(Error::config("response_limit", "it must be from 1 byte to 4 GiB"));
        }
        let tenant = self.tenant.take();
        if tenant.as_ref().is_some_and(|name| name.is_empty() || name.contains(':')) {
            return Err(Error::config("tenant", "it must be a name without a colon"));
        }
        let retry = self.retry;
        let http = self.http_client(&base, loopback, connect_timeout)?;
        let budget = Budget::new();
        let reuse = Reuse::default();
        let transport =
            Transport { http, base, headers, timeout, response_limit, retry, budget, reuse };
        Ok(Client::new(transport, tenant, limits))
    }

    fn headers(&self, api_key: &Setting<SecretValue>) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(AUTHORIZATION, authorization(api_key)?);
        let agent = self.user_agent.as_deref().unwrap_or(OWN_USER_AGENT);
        let agent = HeaderValue::from_str(agent)
            .map_err(|_| Error::config("user_agent", "it has a character that no header takes"))?;
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
                return refuse("has a value with a character that no header takes");
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
                "https needs one of this crate's features `rustls` and `native-tls`",
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
        // Without a TLS provider the HTTP library panics instead of failing; where panics abort, it aborts.
        match catch_unwind(AssertUnwindSafe(|| builder.build())) {
            Ok(Ok(client)) => Ok(client),
            Ok(Err(error)) => Err(Error::config("http", http_reason(&error.without_url()))),
            Err(_) => Err(Error::config("tls", "no usable TLS provider is installed")),
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
    format!("the HTTP client cannot be set up: {error}{cause}")
}

fn positive(setting: &'static str, value: Option<Duration>, seconds: u64) -> Result<Duration> {
    match value {
        Some(Duration::ZERO) => Err(Error::config(setting, "it must be longer than nothing")),
        Some(value) => Ok(value),
        None => Ok(Duration::from_secs(seconds)),
    }
}

/// The API's root below the given URL, and whether that is this machine.
fn check_url(setting: &Setting<String>, allow_insecure_http: bool) -> Result<(Url, bool)> {
    let refuse = |reason: &'static str| Err(Error::config(setting.name, reason));
    let text = setting.value.trim();
    let Ok(mut url) = Url::parse(text) else {
        return refuse("it is not a URL; write it as https://my-org.truefoundry.cloud");
    };
    if !matches!(url.scheme(), "https" | "http") {
        return refuse("it must begin with https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("it must not hold a user name or a password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("it must end before any `?` or `#`");
    }
    let loopback = match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return refuse("it has no host"),
    };
    if url.scheme() == "http" && !loopback && !allow_insecure_http {
        return refuse(
            "plain http:// would send the key in clear text; use https://, or allow it with \
             allow_insecure_http()",
        );
    }
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(API_ROOT);
    }
    while url.path().contains("//") {
        let path = url.path().replace("//", "/");
        url.set_path(&path);
    }
    Ok((url, loopback))
}

/// `Bearer <key>`.
fn authorization(key: &Setting<SecretValue>) -> Result<HeaderValue> {
    let refuse = |reason: &'static str| Err(Error::config(key.name, reason));
    let text = key.value.expose_secret().as_bytes();
    if text.is_empty() {
        return refuse("it is empty");
    }
    if text.iter().any(u8::is_ascii_control) {
        return refuse("it has a control character, such as the line break at the end of a file");
    }
    if !text.iter().all(u8::is_ascii_graphic) {
        return refuse("it has a blank or a character outside of ASCII");
    }
    match sensitive("Bearer ", &key.value) {
        Some(value) => Ok(value),
        None => refuse("it has a character that no header takes"),
    }
}

/// A header's value, in a buffer that is wiped when the last request lets go of it; `None` where no header
/// can have it.
fn sensitive(scheme: &str, secret: &SecretValue) -> Option<HeaderValue> {
    let text = secret.expose_secret();
    let mut header = Zeroizing::new(Vec::with_capacity(scheme.len() + text.len()));
    header.extend_from_slice(scheme.as_bytes());
    header.extend_from_slice(text.as_bytes());
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(header)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The key does not appear.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("base_url", &self.base_url.as_ref().map(|setting| setting.name))
            .field("api_key", &self.api_key.as_ref().map(|setting| &setting.value))
            .field("tenant", &self.tenant)
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("response_limit", &self.response_limit)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(builder: ClientBuilder) -> (&'static str, String) {
        match builder.build() {
            Err(Error::Config { setting, reason }) => (setting, reason.into_owned()),
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    fn builder() -> ClientBuilder {
        ClientBuilder::new().base_url("https://host.example").api_key("the-key-itself")
    }

    #[test]
    fn a_url_that_cannot_be_used_is_refused_under_its_setting() {
        for url in [
            "",
            "my-org.truefoundry.cloud",
            "ftp://host.example",
            "https://",
            "https://user:password@host.example",
            "https://host.example/?x=1",
            "https://host.example/#x",
            "http://host.example",
            "http://10.0.0.1",
            "http://localhost.example",
        ] {
            let (setting, reason) = refusal(builder().base_url(url));
            assert_eq!(setting, "base_url", "{url}");
            assert!(!reason.contains("password@"), "{reason}");
        }
        for url in
            ["http://localhost:1", "http://127.1.2.3", "http://[::1]:8080", "http://a.localhost"]
        {
            assert!(builder().base_url(url).build().is_ok(), "{url}");
        }
        assert!(builder().base_url("http://host.example").allow_insecure_http().build().is_ok());
    }

    #[test]
    fn a_path_in_front_of_the_api_is_kept_and_slashes_at_the_end_are_not() {
        for (url, path) in [
            ("https://h.example", "/api/svc/v1"),
            ("https://h.example///", "/api/svc/v1"),
            ("https://h.example/tfy/prod/", "/tfy/prod/api/svc/v1"),
            (" https://h.example/a%20b ", "/a%20b/api/svc/v1"),
        ] {
            let setting = Setting { name: "base_url", value: url.to_owned() };
            let (url, _) = check_url(&setting, false).unwrap();
            assert_eq!(url.path(), path);
        }
    }

    #[test]
    fn a_key_that_no_header_takes_is_refused_and_never_quoted() {
        for key in
            ["", "with\nbreak", "with\rreturn", "with\0nul", "with blank", "schlüssel", "\u{7f}"]
        {
            let (setting, reason) = refusal(builder().api_key(key));
            assert_eq!(setting, "api_key");
            assert!(key.is_empty() || !reason.contains(key), "{reason}");
        }
        assert!(!format!("{:?}", builder()).contains("the-key-itself"));
        assert!(!format!("{:?}", builder().build().unwrap()).contains("the-key-itself"));
    }

    #[test]
    fn headers_that_would_undo_a_promise_are_refused() {
        for name in ["Authorization", "host", "Accept-Encoding", "content-length", "bad name", ""] {
            assert_eq!(refusal(builder().header(name, "x")).0, "header", "{name}");
        }
        assert_eq!(refusal(builder().header("x-gateway", "a\nb")).0, "header");
        assert!(builder().header("x-gateway", "token").build().is_ok());
        assert_eq!(refusal(builder().user_agent("a\nb")).0, "user_agent");
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        assert_eq!(refusal(builder().timeout(Duration::ZERO)).0, "timeout");
        assert_eq!(refusal(builder().connect_timeout(Duration::ZERO)).0, "connect_timeout");
        assert_eq!(refusal(builder().response_limit(0)).0, "response_limit");
        assert_eq!(refusal(builder().tenant("a:b")).0, "tenant");
    }

    #[test]
    fn the_environment_is_read_in_order_and_empty_is_unset() {
        let from = |pairs: &'static [(&str, &str)]| {
            let lookup = |name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
            };
            ClientBuilder::from_lookup(lookup)
        };
        let url = |builder: ClientBuilder| builder.base_url.map(|setting| setting.value);
        let all: &[_] = &[
            ("TFY_API_HOST", "https://third.example"),
            ("TFY_HOST", "https://second.example"),
            ("TFY_BASE_URL", "https://first.example"),
        ];
        assert_eq!(url(from(all)).as_deref(), Some("https://first.example"));
        assert_eq!(url(from(&all[..2])).as_deref(), Some("https://second.example"));
        assert_eq!(url(from(&all[..1])).as_deref(), Some("https://third.example"));
        let empty = &[("TFY_BASE_URL", ""), ("TFY_HOST", "https://second.example")];
        assert_eq!(url(from(empty)).as_deref(), Some("https://second.example"));
        assert_eq!(
            url(from(all).base_url("https://own.example")).as_deref(),
            Some("https://own.example")
        );

        assert_eq!(refusal(from(all)), ("api_key", "it is not set (TFY_API_KEY)".to_owned()));
        assert_eq!(refusal(from(&[("TFY_API_KEY", "k")])).0, "base_url");
        assert_eq!(refusal(from(&[("TFY_HOST", "no-scheme"), ("TFY_API_KEY", "k")])).0, "TFY_HOST");
        assert_eq!(
            refusal(from(&[("TFY_HOST", "https://h.example"), ("TFY_API_KEY", "a\nb")])).0,
            "TFY_API_KEY"
        );
    }
}
