//! Names that a server's text states so clearly that they can be handed on.

use crate::models::SecretStoreKind;

/// The secret in `Secret db-password is already in a deleted state` or `Secret with name
/// 'db-password' ..`.
///
/// Only a name that the store itself would accept, because it ends in a command that somebody
/// pastes into a shell.
pub(super) fn secret(text: &str, store: Option<&SecretStoreKind>) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.iter().enumerate().find_map(|(at, word)| {
        if !is_any(word, &["secret", "object"]) {
            return None;
        }
        let mut next = words.get(at + 1..)?.iter();
        let mut candidate = *next.next()?;
        if is_any(candidate, &["with", "has", "having"]) {
            candidate = next.next()?;
            if is_any(candidate, &["the"]) {
                candidate = next.next()?;
            }
        }
        if is_any(candidate, &["name", "named", "called", "id"]) {
            candidate = next.next()?;
        }
        let name = match unquoted(candidate) {
            Some(name) => name,
            // Without quotes only the verb behind it shows that this word is a name.
            None if is_any(next.next()?, &["is", "was"]) && !is_common(candidate) => candidate,
            None => return None,
        };
        fits_store(name, store).then(|| name.to_owned())
    })
}

/// The key in `Key 'DB_PASSWORD' does not support underscores`.
pub(super) fn key(text: &str) -> Option<String> {
    let quoted = text.split_whitespace().filter_map(unquoted);
    let mut keys = quoted.filter(|name| {
        name.contains('_')
            && name.bytes().any(|byte| byte.is_ascii_alphanumeric())
            && name.len() <= 512
            && name.bytes().all(is_aws)
    });
    keys.next().map(str::to_owned)
}

fn is_any(word: &str, choices: &[&str]) -> bool {
    let word = word.trim_end_matches([':', ',']);
    choices.iter().any(|choice| word.eq_ignore_ascii_case(choice))
}

fn is_common(word: &str) -> bool {
    is_any(
        word,
        &[
            "already",
            "currently",
            "it",
            "now",
            "still",
            "that",
            "this",
            "value",
            "version",
            "which",
            "store",
        ],
    )
}

fn unquoted(word: &str) -> Option<&str> {
    let word = word.trim_start_matches('(').trim_end_matches([')', '.', ',', ':', ';']);
    [('\'', '\''), ('"', '"'), ('`', '`'), ('‘', '’'), ('“', '”')]
        .iter()
        .find_map(|(open, close)| word.strip_prefix(*open)?.strip_suffix(*close))
}

fn fits_store(name: &str, store: Option<&SecretStoreKind>) -> bool {
    // A shell command would take a leading hyphen for an option.
    if name.is_empty() || name.starts_with('-') {
        return false;
    }
    match store {
        Some(SecretStoreKind::AwsSecretsManager) => name.len() <= 512 && name.bytes().all(is_aws),
        // Azure's rule is the narrowest, so it is safe where the store is unknown as well.
        _ => {
            name.len() <= 127
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        }
    }
}

fn is_aws(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte)
}
