use truefoundry_secrets::{
    Client, Error, ListSecretGroups, NewSecretGroup, RetryPolicy, SecretUpdate,
};

use crate::support::endpoints::SENT;
use crate::support::raw::{Act, RawServer, response};
use crate::support::{KEY, assert_nowhere, assert_well_formed, builder, tenant_client, variant};

/// Shapes in which a service or a proxy can echo a text.
const SHAPES: [&str; 14] = [
    r#"{"message":"Key name 'TEXT' does not support underscores (_)"}"#,
    r#"{"message":"Secret TEXT is currently in a deleted but recoverable state"}"#,
    r#"{"message":"bad: TEXT"}"#,
    r#"{"message":["TEXT is bad","other"]}"#,
    r#"{"message":"x","details":{"value":"TEXT"}}"#,
    r#"{"message":"x","code":"TEXT"}"#,
    r#"{"error":{"message":"TEXT","code":"TEXT"}}"#,
    r#"{"detail":[{"loc":["body","TEXT"],"msg":"TEXT"}]}"#,
    r#"{"errors":{"value":["TEXT"]}}"#,
    r#"{"unknown":{"shape":"TEXT"}}"#,
    r#"["TEXT"]"#,
    "<html><title>TEXT</title><body>TEXT</body></html>",
    "plain TEXT",
    r#"{"message":"cut TEXT"#,
];

async fn failing(client: &Client, endpoint: usize, value: &str) -> Error {
    let groups = client.secret_groups();
    let result = match endpoint {
        0 => groups.create(NewSecretGroup::in_integration("app", "i-1").secret("K", value)).await,
        1 => {
            let list = [SecretUpdate::keep("A"), SecretUpdate::set("K", value)];
            groups.replace_secrets("g-1", &list).await
        }
        _ => groups.get("g-1").await,
    };
    result.unwrap_err()
}

#[tokio::test]
async fn an_echoed_key_or_value_is_withheld_wherever_it_stands() {
    for (endpoint, secret) in [(0, SENT), (1, SENT), (0, KEY), (1, KEY), (2, KEY)] {
        for shape in SHAPES {
            for status in [400, 401, 403, 404, 409, 422, 424, 429, 500] {
                let body = shape.replace("TEXT", secret);
                let server = RawServer::always(response(status, "", body));
                let client = builder(server.url()).retry(RetryPolicy::none()).build().unwrap();
                let error = failing(&client, endpoint, SENT).await;
                assert_nowhere(&error, &[SENT, KEY]);
                assert_well_formed(&error);
                let shown = format!("{error:#?}");
                // A code that echoes is left out, and details are not in `Debug`.
                let said = [r#""message":"x""#, "unknown"].iter().any(|it| shape.contains(it));
                let withheld = "(message withheld)";
                assert!(said || shown.contains(withheld), "{shape}: {shown}");
                let details = error.context().unwrap().server_details();
                let in_details = details.is_none_or(|it| it == withheld || it.len() < 2);
                assert!(in_details, "{shape}: {details:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_echo_in_another_writing_is_withheld_too() {
    let value = "p\u{e4}ss \"w\\rd\"\n/line+2=&";
    let json = serde_json::to_string(value).unwrap();
    let json = json.trim_matches('"');
    let units: Vec<_> = value.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let percent = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC)
        .to_string();
    let html = value.replace('&', "&amp;").replace('"', "&quot;");
    for echoed in [
        json.to_owned(),
        units.concat(),
        percent.clone(),
        percent.to_lowercase(),
        serde_json::to_string(json).unwrap().trim_matches('"').to_owned(),
        json.to_uppercase().replace("\\N", "\\n"),
    ] {
        let body = format!(r#"{{"message":"the value {echoed} is bad"}}"#);
        let server = RawServer::always(response(422, "", body));
        let error = failing(&tenant_client(server.url()), 1, value).await;
        let shown = format!("{error} {error:?}").to_lowercase();
        for piece in ["w\\rd", "wrd", "line", "rd%22"] {
            assert!(!shown.contains(piece), "{echoed}: {shown}");
        }
    }
    let page = format!("<html><h1>Bad request</h1><p>{html}</p></html>");
    let server = RawServer::always(response(400, "content-type: text/html\r\n", page));
    let error = failing(&tenant_client(server.url()), 1, value).await;
    assert!(!format!("{error} {error:?}").contains("line"), "{error:?}");
}

#[tokio::test]
async fn a_part_of_a_value_withholds_the_whole_message() {
    let body = format!(r#"{{"message":"value begins with {}..."}}"#, &SENT[..20]);
    let server = RawServer::always(response(422, "", body));
    let error = failing(&tenant_client(server.url()), 0, SENT).await;
    assert!(error.to_string().contains("(message withheld)"), "{error}");
    assert_nowhere(&error, &[&SENT[..8]]);

    let server = RawServer::always(response(422, "", r#"{"message":"hunter is too short"}"#));
    let error = failing(&tenant_client(server.url()), 0, "hunter").await;
    assert!(error.to_string().contains("(message withheld)"), "{error}");
    assert_nowhere(&error, &["hunter"]);
}

#[tokio::test]
async fn what_is_no_secret_stays_readable() {
    let body = r#"{"message":"key K of app is bad","code":"E_BAD","details":{"key":"K"}}"#;
    let server = RawServer::always(response(422, "x-request-id: r-1\r\n", body));
    let error = failing(&tenant_client(server.url()), 0, SENT).await;
    let context = error.context().unwrap();
    assert_eq!(context.server_message(), Some("key K of app is bad"));
    assert_eq!(
        (context.server_code(), context.server_details()),
        (Some("E_BAD"), Some(r#"{"key":"K"}"#))
    );
    assert_eq!(error.request_id(), Some("r-1"));
}

#[tokio::test]
async fn an_echo_in_the_request_id_is_left_out() {
    for secret in [SENT, KEY] {
        let headers = format!("x-request-id: id-{secret}\r\n");
        for response in [response(500, &headers, ""), response(200, &headers, "no json")] {
            let server = RawServer::always(response);
            let error = failing(&tenant_client(server.url()), 0, SENT).await;
            assert_eq!(error.request_id(), None);
            assert_nowhere(&error, &[SENT, KEY]);
        }
    }
}

#[tokio::test]
async fn an_echoed_gateway_token_is_withheld() {
    const TOKEN: &str = "gateway-token-5f2b8c1d";
    let body = format!(r#"{{"message":"token {TOKEN} has expired"}}"#);
    let server = RawServer::always(response(403, "", body));
    let client = builder(server.url()).header("x-gateway", TOKEN).build().unwrap();
    let error = failing(&client, 2, "").await;
    assert_nowhere(&error, &[TOKEN]);
    assert!(error.to_string().contains("(message withheld)"), "{error}");
}

#[tokio::test]
async fn control_characters_of_a_server_steer_nothing() {
    let message = r"a\nforged: line\u001b[2J\u202e\u0000\u0085";
    let body = format!(r#"{{"message":["{message}"],"code":"c\n"}}"#);
    for status in [400, 403, 409, 500] {
        let server = RawServer::always(response(status, "x-request-id: a\tb\r\n", body.clone()));
        let client = builder(server.url()).retry(RetryPolicy::none()).build().unwrap();
        let error = failing(&client, 0, SENT).await;
        assert_well_formed(&error);
        assert!(!error.to_string().contains('\u{202e}'), "{error:?}");
        assert!(error.to_string().contains(r"a\nforged"), "{error}");
    }
}

#[tokio::test]
async fn a_search_text_stands_in_no_error() {
    const TEXT: &str = "looked-for-text";
    let place = "location: https://elsewhere.example/?search=looked-for-text\r\n";
    let faults: [(&str, Act); 6] = [
        ("Service", Act::Send(response(500, "", ""))),
        ("Decode", Act::Send(response(200, "", "<html>"))),
        ("UnexpectedStatus", Act::Send(response(404, "", ""))),
        ("UnexpectedRedirect", Act::Send(response(302, place, ""))),
        ("Transport", Act::SendThenReset(Vec::new())),
        ("Transport", Act::SendThenClose(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n".to_vec())),
    ];
    let params = ListSecretGroups::new().search(TEXT);
    for (expected, act) in faults {
        let act = std::sync::Mutex::new(Some(act));
        let server = RawServer::start(move |_, _| act.lock().unwrap().take().unwrap());
        let client = builder(server.url()).retry(RetryPolicy::none()).build().unwrap();
        let error = client.secret_groups().list(&params).await.unwrap_err();
        assert_eq!(variant(&error), expected);
        assert!(server.only().query().unwrap().contains(TEXT));
        assert_nowhere(&error, &[TEXT]);
    }
    let client = tenant_client("http://127.0.0.1:1");
    let error = client.secret_groups().list(&params).await.unwrap_err();
    assert_eq!(variant(&error), "Connect");
    assert_nowhere(&error, &[TEXT]);
}
