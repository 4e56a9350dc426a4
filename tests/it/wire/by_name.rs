use truefoundry_secrets::Error;

use crate::support::endpoints::GROUPS;
use crate::support::raw::{RawServer, ok};
use crate::support::{builder, tenant_client};

pub(crate) const LOOK_UP: &str = "/api/svc/v1/secret-groups?limit=100&offset=0&fqn=my-tenant:app";

pub(crate) fn targets(server: &RawServer) -> Vec<String> {
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
    for tenant in ["", "a:b", "a\nb"] {
        let refused = builder("http://127.0.0.1:1").tenant(tenant).build();
        assert!(matches!(refused, Err(Error::Config { setting: "tenant", .. })));
    }
}
