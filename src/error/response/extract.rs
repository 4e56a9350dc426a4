//! Finds which of the request's own keys a failure is about. Names are compared, never cut from the
//! text, so a name in an error is always one that the caller gave.

use std::collections::HashSet;

use super::body::ErrorBody;
use super::rules::{is_part_of_name, is_word_of_rules};
use crate::stores::SecretStoreKind;

/// The store's name of the one secret among `keys` that the texts name: the key, or the group's
/// name and the key, each as it was sent or with the characters that the store substitutes.
pub(crate) fn secret_named<'a>(
    body: &ErrorBody,
    store: &SecretStoreKind,
    group: Option<&str>,
    keys: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let words = names_in(body);
    let spellings = keys.flat_map(|key| {
        let with_group = group.map(|group| format!("{group}-{key}"));
        let in_store = with_group.as_deref().and_then(|name| store.suggest_key(name));
        [Some(key.to_owned()), store.suggest_key(key), with_group, in_store].into_iter().flatten()
    });
    longest(spellings.filter(|name| words.contains(name.as_str())))
}

/// The one key with an underscore that the texts name.
pub(crate) fn key_named<'a>(
    body: &ErrorBody,
    keys: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let words = names_in(body);
    let named = keys.filter(|key| key.contains('_') && words.contains(key));
    longest(named.map(str::to_owned))
}

/// Everything that can be a name, as a set in which each key is looked up.
fn names_in(body: &ErrorBody) -> HashSet<&str> {
    let runs = body.texts().flat_map(|text| text.split(|it| !is_part_of_name(it)));
    // A full stop is not part of a name, but a dot within one is.
    let names = runs.map(|run| run.trim_matches(['.', '/', ':']));
    names.filter(|name| name.contains(char::is_alphanumeric)).collect()
}

/// The longest; `None` if another one is as long. A key that is a word of the documented texts,
/// such as `name`, is ignored: it cannot be told apart from them.
fn longest(names: impl Iterator<Item = String>) -> Option<String> {
    let mut best: Option<String> = None;
    let mut is_only = true;
    for name in names.filter(|name| !is_word_of_rules(&name.to_ascii_lowercase())) {
        let length = best.as_ref().map_or(0, String::len);
        if name.len() > length {
            (best, is_only) = (Some(name), true);
        } else if name.len() == length && best.as_ref() != Some(&name) {
            is_only = false;
        }
    }
    best.filter(|_| is_only)
}

#[cfg(test)]
mod tests {
    use SecretStoreKind::{AwsSecretsManager, AzureVault};

    use super::super::body::parse;
    use super::*;

    fn secret(text: &str, store: &SecretStoreKind, keys: &[&str]) -> Option<String> {
        let body = parse(409, None, text.as_bytes());
        secret_named(&body, store, Some("app"), keys.iter().copied())
    }

    #[test]
    fn a_secret_is_the_only_longest_key_that_stands_as_a_word() {
        for (text, keys, expected) in [
            (
                "Secret DB-PASSWORD is in a deleted state",
                &["A", "DB-PASSWORD"][..],
                Some("DB-PASSWORD"),
            ),
            ("Secret 'DB-PASSWORD' is in a deleted state.", &["DB-PASSWORD"], Some("DB-PASSWORD")),
            ("deleted: DB-PASSWORD.", &["DB", "DB-PASSWORD"], Some("DB-PASSWORD")),
            ("Secret app-DB-PASSWORD is deleted", &["DB-PASSWORD"], Some("app-DB-PASSWORD")),
            ("Secret app-DB-PASSWORD is deleted", &["DB_PASSWORD"], Some("app-DB-PASSWORD")),
            ("Secret DB-PASSWORD is deleted", &["DB_PASSWORD"], Some("DB-PASSWORD")),
            // With an unknown prefix, the command would purge another secret.
            ("Secret x9-DB-PASSWORD is deleted", &["DB-PASSWORD"], None),
            ("Secret my-tenant:app:DB is deleted", &["DB"], None),
            ("Secret a.DB is deleted", &["DB"], None),
            // Two of the same length, however often each is named.
            ("Secrets ABC and XYZ are deleted, ABC first", &["ABC", "XYZ"], None),
            ("Secrets ABC and XYZ are deleted", &["ABC", "ABC"], Some("ABC")),
            // A key in another case is another key, and words of the documented texts are not
            // evidence.
            ("Secret x is deleted", &["SECRET", "X"], None),
            ("a secret with this name is deleted", &["name", "secret", "a"], None),
            ("conflict with soft-deleted resource", &["DB", ""], None),
        ] {
            assert_eq!(secret(text, &AzureVault, keys).as_deref(), expected, "{text}");
        }
        let aws = secret(
            "Secret prod/DB_X is scheduled for deletion",
            &AwsSecretsManager,
            &["prod/DB_X", "DB_X"],
        );
        assert_eq!(aws.as_deref(), Some("prod/DB_X"));
    }

    #[test]
    fn a_key_that_azure_refuses_is_one_with_an_underscore() {
        for (text, keys, expected) in [
            ("Key 'DB_PASSWORD' does not", &["DB", "DB_PASSWORD", "A_B"][..], Some("DB_PASSWORD")),
            ("Key name does not support underscores (_)", &["A_B", "_"], None),
            ("Key DB does not", &["DB"], None),
        ] {
            let body = parse(422, None, text.as_bytes());
            assert_eq!(key_named(&body, keys.iter().copied()).as_deref(), expected, "{text}");
        }
    }
}
