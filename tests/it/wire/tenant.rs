//! Where the tenant's name comes from, in which order, and what is cached of it.

use std::time::Duration;

use truefoundry_secrets::{
    Client, Error, ListSecretGroups, ListSecretStores, ListSecrets, SecretGroupManifest, reqwest,
};

use super::by_name::{LOOK_UP, targets};
use crate::support::endpoints::GROUPS;
use crate::support::raw::{Act, RawServer, ok, response, status};
use crate::support::{KEY, builder, client, tenant_client, variant};

const NAMED: &str = r#"{"tenantName":"my-tenant","auth_server_url":"https://login.example"}"#;
const SEARCH: &str = "/api/svc/v1/secret-groups?limit=100&offset=0&search=app";
const SESSION: &str = "/api/svc/v1/session";

/// The target of the request that is sent without a key.
fn tenant_id(server: &RawServer) -> String {
    format!("/api/svc/v1/tenant-id?hostName={}", server.address())
}

/// A control plane that responds to `tenant-id`, `session` and everything else with these.
fn server(tenant_id: Vec<u8>, session: Vec<u8>, groups: impl Into<Vec<u8>>) -> RawServer {
    let groups = groups.into();
    RawServer::start(move |_, seen| {
        Act::Send(match seen.path() {
            path if path.ends_with("/tenant-id") => tenant_id.clone(),
            path if path.ends_with("/session") => session.clone(),
            _ => groups.clone(),
        })
    })
}

fn missing() -> Vec<u8> {
    status(404, "Cannot GET this")
}

async fn look_up(client: &Client) -> Result<String, Error> {
    client.secret_groups().get_by_name("app").await.map(|group| group.fqn().to_owned())
}

#[tokio::test]
async fn tenant_id_is_asked_once_and_without_the_key() {
    let server = server(ok(NAMED), missing(), ok(GROUPS));
    let client = builder(server.url()).header("x-gateway", "token").build().unwrap();
    for client in [&client, &client.clone(), &client] {
        assert_eq!(look_up(client).await.unwrap(), "my-tenant:app");
    }
    assert_eq!(targets(&server), [&tenant_id(&server), LOOK_UP, LOOK_UP, LOOK_UP]);
    let requests = server.requests();
    assert_eq!(requests[0].header("authorization"), None);
    assert!(!format!("{:?}", requests[0]).contains(KEY));
    assert_eq!(requests[0].header("x-gateway"), Some("token"));
    let key = format!("Bearer {KEY}");
    assert!(requests[1..].iter().all(|seen| seen.header("authorization") == Some(&key)));
}

#[tokio::test]
async fn the_session_is_asked_where_tenant_id_tells_nothing() {
    let user =
        r#"{"user":{"tenantName":"my-tenant","email":"a@b"},"tenantInfo":{"tenantName":"x"}}"#;
    let info = r#"{"user":{"email":"a@b"},"tenantInfo":{"tenantName":"my-tenant"}}"#;
    let odd = r#"{"user":{"tenantName":"a:b"},"tenantInfo":{"tenantName":"my-tenant"}}"#;
    for told in [user, info, odd] {
        for silent in [
            missing(),
            status(401, "Unauthorized"),
            status(403, "Forbidden"),
            status(400, "hostName"),
            status(501, "Not Implemented"),
            response(302, "location: https://login.example/\r\n", ""),
            response(200, "content-type: text/html\r\n", "<html>Log in</html>"),
            ok("{}"),
            ok(r#"{"tenantName":null}"#),
            ok(r#"{"tenantName":""}"#),
            ok(r#"{"tenantName":"a:b"}"#),
            ok(r#"{"tenantName":"a\nb"}"#),
        ] {
            let server = server(silent, ok(told), ok(GROUPS));
            let client = client(server.url());
            look_up(&client).await.unwrap();
            look_up(&client).await.unwrap();
            assert_eq!(targets(&server), [&tenant_id(&server), SESSION, LOOK_UP, LOOK_UP]);
            let key = format!("Bearer {KEY}");
            assert_eq!(server.requests()[1].header("authorization"), Some(&*key));
        }
    }
}

#[tokio::test]
async fn a_failure_that_may_pass_is_told_as_it_is_and_not_remembered() {
    let unnamed = || ok("{}");
    let failures = |code| (status(code, "not now"), 4);
    for (failing, (failure, attempts), expected) in [
        ("tenant-id", failures(500), "Service"),
        ("tenant-id", failures(503), "Service"),
        ("tenant-id", failures(408), "Service"),
        ("tenant-id", failures(429), "RateLimited"),
        ("session", failures(502), "Service"),
        ("session", failures(429), "RateLimited"),
        ("session", (status(401, "Unauthorized"), 1), "Unauthorized"),
    ] {
        let server = RawServer::start(move |n, seen| {
            let first = usize::from(failing == "session");
            Act::Send(match seen.path().rsplit('/').next() {
                Some(name) if name == failing && n < first + attempts => failure.clone(),
                Some("session" | "tenant-id") if failing.ends_with("id") => ok(NAMED),
                Some("session") => ok(r#"{"user":{"tenantName":"my-tenant"}}"#),
                Some("tenant-id") => unnamed(),
                _ => ok(GROUPS),
            })
        });
        let client = client(server.url());
        let error = look_up(&client).await.unwrap_err();
        assert_eq!(variant(&error), expected, "{failing}: {error}");
        let before = server.count();
        assert_eq!(before, attempts + usize::from(failing == "session"), "{failing}");
        assert_eq!(look_up(&client).await.unwrap(), "my-tenant:app");
        assert_eq!(targets(&server)[before], tenant_id(&server));
        let known = server.count();
        look_up(&client).await.unwrap();
        assert_eq!(targets(&server)[known..], [LOOK_UP]);
    }
}

#[tokio::test]
async fn a_broken_or_silent_connection_is_told_as_it_is() {
    for (path, act, expected) in [
        ("tenant-id", None, "Timeout"),
        ("session", None, "Timeout"),
        ("tenant-id", Some(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"), "Transport"),
        ("session", Some(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"), "Transport"),
    ] {
        let server = RawServer::start(move |_, seen| match (act, seen.path().ends_with(path)) {
            (Some(cut), true) => Act::SendThenClose(cut.to_vec()),
            (None, true) => Act::Hang,
            _ => Act::Send(missing()),
        });
        let client = builder(server.url()).timeout(Duration::from_millis(300)).build().unwrap();
        let error = look_up(&client).await.unwrap_err();
        assert_eq!(variant(&error), expected, "{path}: {error}");
        assert!(targets(&server).iter().all(|target| !target.contains("secret-groups")));
    }
}

#[tokio::test]
async fn nothing_about_a_group_a_secret_or_a_store_tells_the_tenant() {
    let group = r#"{"data":{"id":"g","fqn":"internal:x","tenantName":"internal"}}"#;
    let groups = r#"{"data":[{"id":"g","fqn":"internal:x","tenantName":"internal"}]}"#;
    let secret = r#"{"data":{"id":"s","fqn":"internal:x:K","value":"v"}}"#;
    let secrets = r#"{"data":[{"id":"s","fqn":"internal:x:K","value":"v"}]}"#;
    let stores = r#"{"data":[{"id":"i","tenantName":"internal","fqn":"internal:aws:i"}]}"#;
    for (kind, earlier) in [
        ("group", group),
        ("list", groups),
        ("secret", secret),
        ("secrets", secrets),
        ("store", stores),
        ("manifest", group),
    ] {
        let server = RawServer::start(move |n, seen| {
            Act::Send(match (n, seen.path().rsplit('/').next()) {
                (0, _) => ok(earlier),
                (_, Some("tenant-id")) => ok(NAMED),
                _ => ok(GROUPS),
            })
        });
        let client = client(server.url());
        let manifest = SecretGroupManifest::new("x", "internal:aws:i");
        match kind {
            "group" => drop(client.secret_groups().get("g").await.unwrap()),
            "list" => drop(client.secret_groups().list(&ListSecretGroups::new()).await.unwrap()),
            "secret" => drop(client.secrets().get("s").await.unwrap()),
            "secrets" => drop(client.secrets().list(&ListSecrets::new()).await.unwrap()),
            "store" => drop(client.secret_stores().list(&ListSecretStores::new()).await.unwrap()),
            _ => drop(client.secret_groups().create_or_update(&manifest).await.unwrap()),
        }
        look_up(&client).await.unwrap();
        assert_eq!(targets(&server)[1..], [&tenant_id(&server), LOOK_UP], "{kind}");
    }
}

#[tokio::test]
async fn a_host_of_truefoundry_names_its_tenant_and_no_other_host_does() {
    for (host, known) in [
        ("my-tenant.truefoundry.cloud", true),
        ("my-tenant.truefoundry.com", true),
        ("my-tenant.eu.truefoundry.cloud", true),
        ("MY-TENANT.TrueFoundry.Cloud", true),
        ("app.truefoundry.cloud", false),
        ("api.truefoundry.com", false),
        ("www.truefoundry.com", false),
        ("truefoundry.cloud", false),
        ("my-tenant.truefoundry.cloud.example", false),
        ("my-tenanttruefoundry.cloud", false),
        ("my-tenant.example", false),
    ] {
        let server = server(ok(NAMED), missing(), ok(GROUPS));
        let lower = host.to_ascii_lowercase();
        let http = reqwest::ClientBuilder::new().no_proxy().resolve(&lower, server.address());
        let base = format!("http://{host}:{}", server.address().port());
        let client = builder(base).http(http).allow_insecure_http().build().unwrap();
        let authority = format!("{lower}:{}", server.address().port());
        assert_eq!(client.authority(), authority);
        look_up(&client).await.unwrap();
        let asked = format!("/api/svc/v1/tenant-id?hostName={authority}");
        let expected = if known { vec![LOOK_UP] } else { vec![&*asked, LOOK_UP] };
        assert_eq!(targets(&server), expected, "{host}");
    }
}

#[tokio::test]
async fn a_given_tenant_is_asked_for_and_nothing_else() {
    let server = server(ok(r#"{"tenantName":"other"}"#), missing(), ok(GROUPS));
    assert_eq!(look_up(&tenant_client(server.url())).await.unwrap(), "my-tenant:app");
    assert_eq!(targets(&server), [LOOK_UP]);
}

#[tokio::test]
async fn a_path_prefix_stays_in_front_of_what_tells_the_tenant() {
    let server = server(missing(), ok("{}"), ok(r#"{"data":[],"pagination":{"total":0}}"#));
    let client = client(format!("{}/a%20b//tfy/", server.url()));
    look_up(&client).await.unwrap_err();
    let expected =
        [&*tenant_id(&server), SESSION, SEARCH].map(|target| format!("/a%20b/tfy{target}"));
    assert_eq!(targets(&server), expected);
}

#[tokio::test]
async fn where_nothing_tells_it_groups_of_exactly_that_name_are_searched_for() {
    let others = r#"{"id":"g-0","fqn":"my-tenant:app2"},{"id":"g-2","fqn":"t:my-app"},
        {"id":"g-3","fqn":"my-tenant:x","name":"app","associatedSecrets":[{"id":"s","name":"app"}]},
        {"id":"g-4","fqn":"app"},{"id":"g-5","fqn":":app"},{"id":"g-6","fqn":"t:app:app"}"#;
    for silent in [missing(), status(501, "Not Implemented")] {
        let none = ok(format!(r#"{{"data":[{others}],"pagination":{{"total":6}}}}"#));
        let none = server(silent.clone(), silent.clone(), none);
        let asking = client(none.url());
        let error = look_up(&asking).await.unwrap_err();
        let Error::NotFound { id, .. } = &error else { panic!("{error:?}") };
        assert_eq!(&**id, "app");
        let asked = tenant_id(&none);
        assert_eq!(targets(&none), [&asked, SESSION, SEARCH]);

        let one = format!(
            r#"{{"data":[{others},{{"id":"g-1","fqn":"theirs:app"}}],"pagination":{{"total":7}}}}"#
        );
        let one = server(silent.clone(), silent.clone(), ok(one));
        let client = client(one.url());
        for _ in 0..2 {
            assert_eq!(look_up(&client).await.unwrap(), "theirs:app");
        }
        // The tenant was used for one call only.
        let asked = tenant_id(&one);
        assert_eq!(targets(&one), [&asked, SESSION, SEARCH, &asked, SESSION, SEARCH]);
    }
}

#[tokio::test]
async fn every_page_of_the_search_is_read() {
    let page = |first: usize, more: &str| {
        let groups: Vec<String> = (first..first + 100)
            .map(|n| format!(r#"{{"id":"g-{n}","fqn":"t:app-{n}"}}"#))
            .collect();
        format!(r#"{{"data":[{}{more}],"pagination":{{"total":201}}}}"#, groups.join(","))
    };
    let server = RawServer::start(move |_, seen| {
        Act::Send(match seen.query() {
            Some(query) if query.contains("offset=0&search") => ok(page(0, "")),
            Some(query) if query.contains("offset=100&search") => ok(page(100, "")),
            Some(query) if query.contains("offset=200&search") => {
                ok(r#"{"data":[{"id":"g-1","fqn":"theirs:app"}],"pagination":{"total":201}}"#)
            }
            _ => missing(),
        })
    });
    assert_eq!(look_up(&client(server.url())).await.unwrap(), "theirs:app");
    assert_eq!(server.count(), 5);
}

#[tokio::test]
async fn groups_of_several_tenants_are_listed_with_their_names_escaped() {
    let groups = r#"{"data":[{"id":"g-1","fqn":"ours:app"},{"id":"g-2","fqn":"the\u001b[31mirs:app"},
        {"id":"g-1","fqn":"ours:app"}],"pagination":{"total":3}}"#;
    let server = server(missing(), missing(), ok(groups));
    let error = look_up(&client(server.url())).await.unwrap_err();
    assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("ours:app, the") && text.contains("ClientBuilder::tenant"), "{text}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

#[tokio::test]
async fn a_name_that_a_reference_would_cut_is_refused_before_anything_is_asked() {
    let server = RawServer::always(ok(GROUPS));
    for client in [client(server.url()), tenant_client(server.url())] {
        for name in ["", "a:b", ":", "a:", "a\nb", "a\u{1b}[2J"] {
            let error = client.secret_groups().get_by_name(name).await.unwrap_err();
            assert!(matches!(error, Error::InvalidInput { .. }), "{name:?}: {error:?}");
        }
    }
    assert_eq!(server.count(), 0);
}
