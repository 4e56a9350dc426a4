//! The environment, else the login of the `tfy` CLI, and never a part of each.

use std::ffi::OsString;
use std::path::PathBuf;

use super::validate::{check_url, login_url};
use super::{API_KEY_VARIABLE, BASE_URL_VARIABLES, ClientBuilder};
use crate::client::credentials::{CliLogin, default_path};
use crate::redact::Escaped;
use crate::{Error, Result};

impl ClientBuilder {
    /// A builder with base URL and credentials as [`Client::infer`](crate::Client::infer) finds them. What is
    /// set on it afterwards wins.
    ///
    /// # Errors
    /// As [`Client::infer`](crate::Client::infer).
    pub fn infer() -> Result<Self> {
        Self::infer_from(std::env::var_os, default_path())
    }

    pub(super) fn infer_from(
        lookup: impl Fn(&'static str) -> Option<OsString>,
        path: Option<PathBuf>,
    ) -> Result<Self> {
        let builder = Self::from_lookup(lookup);
        if builder.key.is_some() {
            return match builder.base_url {
                Some(_) => Ok(builder),
                None => Err(Error::config(
                    API_KEY_VARIABLE,
                    "is set, but no host is: set TFY_HOST, too (the host of a login is not used with another \
                     key)",
                )),
            };
        }
        let found = path.as_ref().map(CliLogin::open_if_any).transpose();
        let file = path.as_ref().map_or_else(
            || "the login of the tfy CLI, whose home folder is not known".to_owned(),
            |path| Escaped(&path.to_string_lossy()).to_string(),
        );
        let Some(host) = &builder.base_url else {
            let Some(login) = found?.flatten() else {
                return Err(Error::config(
                    "no credentials:",
                    format!(
                        "set TFY_HOST and TFY_API_KEY, or run `tfy login` (looked for {} and {API_KEY_VARIABLE}, \
                         then for {file})",
                        BASE_URL_VARIABLES.join(", ")
                    ),
                ));
            };
            return Ok(builder.base_url(login.host()).credentials(login));
        };
        let (wanted, _) = check_url(host, false)?;
        let instead = format!(
            "set {API_KEY_VARIABLE}, or run `tfy login --host {}`",
            wanted.origin().ascii_serialization()
        );
        let refuse = |reason: String| {
            Err(Error::config(host.name, format!("is set, but {reason}: {instead}")))
        };
        match found.map(Option::flatten) {
            Ok(Some(login)) if login_url(login.host())? == wanted => Ok(builder.credentials(login)),
            Ok(Some(login)) => refuse(format!(
                "{API_KEY_VARIABLE} is not, and the login in {file} is for {} and not for {}",
                Escaped(login.host()),
                wanted.authority()
            )),
            Ok(None) => refuse(format!("{API_KEY_VARIABLE} is not, and no login exists in {file}")),
            Err(error) => refuse(format!("{API_KEY_VARIABLE} is not, and the {error}")),
        }
    }
}
