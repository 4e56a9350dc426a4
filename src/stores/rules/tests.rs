#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::{KNOWN, KeyProblemReason};
use crate::stores::kind::SecretStoreKind::{
    self, AwsParameterStore, AwsSecretsManager, AzureVault, GcpSecretManager, Generic,
    HashicorpVault,
};

fn all() -> Vec<SecretStoreKind> {
    let unruled = [HashicorpVault, Generic, SecretStoreKind::Other("new/store".to_owned())];
    KNOWN.iter().cloned().chain(unruled).collect()
}

fn refusal(store: &SecretStoreKind, key: &str) -> String {
    store.check_key(key).unwrap_err().to_string()
}

#[test]
fn each_store_takes_the_characters_it_documents_and_no_other_ascii() {
    for (store, symbols) in [
        (AzureVault, "-"),
        (AwsSecretsManager, "/_+=.@-"),
        (AwsParameterStore, "_.-/"),
        (GcpSecretManager, "_-"),
    ] {
        for character in (0..=0x7f_u8).map(char::from) {
            let allowed = character.is_ascii_alphanumeric() || symbols.contains(character);
            let key = format!("k{character}");
            assert_eq!(store.check_key(&key).is_ok(), allowed, "{store}: {key:?}");
        }
        assert!(store.check_key("schlüssel").is_err(), "{store}");
        assert!(store.check_key("K\u{661}").is_err(), "{store} accepts ASCII digits only");
    }
}

#[test]
fn lengths_are_accepted_up_to_the_limit() {
    for (store, limit) in [
        (AzureVault, 127),
        (AwsSecretsManager, 512),
        (AwsParameterStore, 1011),
        (GcpSecretManager, 255),
    ] {
        assert_eq!(store.check_key(&"k".repeat(limit)), Ok(()));
        let problem = store.check_key(&"k".repeat(limit + 1)).unwrap_err();
        assert_eq!(problem.reason(), KeyProblemReason::TooLong { length: limit + 1, limit });
        assert_eq!(problem.suggestion(), None, "a cut key is another key");
    }
}

#[test]
fn values_are_accepted_up_to_the_limit() {
    for (store, limit) in [
        (AzureVault, 25_600),
        (AwsSecretsManager, 65_536),
        (AwsParameterStore, 8_192),
        (GcpSecretManager, 65_536),
    ] {
        assert_eq!(store.check_value_len(limit), Ok(()));
        let problem = store.check_value_len(limit + 1).unwrap_err();
        assert_eq!((problem.length(), problem.limit()), (limit + 1, limit));
        assert!(problem.accepted_by().all(|other| other.check_value_len(limit + 1).is_ok()));
    }
    assert_eq!(HashicorpVault.check_value_len(usize::MAX), Ok(()));

    let problem = AzureVault.check_value_len(30_000).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "Azure Key Vault accepts at most 25600 bytes in a value, not 30000"
    );
    let others: Vec<_> = problem.accepted_by().cloned().collect();
    assert_eq!(others, [AwsSecretsManager, GcpSecretManager]);
    assert_eq!(problem.store(), &AzureVault);
}

#[test]
fn an_empty_key_is_refused_everywhere_and_nothing_else_where_no_rule_is_known() {
    for store in all() {
        let problem = store.check_key("").unwrap_err();
        assert_eq!(problem.reason(), KeyProblemReason::Empty);
        assert_eq!(problem.suggestion(), None);
        assert_eq!(problem.accepted_by().count(), 0);
    }
    for key in ["DB_PASSWORD", "a b", "schlüssel", "tab\t", &"k".repeat(5000)] {
        assert_eq!(HashicorpVault.check_key(key), Ok(()));
        assert_eq!(Generic.check_key(key), Ok(()));
        assert_eq!(SecretStoreKind::Other("x".to_owned()).check_key(key), Ok(()));
    }
}

#[test]
fn parameter_store_keeps_two_words_for_itself() {
    for key in ["aws", "AWS_KEY", "ssm-key", "SsMkey", "/aws/testparam1", "//ssm"] {
        let problem = AwsParameterStore.check_key(key).unwrap_err();
        assert!(matches!(problem.reason(), KeyProblemReason::ReservedPrefix { .. }), "{key}");
        assert_eq!(problem.suggestion(), None, "{key}");
    }
    for key in ["MY_AWS_KEY", "aw", "a/aws", "_ssm"] {
        assert_eq!(AwsParameterStore.check_key(key), Ok(()), "{key}");
    }
    assert_eq!(AwsSecretsManager.check_key("AWS_KEY"), Ok(()));
}

#[test]
fn suggestions_change_what_is_refused_and_nothing_else() {
    for (store, key, suggestion) in [
        (AzureVault, "DB_PASSWORD", Some("DB-PASSWORD")),
        (AzureVault, "db.pass_word/x", Some("db-pass-word-x")),
        (AzureVault, " DB_PASSWORD\n", Some("DB-PASSWORD")),
        (AzureVault, "A__B", Some("A--B")),
        (AzureVault, "___", None),
        (AzureVault, "straße", None),
        (AzureVault, "A\u{0}B", None),
        (AzureVault, "DB-PASSWORD", None),
        (GcpSecretManager, "db.password", Some("db_password")),
        (GcpSecretManager, "db-pass.word", Some("db-pass-word")),
        (AwsSecretsManager, "db password", Some("db_password")),
        (AwsParameterStore, "user@host", Some("user_host")),
        (AwsParameterStore, "aws@host", None),
        (HashicorpVault, "", None),
    ] {
        assert_eq!(store.suggest_key(key).as_deref(), suggestion, "{store}: {key:?}");
    }
}

#[test]
fn a_problem_says_the_rule_in_one_line() {
    assert_eq!(
        refusal(&AzureVault, "DB_PASSWORD"),
        "Azure Key Vault accepts letters, digits and `-` in a key, not `_` (at byte 2)"
    );
    assert_eq!(
        refusal(&GcpSecretManager, "a\u{1b}[31m"),
        "GCP Secret Manager accepts letters, digits, `_` and `-` in a key, not `\\u{1b}` (at byte 1)"
    );
    assert_eq!(
        refusal(&AwsParameterStore, "AWS_KEY"),
        "AWS Parameter Store does not accept a key that begins with `aws` (case-insensitive)"
    );
    assert_eq!(
        refusal(&AwsSecretsManager, &"k".repeat(600)),
        "AWS Secrets Manager accepts at most 512 characters in a key, not 600"
    );
    assert_eq!(refusal(&Generic, ""), "a key must not be empty");
}

#[test]
fn the_stores_that_would_accept_the_key_are_named() {
    let accepting = |key: &str| -> Vec<_> {
        AzureVault.check_key(key).unwrap_err().accepted_by().cloned().collect()
    };
    assert_eq!(accepting("DB_PASSWORD"), [AwsSecretsManager, AwsParameterStore, GcpSecretManager]);
    assert_eq!(accepting("AWS_KEY"), [AwsSecretsManager, GcpSecretManager]);
    assert_eq!(accepting("user@host"), [AwsSecretsManager]);
    assert_eq!(accepting("a b"), []);
}

fn keys() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[A-Za-z0-9_./@+= -]{0,140}", "(?i)/?(aws|ssm)[a-z_ ]{0,9}"]
}

proptest! {
    #[test]
    fn a_suggestion_passes_the_check_and_differs(key in keys()) {
        for store in all() {
            let checked = store.check_key(&key);
            let suggestion = store.suggest_key(&key);
            if let Some(suggestion) = &suggestion {
                prop_assert!(checked.is_err());
                prop_assert_ne!(suggestion, &key);
                prop_assert_eq!(store.check_key(suggestion), Ok(()));
            }
            if let Err(problem) = checked {
                prop_assert_eq!(problem.suggestion(), suggestion.as_deref());
                let accepting: Vec<_> = problem.accepted_by().collect();
                for other in &KNOWN {
                    prop_assert_eq!(accepting.contains(&other), other.check_key(&key).is_ok());
                }
                prop_assert!(!problem.to_string().contains(char::is_control));
            }
        }
    }
}
