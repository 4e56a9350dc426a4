//! What can be in place of a login.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;

use truefoundry_secrets::testing::FakeTrueFoundry;

use super::*;
#[cfg(feature = "tracing")]
use crate::support::process::child;
use crate::support::process::{child_command, succeed};

const FILE: &str = "CREDENTIALS_TEST_FILE";

#[track_caller]
fn refused(home: &Home, wanted: &str) -> String {
    let error = CliLogin::open(home.file()).unwrap_err();
    assert!(matches!(error, Error::Config { .. }), "{error:?}");
    let texts = texts(&error);
    assert!(texts.contains(wanted), "{texts}");
    texts
}

#[test]
fn what_is_no_login_is_refused_and_never_quoted() {
    let home = Home::empty();
    assert!(refused(&home, "does not exist").contains("run `tfy login`"));
    let long = format!(r#"{{"access_token": "{}"}}"#, "secret".repeat(200_000));
    for text in [
        "",
        "secret",
        "{\"access_token\": \"secret",
        r#"{"access_token": "secret", "refresh_token": "secret"}"#,
        r#"{"access_token": "secret", "host": null}"#,
        r#"{"access_token": "secret", "host": ""}"#,
        r#"{"access_token": "", "host": "https://secret.example"}"#,
        r#"{"access_token": ["secret"], "host": "https://a.example"}"#,
        r#"{"access_token": "secret", "refresh_token": 7, "host": "https://a.example"}"#,
        r#"[{"access_token": "secret", "host": "https://a.example"}]"#,
        long.as_str(),
    ] {
        home.write(text);
        let said = refused(&home, "is not what `tfy login` writes: run `tfy login");
        assert!(!said.contains("secret"), "{said}");
    }
    fs::write(home.file(), b"{\"access_token\": \"\xff\xfe\", \"host\": \"https://a.example\"}")
        .unwrap();
    refused(&home, "is not what `tfy login` writes");
}

#[test]
fn a_host_that_no_token_may_go_to_is_refused() {
    let home = Home::empty();
    for (host, wanted) in [
        ("http://cp.example.com", "login host is plain http://"),
        ("cp.example.com", "login host is not a URL"),
        ("https://a:b@cp.example.com", "login host must not hold a user name"),
        ("file:///etc/passwd", "login host must begin with https://"),
    ] {
        home.write(&format!(r#"{{"access_token": "t", "refresh_token": null, "host": "{host}"}}"#));
        refused(&home, wanted);
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let home = Home::empty();
    fs::create_dir(home.file()).unwrap();
    let said = refused(&home, "credentials.json cannot be read (not a file)");
    assert!(said.contains("permissions, or run `tfy login"), "{said}");
    fs::remove_dir(home.file()).unwrap();

    rustix::fs::mknodat(
        rustix::fs::CWD,
        home.file(),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    refused(&home, "not a file");
    fs::remove_file(home.file()).unwrap();

    std::os::unix::fs::symlink(home.file(), home.file()).unwrap();
    refused(&home, "credentials.json cannot be read");
    fs::remove_file(home.file()).unwrap();
}

/// In a process of another user if this is root, who may read everything.
#[test]
fn what_may_not_be_read_is_named() {
    const NOBODY: u32 = 65534;
    let home = Home::empty();
    home.write("{}");
    fs::set_permissions(home.file(), fs::Permissions::from_mode(0o000)).unwrap();
    for folder in [home.path(), &home.folder()] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut program = child_command("login::files::child_what_may_not_be_read_is_named");
    program.env(FILE, home.file());
    if rustix::process::geteuid().is_root() {
        program.uid(NOBODY);
    }
    match program.output() {
        // Other users may not read this program's folder.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {}
        output => succeed(&output.unwrap()),
    }
}

#[test]
#[ignore = "run by another test in a process of its own"]
fn child_what_may_not_be_read_is_named() {
    let error = CliLogin::open(std::env::var(FILE).unwrap()).unwrap_err();
    let texts = texts(&error);
    assert!(texts.contains("credentials.json cannot be read (Permission denied"), "{texts}");
}

#[cfg(feature = "tracing")]
#[test]
fn a_file_that_others_can_read_is_warned_of() {
    succeed(&child("login::files::child_a_file_that_others_can_read_is_warned_of", &[]));
}

#[cfg(feature = "tracing")]
#[test]
#[ignore = "run by another test in a process of its own"]
fn child_a_file_that_others_can_read_is_warned_of() {
    use tracing_subscriber::util::SubscriberInitExt as _;

    let home = Home::empty();
    home.write(r#"{"access_token": "tfy_hidden", "host": "https://a.example"}"#);
    let log = home.path().join("log");
    let writer = std::sync::Arc::new(File::create(&log).unwrap());
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(writer);
    let _guard = subscriber.set_default();
    for (mode, warnings) in [(0o600, 0), (0o640, 1), (0o604, 2)] {
        fs::set_permissions(home.file(), fs::Permissions::from_mode(mode)).unwrap();
        home.login();
        let text = fs::read_to_string(&log).unwrap();
        assert_eq!(text.matches("can read the login").count(), warnings, "{mode:o}: {text}");
        let is_named = |line: &str| line.contains("WARN") && line.contains("credentials.json");
        assert!(text.lines().all(is_named) && !text.contains("tfy_hidden"), "{text}");
    }
}

#[tokio::test]
async fn a_file_that_others_can_read_is_used() {
    let fake = FakeTrueFoundry::start().await;
    let home = Home::with(&fake.login());
    fs::set_permissions(home.file(), fs::Permissions::from_mode(0o666)).unwrap();
    call(&home.client()).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_being_written_is_waited_for() {
    let fake = FakeTrueFoundry::start().await;
    let text = fake.login().credentials_json();
    let home = Home::empty();
    // As the CLI writes: under the lock, truncated first.
    let write = |front: usize| {
        let lock = File::create(home.lock_file()).unwrap();
        lock.lock().unwrap();
        home.write(&text[..front]);
        lock
    };
    for front in [0, 1, text.len() / 2, text.len() - 1] {
        let lock = write(front);
        std::thread::scope(|scope| {
            let opened = scope.spawn(|| CliLogin::open(home.file()).map(drop));
            std::thread::sleep(Duration::from_millis(70));
            assert!(!opened.is_finished());
            home.write(&text);
            drop(lock);
            opened.join().unwrap().unwrap();
        });
    }
    // And by a program that runs already.
    let client = home.client();
    let lock = write(text.len() / 2);
    let waiting = tokio::spawn(async move { call(&client).await });
    tokio::time::sleep(Duration::from_millis(70)).await;
    assert!(!waiting.is_finished());
    home.write(&text);
    drop(lock);
    waiting.await.unwrap().unwrap();
}

#[test]
fn neither_debug_nor_the_folder_shows_more_than_it_should() {
    let home = Home::empty();
    home.write(
        r#"{"access_token": "tfy_secret", "refresh_token": "secret", "host": "https://a.example"}"#,
    );
    let login = home.login();
    let shown = format!("{login:?} {login:#?}");
    assert!(shown.contains("https://a.example") && !shown.contains("secret"), "{shown}");
    assert_eq!((login.host(), login.path()), ("https://a.example", home.file().as_path()));
    assert_eq!(home.names(), ["credentials.json"]);
}
