pub(crate) mod clock;
pub(crate) mod endpoints;
pub(crate) mod process;
pub(crate) mod raw;

use std::error::Error as _;
use std::time::Duration;

use truefoundry_secrets::{Client, ClientBuilder, Error, RetryPolicy};

pub(crate) const KEY: &str = "tfy-key-0123456789abcdef";
pub(crate) const TENANT: &str = "my-tenant";

/// The default retries, without the waits between them.
pub(crate) fn at_once() -> RetryPolicy {
    RetryPolicy::default().base_delay(Duration::ZERO)
}

/// A client's setup that costs no time: no system roots, no waits.
pub(crate) fn builder(base: impl Into<String>) -> ClientBuilder {
    let builder = Client::builder().base_url(base).api_key(KEY).retry(at_once());
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    let builder = builder.tls_certs_only([]);
    builder
}

pub(crate) fn client(base: impl Into<String>) -> Client {
    builder(base).build().unwrap()
}

/// With the tenant set, so that a look-up by name is one request.
pub(crate) fn tenant_client(base: impl Into<String>) -> Client {
    builder(base).tenant(TENANT).build().unwrap()
}

/// What every error must be, whatever happened.
#[track_caller]
pub(crate) fn assert_well_formed(error: &Error) {
    let text = error.to_string();
    assert!(!text.is_empty() && !text.chars().any(char::is_control), "{text:?}");
    assert!(!error.hint().is_empty(), "{text}");
    assert!(!error.hint().chars().any(char::is_control), "{}", error.hint());
    let mut chain = vec![text];
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        assert!(!chain.iter().any(|above| above.contains(&text)), "{text:?} again in {chain:?}");
        chain.push(text);
        cause = error.source();
    }
    assert_nowhere(error, &[KEY]);
}

/// Whether any way to print the error shows one of these texts.
#[track_caller]
pub(crate) fn assert_nowhere(error: &Error, secrets: &[&str]) {
    let mut all = format!("{error}\n{error:?}\n{error:#?}\n{}", error.hint());
    let mut cause = error.source();
    while let Some(error) = cause {
        all.extend(["\n".to_owned(), error.to_string(), format!("{error:?}")]);
        cause = error.source();
    }
    if let Some(context) = error.context() {
        let texts = [context.server_message(), context.server_details(), context.server_code()];
        all.extend(texts.into_iter().flatten());
        all.extend([context.path(), context.request_id().unwrap_or_default()]);
    }
    for secret in secrets {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

/// The variant's name.
pub(crate) fn variant(error: &Error) -> String {
    let text = format!("{error:#?}");
    text.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}
