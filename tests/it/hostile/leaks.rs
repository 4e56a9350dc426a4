//! Ways in which a value, or a terminal control character, once got into an error.

use truefoundry_secrets::{Error, NewSecretGroup, RecoveryOption, RetryPolicy, SecretUpdate};

use crate::support::raw::{Act, RawServer, Seen, ok, response, status};
use crate::support::{assert_nowhere, assert_well_formed, builder, tenant_client};

const VALUE: &str = "t0p-secret-value-of-an-edit";
const WITHHELD: &str = "(message withheld)";
/// Without the list of its keys, so that they must be read.
const GROUP: &str = r#"{"data":{"id":"g-1","fqn":"my-tenant:app","name":"app"}}"#;
const KEYS: &str = r#"{"data":[{"id":"s-1","name":"A"}],"pagination":{"total":1,"limit":100}}"#;

/// Which requests a case is about.
type IsIt = fn(&Seen) -> bool;
/// A case, with the first of its requests that gets this response.
type Case = (&'static str, usize, IsIt, fn() -> Act);

fn echo() -> Act {
    Act::Send(status(403, &format!("who sent {VALUE}?")))
}

/// Responds as a group with the key `A` would, and with an echo from the n-th request that `is_it` on.
fn echoing(nth: usize, is_it: IsIt, then: fn() -> Act) -> RawServer {
    let seen = std::sync::Mutex::new(0);
    RawServer::start(move |_, request| {
        if is_it(request) {
            let mut seen = seen.lock().unwrap();
            *seen += 1;
            if *seen >= nth {
                return then();
            }
        }
        match request.method() {
            "POST" => Act::Send(ok(KEYS)),
            _ => Act::Send(ok(GROUP)),
        }
    })
}

fn is_read_of_group(request: &Seen) -> bool {
    request.method() == "GET"
}

fn is_list(request: &Seen) -> bool {
    request.method() == "POST"
}

fn is_write(request: &Seen) -> bool {
    request.method() == "PUT"
}

#[tokio::test]
async fn no_request_of_an_edit_shows_its_values() {
    let refuse = || Act::Send(status(400, "no"));
    let cases: [Case; 6] = [
        ("first read", 1, is_read_of_group, echo),
        ("first list of keys", 1, is_list, echo),
        ("write", 1, is_write, echo),
        ("confirming read", 2, is_read_of_group, echo),
        ("confirming list of keys", 2, is_list, echo),
        ("refused write", 1, is_write, refuse),
    ];
    for (what, nth, is_it, then) in cases {
        let server = echoing(nth, is_it, then);
        let client = builder(server.url()).retry(RetryPolicy::none()).build().unwrap();
        let edit = client.secret_groups().edit("g-1").set("B", VALUE).skip_store_rules();
        let error = edit.apply().await.unwrap_err();
        assert_nowhere(&error, &[VALUE, "t0p-secret"]);
        assert_well_formed(&error);
        let shown = error.to_string();
        assert!(
            shown.contains(if what == "refused write" { "no" } else { WITHHELD }),
            "{what}: {shown}"
        );
    }
}

#[tokio::test]
async fn no_request_of_a_plan_or_of_ensure_shows_their_values() {
    let server = RawServer::start(|_, _| echo());
    let client = builder(server.url()).tenant("t").retry(RetryPolicy::none()).build().unwrap();
    let groups = client.secret_groups();
    let plan = groups.edit("g-1").set("B", VALUE).plan().await.unwrap_err();
    let by_name = groups.edit_by_name("app").set("B", VALUE).plan().await.unwrap_err();
    let new = NewSecretGroup::in_integration("app", "i-1").secret("B", VALUE);
    let ensured = groups.ensure(new).await.unwrap_err();
    for error in [plan, by_name, ensured] {
        assert_nowhere(&error, &[VALUE, "t0p-secret"]);
        assert!(error.to_string().contains(WITHHELD), "{error}");
    }

    let server = echoing(2, is_read_of_group, echo);
    let client = builder(server.url()).retry(RetryPolicy::none()).build().unwrap();
    let edit = client.secret_groups().edit("g-1").set("B", VALUE).skip_store_rules();
    let error = edit.plan().await.unwrap().apply().await.unwrap_err();
    assert_nowhere(&error, &[VALUE, "t0p-secret"]);
    assert!(error.to_string().contains(WITHHELD), "{error}");
}

async fn refused(value: &str, echoed: &str) -> Error {
    let body = serde_json::json!({"message": format!("the value {echoed} is bad")}).to_string();
    let server = RawServer::always(response(422, "", body));
    let update = [SecretUpdate::keep("A"), SecretUpdate::set("K", value)];
    tenant_client(server.url()).secret_groups().replace_secrets("g-1", &update).await.unwrap_err()
}

#[tokio::test]
async fn debug_shows_no_details() {
    let body = r#"{"message":"no","details":{"a":"what-the-server-added"}}"#;
    let server = RawServer::always(response(422, "", body));
    let error = tenant_client(server.url()).secret_groups().get("g-1").await.unwrap_err();
    let context = error.context().unwrap();
    assert_eq!(context.server_details(), Some(r#"{"a":"what-the-server-added"}"#));
    for shown in [format!("{error:#?}"), format!("{context:?}"), format!("{context:#?}")] {
        assert!(!shown.contains("what-the-server-added"), "{shown}");
        assert!(shown.contains("message: Some(") && shown.contains("\"no\""), "{shown}");
    }
    assert!(!format!("{error:?}").contains("what-the-server-added"));
}

#[tokio::test]
async fn short_values_are_known_behind_backslashes() {
    for (value, echoed) in [
        ("p.w$1", r"p\.w\$1"),
        ("a-b!", r"a\-b\!"),
        ("(x)&1", r"\(x\)\&1"),
        (r"p\.w", r"p\.w"),
        (r"p\.w", r"p\\.w"),
        ("q7Zx", "q7Zx"),
        ("q7Zx", "q7%5Ax"),
        ("q7 Zx", "q7+Zx"),
        ("====", "===="),
    ] {
        let error = refused(value, echoed).await;
        assert!(error.to_string().contains(WITHHELD), "{value} as {echoed}: {error}");
        assert_nowhere(&error, &[echoed]);
    }
}

#[tokio::test]
async fn invisible_characters_do_not_hide_an_echo() {
    for between in [
        "\u{200b}",
        "\u{ad}",
        "\u{a0}",
        "\u{2060}",
        "\u{feff}",
        "\u{202f}",
        "&shy;",
        "&nbsp;",
        "\u{200d}\u{ad}",
    ] {
        let letters: Vec<String> = VALUE.chars().map(String::from).collect();
        let echoed = letters.join(between);
        let error = refused(VALUE, &echoed).await;
        assert!(error.to_string().contains(WITHHELD), "{between:?}: {error}");
        let echoed = format!("q7{between}Zx");
        if !["\u{a0}", "\u{202f}", "&nbsp;"].contains(&between) {
            let error = refused("q7Zx", &echoed).await;
            assert!(error.to_string().contains(WITHHELD), "{between:?}: {error}");
        }
    }
    let error = refused("q7 Zx", "q7\u{a0}Zx").await;
    assert!(error.to_string().contains(WITHHELD), "{error}");
}

#[tokio::test]
async fn an_identifier_that_the_server_gave_steers_no_terminal() {
    let odd = r"g1\u001b[31m\u0007\u202e\u200b\u00ad";
    let group =
        format!(r#"{{"id":"{odd}","fqn":"my-tenant:app","name":"app","associatedSecrets":[]}}"#);
    let server = RawServer::start(move |_, request| {
        Act::Send(match request.method() {
            "POST" => ok(r#"{"data":[],"pagination":{"total":0}}"#),
            _ => ok(format!(r#"{{"data":[{group}],"pagination":{{"total":1}}}}"#)),
        })
    });
    let client = tenant_client(server.url());
    let edit = client.secret_groups().edit_by_name("app").remove("K");
    let error = edit.plan().await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    let shown = format!("{error} {error:?} {error:#?} {}", error.hint());
    let path = error.context().unwrap().path();
    for character in ['\u{1b}', '\u{7}', '\u{202e}', '\u{200b}', '\u{ad}'] {
        assert!(!shown.contains(character), "{shown:?}");
        assert!(!path.contains(character), "{path:?}");
    }
}

#[tokio::test]
async fn a_value_that_holds_a_keys_name_hides_neither_the_key_nor_the_way_out() {
    const LONG: &str = "dev-db-password-2024";
    let message = "Secret 'DB-PASSWORD' is already in a deleted state";
    let server = RawServer::always(status(409, message));
    let client = tenant_client(server.url());
    let new = NewSecretGroup::in_integration("dev", "i-1").secret("DB-PASSWORD", LONG);
    let error = client.secret_groups().create(new).await.unwrap_err();
    let Error::SoftDeleted { details, .. } = &error else { panic!("{error:?}") };
    assert_eq!(details.name(), Some("DB-PASSWORD"));
    let purges = |option: &RecoveryOption| matches!(option, RecoveryOption::PurgeWithCli { command, .. } if command.contains("DB-PASSWORD"));
    assert!(details.recovery_options().iter().any(purges), "{details:?}");
    assert!(error.to_string().contains(message), "{error}");

    let server =
        RawServer::always(status(422, "Key 'DB_PASSWORD' does not support underscores (_)"));
    let update = [SecretUpdate::set("DB_PASSWORD", "dev-db_password-2024")];
    let update = tenant_client(server.url()).secret_groups().replace_secrets("g-1", &update).await;
    let error = update.unwrap_err();
    let Error::KeyNotSupported { key, .. } = &error else { panic!("{error:?}") };
    assert_eq!(&**key, "DB_PASSWORD");
    assert!(error.to_string().contains("does not support underscores"), "{error}");
}
