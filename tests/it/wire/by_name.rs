use truefoundry_secrets::{Error, ListSecretGroups, ListSecretStores, ListSecrets, reqwest};

use crate::support::endpoints::GROUPS;
use crate::support::raw::{RawServer, ok};
use crate::support::{builder, client, tenant_client, variant};

const LOOK_UP: &str = "/api/svc/v1/secret-groups?limit=100&offset=0&fqn=my-tenant:app";
const ONE: &str = "/api/svc/v1/secret-groups?limit=1&offset=0";

fn targets(server: &RawServer) -> Vec<String> {
    server.requests().iter().map(|seen| seen.target().to_owned()).collect()
}

#[tokio::test]
async fn with_the_tenant_given_it_is_one_request() {
    let server = RawServer::always(ok(GROUPS));
    let client = tenant_client(server.url());
    let group = client.secret_groups().get_by_name("app").await.unwrap();
    assert_eq!(group.id(), "g-1");
    assert_eq!(targets(&server), [LOOK_UP]);
}

#[tokio::test]
async fn the_tenant_is_learned_from_any_earlier_answer() {
    let group = r#"{"data":{"id":"g","fqn":"my-tenant:x"}}"#;
    let named = r#"{"data":[{"id":"g","fqn":"other:x","tenantName":"my-tenant"}]}"#;
    let secret = r#"{"data":{"id":"s","fqn":"my-tenant:x:K"}}"#;
    let secrets = r#"{"data":[{"id":"s","fqn":"my-tenant:x:K"}]}"#;
    let stores = r#"{"data":[{"id":"i","tenantName":"my-tenant"}]}"#;
    for (kind, earlier) in [
        ("group", group),
        ("list", named),
        ("secret", secret),
        ("secrets", secrets),
        ("store", stores),
    ] {
        let server = RawServer::in_turn([ok(earlier), ok(GROUPS)]);
        let client = client(server.url());
        let clone = client.clone();
        match kind {
            "group" => drop(client.secret_groups().get("g").await.unwrap()),
            "list" => drop(client.secret_groups().list(&ListSecretGroups::new()).await.unwrap()),
            "secret" => drop(client.secrets().get("s").await.unwrap()),
            "secrets" => drop(client.secrets().list(&ListSecrets::new()).await.unwrap()),
            _ => drop(client.secret_stores().list(&ListSecretStores::new()).await.unwrap()),
        }
        clone.secret_groups().get_by_name("app").await.unwrap();
        assert_eq!(targets(&server)[1..], [LOOK_UP], "{kind}");
    }
}

#[tokio::test]
async fn an_unknown_tenant_is_read_from_one_group_once() {
    let server = RawServer::always(ok(GROUPS));
    let client = client(server.url());
    client.secret_groups().get_by_name("app").await.unwrap();
    client.secret_groups().get_by_name("app").await.unwrap();
    assert_eq!(targets(&server), [ONE, LOOK_UP, LOOK_UP]);
}

#[tokio::test]
async fn a_given_tenant_is_not_replaced_by_a_learned_one() {
    let server = RawServer::always(ok(r#"{"data":[{"id":"g","fqn":"other:app"}]}"#));
    let client = tenant_client(server.url());
    client.secret_groups().list(&ListSecretGroups::new()).await.unwrap();
    let error = client.secret_groups().get_by_name("app").await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(targets(&server)[1], LOOK_UP);
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
        ("truefoundry.cloud", false),
        ("my-tenant.truefoundry.cloud.example", false),
        ("my-tenanttruefoundry.cloud", false),
        ("my-tenant.example", false),
    ] {
        let server = RawServer::always(ok(GROUPS));
        let lower = host.to_ascii_lowercase();
        let http = reqwest::ClientBuilder::new().no_proxy().resolve(&lower, server.address());
        let base = format!("http://{host}:{}", server.address().port());
        let client = builder(base).http(http).allow_insecure_http().build().unwrap();
        assert_eq!(client.host(), format!("{lower}:{}", server.address().port()));
        client.secret_groups().get_by_name("app").await.unwrap();
        let expected = if known { &[LOOK_UP][..] } else { &[ONE, LOOK_UP] };
        assert_eq!(targets(&server), expected, "{host}");
    }
}

#[tokio::test]
async fn a_tenant_that_cannot_be_learned_is_a_setting_to_correct() {
    let server = RawServer::always(ok(r#"{"data":[]}"#));
    let error = client(server.url()).secret_groups().get_by_name("app").await.unwrap_err();
    assert!(matches!(error, Error::Config { setting: "tenant", .. }), "{error:?}");
    assert!(error.to_string().contains(".tenant()"), "{error}");
    assert_eq!(targets(&server), [ONE]);
}

#[tokio::test]
async fn a_failure_while_learning_is_told_as_it_is() {
    let server = RawServer::always(crate::support::raw::status(401, "Unauthorized"));
    let error = client(server.url()).secret_groups().get_by_name("app").await.unwrap_err();
    assert_eq!(variant(&error), "Unauthorized");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn nothing_or_another_group_is_not_found() {
    let other = r#"{"data":[{"id":"g-2","fqn":"my-tenant:app2"},{"id":"g-3","fqn":"x:app"}]}"#;
    for body in [r#"{"data":[]}"#, other] {
        let server = RawServer::always(ok(body));
        let client = tenant_client(server.url());
        let error = client.secret_groups().get_by_name("app").await.unwrap_err();
        let Error::NotFound { id, context, .. } = &error else { panic!("{error:?}") };
        assert_eq!((&**id, context.attempts(), server.count()), ("app", 1, 1));
        assert!(error.to_string().contains("\"app\" not found"), "{error}");
    }
}

#[tokio::test]
async fn the_right_group_is_found_among_others() {
    let body =
        r#"{"data":[{"id":"g-2","fqn":"my-tenant:app2"},{"id":"g-1","fqn":"my-tenant:app"}]}"#;
    let server = RawServer::always(ok(body));
    let group = tenant_client(server.url()).secret_groups().get_by_name("app").await.unwrap();
    assert_eq!(group.id(), "g-1");
}

#[test]
fn an_unusable_tenant_is_refused() {
    for tenant in ["", "a:b"] {
        let refused = builder("http://127.0.0.1:1").tenant(tenant).build();
        assert!(matches!(refused, Err(Error::Config { setting: "tenant", .. })));
    }
}
