//! Responses that are odd, but clear: no false success, and no false failure.

use std::time::Duration;

use truefoundry_secrets::{
    Error, ListSecretGroups, ListSecretStores, ListSecrets, NewSecretGroup, SecretRef, SecretUpdate,
};

use crate::support::endpoints::{self, SENT};
use crate::support::raw::{Act, RawServer, ok, response};
use crate::support::{assert_nowhere, assert_well_formed, client, tenant_client, variant};

const PAGE: &str = "<!doctype html><html><body>Log in</body></html>";

fn typed(content_type: &str, body: &str) -> Vec<u8> {
    response(200, &format!("content-type: {content_type}\r\n"), body)
}

#[tokio::test]
async fn a_page_in_place_of_json_is_named_by_its_type() {
    for endpoint in endpoints::ALL {
        let server = RawServer::always(typed("Text/HTML; charset=utf-8", PAGE));
        let error = endpoint.call(&tenant_client(server.url())).await.unwrap_err();
        let Error::Decode { content_type, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*content_type, Some("text/html"));
        assert!(error.to_string().contains(": expected JSON, got text/html ["), "{error}");
        assert_well_formed(&error);
    }
}

#[tokio::test]
async fn only_a_known_type_is_shown_and_only_where_there_is_no_json() {
    for (content_type, body, shown) in [
        ("text/plain", "Service is up", Some("text/plain")),
        ("application/xml", "<a/>", Some("application/xml")),
        ("application/json", PAGE, None),
        ("t0p/s3cret", PAGE, None),
        ("text/html-t0p-s3cret", PAGE, None),
        ("text/html t0p-s3cret", PAGE, None),
        ("", PAGE, None),
        ("text/plain", "{\"data\":7}", None),
        ("text/plain", "\u{feff} [7]", None),
    ] {
        let server = RawServer::always(typed(content_type, body));
        let error = client(server.url()).secret_groups().get("g-1").await.unwrap_err();
        let Error::Decode { content_type: told, line, .. } = &error else { panic!("{error:?}") };
        assert_eq!((*told, *line > 0), (shown, true), "{content_type}: {error}");
        assert_eq!(error.to_string().contains("expected JSON"), shown.is_some(), "{error}");
        assert_nowhere(&error, &["t0p", "s3cret"]);
        assert_well_formed(&error);
    }
    // JSON under another content type is JSON.
    let server = RawServer::always(typed("text/plain", r#"{"data":{"id":"g-1","fqn":"t:a"}}"#));
    assert_eq!(client(server.url()).secret_groups().get("g-1").await.unwrap().id(), "g-1");
}

#[tokio::test]
async fn a_success_that_states_a_failure_is_that_failure() {
    for endpoint in endpoints::ALL {
        for (status, expected) in [
            (401, "Unauthorized"),
            (403, "PermissionDenied"),
            (424, "StoreFailed"),
            (500, "Service"),
        ] {
            let body = format!(r#"{{"message":"no luck","code":"E7","statusCode":{status}}}"#);
            let server = RawServer::always(ok(body));
            let error = endpoint.call(&tenant_client(server.url())).await.unwrap_err();
            assert_eq!(variant(&error), expected, "{endpoint:?}: {error}");
            assert_eq!(
                (error.status(), error.context().unwrap().server_code()),
                (Some(status), Some("E7"))
            );
            assert!(error.to_string().contains("no luck"), "{error}");
            assert_well_formed(&error);
            // Retried as often as that failure is.
            let by_status = RawServer::always(crate::support::raw::status(status, "no luck"));
            let same = endpoint.call(&tenant_client(by_status.url())).await.unwrap_err();
            assert_eq!(variant(&same), expected);
            assert_eq!(server.count(), by_status.count(), "{endpoint:?} {status}");
            assert_eq!(error.may_have_been_applied(), same.may_have_been_applied());
            // Under a 200 it does not count as ended, so that the next edit of the group waits for it.
            assert!(error.hint().starts_with(&*same.hint()), "{endpoint:?} {status}");
        }
    }
}

#[tokio::test]
async fn a_success_that_states_none_stays_one() {
    for body in [
        "{}",
        r#"{"statusCode":200,"message":"ok"}"#,
        r#"{"statusCode":"500","message":"text"}"#,
        r#"{"statusCode":500,"data":{}}"#,
        r#"{"inner":{"statusCode":500}}"#,
        r#"{"statusCode":1000}"#,
    ] {
        for endpoint in endpoints::ALL.into_iter().filter(|endpoint| endpoint.is_delete()) {
            let server = RawServer::always(ok(body));
            endpoint.call(&tenant_client(server.url())).await.unwrap();
        }
    }
    let data = r#"{"statusCode":500,"message":"a field of ours","data":{"id":"g-1","fqn":"t:a"}}"#;
    let group = client(RawServer::always(ok(data)).url()).secret_groups().get("g-1").await;
    assert_eq!(group.unwrap().id(), "g-1");
}

#[tokio::test]
async fn what_a_stated_failure_echoes_is_withheld() {
    let body = format!(r#"{{"statusCode":422,"message":"odd value {SENT}"}}"#);
    let server = RawServer::always(ok(body));
    let client = tenant_client(server.url());
    let new = NewSecretGroup::in_integration("app", "i-1").secret("K", SENT);
    let error = client.secret_groups().create(new).await.unwrap_err();
    assert_eq!((variant(&error), server.count()), ("InvalidRequest".into(), 1));
    assert_nowhere(&error, &[SENT]);
}

#[tokio::test]
async fn a_delete_that_is_retried_after_a_stated_failure_may_find_nothing_left() {
    let server = RawServer::in_turn([
        ok(r#"{"statusCode":500,"message":"lost"}"#),
        ok(r#"{"statusCode":404,"message":"Secret not found"}"#),
    ]);
    assert_eq!(client(server.url()).secrets().delete("s-1").await.unwrap(), None);
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_long_refusal_keeps_its_code() {
    let long = "x".repeat(80 * 1024);
    let body = format!(r#"{{"statusCode":409,"code":"E-LONG","message":"{long}"}}"#);
    let server = RawServer::always(response(409, "content-type: application/json\r\n", body));
    let error = client(server.url()).secret_groups().get("g-1").await.unwrap_err();
    assert_eq!(variant(&error), "Conflict");
    assert_eq!(error.context().unwrap().server_code(), Some("E-LONG"));
    assert_well_formed(&error);
}

#[tokio::test]
async fn a_wait_until_the_year_9999_is_a_year() {
    let headers = "retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n";
    let server = RawServer::always(response(429, headers, ""));
    let error = client(server.url()).secret_groups().get("g-1").await.unwrap_err();
    let Error::RateLimited { retry_after, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*retry_after, Some(Duration::from_secs(365 * 24 * 60 * 60)));
    // It is not waited for.
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn an_empty_list_is_empty_and_not_missing() {
    let server = RawServer::always(ok(r#"{"data":[]}"#));
    let client = client(server.url());
    let groups = ListSecretGroups::new().fqn("t:a").search("a");
    assert!(client.secret_groups().list(&groups).await.unwrap().items().is_empty());
    assert!(client.secret_groups().all().await.unwrap().is_empty());
    let secrets = ListSecrets::by_fqns(["t:a:K"]);
    assert!(client.secrets().list(&secrets).await.unwrap().items().is_empty());
    let secrets = ListSecrets::in_group("g-1");
    assert!(client.secrets().list(&secrets).await.unwrap().items().is_empty());
    let stores = ListSecretStores::new().fqn("t:a:s").id("i-1");
    assert!(client.secret_stores().list(&stores).await.unwrap().items().is_empty());
    assert!(client.secret_stores().all().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_list_that_was_not_narrowed_to_one_names_none() {
    let server = RawServer::always(crate::support::raw::status(404, "Cannot GET it"));
    let client = client(server.url());
    let (groups, stores) = (client.secret_groups(), client.secret_stores());
    for error in [
        groups.list(&ListSecretGroups::new()).await.unwrap_err(),
        groups.list(&ListSecretGroups::new().search("prod")).await.unwrap_err(),
        client.secrets().list(&ListSecrets::new()).await.unwrap_err(),
        stores.list(&ListSecretStores::new()).await.unwrap_err(),
        stores.all().await.unwrap_err(),
        client.check().await.unwrap_err(),
    ] {
        let text = error.to_string();
        assert_eq!(variant(&error), "UnexpectedStatus", "{text}");
        assert!(!text.contains("not found"), "{text}");
    }
}

#[tokio::test]
async fn a_key_to_keep_that_the_group_does_not_have_is_what_the_hint_speaks_of() {
    let words = "Ensure all secrets have both 'key' and 'value' fields.";
    let server = RawServer::always(crate::support::raw::status(422, words));
    let client = tenant_client(server.url());
    let list = [SecretUpdate::keep("GONE")];
    let error = client.secret_groups().replace_secrets("g-1", &list).await.unwrap_err();
    assert!(error.hint().contains("a key that the group already has"), "{}", error.hint());
    let new = NewSecretGroup::in_integration("app", "i-1").secret("K", SENT);
    let error = client.secret_groups().create(new).await.unwrap_err();
    assert!(error.hint().contains("when creating a group"), "{}", error.hint());
}

#[tokio::test]
async fn an_odd_count_fails_no_resolve() {
    for total in ["-1", "\"2\"", "{}", "null", "1e999"] {
        let data = r#"[{"id":"s-1","fqn":"t:app:A","name":"A","value":"one","activeDeploymentsCount":"many",
            "secretVersions":3,"createdBySubject":{"subjectType":null}}]"#;
        let body = format!("\u{feff}{{\"data\":{data},\"pagination\":{{\"total\":{total}}}}}");
        let server = RawServer::start(move |_, _| Act::Send(ok(body.clone())));
        let references: Vec<SecretRef> = vec!["tfy-secret://t:app:A".parse().unwrap()];
        let resolved = client(server.url()).resolve_all(&references).await.unwrap();
        assert_eq!(resolved.get(&references[0]).unwrap().expose_secret(), "one", "{total}");
        assert_eq!(server.count(), 1, "{total}");
    }
}

#[tokio::test]
async fn a_manifest_that_says_too_little_is_not_sent_back() {
    for (manifest, is_read) in [
        ("{}", false),
        ("\"x\"", false),
        (r#"{"integration_fqn":"t:s"}"#, false),
        (r#"{"name":"a"}"#, true),
    ] {
        let body = format!(r#"{{"data":{{"id":"g-1","fqn":"t:a","manifest":{manifest}}}}}"#);
        let server = RawServer::always(ok(body));
        let client = client(server.url());
        let group = client.secret_groups().get("g-1").await.unwrap();
        assert_eq!(group.manifest().is_some(), is_read, "{manifest}");
        if let Some(manifest) = group.manifest() {
            let error = client.secret_groups().create_or_update(manifest).await.unwrap_err();
            assert_eq!((variant(&error), server.count()), ("InvalidInput".into(), 1));
        }
    }
}
