//! No identifier, name or text changes which endpoint is called or what else is requested.

use percent_encoding::percent_decode_str;
use truefoundry_secrets::{
    Client, DeleteOptions, Error, ListSecretGroups, ListSecretStores, ListSecrets, SecretUpdate,
};

use crate::support::endpoints::GROUP;
use crate::support::raw::{RawServer, Seen, ok};
use crate::support::{assert_well_formed, tenant_client, variant};

/// Identifiers that are refused, because a proxy or the `url` crate would read them as another
/// path.
const REFUSED: [&str; 18] = [
    "",
    ".",
    "..",
    "%2e",
    "%2E%2e",
    ".%2e",
    "../users",
    "a/../b",
    "a/.",
    "..\\users",
    "a%2F..%5cb",
    "\t",
    "a\nb",
    "a\r\nhost: evil",
    "\0",
    "\u{7f}",
    "\u{85}",
    "a\u{1b}[2J",
];

/// Unusual identifiers that are one segment: the text and its form in the path.
const SENT: [(&str, &str); 22] = [
    ("g-1", "g-1"),
    ("a/b", "a%2Fb"),
    ("/", "%2F"),
    ("//evil.example/x", "%2F%2Fevil.example%2Fx"),
    ("a\\b", "a%5Cb"),
    ("a?forceDelete=true", "a%3FforceDelete%3Dtrue"),
    ("a#b", "a%23b"),
    ("100%", "100%25"),
    ("%2f", "%252f"),
    ("%252e%252e", "%25252e%25252e"),
    ("a b", "a%20b"),
    (" a ", "%20a%20"),
    ("a+b", "a%2Bb"),
    ("a;b,c=d&e", "a%3Bb%2Cc%3Dd%26e"),
    ("a:b@c", "a:b@c"),
    ("{x}|`^\"<>[]", "%7Bx%7D%7C%60%5E%22%3C%3E%5B%5D"),
    ("...", "..."),
    ("a..b", "a..b"),
    ("é", "%C3%A9"),
    ("\u{1f600}", "%F0%9F%98%80"),
    ("\u{202e}x", "%E2%80%AEx"),
    ("\u{ff0e}\u{ff0e}\u{2044}", "%EF%BC%8E%EF%BC%8E%E2%81%84"),
];

/// Every endpoint with an identifier in its path, with the text before and after it.
const SHAPES: [(&str, &str, &str); 7] = [
    ("GET", "secret-groups", ""),
    ("PUT", "secret-groups", ""),
    ("DELETE", "secret-groups", ""),
    ("GET", "secrets", ""),
    ("GET", "secrets", "/versions"),
    ("DELETE", "secrets", ""),
    ("DELETE", "secrets", "?forceDelete=true"),
];

async fn call(client: &Client, shape: usize, id: &str) -> Result<(), Error> {
    let (groups, secrets) = (client.secret_groups(), client.secrets());
    match shape {
        0 => groups.get(id).await.map(drop),
        1 => groups.replace_secrets(id, &[SecretUpdate::keep("K")]).await.map(drop),
        2 => groups.delete(id).await,
        3 => secrets.get(id).await.map(drop),
        4 => secrets.versions(id).await.map(drop),
        5 => secrets.delete(id).await.map(drop),
        _ => secrets.delete_with(id, &DeleteOptions::new().force()).await.map(drop),
    }
}

#[tokio::test]
async fn an_identifier_is_one_segment_as_it_was_given() {
    let server = RawServer::always(ok("{}"));
    for prefix in ["", "/behind/a%2Fproxy"] {
        let client = tenant_client(format!("{}{prefix}", server.url()));
        for (shape, (method, collection, after)) in SHAPES.into_iter().enumerate() {
            for (id, segment) in SENT {
                // The response fits only deletes; only the request matters here.
                let _ = call(&client, shape, id).await;
                let seen = server.requests().pop().unwrap();
                let target = format!("{prefix}/api/svc/v1/{collection}/{segment}{after}");
                assert_eq!((seen.method(), seen.target()), (method, &*target), "{id:?}");
                let back = percent_decode_str(segment).decode_utf8().unwrap();
                assert_eq!(back, id);
            }
        }
    }
    assert_eq!(server.count(), 2 * SHAPES.len() * SENT.len());
}

#[tokio::test]
async fn what_could_be_another_path_is_refused_and_nothing_is_sent() {
    let server = RawServer::always(ok("{}"));
    let client = tenant_client(server.url());
    for shape in 0..SHAPES.len() {
        for id in REFUSED {
            let error = call(&client, shape, id).await.unwrap_err();
            assert_eq!(variant(&error), "InvalidInput", "{id:?}");
            assert_well_formed(&error);
        }
    }
    assert_eq!((server.count(), server.connections()), (0, 0));
}

/// Names and values of a query, decoded; it must have exactly the intended names.
fn pairs(seen: &Seen) -> Vec<(String, String)> {
    let query = seen.query().expect("a query");
    assert!(query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'), "{query}");
    let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let split = query.split('&').map(|pair| pair.split_once('=').expect("name=value"));
    split.map(|(name, value)| (name.to_owned(), decode(value))).collect()
}

fn expected(given: &[(&str, &str)]) -> Vec<(String, String)> {
    given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn names_and_texts_stay_inside_their_parameter() {
    let texts = SENT.into_iter().map(|(text, _)| text).chain(REFUSED);
    let more = ["x&limit=1&offset=5", "a=b", "a HTTP/1.1\r\nX-Evil: 1\r\n\r\n", "+", "%26"];
    for text in texts.chain(more).filter(|text| !text.is_empty()) {
        let server = RawServer::always(ok(r#"{"data":[]}"#));
        let client = tenant_client(server.url());
        let params = ListSecretGroups::new().fqn(text).search(text);
        client.secret_groups().list(&params).await.unwrap();
        let stores = ListSecretStores::new().fqn(text).id(text);
        client.secret_stores().list(&stores).await.unwrap();
        let by_name = client.secret_groups().get_by_name(text).await.unwrap_err();
        assert_well_formed(&by_name);

        let seen = server.requests();
        let is_name = !text.contains(|c: char| c == ':' || c.is_control());
        assert_eq!(
            (by_name.is_not_found(), seen.len()),
            (is_name, 2 + usize::from(is_name)),
            "{text:?}"
        );
        let page = [("limit", "100"), ("offset", "0")];
        let list = expected(&[page[0], page[1], ("fqn", text), ("search", text)]);
        assert_eq!(pairs(&seen[0]), list);
        let kind = ("type", "secret-store");
        let stores = expected(&[page[0], page[1], kind, ("fqn", text), ("id", text)]);
        assert_eq!(pairs(&seen[1]), stores);
        let fqn = format!("my-tenant:{text}");
        if let Some(seen) = seen.get(2) {
            assert_eq!(pairs(seen), expected(&[page[0], page[1], ("fqn", &fqn)]));
        }
        for request in &seen {
            assert!(request.path().starts_with("/api/svc/v1/"), "{}", request.path());
            assert_eq!(request.headers().len(), 4, "{:?}", request.headers());
        }
    }
}

#[tokio::test]
async fn names_in_bodies_stay_inside_their_strings() {
    for (text, _) in SENT {
        let server = RawServer::always(ok(r#"{"data":[]}"#));
        let client = tenant_client(server.url());
        client.secrets().list(&ListSecrets::in_group(text)).await.unwrap();
        client.secrets().list(&ListSecrets::by_fqns([text, text])).await.unwrap();
        let seen = server.requests();
        let body: serde_json::Value = serde_json::from_slice(&seen[0].body).unwrap();
        assert_eq!(body["secretGroupId"], text);
        let body: serde_json::Value = serde_json::from_slice(&seen[1].body).unwrap();
        assert_eq!(body["secretFqns"], serde_json::json!([text, text]));
        assert!(seen.iter().all(|seen| seen.target() == "/api/svc/v1/secrets"));
    }
}

#[tokio::test]
async fn an_identifier_from_a_hostile_response_is_no_other_endpoint_either() {
    let group = GROUP.replace("g-1", "../users/u-1?x=");
    let server = RawServer::always(ok(group));
    let client = tenant_client(server.url());
    let group = client.secret_groups().get("g-1").await.unwrap();
    let error = client.secret_groups().delete(group.id()).await.unwrap_err();
    assert_eq!((variant(&error), server.count()), ("InvalidInput".into(), 1));
}
