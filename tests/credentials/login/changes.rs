//! What other processes do to the file while a program uses it.

use std::fs::File;

use truefoundry_secrets::testing::FakeTrueFoundry;

use super::*;

#[tokio::test]
async fn what_another_process_has_refreshed_is_taken_without_a_request() {
    let (fake, login, home) = expiring().await;
    let (client, other) = (home.client(), home.client());
    call(&other).await.unwrap();
    fake.clear_requests();
    call(&client).await.unwrap();
    assert_eq!(seen(&fake), ["secret_groups.list"]);
    assert_ne!(home.stored()["access_token"], login.access_token());

    // Also after a refusal.
    fake.advance_token_clock(HOUR);
    call(&other).await.unwrap();
    fake.clear_requests();
    call(&client).await.unwrap();
    assert_eq!(seen(&fake), ["secret_groups.list"; 2]);
}

#[tokio::test]
async fn the_same_user_may_log_in_again() {
    let fake = FakeTrueFoundry::start().await;
    let home = Home::with(&fake.login());
    let client = home.client();
    call(&client).await.unwrap();
    fake.advance_token_clock(HOUR);
    let again = fake.login();
    home.write(&again.credentials_json());
    call(&client).await.unwrap();
    assert!(spent(&fake).is_empty());
}

#[tokio::test]
async fn a_host_that_is_written_in_another_way_is_the_same() {
    let fake = FakeTrueFoundry::start().await;
    let home = Home::with(&fake.login());
    let client = home.client();
    call(&client).await.unwrap();
    fake.advance_token_clock(HOUR);
    let host = fake.base_url();
    home.write(&fake.login().credentials_json().replace(&host, &format!("{host}/")));
    call(&client).await.unwrap();
}

#[tokio::test]
async fn a_login_of_another_user_or_host_is_an_error() {
    let fake = FakeTrueFoundry::start().await;
    let elsewhere = FakeTrueFoundry::start().await;
    let of_a_program = r#"{"access_token": "tfy_other", "refresh_token": null, "host": "HOST"}"#;
    for (text, other) in [
        (fake.login_as("grace@example.com").credentials_json(), "another user"),
        (elsewhere.login().credentials_json(), "another host"),
        (of_a_program.replace("HOST", &fake.base_url()), "another user"),
    ] {
        let home = Home::with(&fake.login());
        let client = home.client();
        call(&client).await.unwrap();
        fake.advance_token_clock(HOUR);
        home.write(&text);
        fake.clear_requests();
        let error = call(&client).await.unwrap_err();
        assert!(matches!(error, Error::Credentials { .. }), "{error:?}");
        let texts = texts(&error);
        assert!(texts.contains(other) && texts.contains("restart"), "{texts}");
        assert_eq!(seen(&fake), ["secret_groups.list"], "and nothing is sent with the other token");
        assert!(elsewhere.requests().is_empty());
    }
}

#[tokio::test]
async fn after_a_logout_the_error_says_what_to_run() {
    let (fake, _, home) = expiring().await;
    let client = home.client();
    std::fs::remove_file(home.file()).unwrap();
    let error = call(&client).await.unwrap_err();
    let wanted = format!("run `tfy login --host {}`", fake.base_url());
    assert!(texts(&error).contains(&wanted), "{}", texts(&error));
}

#[tokio::test]
async fn a_good_token_does_not_wait_for_a_login_under_way_for_ever() {
    let (fake, login, home) = expiring().await;
    let lock = File::create(home.lock_file()).unwrap();
    lock.lock().unwrap();
    let client = home.client();
    tokio::time::pause();
    call(&client).await.unwrap();
    assert_eq!(seen(&fake), ["secret_groups.list"]);
    assert_eq!(home.stored()["access_token"], login.access_token());
}

#[tokio::test]
async fn an_expired_token_waits_for_the_lock_and_takes_what_its_holder_wrote() {
    let fake = FakeTrueFoundry::start().await.with_token_lifetime(Duration::ZERO);
    let home = Home::with(&fake.login());
    let fake = fake.with_token_lifetime(HOUR);
    let lock = File::create(home.lock_file()).unwrap();
    lock.lock().unwrap();
    let client = home.client();
    let waiting = tokio::spawn(async move { call(&client).await });
    tokio::time::sleep(Duration::from_millis(120)).await;
    assert!(fake.requests().is_empty() && !waiting.is_finished());
    home.write(&fake.login().credentials_json());
    drop(lock);
    waiting.await.unwrap().unwrap();
    assert_eq!(seen(&fake), ["secret_groups.list"]);
}

#[tokio::test]
async fn a_lock_that_is_never_released_is_an_error_that_names_the_file() {
    let fake = FakeTrueFoundry::start().await.with_token_lifetime(Duration::ZERO);
    let home = Home::with(&fake.login());
    let lock = File::create(home.lock_file()).unwrap();
    lock.lock().unwrap();
    let client = home.client();
    tokio::time::pause();
    let error = call(&client).await.unwrap_err();
    assert!(texts(&error).contains("another process has locked"), "{}", texts(&error));
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn an_unlinked_lock_file_locks_nobody_out() {
    let (_fake, login, home) = expiring().await;
    let lock = File::create(home.lock_file()).unwrap();
    lock.lock().unwrap();
    std::fs::remove_file(home.lock_file()).unwrap();
    call(&home.client()).await.unwrap();
    assert_ne!(home.stored()["access_token"], login.access_token());
}
