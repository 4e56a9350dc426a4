use std::ffi::OsString;
use std::time::Duration;

use url::Url;

use super::validate::check_url;
use super::{ClientBuilder, Setting, proxies};
use crate::Error;

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
    for url in ["http://localhost:1", "http://127.1.2.3", "http://[::1]:8080", "http://a.localhost"]
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
        // As the platform's documentation writes it in places.
        ("https://h.example/api/svc", "/api/svc/v1"),
        ("https://h.example/api/svc/", "/api/svc/v1"),
        ("https://h.example//api//svc//", "/api/svc/v1"),
        ("https://h.example/api/svc/v1", "/api/svc/v1"),
        ("https://h.example/api/svc/v1//", "/api/svc/v1"),
        ("https://h.example/prefix/api/svc", "/prefix/api/svc/v1"),
        ("https://h.example/a%20b/api/svc/v1/", "/a%20b/api/svc/v1"),
        // Prefixes that only look like it.
        ("https://h.example/v1", "/v1/api/svc/v1"),
        ("https://h.example/api", "/api/api/svc/v1"),
        ("https://h.example/my-api/svc", "/my-api/svc/api/svc/v1"),
        ("https://h.example/api/svc-2", "/api/svc-2/api/svc/v1"),
        ("https://h.example/api/svc/own", "/api/svc/own/api/svc/v1"),
    ] {
        let setting = Setting { name: "base_url", value: url.to_owned() };
        let (url, _) = check_url(&setting, false).unwrap();
        assert_eq!(url.path(), path);
    }
}

#[test]
fn a_key_that_no_header_takes_is_refused_and_never_quoted() {
    for key in ["", "with\nbreak", "with\rreturn", "with\0nul", "with blank", "schlüssel", "\u{7f}"]
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

    assert_eq!(refusal(from(all)), ("TFY_API_KEY", "is not set".to_owned()));
    assert_eq!(refusal(from(&[("TFY_API_KEY", "k")])), ("TFY_BASE_URL", "is not set".to_owned()));
    assert_eq!(refusal(from(&[("TFY_HOST", "no-scheme"), ("TFY_API_KEY", "k")])).0, "TFY_HOST");
    assert_eq!(
        refusal(from(&[("TFY_HOST", "https://h.example"), ("TFY_API_KEY", "a\nb")])).0,
        "TFY_API_KEY"
    );
}

#[test]
fn a_proxy_variable_that_would_be_ignored_is_named_and_never_quoted() {
    let (https, http) = ("https://host.example", "http://host.example");
    let outcome = |url: &str, pairs: &[(&str, &str)]| {
        let lookup = |name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        match proxies::check(&Url::parse(url).unwrap(), lookup) {
            Ok(()) => None,
            Err(Error::Config { setting, reason }) => {
                assert!(!reason.contains("s3cr3t"), "{reason}");
                assert!(Error::config(setting, reason).hint().contains("NO_PROXY"));
                Some(setting)
            }
            Err(other) => panic!("{other:?}"),
        }
    };
    for proxy in [
        "http://me:s3cr3t@proxy.example:port",
        "http://me:s3cr3t@proxy.example:99999",
        "http://me:s3cr3t@",
        "http://me:s3cr3t/more@proxy.example",
        "\"http://me:s3cr3t@proxy.example\"",
        " http://me:s3cr3t@proxy.example:3128",
        "http://me:s3cr3t@proxy.example:3128\n",
        "proxy.example:3128/",
        "ftp://me:s3cr3t@proxy.example",
        "s3cr3t proxy",
        ":",
    ] {
        for (url, name) in [
            (https, "HTTPS_PROXY"),
            (https, "https_proxy"),
            (https, "ALL_PROXY"),
            (https, "all_proxy"),
            (http, "HTTP_PROXY"),
            (http, "http_proxy"),
            (http, "ALL_PROXY"),
        ] {
            assert_eq!(outcome(url, &[(name, proxy)]), Some(name), "{proxy}");
            for hosts in ["host.example", "other.example, .example", "*"] {
                assert_eq!(outcome(url, &[(name, proxy), ("NO_PROXY", hosts)]), None, "{hosts}");
            }
            let other = outcome(url, &[(name, proxy), ("no_proxy", "other.example")]);
            assert_eq!(other, Some(name));
            assert_eq!(outcome(url, &[(name, proxy), ("REQUEST_METHOD", "GET")]), None);
        }
        assert_eq!(outcome(http, &[("HTTPS_PROXY", proxy)]), None);
        assert_eq!(outcome(https, &[("HTTP_PROXY", proxy)]), None);
    }
    for proxy in [
        "",
        "http://proxy.example",
        "https://me:s3cr3t@proxy.example:3128/",
        "proxy.example:3128",
        "10.0.0.1:3128",
        "http://[::1]:3128",
        "socks5h://proxy.example",
    ] {
        assert_eq!(outcome(https, &[("HTTPS_PROXY", proxy)]), None, "{proxy}");
        assert_eq!(outcome(http, &[("all_proxy", proxy)]), None, "{proxy}");
    }
    // An empty variable is skipped; upper case comes first.
    let odd = ("ALL_PROXY", "http://");
    assert_eq!(outcome(https, &[("HTTPS_PROXY", ""), odd]), Some("ALL_PROXY"));
    let both = [("HTTPS_PROXY", "http://proxy.example"), ("https_proxy", "http://"), odd];
    assert_eq!(outcome(https, &both), None);
}

#[test]
fn proxy_variables_count_for_other_hosts_and_the_client_s_own_http() {
    let lookup = |name: &str| name.ends_with("_PROXY").then(|| OsString::from("http://"));
    let refused = builder().build_with(lookup).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "HTTPS_PROXY is not the URL of a proxy, such as http://proxy.example:3128"
    );
    assert!(builder().http(reqwest::ClientBuilder::new()).build_with(lookup).is_ok());
    for url in ["http://localhost:1", "https://127.0.0.1:1", "https://[::1]"] {
        assert!(builder().base_url(url).build_with(lookup).is_ok(), "{url}");
    }
}

#[cfg(unix)]
#[test]
fn a_proxy_variable_that_is_not_text_is_named() {
    use std::os::unix::ffi::OsStringExt as _;

    let odd = |name| (name == "https_proxy").then(|| OsString::from_vec(b"http://\xff".into()));
    let refused = builder().build_with(odd).unwrap_err();
    assert!(matches!(refused, Error::Config { setting: "https_proxy", .. }), "{refused:?}");
}
