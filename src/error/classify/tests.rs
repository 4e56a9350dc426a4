#![allow(clippy::unwrap_used)]

mod cases;

use proptest::prelude::*;
use serde_json::json;

use super::{Class, by_status, classify};
use crate::error::answer::tests::body;
use crate::error::{SoftDeleteState, parse};
use crate::models::SecretStoreKind;
use crate::redact::Scrubber;
use cases::{cases, held};

use SecretStoreKind::{AwsSecretsManager, AzureVault};
use SoftDeleteState::{BeingDeleted, Deleted};

fn classify_message(status: u16, message: &str) -> Class {
    let body = json!({"statusCode": status, "message": message}).to_string();
    classify(&parse(status, Some("application/json"), body.as_bytes()))
}

/// The class without the names that were read out of the text, so that it can be compared with a
/// row's.
fn without_names(mut class: Class) -> Class {
    if let Class::SoftDeleted { name: said, .. } | Class::KeyNotSupported { key: said, .. } =
        &mut class
    {
        *said = None;
    }
    class
}

/// The same words in every shape that the service, its libraries and the proxies in front of it
/// answer with.
fn shapes(status: u16, words: &str) -> Vec<(Option<&'static str>, String)> {
    let escaped = words.replace('&', "&amp;").replace('"', "&quot;");
    let json = Some("application/json");
    let html = format!(
        "<html><head><title>{status} Error</title></head><body><h1>{escaped}</h1><hr></body></html>"
    );
    let mut cut = json!({"statusCode": status, "message": words, "details": {}}).to_string();
    cut.truncate(cut.len() - 3);
    vec![
        (json, json!({"statusCode": status, "message": words}).to_string()),
        (json, json!({"statusCode": status, "message": [words]}).to_string()),
        (json, json!({"message": ["name must be shorter", words], "error": "Error"}).to_string()),
        (json, json!({"statusCode": status, "message": words, "code": status}).to_string()),
        (json, json!({"statusCode": status, "message": words, "code": "E_SOME"}).to_string()),
        (json, json!({"message": "Request failed", "code": words}).to_string()),
        (json, json!({"message": "Request failed", "details": {"reason": words}}).to_string()),
        (json, json!({"error": words}).to_string()),
        (json, json!({"error": {"code": "Conflict", "message": words}}).to_string()),
        (json, json!({"detail": words}).to_string()),
        (json, json!({"detail": [{"loc": ["body"], "msg": words}]}).to_string()),
        (json, json!({"errors": [{"message": words}]}).to_string()),
        (json, json!(words).to_string()),
        (json, cut),
        (Some("text/html; charset=utf-8"), html.clone()),
        (None, html),
        (Some("text/plain"), words.to_owned()),
        (None, format!("  {}\r\n", words.replace(' ', "\n "))),
    ]
}

#[test]
fn every_row_is_recognised_in_every_shape() {
    for case in cases() {
        for words in case.words.iter().chain(case.variants) {
            for &status in case.statuses {
                for (kind, body) in shapes(status, words) {
                    let class = without_names(classify(&parse(status, kind, body.as_bytes())));
                    assert_eq!(class, case.class, "{status} {body}");
                }
            }
        }
    }
}

#[test]
fn casing_and_punctuation_do_not_matter() {
    for case in cases() {
        for words in case.words {
            let loud = words.to_uppercase().replace(". ", "!  ");
            let odd = format!("Error: «{}»", words.replace(' ', "\u{a0} "));
            for text in [loud, odd] {
                let status = *case.statuses.first().unwrap();
                assert_eq!(without_names(classify_message(status, &text)), case.class, "{text}");
            }
        }
    }
}

#[test]
fn a_near_miss_is_not_taken_for_it() {
    for case in cases() {
        for (status, words) in case.near_misses {
            let class = without_names(classify_message(*status, words));
            assert_ne!(class, case.class, "{status} {words}");
        }
    }
}

#[test]
fn near_misses_of_the_worded_rows_fall_back_to_their_status() {
    // Those that rightly belong to another row.
    let elsewhere = ["secrets.0.key should not be empty", "Secret x is currently being deleted"];
    for case in cases() {
        for (status, words) in case.near_misses.iter().filter(|it| !elsewhere.contains(&it.1)) {
            let class = classify_message(*status, words);
            assert_eq!(class, by_status(*status), "{status} {words}");
        }
    }
}

#[test]
fn without_words_the_status_decides() {
    let expected = [
        (200, Class::UnexpectedStatus),
        (301, Class::Redirect),
        (304, Class::Redirect),
        (400, Class::InvalidRequest),
        (401, Class::Unauthorized),
        (402, Class::UnexpectedStatus),
        (403, Class::PermissionDenied),
        (404, Class::NotFound),
        (405, Class::UnexpectedStatus),
        (407, Class::UnexpectedStatus),
        (408, Class::Service),
        (409, Class::Conflict),
        (410, Class::UnexpectedStatus),
        (413, Class::UnexpectedStatus),
        (415, Class::UnexpectedStatus),
        (418, Class::UnexpectedStatus),
        (422, Class::InvalidRequest),
        (424, Class::StoreFailed),
        (429, Class::RateLimited),
        (500, Class::Service),
        (503, Class::Service),
        (600, Class::UnexpectedStatus),
    ];
    for (status, class) in expected {
        for body in ["", "{}", "null", r#"{"message":"no"}"#, "<html></html>"] {
            assert_eq!(classify(&parse(status, None, body.as_bytes())), class, "{status} {body}");
        }
    }
}

#[test]
fn azures_own_answer_is_read_to_its_inner_code() {
    let body = json!({"error": {
        "code": "Conflict",
        "message": "Secret db-password is not available.",
        "innererror": {"code": "ObjectIsBeingDeleted"},
    }});
    let answer = parse(409, Some("application/json"), body.to_string().as_bytes());
    assert_eq!(without_names(classify(&answer)), held(AzureVault, BeingDeleted));
}

#[test]
fn a_secrets_name_is_taken_only_where_it_is_clear_and_safe() {
    let long = "a".repeat(128);
    for (text, expected) in [
        ("Secret db-password is already in a deleted state", Some("db-password")),
        ("Secret 'db-password' is already in a deleted state", Some("db-password")),
        ("The secret \"db-password\" is currently being deleted.", Some("db-password")),
        ("Secret with name `db-password` is already in a deleted state", Some("db-password")),
        ("Cannot create secret group: secret db-pass is currently being deleted", Some("db-pass")),
        ("Conflict with soft-deleted resource", None),
        ("Secret is already in a deleted state", None),
        ("A secret with this name is already in a deleted state", None),
        ("This secret currently is in a deleted but recoverable state", None),
        ("Secret <name> is already in a deleted state", None),
        ("Secret 'db_password' is already in a deleted state", None),
        ("Secret 'x;rm' is already in a deleted state", None),
        ("Secret '$(id)' is already in a deleted state", None),
        ("Secret '--help' is already in a deleted state", None),
        ("Secret 'a b' is already in a deleted state", None),
        (&format!("Secret '{long}' is already in a deleted state"), None),
    ] {
        let Class::SoftDeleted { name, .. } = classify_message(409, text) else {
            unreachable!("{text}");
        };
        assert_eq!(name.as_deref(), expected, "{text}");
    }
    let Class::SoftDeleted { store, name, .. } =
        classify_message(400, "Secret 'prod/db_password' is already scheduled for deletion")
    else {
        unreachable!();
    };
    assert_eq!((store, name.as_deref()), (Some(AwsSecretsManager), Some("prod/db_password")));
}

#[test]
fn a_key_is_taken_only_from_quotes() {
    for (text, expected) in [
        ("Key 'DB_PASSWORD' does not support underscores (_)", Some("DB_PASSWORD")),
        ("Key names may not contain underscores: \"A_B\", \"C_D\"", Some("A_B")),
        ("Key name does not support underscores ('_')", None),
        ("Key DB_PASSWORD does not support underscores", None),
        ("Key 'a b_c' does not support underscores", None),
        ("Key '<a_b>' does not support underscores", None),
    ] {
        let class = classify_message(422, text);
        let key = expected.map(str::to_owned);
        assert_eq!(class, Class::KeyNotSupported { key, store: Some(AzureVault) }, "{text}");
    }
}

#[test]
fn a_store_is_claimed_only_where_the_text_agrees() {
    let store = |status, text: &str| match classify_message(status, text) {
        Class::SoftDeleted { store, .. } | Class::KeyNotSupported { store, .. } => store,
        other => unreachable!("{other:?}"),
    };
    let azure =
        "Azure Key Vault does not allow underscores in secret key names (AWS Secrets Manager does)";
    assert_eq!(store(422, azure), Some(AzureVault));
    // Of the stores that are known only Azure refuses them.
    assert_eq!(store(422, "Key name does not support underscores"), Some(AzureVault));
    assert_eq!(store(422, "HashiCorp Vault: key names cannot contain underscores"), None);
    assert_eq!(store(409, "Secret x is already in a deleted state"), Some(AzureVault));
    assert_eq!(store(409, "HashiCorp: secret x is already in a deleted state"), None);
    assert_eq!(
        store(400, "Azure: a secret with this name is already scheduled for deletion"),
        None
    );
}

#[test]
fn an_echoed_secret_is_not_handed_on_as_a_name() {
    let mut class = classify_message(409, "Secret 'hunter2-hunter2' is already in a deleted state");
    class.scrub(&Scrubber::new(["hunter2-hunter2"]));
    assert_eq!(class, held(AzureVault, Deleted));
    let mut class = classify_message(409, "Secret 'db' is already in a deleted state");
    class.scrub(&Scrubber::new(["hunter2-hunter2"]));
    assert!(matches!(class, Class::SoftDeleted { name: Some(_), .. }));
}

#[test]
fn the_tests_cover_every_row() {
    for row in super::ROWS {
        assert!(cases().iter().any(|case| case.class == row.class && case.near_misses.len() > 1));
    }
}

proptest! {
    #[test]
    fn no_answer_is_too_odd(status in prop_oneof![any::<u16>(), 400..425_u16], body in body()) {
        let class = classify(&parse(status, None, &body));
        if let Class::SoftDeleted { name: Some(said), .. } | Class::KeyNotSupported { key: Some(said), .. } = class {
            prop_assert!(said.len() <= 512);
        }
    }
}
