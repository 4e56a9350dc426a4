//! The environment, else the login of the `tfy` CLI, and never a mix of both.

use std::ffi::OsString;
use std::path::Path;

use super::validate::{check_url, login_url};
use super::{API_KEY_VARIABLE, BASE_URL_VARIABLES, ClientBuilder};
use crate::client::credentials::{CliLogin, default_path};
use crate::redact::Escaped;
use crate::{Error, Result};

impl ClientBuilder {
    /// A builder with base URL and credentials as [`Client::infer`](crate::Client::infer) finds
    /// them. What is set on it afterwards wins, but a login is used for its own host only: if
    /// another base URL is set, [`build`](Self::build) fails unless a key is set, too.
    ///
    /// # Errors
    /// As [`Client::infer`](crate::Client::infer).
    pub fn infer() -> Result<Self> {
        Self::infer_from(std::env::var_os, default_path().as_deref())
    }

    pub(super) fn infer_from(
        lookup: impl Fn(&'static str) -> Option<OsString>,
        path: Option<&Path>,
    ) -> Result<Self> {
        let builder = Self::from_lookup(lookup);
        if builder.key.is_some() {
            return match builder.base_url {
                Some(_) => Ok(builder),
                None => Err(Error::config(
                    API_KEY_VARIABLE,
                    format!(
                        "is set, but none of {} is: set TFY_HOST, too (the host of a login is not used with \
                         another key)",
                        BASE_URL_VARIABLES.join(", ")
                    ),
                )),
            };
        }
        let found = path.map(CliLogin::open_if_any).transpose();
        let file = path.map_or_else(
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
            return builder.base_url(login.host()).logged_in(login);
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
            Ok(Some(login)) if login_url(login.host())? == wanted => builder.logged_in(login),
            Ok(Some(login)) => refuse(format!(
                "{API_KEY_VARIABLE} is not, and the login in {file} is for {} and not for {}",
                Escaped(login.host()),
                wanted.authority()
            )),
            Ok(None) => refuse(format!("{API_KEY_VARIABLE} is not, and no login exists in {file}")),
            Err(error) => refuse(format!("{API_KEY_VARIABLE} is not, and the {error}")),
        }
    }

    fn logged_in(self, login: CliLogin) -> Result<Self> {
        let login_for = Some(login_url(login.host())?);
        Ok(Self { login_for, ..self.credentials(login) })
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const HOST: (&str, &str) = ("TFY_HOST", "https://env.example");
    const KEY: (&str, &str) = ("TFY_API_KEY", "the-key-itself");

    fn infer(pairs: &[(&str, &str)], file: Option<&Path>) -> Result<ClientBuilder> {
        let lookup = |name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        ClientBuilder::infer_from(lookup, file)
    }

    #[track_caller]
    fn refused(result: Result<ClientBuilder>, wanted: &[&str]) {
        let text = result.unwrap_err().to_string();
        for part in wanted {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("secret") && !text.contains(KEY.1), "{text}");
    }

    struct File(tempfile::TempDir);

    impl File {
        fn of(text: &str) -> Self {
            let folder = Self(tempfile::TempDir::new().unwrap());
            std::fs::write(File::path(&folder), text).unwrap();
            folder
        }

        fn login(host: &str) -> Self {
            Self::of(&format!(
                r#"{{"access_token": "tfy_secret", "refresh_token": null, "host": "{host}"}}"#
            ))
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("credentials.json")
        }
    }

    fn source(builder: &ClientBuilder) -> (&str, String) {
        let url = builder.base_url.as_ref().map(|setting| setting.value.as_str());
        (url.unwrap_or_default(), format!("{builder:?}"))
    }

    #[test]
    fn the_environment_wins_and_is_enough() {
        let login = File::login("https://login.example");
        for file in [None, Some(login.path()), Some(File::of("broken").path())] {
            let builder = infer(&[HOST, KEY], file.as_deref()).unwrap();
            let (url, shown) = source(&builder);
            assert_eq!(url, "https://env.example");
            assert!(!shown.contains("(credentials)"), "{shown}");
        }
    }

    #[test]
    fn the_login_is_used_if_the_environment_has_nothing() {
        let login = File::login("https://login.example/");
        for pairs in [&[][..], &[("TFY_HOST", ""), ("TFY_API_KEY", "")]] {
            let builder = infer(pairs, Some(&login.path())).unwrap();
            let (url, shown) = source(&builder);
            assert_eq!(url, "https://login.example/");
            assert!(shown.contains("(credentials)"), "{shown}");
            builder.build().unwrap();
        }
    }

    /// Like a program with an option for the URL.
    #[test]
    fn the_token_of_a_login_goes_to_no_other_host_that_is_set_afterwards() {
        let login = File::login("https://login.example/");
        let of_env = [("TFY_HOST", "https://login.example")];
        for pairs in [&[][..], &of_env] {
            let inferred = || infer(pairs, Some(&login.path())).unwrap();
            for (url, is_same) in [
                ("https://login.example/api/svc", true),
                ("https://other.example", false),
                ("https://login.example:8443", false),
                ("http://localhost:1", false),
            ] {
                let result = inferred().base_url(url).build();
                assert_eq!(result.is_ok(), is_same, "{url}");
                inferred().base_url(url).api_key("another-key").build().unwrap();
                if let Err(error) = result {
                    let text = error.to_string();
                    assert!(
                        text.starts_with("base_url is for")
                            && text.contains("is for login.example")
                    );
                }
            }
        }
    }

    #[test]
    fn neither_is_an_error_that_says_what_was_looked_for_and_where_in_order() {
        let home = tempfile::TempDir::new().unwrap();
        let file = home.path().join("credentials.json");
        let text = infer(&[], Some(&file)).unwrap_err().to_string();
        let wanted = format!(
            "no credentials: set TFY_HOST and TFY_API_KEY, or run `tfy login` (looked for TFY_BASE_URL, \
             TFY_HOST, TFY_API_HOST and TFY_API_KEY, then for {})",
            file.display()
        );
        assert_eq!(text, wanted);
        refused(infer(&[], None), &["no credentials: set TFY_HOST", "home folder is not known"]);
        refused(
            infer(&[], Some(&File::of("broken secret").path())),
            &["is not what `tfy login` writes"],
        );
    }

    #[test]
    fn a_key_without_a_host_is_an_error_even_if_a_login_has_one() {
        let login = File::login("https://login.example");
        for file in [None, Some(login.path())] {
            refused(
                infer(&[KEY], file.as_deref()),
                &[
                    "TFY_API_KEY is set, but none of TFY_BASE_URL, TFY_HOST, TFY_API_HOST is: set TFY_HOST",
                ],
            );
        }
    }

    #[test]
    fn a_host_without_a_key_takes_the_login_of_that_host_only() {
        for (env, login, is_same) in [
            ("https://a.example", "https://a.example", true),
            ("https://a.example/", "https://A.example", true),
            ("https://a.example:443", "https://a.example/api/svc", true),
            ("https://a.example/tfy", "https://a.example/tfy/", true),
            ("https://a.example", "https://b.example", false),
            ("https://a.example", "https://a.example:8443", false),
            ("https://a.example", "https://a.example.b.example", false),
            ("https://a.example/tfy", "https://a.example", false),
            ("http://localhost:1", "http://localhost:2", false),
        ] {
            let file = File::login(login);
            let result = infer(&[("TFY_BASE_URL", env)], Some(&file.path()));
            if is_same {
                assert!(source(&result.unwrap()).1.contains("(credentials)"), "{env} {login}");
            } else {
                let authority = env.split('/').nth(2).unwrap();
                refused(
                    result,
                    &["TFY_BASE_URL is set", authority, &format!("is for {login} and not for")],
                );
            }
        }
        let none = tempfile::TempDir::new().unwrap();
        refused(
            infer(&[HOST], Some(&none.path().join("credentials.json"))),
            &[
                "TFY_HOST is set, but TFY_API_KEY is not",
                "no login exists in",
                "set TFY_API_KEY, or run `tfy login --host https://env.example`",
            ],
        );
        refused(infer(&[HOST], None), &["TFY_API_KEY is not"]);
        refused(
            infer(&[HOST], Some(&File::of("secret").path())),
            &["TFY_HOST is set, but TFY_API_KEY is not", "is not what `tfy login` writes"],
        );
        refused(infer(&[("TFY_HOST", "secret.example")], None), &["TFY_HOST is not a URL"]);
    }
}
