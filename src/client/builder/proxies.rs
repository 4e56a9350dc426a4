//! Proxy variables that the HTTP library would silently ignore, and so bypass the proxy.

use std::ffi::OsString;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use crate::{Error, Result};

/// Each name before its lower case, as the HTTP library reads them.
const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const HTTP: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
const ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];
const NONE: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Refuses the variable that applies to `base` if it does not name a usable proxy.
pub(super) fn check(base: &Url, lookup: impl Fn(&'static str) -> Option<OsString>) -> Result<()> {
    // The library reads no proxies in a CGI program, where a client could set HTTP_PROXY.
    if lookup("REQUEST_METHOD").is_some() {
        return Ok(());
    }
    let Ok(target) = Uri::try_from(base.as_str()) else { return Ok(()) };
    let first =
        |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, lookup(name)?)));
    let none = first(NONE).and_then(|(_, hosts)| hosts.into_string().ok()).unwrap_or_default();
    let is_used = |proxy: &str| {
        let matcher = Matcher::builder().all(proxy).no(none.as_str()).build();
        matcher.intercept(&target).is_some()
    };
    if !is_used("http://proxy.example") {
        return Ok(());
    }
    let own = if base.scheme() == "https" { HTTPS } else { HTTP };
    let mut variables = [own, ALL].into_iter().filter_map(first);
    let Some((name, proxy)) = variables.find(|(_, proxy)| !proxy.is_empty()) else {
        return Ok(());
    };
    match proxy.to_str() {
        Some(proxy) if reqwest::Proxy::all(proxy).is_ok() && is_used(proxy) => Ok(()),
        // Its text can hold a password.
        _ => {
            Err(Error::config(name, "is not the URL of a proxy, such as http://proxy.example:3128"))
        }
    }
}
