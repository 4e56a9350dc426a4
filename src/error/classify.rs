//! What a failed answer means. The service has no stable codes of its own, so the words have to be
//! read.

mod names;
mod table;
#[cfg(test)]
mod tests;
mod words;

use super::{ServerAnswer, SoftDeleteState};
use crate::models::SecretStoreKind;
use crate::redact::Scrubber;
use table::{ROWS, Row};
use words::Said;

/// What went wrong, before it is joined with what was asked.
#[derive(Clone)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(crate) enum Class {
    Unauthorized,
    PermissionDenied,
    NotFound,
    AlreadyExists,
    Conflict,
    SoftDeleted { store: Option<SecretStoreKind>, state: SoftDeleteState, name: Option<String> },
    KeyNotSupported { key: Option<String>, store: Option<SecretStoreKind> },
    EmptyGroup,
    NoSecretStore,
    MissingFields,
    InvalidRequest,
    StoreFailed,
    RateLimited,
    Service,
    Redirect,
    UnexpectedStatus,
}

impl Class {
    /// Drops a name in which the server echoed a secret: it was read before the answer was
    /// scrubbed.
    pub(crate) fn scrub(&mut self, scrubber: &Scrubber) {
        let (Self::SoftDeleted { name: said, .. } | Self::KeyNotSupported { key: said, .. }) = self
        else {
            return;
        };
        if said.as_ref().is_some_and(|text| scrubber.shows(text)) {
            *said = None;
        }
    }
}

/// Reads the words where the status needs them, else goes by the status.
pub(crate) fn classify(answer: &ServerAnswer) -> Class {
    let candidates: Vec<&Row> =
        ROWS.iter().filter(|row| row.statuses.contains(&answer.status)).collect();
    if candidates.is_empty() {
        return by_status(answer.status);
    }
    let texts: Vec<&str> = answer
        .message
        .iter()
        .chain(&answer.problems)
        .chain(&answer.details)
        .chain(&answer.code)
        .map(String::as_str)
        .collect();
    let said: Vec<Said> = texts.iter().map(|text| Said::new(text)).collect();
    let row = candidates.into_iter().find(|row| {
        said.iter().any(|said| {
            row.codes.iter().any(|code| said.has_code(code))
                || said.says(row.words, row.never_between, row.unless)
        })
    });
    let mut class = row.map_or_else(|| by_status(answer.status), |row| row.class.clone());
    match &mut class {
        Class::SoftDeleted { store, name, .. } => {
            *store = confirmed(store.take(), &said);
            *name = texts.iter().find_map(|text| names::secret(text, store.as_ref()));
        }
        Class::KeyNotSupported { key, store } => {
            // Others may be named as well, as those that would take the key.
            if !says_azure(&said) {
                *store = confirmed(store.take(), &said);
            }
            *key = texts.iter().find_map(|text| names::key(text));
        }
        _ => {}
    }
    class
}

/// The row's store, unless the text names another one: then nobody knows.
fn confirmed(usual: Option<SecretStoreKind>, said: &[Said]) -> Option<SecretStoreKind> {
    let contradicts = match usual {
        Some(SecretStoreKind::AzureVault) => says_other_than_azure(said),
        _ => says_azure(said),
    };
    if contradicts { None } else { usual }
}

fn says_azure(said: &[Said]) -> bool {
    said.iter().any(|said| said.mentions(&["azure", "keyvault", "akv"]))
}

fn says_other_than_azure(said: &[Said]) -> bool {
    const NAMES: &[&str] =
        &["aws", "amazon", "secretsmanager", "gcp", "google", "gsm", "hashi", "hashicorp"];
    said.iter().any(|said| said.mentions(NAMES))
}

/// What a status means by itself.
fn by_status(status: u16) -> Class {
    match status {
        401 => Class::Unauthorized,
        403 => Class::PermissionDenied,
        404 => Class::NotFound,
        409 => Class::Conflict,
        400 | 422 => Class::InvalidRequest,
        424 => Class::StoreFailed,
        429 => Class::RateLimited,
        // A request that took too long may be tried again, as after a failure of the service.
        408 | 500..=599 => Class::Service,
        300..=399 => Class::Redirect,
        // 410 too: a retired endpoint must not look like a secret that is gone.
        _ => Class::UnexpectedStatus,
    }
}
