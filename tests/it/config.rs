//! Settings that only show on the wire or in a process of their own: proxies, the environment, and what
//! a brought HTTP client cannot change.

use std::sync::{Arc, Mutex};

use truefoundry_secrets::reqwest::{
    self,
    dns::{Name, Resolve, Resolving},
};
use truefoundry_secrets::{Client, ConnectReason, Error, SecretValue};

use crate::support::endpoints::GROUPS;
use crate::support::process::{PROXY_VARIABLES, child, child_command, succeed};
use crate::support::raw::{RawServer, ok};
use crate::support::{KEY, builder};

#[tokio::test]
#[ignore = "run by other tests in a process with an environment of its own"]
async fn child_calls_the_control_plane() {
    let client = Client::builder().base_url(std::env::var("TEST_BASE").unwrap()).api_key(KEY);
    client.allow_insecure_http().build().unwrap().check().await.unwrap();
}

#[tokio::test]
#[ignore = "run by other tests in a process with an environment of its own"]
async fn child_reads_its_environment() {
    match Client::from_env() {
        Ok(client) => client.check().await.unwrap(),
        Err(error) => println!("refused: {error}"),
    }
}

#[test]
fn a_proxy_of_the_environment_never_carries_the_key_off_this_machine() {
    for host in ["127.0.0.1", "localhost"] {
        let server = RawServer::always(ok(GROUPS));
        let proxy = RawServer::always(ok(GROUPS));
        let (proxy_url, base) = (proxy.url(), format!("http://{host}:{}", server.address().port()));
        let mut environment = PROXY_VARIABLES.map(|name| (name, &*proxy_url)).to_vec();
        environment.push(("TEST_BASE", &base));
        succeed(&child("config::child_calls_the_control_plane", &environment));
        assert_eq!((server.count(), proxy.connections()), (1, 0), "{host}");
    }
}

#[test]
fn a_proxy_of_the_environment_is_used_for_other_machines() {
    for name in ["HTTP_PROXY", "ALL_PROXY"] {
        let proxy = RawServer::always(ok(GROUPS));
        let environment = [(name, &*proxy.url()), ("TEST_BASE", "http://control-plane.example")];
        succeed(&child("config::child_calls_the_control_plane", &environment));
        let target = "http://control-plane.example/api/svc/v1/secret-groups?limit=1&offset=0";
        assert_eq!(proxy.only().target(), target);
    }
}

#[test]
fn a_proxy_of_the_environment_that_cannot_be_used_is_not_passed_by() {
    let environment = [
        ("TFY_BASE_URL", "https://control-plane.example"),
        ("TFY_API_KEY", KEY),
        ("HTTPS_PROXY", "http://me:quoted@proxy.example:3128 "),
    ];
    let output = child("config::child_reads_its_environment", &environment);
    succeed(&output);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("refused: HTTPS_PROXY is not the URL of a proxy"), "{text}");
    assert!(!text.contains("quoted"), "{text}");
}

#[tokio::test]
async fn a_proxy_that_was_brought_is_not_used_for_this_machine_either() {
    let server = RawServer::always(ok(GROUPS));
    let proxy = RawServer::always(ok(GROUPS));
    let http = reqwest::ClientBuilder::new().proxy(reqwest::Proxy::all(proxy.url()).unwrap());
    builder(server.url()).http(http).build().unwrap().check().await.unwrap();
    assert_eq!((server.count(), proxy.connections()), (1, 0));
}

#[tokio::test]
async fn a_base_url_that_names_the_api_s_root_is_the_same_control_plane() {
    for path in ["", "/", "/api/svc", "/api/svc/", "/api/svc/v1", "/api/svc/v1//"] {
        let server = RawServer::always(ok(GROUPS));
        builder(format!("{}{path}", server.url())).build().unwrap().check().await.unwrap();
        assert_eq!(server.only().path(), "/api/svc/v1/secret-groups", "{path}");
    }
}

#[test]
fn the_environment_sets_a_client_up() {
    for names in [
        &["TFY_BASE_URL"][..],
        &["TFY_HOST"],
        &["TFY_API_HOST"],
        &["TFY_BASE_URL", "TFY_HOST", "TFY_API_HOST"],
        &["TFY_HOST", "TFY_API_HOST"],
    ] {
        let server = RawServer::always(ok(GROUPS));
        let base = format!("{}/prefix/", server.url());
        let mut environment = vec![("TFY_API_KEY", KEY)];
        // The first one counts; the others point to where nothing listens.
        let bases = names.iter().enumerate();
        environment.extend(bases.map(|(n, name)| match n {
            0 => (*name, &*base),
            _ => (*name, "http://127.0.0.1:1"),
        }));
        if !names.contains(&"TFY_BASE_URL") {
            environment.push(("TFY_BASE_URL", ""));
        }
        succeed(&child("config::child_reads_its_environment", &environment));
        let seen = server.only();
        assert_eq!(seen.path(), "/prefix/api/svc/v1/secret-groups", "{names:?}");
        assert_eq!(seen.header("authorization"), Some(&*format!("Bearer {KEY}")));
    }
}

#[test]
fn what_the_environment_lacks_is_named_and_never_quoted() {
    let host = ("TFY_HOST", "http://127.0.0.1:1");
    for (environment, expected) in [
        (vec![], "TFY_BASE_URL is not set"),
        (vec![("TFY_API_KEY", KEY)], "TFY_BASE_URL is not set"),
        (vec![host], "TFY_API_KEY is not set"),
        (vec![host, ("TFY_API_KEY", "")], "TFY_API_KEY is not set"),
        (vec![host, ("TFY_API_KEY", "quoted-key\n")], "TFY_API_KEY contains a control character"),
        (vec![("TFY_API_HOST", "quoted host"), ("TFY_API_KEY", KEY)], "TFY_API_HOST is not a URL"),
        (
            vec![("TFY_HOST", "http://plain.example"), ("TFY_API_KEY", KEY)],
            "TFY_HOST is plain http://, which would send the key in clear text",
        ),
    ] {
        let output = child("config::child_reads_its_environment", &environment);
        succeed(&output);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("refused: TFY_"), "{text}");
        assert!(text.contains(expected), "{environment:?}: {text}");
        assert!(!text.contains("quoted") && !text.contains(KEY), "{text}");
    }
}

#[test]
fn the_readmes_first_program_without_settings_prints_a_sentence_and_what_to_do() {
    let host = ("TFY_HOST", "http://127.0.0.1:1");
    for (environment, expected) in [
        (
            &[][..],
            "Error: TFY_BASE_URL is not set (hint: Set it (or TFY_HOST) to the control plane's URL, such as \
             https://my-org.truefoundry.cloud, or call ClientBuilder::base_url.)",
        ),
        (&[host], "Error: TFY_API_KEY is not set (hint: Set it, or call ClientBuilder::api_key.)"),
    ] {
        let output = child("config::child_is_the_readmes_first_program", environment);
        let printed = String::from_utf8_lossy(&output.stderr);
        let errors: Vec<_> = printed.lines().filter(|line| line.contains("TFY_")).collect();
        assert_eq!(errors, [expected], "{output:?}");
        assert!(!output.status.success());
    }
}

/// The harness ends a test that returns a `Result` as Rust ends such a `main`.
#[tokio::test]
#[ignore = "a process of its own"]
async fn child_is_the_readmes_first_program() -> truefoundry_secrets::Result<()> {
    let client = Client::from_env()?;
    let password = SecretValue::from_env("DB_PASSWORD")?;
    let edit = client.secret_groups().edit_by_name("prod-secrets").set("DB_PASSWORD", password);
    println!("{}", edit.apply().await?);
    Ok(())
}

#[tokio::test]
async fn headers_of_a_brought_client_do_not_replace_ours() {
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("authorization", "Bearer other".parse().unwrap());
    headers.insert("accept", "text/html".parse().unwrap());
    headers.insert("x-own", "kept".parse().unwrap());
    headers.insert("accept-encoding", "gzip".parse().unwrap());
    let http = reqwest::ClientBuilder::new().default_headers(headers).user_agent("brought");
    let server = RawServer::always(ok(GROUPS));
    builder(server.url()).http(http).build().unwrap().check().await.unwrap();
    let seen = server.only();
    assert_eq!(seen.header("authorization"), Some(&*format!("Bearer {KEY}")));
    assert_eq!(seen.header("accept"), Some("application/json"));
    assert!(seen.header("user-agent").unwrap().starts_with("truefoundry-secrets-rust/"));
    assert_eq!(seen.header("x-own"), Some("kept"));
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
}

/// A resolver that would direct everything to another machine.
struct Elsewhere;

impl Resolve for Elsewhere {
    fn resolve(&self, name: Name) -> Resolving {
        panic!("{} was looked up", name.as_str());
    }
}

#[tokio::test]
async fn names_of_this_machine_are_not_looked_up() {
    let server = RawServer::always(ok(GROUPS));
    for host in ["localhost", "control-plane.localhost"] {
        let http = reqwest::ClientBuilder::new().dns_resolver(Arc::new(Elsewhere));
        let url = format!("http://{host}:{}", server.address().port());
        builder(url).http(http).build().unwrap().check().await.unwrap();
    }
    assert_eq!(server.count(), 2);
}

/// A resolver that finds nothing.
struct Nowhere;

impl Resolve for Nowhere {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(async { Err("failed to lookup address information".into()) })
    }
}

#[tokio::test]
async fn what_is_looked_for_is_not_taken_for_a_reason() {
    for host in ["control-plane.example", "ssl-certificates.example", "expired.example"] {
        let http = reqwest::ClientBuilder::new().no_proxy().dns_resolver(Arc::new(Nowhere));
        let client = builder(format!("http://{host}")).allow_insecure_http().http(http);
        let client = client.tenant("t").build().unwrap();
        for name in ["app", "tls-certificates", "expired certificate, not valid for me"] {
            let error = client.secret_groups().get_by_name(name).await.unwrap_err();
            let Error::Connect { reason, context, .. } = &error else { panic!("{error:?}") };
            assert_eq!(
                (*reason, context.attempts()),
                (ConnectReason::NameNotResolved, 4),
                "{name}"
            );
            assert!(error.is_retryable(), "{name}");
        }
    }
}

#[test]
fn a_value_is_read_from_the_environment_or_the_variable_is_named() {
    use std::os::unix::ffi::OsStrExt as _;

    let output = child_command("config::child_reads_a_value")
        .envs([("VALUE_SET", "right-value"), ("VALUE_EMPTY", "")])
        .env("VALUE_ODD", std::ffi::OsStr::from_bytes(b"odd-value\xff"))
        .output()
        .unwrap();
    succeed(&output);
    let said = String::from_utf8_lossy(&output.stdout);
    for line in [
        "refused: invalid environment variable: VALUE_UNSET is not set",
        "refused: invalid environment variable: VALUE_EMPTY is empty",
        "refused: invalid environment variable: VALUE_ODD is not UTF-8",
        "refused: invalid environment variable: A=B is not a name that a variable can have",
        r"refused: invalid environment variable: A\0 is not a name that a variable can have",
        "refused: invalid environment variable:  is not a name that a variable can have",
    ] {
        assert!(said.contains(line), "{line} not in {said}");
    }
    assert!(!said.contains("-value"), "{said}");
}

#[test]
#[ignore = "run by another test in a process with an environment of its own"]
fn child_reads_a_value() {
    let value = SecretValue::from_env("VALUE_SET").unwrap();
    assert!(value.ct_eq(&"right-value".into()));
    for name in ["VALUE_UNSET", "VALUE_EMPTY", "VALUE_ODD", "A=B", "A\0", ""] {
        println!("refused: {}", SecretValue::from_env(name).unwrap_err());
    }
}

#[test]
fn a_brought_client_that_logs_raw_bytes_logs_none_of_ours() {
    succeed(&child("config::child_logs_everything", &[]));
}

#[tokio::test]
#[ignore = "run by other tests in a process with a logger of its own"]
async fn child_logs_everything() {
    log::set_logger(&Everything).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let server = RawServer::always(ok(GROUPS));
    let verbose = || reqwest::ClientBuilder::new().connection_verbose(true);
    builder(server.url()).http(verbose()).build().unwrap().check().await.unwrap();
    assert!(!LOGGED.lock().unwrap().contains(KEY));
    // Without our settings it does, so the assertion above can fail.
    let bare = verbose().no_proxy().build().unwrap();
    bare.get(server.url()).header("authorization", KEY).send().await.unwrap();
    assert!(LOGGED.lock().unwrap().contains(KEY));
}

static LOGGED: Mutex<String> = Mutex::new(String::new());

struct Everything;

impl log::Log for Everything {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        LOGGED.lock().unwrap().push_str(&record.args().to_string());
    }

    fn flush(&self) {}
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
#[tokio::test]
async fn a_tls_handshake_that_fails_has_sent_nothing() {
    use crate::support::{assert_well_formed, client, variant};

    let server = RawServer::slamming();
    let client = client(server.url().replace("http://", "https://"));
    let error = client.secrets().delete("s").await.unwrap_err();
    assert_eq!(variant(&error), "Connect");
    assert!(!error.may_have_been_applied());
    assert_well_formed(&error);
    assert_eq!(server.connections(), 4);
}

#[tokio::test]
async fn debug_of_a_client_shows_host_and_tenant_and_no_key() {
    let client = builder("http://localhost:1").tenant("t-1").build().unwrap();
    assert_eq!(client.authority(), "localhost:1");
    let shown = format!("{client:?} {:?}", client.secret_groups());
    assert!(shown.contains("localhost") && shown.contains("t-1"), "{shown}");
    assert!(!shown.contains(KEY), "{shown}");
}
