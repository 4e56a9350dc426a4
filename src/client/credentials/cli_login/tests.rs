//! Kills a process at each step of a refresh. Tests of the public interface are in
//! `tests/credentials`.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::CliLogin;
use crate::client::Client;
use crate::testing::FakeTrueFoundry;

const KILL_AT: &str = "CLI_LOGIN_TEST_KILL_AT";
const FILE: &str = "CLI_LOGIN_TEST_FILE";

/// `kill -9`, if this is the process and the step.
pub(super) fn step(name: &str) {
    if std::env::var(KILL_AT).is_ok_and(|at| at == name) {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

async fn check(path: &Path) -> crate::Result<()> {
    let login = CliLogin::open(path)?;
    Client::builder().base_url(login.host()).credentials(login).build()?.check().await
}

#[tokio::test]
#[ignore = "a part of another test, which starts it in a process of its own"]
async fn victim() {
    check(Path::new(&std::env::var_os(FILE).unwrap())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_leaves_the_old_file_or_the_new_one_and_frees_the_lock() {
    enum Login {
        Old,
        Spent,
        New,
    }
    for (name, left) in [
        ("prepared", Login::Old),
        ("asked", Login::Old),
        ("received", Login::Spent),
        ("written", Login::Spent),
        ("synced", Login::Spent),
        ("renamed", Login::New),
    ] {
        let fake = FakeTrueFoundry::start().await.with_token_lifetime(Duration::ZERO);
        let login = fake.login();
        let fake = fake.with_token_lifetime(Duration::from_secs(3600));
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("credentials.json");
        std::fs::write(&path, login.credentials_json()).unwrap();
        let mut victim = Command::new(std::env::current_exe().unwrap());
        let module = module_path!().split_once("::").unwrap().1;
        victim.args(["--exact", &format!("{module}::victim"), "--ignored"]);
        victim.env(KILL_AT, name).env(FILE, &path).stdout(Stdio::null());
        let status = tokio::task::spawn_blocking(move || victim.status().unwrap()).await.unwrap();
        assert_eq!(status.signal(), Some(9), "{name}");

        let stored = std::fs::read_to_string(&path).unwrap();
        assert_eq!(stored == login.credentials_json(), !matches!(left, Login::New), "{name}");
        let next = check(&path).await;
        let refreshes =
            fake.requests().iter().filter(|r| r.operation() == Some("oauth2.token")).count();
        match left {
            Login::Old | Login::New => {
                next.unwrap();
                assert_eq!(refreshes, 1, "{name}");
            }
            // Stated in the documentation of `CliLogin`.
            Login::Spent => {
                let source = std::error::Error::source(&next.unwrap_err()).unwrap().to_string();
                assert!(source.contains("run `tfy login"), "{name}: {source}");
            }
        }
    }
}

#[test]
fn a_file_that_cannot_be_replaced_is_written_in_place() {
    for old in ["old", "an old content that is longer"] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("credentials.json");
        std::fs::write(&path, old).unwrap();
        let replacement = super::replace::Replacement::prepare(&path).unwrap();
        // Renaming fails, as on a file that is itself a mount.
        std::fs::remove_file(folder.path().join("credentials.json.new")).unwrap();
        replacement.write(b"new content").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new content");
    }
}

/// A full disk must be detected before the refresh token is spent.
#[test]
fn the_room_for_a_login_is_taken_before_it_is_refreshed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("credentials.json");
    let old = "x".repeat(5000);
    std::fs::write(&path, &old).unwrap();
    let replacement = super::replace::Replacement::prepare(&path).unwrap();
    let new = folder.path().join("credentials.json.new");
    assert!(std::fs::metadata(&new).unwrap().len() > 5000);
    replacement.write(b"new content").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "new content");
    assert!(!new.exists());
}

#[test]
fn a_lock_on_a_file_that_is_no_longer_there_is_none() {
    use std::fs::File;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("lock");
    let old = File::create(&path).unwrap();
    assert!(super::lock::is_at(&old, &path).unwrap());
    std::fs::remove_file(&path).unwrap();
    assert!(!super::lock::is_at(&old, &path).unwrap());
    let _new = File::create(&path).unwrap();
    assert!(!super::lock::is_at(&old, &path).unwrap());
    std::fs::remove_file(&path).unwrap();
    // A symlink to a lock that others hold is another file, as it is for the CLI.
    std::os::unix::fs::symlink(folder.path().join("target"), &path).unwrap();
    assert!(super::lock::Lock::try_acquire(&path).is_err());
}

/// The only good login may be in it.
#[test]
fn a_new_file_that_can_be_put_nowhere_is_kept() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("credentials.json");
    std::fs::write(&path, "old").unwrap();
    let replacement = super::replace::Replacement::prepare(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let kept = replacement.write(b"new content").unwrap_err().kept.unwrap();
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "new content");
    assert!(kept.ends_with("credentials.json.new"), "{kept:?}");
}

/// A call waits no longer than 20 s for a token, and its program may end after it.
#[tokio::test]
async fn a_refresh_token_is_not_sent_late() {
    let fake = FakeTrueFoundry::start().await.with_token_lifetime(Duration::ZERO);
    let login = fake.login();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("credentials.json");
    std::fs::write(&path, login.credentials_json()).unwrap();
    let cli_login = CliLogin::open(&path).unwrap();
    for (ago, requests) in [(11, 1), (5, 3)] {
        let begun = Instant::now().checked_sub(Duration::from_secs(ago)).unwrap();
        // A process that another test is just starting may hold the lock for a moment, too.
        let refreshed = cli_login.refresh(None, begun, Duration::from_secs(5)).await;
        assert_eq!(fake.request_count(), requests, "{refreshed:?}");
        let is_late = refreshed.is_err_and(|error| error.to_string().contains("over 10 s"));
        assert_eq!(is_late, ago > 10);
    }
    assert_ne!(std::fs::read_to_string(&path).unwrap(), login.credentials_json());
}
