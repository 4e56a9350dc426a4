use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};

use super::*;

#[track_caller]
fn says(error: &Error, wanted: &[&str], hidden: &[&str]) {
    let texts = texts(error);
    for text in wanted {
        assert!(texts.contains(text), "{text}: {texts}");
    }
    for text in hidden {
        assert!(!texts.contains(text), "{texts}");
    }
}

/// A login whose token has expired by this machine's clock, too.
async fn expired() -> (FakeTrueFoundry, FakeLogin, Home) {
    let fake = FakeTrueFoundry::start().await.with_token_lifetime(Duration::ZERO);
    let login = fake.login();
    let home = Home::with(&login);
    (fake.with_token_lifetime(HOUR), login, home)
}

#[tokio::test]
async fn a_login_that_has_ended_says_what_to_run() {
    let (fake, login, home) = expired().await;
    // Another program has spent the refresh token and lost its successor.
    home.client().check().await.unwrap();
    home.write(&login.credentials_json());
    let error = call(&home.client()).await.unwrap_err();
    assert!(matches!(error, Error::Credentials { .. }), "{error:?}");
    let command = format!("run `tfy login --relogin --host {}`", fake.base_url());
    says(&error, &["has ended", &command], &[login.access_token(), login.refresh_token()]);
    assert_eq!(home.stored()["access_token"], login.access_token(), "nothing is written");
    assert_eq!(home.names(), ["credentials.json", "credentials.json.lock"]);
}

/// A program that keeps calling must not send a spent refresh token each time. A new login is
/// noticed.
#[tokio::test]
async fn a_refresh_token_that_was_refused_is_not_sent_again() {
    let (fake, login, home) = expired().await;
    home.client().check().await.unwrap();
    home.write(&login.credentials_json());
    fake.clear_requests();
    let client = home.client();
    for _ in 0..3 {
        let error = call(&client).await.unwrap_err();
        says(&error, &["has ended", "run `tfy login --relogin"], &[login.refresh_token()]);
    }
    assert_eq!(seen(&fake), ["min_cli_version.get", "oauth2.token"]);
    home.write(&fake.login().credentials_json());
    call(&client).await.unwrap();
}

/// A proxy in front of the control plane can send these, too.
#[tokio::test]
async fn only_a_refused_refresh_token_has_ended_the_login() {
    for (status, operation) in [
        (401, "oauth2.token"),
        (403, "oauth2.token"),
        (401, "min_cli_version.get"),
        (400, "min_cli_version.get"),
    ] {
        let (fake, login, home) = expired().await;
        fake.inject(Fault::status(status).on(operation));
        let client = home.client();
        let error = call(&client).await.unwrap_err();
        assert!(matches!(error, Error::Credentials { .. }), "{error:?}");
        says(&error, &[&status.to_string()], &["has ended", "API key", login.refresh_token()]);
        if status != 400 {
            says(&error, &["if that lasts, run `tfy login --relogin"], &[]);
        }
        call(&client).await.unwrap();
    }
}

#[tokio::test]
async fn a_failing_refresh_keeps_a_token_that_is_still_good() {
    for fault in [Fault::status(503), Fault::status(400), Fault::drop_before(), Fault::cut_body()] {
        let (fake, login, home) = expiring().await;
        fake.inject(fault.on("oauth2.token"));
        call(&home.client()).await.unwrap();
        assert_eq!(
            seen(&fake),
            ["min_cli_version.get", "oauth2.token", "secret_groups.list"],
            "a refresh is not retried"
        );
        assert_eq!(home.stored()["access_token"], login.access_token());
        assert_eq!(home.names(), ["credentials.json", "credentials.json.lock"]);
    }
}

#[tokio::test]
async fn a_failing_refresh_is_not_retried_and_can_pass() {
    for fault in [Fault::status(503), Fault::status(429), Fault::drop_before(), Fault::drop_after()]
    {
        let (fake, login, home) = expired().await;
        fake.inject(fault.on("oauth2.token"));
        let error = call(&home.client()).await.unwrap_err();
        assert!(matches!(error, Error::Credentials { .. }), "{error:?}");
        says(&error, &["refresh the login of the tfy CLI"], &[login.refresh_token()]);
        assert_eq!(seen(&fake), ["min_cli_version.get", "oauth2.token"]);
        assert_eq!(home.names(), ["credentials.json", "credentials.json.lock"]);
    }
}

#[tokio::test]
async fn responses_that_are_no_tokens_change_nothing() {
    for body in [
        "",
        "{}",
        r#"{"accessToken":7}"#,
        r#"{"refreshToken":"only-this-one"}"#,
        r#"{"accessToken":""}"#,
        r#"{"accessToken":"a\nb"}"#,
    ] {
        let (fake, login, home) = expired().await;
        fake.inject(Fault::status(200).body("application/json", body).on("oauth2.token"));
        let error = call(&home.client()).await.unwrap_err();
        assert!(matches!(error, Error::Credentials { .. }), "{body}: {error:?}");
        assert_eq!(home.stored()["access_token"], login.access_token(), "{body}");
    }
}

#[tokio::test]
async fn a_server_that_echoes_the_tokens_shows_none() {
    for status in [400, 401, 500, 200] {
        let (fake, login, home) = expired().await;
        let echo = format!("no: {} {}", login.refresh_token(), login.access_token());
        fake.inject(Fault::status(status).message(&echo).on("oauth2.token"));
        let error = call(&home.client()).await.unwrap_err();
        says(&error, &[], &[login.refresh_token(), login.access_token()]);
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_found_before_the_refresh_token_is_spent() {
    let (fake, _, home) = expired().await;
    // It blocks the new file, for root, too.
    std::fs::create_dir(home.folder().join("credentials.json.new")).unwrap();
    let error = call(&home.client()).await.unwrap_err();
    says(&error, &["credentials.json cannot be replaced"], &[]);
    assert!(seen(&fake).is_empty(), "{:?}", seen(&fake));
    std::fs::remove_dir(home.folder().join("credentials.json.new")).unwrap();
    call(&home.client()).await.unwrap();
}

#[tokio::test]
async fn a_lock_file_that_cannot_be_opened_is_an_error_that_names_it() {
    let (fake, _, home) = expired().await;
    std::fs::create_dir(home.lock_file()).unwrap();
    let error = call(&home.client()).await.unwrap_err();
    says(&error, &["credentials.json.lock cannot be locked"], &[]);
    assert!(seen(&fake).is_empty(), "{:?}", seen(&fake));
}

/// Locking its target would not keep out a program that locks the path itself, as the CLI does.
#[tokio::test]
async fn a_lock_file_that_is_a_symlink_is_an_error_that_says_so() {
    let (fake, _, home) = expired().await;
    let target = home.folder().join("elsewhere");
    std::os::unix::fs::symlink(&target, home.lock_file()).unwrap();
    let error = call(&home.client()).await.unwrap_err();
    says(&error, &["credentials.json.lock cannot be locked (it is a symlink)"], &[]);
    assert!(seen(&fake).is_empty() && !target.exists(), "{:?}", seen(&fake));
}

#[tokio::test]
async fn tokens_that_cannot_be_refreshed_are_sent_as_they_are() {
    use base64::Engine as _;
    let jwt = |claims: &str| {
        let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part("{}"), part(claims), part("signature"))
    };
    let fake = FakeTrueFoundry::start().await;
    let of_a_service = jwt(r#"{"tenantName":"my-tenant","exp":10,"subjectType":"serviceaccount"}"#);
    for (access, refresh) in [
        ("tfy_a_personal_access_token", "null"),
        ("tfy_a_personal_access_token", "\"x\""),
        (&of_a_service, "\"x\""),
        (&jwt(r#"{"tenantName":"my-tenant","exp":10}"#), "null"),
        (&jwt(r#"{"tenantName":"my-tenant","exp":10}"#), "\"\""),
        (&jwt(r#"{"exp":10}"#), "\"x\""),
    ] {
        fake.clear_requests();
        let home = Home::empty();
        let host = fake.base_url();
        home.write(&format!(
            r#"{{"access_token": "{access}", "refresh_token": {refresh}, "host": "{host}"}}"#
        ));
        let error = call(&home.client()).await.unwrap_err();
        assert!(matches!(error, Error::Unauthorized { .. }), "{error:?}");
        assert_eq!(seen(&fake), ["secret_groups.list"], "the server's clock counts");
        assert_eq!(fake.requests()[0].header("authorization").unwrap(), format!("Bearer {access}"));
    }
}
