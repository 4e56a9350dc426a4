//! The client's identity, by `whoami` and by the claims of its token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use truefoundry_secrets::testing::FakeTrueFoundry;
use truefoundry_secrets::{Error, Token};

use crate::common::{Source, Step};
use crate::support::raw::{RawServer, ok, status};
use crate::support::{assert_well_formed, builder, client};

fn jwt(claims: &str) -> String {
    format!("{}.{}.signature", URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode(claims))
}

#[tokio::test]
async fn whoami_says_user_kind_and_tenant() {
    let fake = FakeTrueFoundry::start().await;
    let login = fake.login_as("grace@example.com");
    let client = builder(fake.base_url()).api_key(login.access_token()).build().unwrap();
    let me = client.whoami().await.unwrap();
    assert_eq!(me.user(), Some("grace@example.com"));
    assert_eq!(me.kind(), Some("user"));
    assert_eq!(me.tenant(), Some("my-tenant"));
    assert_eq!(fake.requests()[0].operation(), Some("session.get"));
    assert_eq!(fake.request_count(), 1);
}

#[tokio::test]
async fn whoami_reads_what_is_there() {
    for (body, user, kind, tenant) in [
        (r#"{"user":{}}"#, None, None, None),
        (
            r#"{"user":{"email":"","subject":{"subjectSlug":"ci","subjectType":"virtualaccount"}}}"#,
            Some("ci"),
            Some("virtualaccount"),
            None,
        ),
        (r#"{"user":7,"tenantInfo":{"tenantName":"t"}}"#, None, None, Some("t")),
        (
            r#"{"user":{"subjectSlug":"a"},"tenantInfo":{"tenantName":"t"}}"#,
            Some("a"),
            None,
            Some("t"),
        ),
        (
            r#"{"user":{"tenantName":"u","email":null,"subject":{"subjectSlug":"ci","subjectType":"serviceaccount"}},
                "tenantInfo":{"tenantName":"t"}}"#,
            Some("ci"),
            Some("serviceaccount"),
            Some("u"),
        ),
    ] {
        let server = RawServer::always(ok(body));
        let me = client(server.url()).whoami().await.unwrap();
        assert_eq!((me.user(), me.kind(), me.tenant()), (user, kind, tenant), "{body}");
    }
}

#[tokio::test]
async fn another_object_is_no_identity() {
    for body in ["{}", r#"{"user":null}"#, r#"{"user":7,"tenantInfo":"x"}"#, r#"{"status":"ok"}"#] {
        let server = RawServer::always(ok(body));
        let error = client(server.url()).whoami().await.unwrap_err();
        assert!(matches!(error, Error::Decode { .. }), "{body}: {error:?}");
    }
}

#[tokio::test]
async fn the_tenant_of_a_jwt_saves_its_requests() {
    for (claims, given, asked) in [
        (r#"{"tenantName":"of-the-token"}"#, None, "of-the-token:app"),
        (r#"{"tenantName":"of-the-token"}"#, Some("given"), "given:app"),
    ] {
        let server = RawServer::always(ok(r#"{"data":[]}"#));
        for is_fixed in [true, false] {
            let mut builder = builder(server.url());
            let token = jwt(claims);
            builder = if is_fixed {
                builder.api_key(token)
            } else {
                builder.credentials(move || std::future::ready(Ok(Token::new(token.as_str()))))
            };
            if let Some(tenant) = given {
                builder = builder.tenant(tenant);
            }
            let client = builder.build().unwrap();
            assert!(client.secret_groups().get_by_name("app").await.unwrap_err().is_not_found());
            let requests = server.requests();
            let query = requests.last().unwrap().query().unwrap();
            assert!(query.contains(&format!("fqn={asked}")), "{query}");
        }
        assert_eq!(server.count(), 2);
    }
}

#[tokio::test]
async fn a_key_of_another_tenant_is_asked_for_its_own_groups() {
    let server = RawServer::in_turn([
        ok(r#"{"data":[]}"#),
        status(401, "Unauthorized"),
        ok(r#"{"user":{"email":"a@b"}}"#),
        ok(r#"{"data":[]}"#),
    ]);
    let keys = ["one", "two"].map(|tenant| jwt(&format!(r#"{{"tenantName":"{tenant}"}}"#)));
    let source = Source::new(keys.map(|key| Step::Token(key.leak())));
    let client = builder(server.url()).credentials(source).build().unwrap();
    let groups = client.secret_groups();
    assert!(groups.get_by_name("app").await.unwrap_err().is_not_found());
    client.whoami().await.unwrap();
    assert!(groups.get_by_name("app").await.unwrap_err().is_not_found());
    let requests = server.requests();
    let queries = [&requests[0], &requests[3]].map(|request| request.query().unwrap());
    assert!(
        queries[0].contains("fqn=one:app") && queries[1].contains("fqn=two:app"),
        "{queries:?}"
    );
    assert!(format!("{client:?}").contains(r#"Some("two")"#), "{client:?}");
}

/// A name that no FQN can begin with is not used as the tenant.
#[tokio::test]
async fn an_odd_tenant_of_a_jwt_is_not_used() {
    for claims in [r#"{"tenantName":"a:b"}"#, r#"{"tenantName":""}"#, r#"{"tenantName":5}"#, "[]"] {
        let fake = FakeTrueFoundry::start().await.with_group("app", [("K", "v")]);
        let client = builder(fake.base_url()).api_key(jwt(claims)).build().unwrap();
        // This key is not the fake's, but the tenant is requested without a key.
        client.secret_groups().get_by_name("app").await.unwrap_err();
        assert_eq!(fake.requests()[0].operation(), Some("tenant_id.get"), "{claims}");
    }
}

#[tokio::test]
async fn the_hint_of_a_401_says_when_the_token_expired() {
    let server = RawServer::always(status(401, "Unauthorized"));
    for (claims, says) in [
        (r#"{"exp":1700000000}"#, true),
        (r#"{"exp":99999999999}"#, false),
        (r#"{"exp":"soon"}"#, false),
        ("{}", false),
    ] {
        let client = builder(server.url()).api_key(jwt(claims)).build().unwrap();
        let error = client.whoami().await.unwrap_err();
        assert_eq!(error.hint().contains("2023-11-14T22:13:20Z"), says, "{}", error.hint());
        assert_well_formed(&error);
    }
}
