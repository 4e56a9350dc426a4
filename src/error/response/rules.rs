//! The documented error texts of the service and the stores, and no others.

use super::class::ErrorClass;
use crate::error::recovery::SoftDeleteState::{self, BeingDeleted, BeingRecovered, Deleted};
use crate::stores::SecretStoreKind::{self, AwsSecretsManager, AzureVault};

/// The statuses, the words that a text must all contain, and the words of which it must contain
/// none. A code counts as a text.
pub(super) struct Rule {
    pub(super) statuses: &'static [u16],
    all: &'static [&'static str],
    none: &'static [&'static str],
    pub(super) class: ErrorClass,
}

impl Rule {
    /// Whether all the words occur in `lowercase`, even within longer ones.
    pub(super) fn occurs(&self, lowercase: &str) -> bool {
        self.all.iter().all(|word| lowercase.contains(word))
    }

    pub(super) fn fits(&self, lowercase: &str) -> bool {
        self.all.iter().all(|word| has_word(lowercase, word))
            && !self.none.iter().any(|word| has_word(lowercase, word))
    }
}

/// A store's refusal arrives under the store's status (400, 409), or under one of those that the platform
/// documents for a create (409, 422, 424).
const FROM_STORE: &[u16] = &[400, 409, 422, 424];
const TAKEN: &[u16] = &[400, 409, 422];
const REFUSED: &[u16] = &[400, 422];
const NO_STORE: &[u16] = &[400, 404, 422];

/// Resources other than secrets that are deleted and recovered.
const NO_SECRET: &[&str] =
    &["application", "cluster", "deployment", "group", "tenant", "workspace"];

const fn soft_deleted(store: SecretStoreKind, state: SoftDeleteState) -> ErrorClass {
    ErrorClass::SoftDeleted { store, state }
}

const fn rule(
    statuses: &'static [u16],
    all: &'static [&'static str],
    none: &'static [&'static str],
    class: ErrorClass,
) -> Rule {
    Rule { statuses, all, none, class }
}

/// The first match wins. A wrong class misleads programs and people, while a status with the
/// server's own message still helps: any other wording is classified by its status.
#[rustfmt::skip]
pub(super) static RULES: &[Rule] = &[
    rule(FROM_STORE, &["objectisbeingrecovered"], &[], soft_deleted(AzureVault, BeingRecovered)),
    rule(FROM_STORE, &["being recovered and cannot be re-created"], &[], soft_deleted(AzureVault, BeingRecovered)),
    rule(FROM_STORE, &["objectisbeingdeleted"], &[], soft_deleted(AzureVault, BeingDeleted)),
    rule(FROM_STORE, &["being deleted and cannot be re-created"], &[], soft_deleted(AzureVault, BeingDeleted)),
    rule(FROM_STORE, &["is currently being deleted"], NO_SECRET, soft_deleted(AzureVault, BeingDeleted)),
    rule(FROM_STORE, &["objectisdeletedbutrecoverable"], &[], soft_deleted(AzureVault, Deleted)),
    rule(FROM_STORE, &["in a deleted but recoverable state"], &[], soft_deleted(AzureVault, Deleted)),
    rule(FROM_STORE, &["conflict with soft-deleted resource"], &[], soft_deleted(AzureVault, Deleted)),
    rule(FROM_STORE, &["is already in a deleted state"], NO_SECRET, soft_deleted(AzureVault, Deleted)),
    rule(FROM_STORE, &["a secret with this name is already scheduled for deletion"], &[], soft_deleted(AwsSecretsManager, Deleted)),
    rule(NO_STORE, &["no secret store configured"], &[], ErrorClass::NoSecretStore),
    rule(REFUSED, &["not support underscores", "key"], &["description", "group", "value"], ErrorClass::KeyNotSupported { store: AzureVault }),
    rule(REFUSED, &["does not allow underscores in secret key names"], &[], ErrorClass::KeyNotSupported { store: AzureVault }),
    rule(REFUSED, &["secret group with zero secrets"], &[], ErrorClass::EmptyGroup),
    rule(&[422], &["ensure all secrets have both", "key", "value"], &[], ErrorClass::MissingFields),
    rule(TAKEN, &["secret group with", "already exists"], &["key"], ErrorClass::AlreadyExists),
];

/// Whether a name is one of the words that the rules look for.
pub(super) fn is_word_of_rules(lowercase: &str) -> bool {
    let is_in = |text: &str| {
        text.as_bytes().split(|byte| *byte == b' ').any(|word| word == lowercase.as_bytes())
    };
    RULES.iter().flat_map(|rule| rule.all).any(|text| is_in(text))
}

/// Whether `word` occurs in `text` and is not part of a longer name.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(start, found)| {
        let before = text.get(..start).and_then(|before| before.chars().next_back());
        let after = text.get(start + found.len()..).and_then(|after| after.chars().next());
        let is_inner =
            |near: Option<char>| near.is_some_and(|it| it.is_alphanumeric() || "-_".contains(it));
        !is_inner(before) && !is_inner(after)
    })
}

/// The characters of secret names, in stores and in fully qualified names.
pub(super) fn is_part_of_name(character: char) -> bool {
    character.is_alphanumeric()
        || matches!(character, '-' | '_' | '+' | '=' | '@' | '.' | '/' | ':')
}
