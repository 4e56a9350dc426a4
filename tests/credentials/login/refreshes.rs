use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use serde_json::json;
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};

use super::*;

#[tokio::test]
async fn a_token_with_time_left_is_used_as_it_is() {
    let fake = FakeTrueFoundry::start().await;
    let login = fake.login();
    let home = Home::with(&login);
    let client = home.client();
    call(&client).await.unwrap();
    call(&client).await.unwrap();
    assert_eq!(seen(&fake), ["secret_groups.list"; 2]);
    let sent = fake.requests()[0].header("authorization").unwrap().to_owned();
    assert_eq!(sent, format!("Bearer {}", login.access_token()));
    assert_eq!(home.names(), ["credentials.json"], "not even a lock");
}

#[tokio::test]
async fn a_token_about_to_expire_is_refreshed_before_the_call() {
    let (fake, login, home) = expiring().await;
    let client = home.client();
    call(&client).await.unwrap();
    call(&client).await.unwrap();
    assert_eq!(
        seen(&fake),
        ["min_cli_version.get", "oauth2.token", "secret_groups.list", "secret_groups.list"]
    );
    let requests = fake.requests();
    assert!(requests[..2].iter().all(|request| request.header("authorization").is_none()));
    let body = json!({
        "tenantName": "my-tenant", "refreshToken": login.refresh_token(),
        "grantType": "refresh_token", "returnJWT": true,
    });
    assert_eq!(requests[1].body(), Some(&body));
    let stored = home.stored();
    let access = stored["access_token"].as_str().unwrap();
    assert_eq!(requests[2].header("authorization").unwrap(), format!("Bearer {access}"));
    assert_ne!(stored["refresh_token"], login.refresh_token());
    assert_eq!(stored["host"], fake.base_url());
    assert_eq!(stored.as_object().unwrap().len(), 3);
    assert_eq!(home.names(), ["credentials.json", "credentials.json.lock"]);
}

#[tokio::test]
async fn a_token_that_is_refused_is_refreshed_and_the_call_repeated_once() {
    let fake = FakeTrueFoundry::start().await;
    let home = Home::with(&fake.login());
    let client = home.client();
    fake.advance_token_clock(HOUR);
    call(&client).await.unwrap();
    fake.advance_token_clock(HOUR);
    call(&client).await.unwrap();
    let once = ["secret_groups.list", "min_cli_version.get", "oauth2.token", "secret_groups.list"];
    assert_eq!(seen(&fake), [once, once].concat());
    let mut spent = spent(&fake);
    spent.dedup();
    assert_eq!(spent.len(), 2);
}

#[tokio::test]
async fn the_file_keeps_its_permissions_and_its_symlink() {
    for mode in [0o600, 0o640, 0o644] {
        let (_fake, login, home) = expiring().await;
        let elsewhere = TempDir::new().unwrap();
        let target = elsewhere.path().join("login.json");
        fs::rename(home.file(), &target).unwrap();
        fs::set_permissions(&target, Permissions::from_mode(mode)).unwrap();
        std::os::unix::fs::symlink(&target, home.file()).unwrap();
        let inode = fs::metadata(&target).unwrap().ino();
        call(&home.client()).await.unwrap();
        assert!(fs::symlink_metadata(home.file()).unwrap().is_symlink());
        assert_ne!(home.stored()["access_token"], login.access_token());
        let new = fs::metadata(&target).unwrap();
        assert_eq!(new.permissions().mode() & 0o777, mode);
        assert_ne!(new.ino(), inode, "replaced, not written in place");
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1, "nothing is left beside it");
        assert!(home.lock_file().exists(), "beside the symlink, where the CLI has it");
    }
}

#[tokio::test]
async fn the_file_keeps_its_owner() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let (_fake, _, home) = expiring().await;
    std::os::unix::fs::chown(home.file(), Some(1234), Some(2345)).unwrap();
    call(&home.client()).await.unwrap();
    let new = fs::metadata(home.file()).unwrap();
    assert_eq!((new.uid(), new.gid()), (1234, 2345));
}

#[tokio::test]
async fn what_a_killed_process_left_is_no_hindrance() {
    let (_fake, login, home) = expiring().await;
    fs::write(home.folder().join("credentials.json.new"), "{\"acc").unwrap();
    fs::write(home.lock_file(), "").unwrap();
    call(&home.client()).await.unwrap();
    assert_ne!(home.stored()["access_token"], login.access_token());
    assert_eq!(home.names(), ["credentials.json", "credentials.json.lock"]);
}

#[tokio::test]
async fn a_cancelled_caller_cancels_no_refresh() {
    let (fake, login, home) = expiring().await;
    let gate = fake.hold_response("oauth2.token");
    let client = home.client();
    let caller = tokio::spawn(async move { call(&client).await });
    gate.reached().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    gate.release();
    home.refreshed(&login).await;
    fake.clear_requests();
    call(&home.client()).await.unwrap();
    assert_eq!(seen(&fake), ["secret_groups.list"]);
}

#[tokio::test]
async fn a_dropped_future_of_the_source_itself_cancels_no_refresh() {
    use truefoundry_secrets::Credentials as _;
    let (fake, login, home) = expiring().await;
    let gate = fake.hold_response("oauth2.token");
    let source = home.login();
    {
        let mut asked = source.token(None);
        tokio::select! {
            biased;
            () = gate.reached() => {}
            _ = &mut asked => panic!("the response is held"),
        }
    }
    drop(source);
    gate.release();
    home.refreshed(&login).await;
}

/// The client has no token to continue with yet, but the file does.
#[tokio::test]
async fn the_first_call_does_not_fail_with_a_good_token_because_its_refresh_hangs() {
    let (fake, login, home) = expiring().await;
    let gate = fake.hold_response("oauth2.token");
    let client = home.client();
    let caller = tokio::spawn(async move { call(&client).await });
    gate.reached().await;
    tokio::time::pause();
    // Less than the timeout of the request for the tokens.
    tokio::time::advance(Duration::from_millis(19_500)).await;
    tokio::time::resume();
    caller.await.unwrap().unwrap();
    let sent = fake.requests().pop().unwrap().header("authorization").unwrap().to_owned();
    assert_eq!(sent, format!("Bearer {}", login.access_token()));
    // The refresh continues.
    gate.release();
    while home.stored()["refresh_token"] == login.refresh_token() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_server_that_gives_no_new_refresh_token_leaves_the_old_one() {
    let (fake, login, home) = expiring().await;
    let next = fake.login();
    let body = json!({ "accessToken": next.access_token() });
    fake.inject(Fault::status(200).json(body).on("oauth2.token"));
    call(&home.client()).await.unwrap();
    assert_eq!(home.stored()["access_token"], next.access_token());
    assert_eq!(home.stored()["refresh_token"], login.refresh_token());
}

/// It goes into the file and into a body, never into a header.
#[tokio::test]
async fn a_refresh_token_is_kept_as_it_comes() {
    let (fake, _, home) = expiring().await;
    let body = json!({ "accessToken": fake.login().access_token(), "refreshToken": "odd \u{e9}" });
    fake.inject(Fault::status(200).json(body).on("oauth2.token"));
    call(&home.client()).await.unwrap();
    assert_eq!(home.stored()["refresh_token"], "odd \u{e9}");
}
