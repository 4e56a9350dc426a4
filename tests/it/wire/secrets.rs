use truefoundry_secrets::{DeleteOptions, ListSecrets, SecretVersion};

use super::sent;
use crate::support::endpoints::GROUP;
use crate::support::raw::{RawServer, ok, response};
use crate::support::{tenant_client, variant};

const ROOT: &str = "/api/svc/v1/secrets";

#[tokio::test]
async fn list_sends_limit_offset_and_with_value_always() {
    for (params, body) in [
        (ListSecrets::new(), r#"{"limit":100,"offset":0,"withValue":false}"#),
        (
            ListSecrets::in_group("g-1").with_values().limit(5).offset(10),
            r#"{"limit":5,"offset":10,"secretGroupId":"g-1","withValue":true}"#,
        ),
        (
            ListSecrets::by_fqns(["t:g:A", "t:g:\"B\""]),
            r#"{"limit":100,"offset":0,"secretFqns":["t:g:A","t:g:\"B\""],"withValue":false}"#,
        ),
    ] {
        let (line, sent) = sent(r#"{"data":[{"id":"s-1"}]}"#, async |client| {
            let page = client.secrets().list(&params).await.unwrap();
            assert_eq!(page.items()[0].id(), "s-1");
        })
        .await;
        assert_eq!((&*line, &*sent), (&*format!("POST {ROOT}"), body));
    }
}

#[tokio::test]
async fn get_brings_the_value() {
    let (line, body) = sent(r#"{"data":{"id":"s-1","value":"v\n\"é"}}"#, async |client| {
        let secret = client.secrets().get("s-1").await.unwrap();
        assert_eq!(secret.into_value().unwrap().expose_secret(), "v\n\"é");
    })
    .await;
    assert_eq!((line, body), (format!("GET {ROOT}/s-1"), String::new()));
}

#[tokio::test]
async fn a_hidden_value_is_an_error_only_where_it_is_taken() {
    for body in [r#"{"data":{"id":"s-1"}}"#, r#"{"data":{"id":"s-1","value":null}}"#] {
        let server = RawServer::always(ok(body));
        let secret = tenant_client(server.url()).secrets().get("s-1").await.unwrap();
        assert!(secret.value().is_none());
        let error = secret.into_value().unwrap_err();
        assert_eq!(crate::support::variant(&error), "ValueHidden");
        crate::support::assert_well_formed(&error);
    }
}

#[tokio::test]
async fn versions_are_below_the_secret() {
    let body = r#"{"data":[{"id":"v-1","version":1},{"id":"v-2","version":2.0,"value":"x"}]}"#;
    let (line, sent) = sent(body, async |client| {
        let versions = client.secrets().versions("s-1").await.unwrap();
        let numbers: Vec<_> = versions.iter().map(SecretVersion::version).collect();
        assert_eq!(numbers, [Some(1), Some(2)]);
        assert_eq!(versions[1].value().unwrap().expose_secret(), "x");
    })
    .await;
    assert_eq!((line, sent), (format!("GET {ROOT}/s-1/versions"), String::new()));
}

#[tokio::test]
async fn delete_tells_how_many_where_the_server_does() {
    for (body, count) in [
        ("1", Some(1)),
        (" 12\n", Some(12)),
        ("3.0", Some(3)),
        ("{}", None),
        ("null", None),
        ("\"gone\"", None),
        ("", None),
        (" ", None),
    ] {
        let (line, sent) = sent(body, async |client| {
            assert_eq!(client.secrets().delete("s-1").await.unwrap(), count, "{body}");
        })
        .await;
        assert_eq!((line, sent), (format!("DELETE {ROOT}/s-1"), String::new()));
    }
}

#[tokio::test]
async fn an_empty_list_of_names_is_not_sent_because_it_can_be_taken_for_all() {
    let server = RawServer::always(ok(r#"{"data":[]}"#));
    let params = ListSecrets::by_fqns(Vec::<String>::new()).with_values();
    let client = tenant_client(server.url());
    let listed = client.secrets().list(&params).await.map(drop);
    let streamed = client.secrets().stream(params).next().await.unwrap().map(drop);
    for error in [listed.unwrap_err(), streamed.unwrap_err()] {
        assert_eq!(variant(&error), "InvalidInput", "{error}");
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_204_is_a_success_of_a_delete() {
    let server = RawServer::always(response(204, "", ""));
    let client = tenant_client(server.url());
    assert_eq!(client.secrets().delete("s-1").await.unwrap(), None);
    client.secret_groups().delete("g-1").await.unwrap();
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn delete_is_forced_only_when_asked() {
    for (options, query) in
        [(DeleteOptions::new(), ""), (DeleteOptions::new().force(), "?forceDelete=true")]
    {
        let (line, _) = sent("1", async |client| {
            client.secrets().delete_with("s-1", &options).await.unwrap();
        })
        .await;
        assert_eq!(line, format!("DELETE {ROOT}/s-1{query}"));
    }
}

#[tokio::test]
async fn ids_of_one_response_fit_the_next_request() {
    let group =
        r#"{"data":{"id":"g/1","fqn":"t:g","associatedSecrets":[{"id":"s?2","name":"K"}]}}"#;
    let server = RawServer::in_turn([ok(group), ok(r#"{"data":{"id":"s?2"}}"#), ok(GROUP)]);
    let client = tenant_client(server.url());
    let group = client.secret_groups().get("g/1").await.unwrap();
    client.secrets().get(group.secrets().unwrap()[0].id()).await.unwrap();
    client.secret_groups().get(group.id()).await.unwrap();
    let paths: Vec<_> = server.requests().iter().map(|seen| seen.target().to_owned()).collect();
    let groups = "/api/svc/v1/secret-groups/g%2F1";
    assert_eq!(paths, [groups, "/api/svc/v1/secrets/s%3F2", groups]);
}
