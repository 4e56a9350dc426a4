use std::time::Duration;

use serde_json::{Value, json};
use truefoundry_secrets::testing::{FakeLogin, FakeTrueFoundry, RecordedRequest};

use crate::raw::{Reply, call, get, request, send};

const HOUR: Duration = Duration::from_secs(3600);

async fn list(fake: &FakeTrueFoundry, token: &str) -> Reply {
    let text = request(fake, "GET /secret-groups", "").replace(fake.api_key(), token);
    send(fake, &text).await
}

async fn refresh(fake: &FakeTrueFoundry, refresh_token: &str) -> Reply {
    let body = json!({
        "tenantName": fake.tenant(), "refreshToken": refresh_token,
        "grantType": "refresh_token", "returnJWT": true,
    });
    call(fake, "POST /oauth2/token", body).await
}

fn tokens(reply: &Reply) -> (String, String) {
    assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
    let text = |name: &str| reply.json()[name].as_str().unwrap().to_owned();
    (text("accessToken"), text("refreshToken"))
}

#[tokio::test]
async fn an_access_token_expires_by_the_clock_that_tests_move() {
    let fake = FakeTrueFoundry::start().await;
    let login = fake.login();
    assert_eq!(list(&fake, login.access_token()).await.status, 200);
    fake.advance_token_clock(HOUR / 2);
    assert_eq!(list(&fake, login.access_token()).await.status, 200);
    fake.advance_token_clock(HOUR / 2);
    assert_eq!(list(&fake, login.access_token()).await.status, 401);
    assert_eq!(get(&fake, "/secret-groups").await.status, 200, "the API key does not expire");
    let (access, _) = tokens(&refresh(&fake, login.refresh_token()).await);
    assert_eq!(list(&fake, &access).await.status, 200);
    let fake = fake.with_token_lifetime(Duration::ZERO);
    assert_eq!(list(&fake, fake.login().access_token()).await.status, 401);
}

#[tokio::test]
async fn a_spent_refresh_token_revokes_its_login_and_no_other() {
    let fake = FakeTrueFoundry::start().await;
    let (login, other) = (fake.login(), fake.login_as("grace@example.com"));
    let (access, next) = tokens(&refresh(&fake, login.refresh_token()).await);
    assert_eq!(list(&fake, login.access_token()).await.status, 200, "not revoked by its successor");
    assert_eq!(refresh(&fake, login.refresh_token()).await.refusal().0, 400);
    assert_eq!(list(&fake, &access).await.status, 401);
    assert_eq!(refresh(&fake, &next).await.status, 400);
    assert_eq!(refresh(&fake, "unknown").await.status, 400);
    tokens(&refresh(&fake, other.refresh_token()).await);
}

#[tokio::test]
async fn the_session_is_that_of_the_token() {
    let fake = FakeTrueFoundry::start().await;
    let login = fake.login_as("grace@example.com");
    let text = request(&fake, "GET /session", "").replace(fake.api_key(), login.access_token());
    let session = send(&fake, &text).await.json();
    assert_eq!(session["user"]["subject"]["subjectSlug"], "grace@example.com");
    assert_eq!(get(&fake, "/session").await.json()["user"]["email"], "ada@example.com");
    let file: Value = serde_json::from_str(&login.credentials_json()).unwrap();
    assert_eq!(file["access_token"], login.access_token());
    assert_eq!(file["refresh_token"], login.refresh_token());
    assert_eq!(file["host"], fake.base_url());
    assert!(!format!("{login:?}").contains(login.refresh_token()));
}

#[tokio::test]
async fn newer_and_older_servers_refresh_at_different_places() {
    let fake = FakeTrueFoundry::start().await.with_path_prefix("tfy");
    let login: FakeLogin = fake.login();
    let settings = get(&fake, "/min-cli-version").await.json();
    assert_eq!(settings["useSFYServerAuthAPIs"], true);
    assert!(settings["truefoundryCliMinVersion"].is_string() && settings["minVersion"].is_string());
    let older = |refresh_token: &str| {
        let body = json!({ "tenantName": "my-tenant", "refreshToken": refresh_token }).to_string();
        let text = request(&fake, "POST /x", &body);
        text.replace("/api/svc/v1/x", "/api/v1/oauth/token/refresh")
    };
    assert_eq!(send(&fake, &older(login.refresh_token())).await.status, 404);
    let without_grant = json!({ "tenantName": "my-tenant", "refreshToken": "x" });
    assert_eq!(call(&fake, "POST /oauth2/token", without_grant).await.status, 400);
    assert_eq!(call(&fake, "GET /oauth2/token", None).await.status, 405);

    let fake = fake.clone().with_older_login();
    assert_eq!(get(&fake, "/min-cli-version").await.json()["useSFYServerAuthAPIs"], false);
    assert_eq!(refresh(&fake, login.refresh_token()).await.status, 404);
    let told = get(&fake, "/tenant-id?hostName=a").await.json();
    assert_eq!(told["auth_server_url"], fake.base_url());
    let (_, next) = tokens(&send(&fake, &older(login.refresh_token())).await);
    assert_eq!(send(&fake, &older(login.refresh_token())).await.status, 400);
    assert_eq!(send(&fake, &older(&next)).await.status, 400, "revoked");
    let seen: Vec<_> = fake.requests().iter().filter_map(RecordedRequest::operation).collect();
    assert!(seen.contains(&"oauth.refresh") && seen.contains(&"min_cli_version.get"), "{seen:?}");
    let fake = fake.with_auth_server_url("https://login.example.com");
    let told = get(&fake, "/tenant-id?hostName=a").await.json();
    assert_eq!(told["auth_server_url"], "https://login.example.com");
}
