use serde_json::json;

use super::*;

#[tokio::test]
async fn an_older_control_plane_is_asked_where_to_refresh() {
    let (fake, login, home) = expiring().await;
    let _ = fake.clone().with_older_login();
    call(&home.client()).await.unwrap();
    assert_eq!(
        seen(&fake),
        ["min_cli_version.get", "tenant_id.get", "oauth.refresh", "secret_groups.list"]
    );
    let request = &fake.requests()[2];
    assert_eq!(request.path(), "/api/v1/oauth/token/refresh");
    let body = json!({ "tenantName": "my-tenant", "refreshToken": login.refresh_token() });
    assert_eq!(request.body(), Some(&body));
    assert!(request.header("authorization").is_none());
}

#[tokio::test]
async fn a_refresh_token_goes_to_no_other_server_unless_that_is_given() {
    for named in [
        "https://login.example.com",
        "https://127.0.0.1.example.com",
        "http://login.example.com",
        "http://[::1]",
        "no URL",
    ] {
        let (fake, login, home) = expiring().await;
        fake.advance_token_clock(HOUR);
        let _ = fake.clone().with_older_login().with_auth_server_url(named);
        let error = call(&home.client()).await.unwrap_err();
        assert!(spent(&fake).is_empty(), "{named}");
        assert!(texts(&error).contains("auth_server_url"), "{named}: {}", texts(&error));
        assert!(!texts(&error).contains(login.refresh_token()));

        let given = home.login().auth_server_url(fake.base_url()).unwrap();
        let client = Client::builder().base_url(given.host()).credentials(given).build().unwrap();
        call(&client).await.unwrap();
        assert_eq!(spent(&fake), [login.refresh_token()]);
    }
}

#[tokio::test]
async fn a_given_server_is_reached_over_https_or_on_this_machine() {
    let (_fake, _, home) = expiring().await;
    for url in ["http://login.example.com", "login.example.com", "https://", "https://a:b@c"] {
        let error = home.login().auth_server_url(url).unwrap_err();
        assert!(matches!(error, Error::Config { setting: "auth_server_url", .. }), "{error:?}");
    }
    home.login().auth_server_url("https://login.example.com/path").unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_once() {
    let (fake, _, home) = expiring().await;
    fake.advance_token_clock(HOUR);
    let _ = fake.clone().with_older_login();
    // A port that was free a moment ago.
    let closed = "127.0.0.1:1";
    let given = home.login().auth_server_url(format!("http://{closed}")).unwrap();
    let client = Client::builder().base_url(given.host()).credentials(given).build().unwrap();
    let error = call(&client).await.unwrap_err();
    let Error::Credentials { source, .. } = &error else { panic!("{error:?}") };
    let Some(Error::Connect { context, .. }) = source.downcast_ref() else { panic!("{source:?}") };
    assert_eq!(context.attempts(), 1);
}
